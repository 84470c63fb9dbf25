# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What tests of exported models share: they answer as the models that they were made of, with and without PyTorch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mtrefseg.build.loading import load_plain_model, load_processor
from mtrefseg.cli.main import main
from mtrefseg.export import open_exported
from mtrefseg.export.names import ANSWERS


ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "mtrefseg-r1"
Pairs = tuple[list[Image.Image], list[Image.Image]]
TEXTS = [
    ["the largest house that appeared", "a red car"],
    [],
    ["trees", "the two cars in the upper left corner", "it"],
]
DOMAINS = ["remote_sensing", None, "normal_scene"]
# Imports of these fail, as where they are not installed.
_BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, *rest):
        if name.split(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""


@torch.no_grad()
def check_answers(folder: Path, exported: Path, pairs: Pairs, choose_objects: bool, tolerance: float = 1e-3) -> None:
    """Logits, masks and scores of three pairs with sentences, and without."""
    processor = load_processor(folder)
    processor.choose_objects = choose_objects
    model = load_plain_model(folder, processor)
    segmenter = open_exported(exported)
    assert segmenter.settings.text.choose_objects == choose_objects
    sizes = [image.size[::-1] for image in pairs[0]]
    encoding = segmenter.encode_pair(*pairs, domain=DOMAINS)
    for text in (TEXTS, None):
        outputs = model(**processor(*pairs, text=text, domain=DOMAINS))
        answers = segmenter.answer(encoding, text)
        for name in ANSWERS:
            np.testing.assert_allclose(answers[name], outputs[name], atol=tolerance)
        assert answers["num_expressions"].tolist() == outputs["num_expressions"].tolist()
        expected = processor.post_process_referring_segmentation(outputs, sizes)
        for found, wanted in zip(segmenter.post_process_referring_segmentation(answers, sizes), expected, strict=True):
            assert found["masks"].shape == wanted["masks"].shape
            assert (found["masks"] != wanted["masks"].numpy()).mean() <= 1e-3 if found["masks"].size else True
            np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-2)
            np.testing.assert_allclose(found["no_target_scores"], wanted["no_target_scores"], atol=1e-3)


def check_without_pytorch(folder: Path, exported: Path, pairs: Pairs, workplace: Path) -> None:
    """A process that cannot import PyTorch, also the command; results are those of the model."""
    for place, side in enumerate(pairs):
        side[0].save(workplace / f"t{place + 1}.png")
    code = f"""{_BLOCKED}
from mtrefseg.cli.main import main
from mtrefseg.export import open_exported
segmenter = open_exported({str(exported)!r})
pair = {{"image_t1": "t1.png", "image_t2": "t2.png", "text": ["the house", "the leftmost car"]}}
for index, entry in enumerate(segmenter(pair, no_target_threshold=1.0)):
    entry["mask"].save(f"{{index}}.png")
segmenter([{{"image_t1": "t1.png", "image_t2": "t2.png"}}] * 3, batch_size=2)
code = main(["predict", "--model", {str(exported)!r}, "t1.png", "t2.png", "the house", "--out", "exported"])
assert not {{"torch", "transformers", "openvino_telemetry"}} & set(sys.modules)
sys.exit(code)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=workplace, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    images = [str(workplace / "t1.png"), str(workplace / "t2.png")]
    out = str(workplace / "torch")
    # An exported model sees large images shrunk.
    assert main(["predict", "--model", str(folder), *images, "the house", "--window", "off", "--out", out]) == 0
    own, other = (json.loads((workplace / name / "result.json").read_text()) for name in ("exported", "torch"))
    assert own.keys() == other.keys()
    assert own["results"][0]["area_pixels"] == pytest.approx(other["results"][0]["area_pixels"], abs=13)
    assert (workplace / "exported" / "overlay.png").exists()
    assert Image.open(workplace / "1.png").size == (128, 96)
