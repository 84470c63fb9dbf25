# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A checkpoint folder alone, in a clean process without this package and without network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from publishing.sync_checkpoint import CHECKPOINT, code_files


ROOT = Path(__file__).resolve().parents[2]

# A nested configuration of a class that lies in the folder too.
EFFICIENTNET_LITE = {
    "model_type": "efficientnet_lite",
    "width_multiplier": 0.25,
    "depth_multiplier": 0.5,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}

SCRIPT = """
import sys
import torch
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoProcessor, AutoTokenizer, pipeline

assert "modeling_mtrefseg" not in sys.modules
folder, task = "checkpoint", "multi-temporal-referring-segmentation"
config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
assert config.model_type == "mtrefseg"
model = AutoModel.from_pretrained(folder, trust_remote_code=True)
processor = AutoProcessor.from_pretrained(folder, trust_remote_code=True)
image_processor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)
assert image_processor.to_dict() == processor.image_processor.to_dict()
assert len(AutoTokenizer.from_pretrained(folder)) == len(processor.tokenizer)
pair = {"image_t1": Image.open("t1.png"), "image_t2": Image.open("t2.png")}
text = ["the new house", "the red car that left the road"]
with torch.no_grad():
    outputs = model(**processor(images_t1=pair["image_t1"], images_t2=pair["image_t2"], text=text))
masks = processor.post_process_referring_segmentation(outputs, [(96, 128)])[0]["masks"]
for segmenter in (
    pipeline(task, model=folder, trust_remote_code=True),
    pipeline(model=folder, trust_remote_code=True),
):
    results = segmenter({**pair, "text": text})
    assert [result["text"] for result in results] == text
    for result, mask in zip(results, masks):
        assert (torch.tensor(list(result["mask"].getdata())).view(96, 128) > 0).equal(mask)
assert not any(name.split(".")[0] == "modeling_mtrefseg" for name in sys.modules)
# Saved again, the folder is as complete.
model.save_pretrained("again")
processor.save_pretrained("again")
again = AutoModel.from_pretrained("again", trust_remote_code=True)
assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))
pipeline(model="again", trust_remote_code=True)({**pair, "text": text})
torch.save(outputs.mask_logits, "mask_logits.pt")
"""


def run_alone(folder: Path) -> None:
    """Runs the script with `folder` as the working directory; the package must not be found from there."""
    (folder / "script.py").write_text(SCRIPT)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "cache"),
    }
    # -P keeps the script's folder off the path, the hook hides an editable installation.
    hide = (
        "import sys; sys.modules['modeling_mtrefseg'] = None; del sys.modules['modeling_mtrefseg']; "
        "sys.meta_path = [f for f in sys.meta_path if '__editable__' not in type(f).__module__ + str(f)]; "
        "exec(compile(open('script.py').read(), 'script.py', 'exec'))"
    )
    result = subprocess.run(
        [sys.executable, "-c", hide], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr[-3000:]


@torch.no_grad()
@pytest.mark.parametrize("vision_config", [None, EFFICIENTNET_LITE], ids=["swin", "efficientnet_lite"])
def test_saved_folder_alone(make_model, vision_config, processor, make_image, tmp_path):
    model = make_model() if vision_config is None else make_model(vision_config=vision_config)
    images = make_image(seed=0), make_image(seed=1)
    for image, name in zip(images, ("t1.png", "t2.png")):
        image.save(tmp_path / name)
    model.save_pretrained(tmp_path / "checkpoint")
    processor.save_pretrained(tmp_path / "checkpoint")
    run_alone(tmp_path)
    text = ["the new house", "the red car that left the road"]
    expected = model(**processor(images_t1=images[0], images_t2=images[1], text=text)).mask_logits
    actual = torch.load(tmp_path / "mask_logits.pt", weights_only=True)
    assert_close(actual, expected, atol=1e-4, rtol=1e-4)


def test_shipped_folder_alone(make_image, tmp_path):
    for seed, name in enumerate(("t1.png", "t2.png")):
        make_image(seed=seed).save(tmp_path / name)
    shutil.copytree(ROOT / "mtrefseg-r1", tmp_path / "checkpoint")
    run_alone(tmp_path)


def test_shipped_folder_needs_trust(monkeypatch):
    script = "from transformers import AutoModel; AutoModel.from_pretrained('mtrefseg-r1')"
    hide = "import sys; sys.path = [p for p in sys.path if p]; " + script
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", hide],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode != 0
    assert "trust_remote_code=True" in result.stderr


def test_shipped_code_is_the_package():
    """`make sync-checkpoint` has been run: real files, equal byte by byte, and no others."""
    shipped = {path.name: path.read_bytes() for path in CHECKPOINT.glob("*.py") if not path.is_symlink()}
    assert shipped == {path.name: path.read_bytes() for path in code_files()}


def test_importing_the_package_loads_no_heavy_optional_package():
    """What training, demos and evaluation need is not loaded by who only runs the model."""
    script = "import sys, modeling_mtrefseg; print(*{name.split('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(result.stdout.split()) & {"datasets", "evaluate", "gradio", "matplotlib", "trl", "peft", "skimage"}
