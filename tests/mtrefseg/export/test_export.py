# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Exported models answer as the models that they were made of, with and without PyTorch."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import mtrefseg
from modeling_mtrefseg.resampling_mtrefseg import sample_masks
from mtrefseg.build.loading import load_plain_model, load_processor
from mtrefseg.cli.main import main
from mtrefseg.errors import UserError
from mtrefseg.export import export_model, masks
from mtrefseg.export.exporting import quantize_folder
from mtrefseg.export.names import ANSWERS, FEATURES, PAIR, PROMPT, SENTENCES, TEXT_ENCODING
from tests.tiny_models import save_mtrefseg


onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "mtrefseg-r1"
TEXTS = [
    ["the largest house that appeared", "a red car"],
    [],
    ["trees", "the two cars in the upper left corner", "it"],
]
DOMAINS = ["remote_sensing", None, "normal_scene"]
# Imports of these fail, as where they are not installed.
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, *rest):
        if name.split(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return save_mtrefseg(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def exported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as ONNX graphs, by the command."""
    out = tmp_path_factory.mktemp("exported") / "new" / "onnx"
    assert main(["export", str(folder), str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def pairs(make_image) -> tuple[list[Image.Image], list[Image.Image]]:
    sizes = ((96, 128), (64, 64), (200, 150))
    first, second = ([make_image(*size, seed=seed + place) for place, size in enumerate(sizes)] for seed in (0, 3))
    return first, second


@torch.no_grad()
def compare(folder: Path, exported: Path, pairs, tolerance: float = 1e-3) -> None:
    """Logits, masks and scores of three pairs with sentences, and without."""
    processor = load_processor(folder)
    model = load_plain_model(folder, processor)
    segmenter = mtrefseg.OnnxSegmenter(exported)
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


def test_graphs_answer_as_the_model(folder, exported, pairs):
    compare(folder, exported, pairs)


def test_the_shipped_model_answers_alike(tmp_path, pairs):
    """With `choose_objects`, which it is saved with."""
    processor = load_processor(SHIPPED)
    assert processor.choose_objects
    export_model(load_plain_model(SHIPPED, processor), processor, tmp_path)
    compare(SHIPPED, tmp_path, pairs)


@torch.no_grad()
def test_sizes_and_counts_are_open(folder, exported):
    """Images of another size than the canvas, one pair and seven sentences of other lengths."""
    processor = load_processor(folder)
    model = load_plain_model(folder, processor)
    processor.num_image_tokens = 2
    images = torch.rand(2, 1, 3, 96, 224)
    inputs = processor.encode_text([[f"the house {'that appeared ' * count}" for count in range(7)]])
    expected = model(*images, **inputs)
    arrays = {name: value.numpy() for name, value in {**dict(zip(PAIR, images)), **inputs}.items()}
    encode, answer = (onnxruntime.InferenceSession(exported / f"{name}.onnx") for name in ("encode", "answer"))
    names = [*FEATURES, *TEXT_ENCODING]
    encoded = dict(zip(names, encode.run(names, {name: arrays[name] for name in (*PAIR, *PROMPT)})))
    sentences = {name: arrays[name][None] for name in SENTENCES}
    found = answer.run(list(ANSWERS), {**encoded, PROMPT[1]: arrays[PROMPT[1]], **sentences})
    assert found[0].shape == (1, 7, 24, 56)
    for array, name in zip(found, ANSWERS):
        np.testing.assert_allclose(array[0], expected[name], atol=1e-3)
    axes = [
        dimension.dim_param
        for dimension in onnx.load(exported / "encode.onnx").graph.input[0].type.tensor_type.shape.dim
    ]
    assert axes == ["batch_size", "", "32*rows", "32*columns"]


def test_it_runs_without_pytorch(exported, folder, pairs, tmp_path):
    """Also the command; results are those of the model."""
    for place, side in enumerate(pairs):
        side[0].save(tmp_path / f"t{place + 1}.png")
    code = f"""{BLOCKED}
import mtrefseg
from mtrefseg.cli.main import main
segmenter = mtrefseg.OnnxSegmenter({str(exported)!r})
pair = {{"image_t1": "t1.png", "image_t2": "t2.png", "text": ["the house", "the leftmost car"]}}
for index, entry in enumerate(segmenter(pair, no_target_threshold=1.0)):
    entry["mask"].save(f"{{index}}.png")
segmenter([{{"image_t1": "t1.png", "image_t2": "t2.png"}}] * 3, batch_size=2)
code = main(["predict", "--model", {str(exported)!r}, "t1.png", "t2.png", "the house", "--out", "onnx"])
assert not {{"torch", "transformers"}} & set(sys.modules)
sys.exit(code)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    images = [str(tmp_path / "t1.png"), str(tmp_path / "t2.png")]
    out = str(tmp_path / "torch")
    # An exported model sees large images shrunk.
    assert main(["predict", "--model", str(folder), *images, "the house", "--window", "off", "--out", out]) == 0
    own, other = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("onnx", "torch"))
    assert own.keys() == other.keys()
    assert own["results"][0]["area_pixels"] == pytest.approx(other["results"][0]["area_pixels"], abs=13)
    assert (tmp_path / "onnx" / "overlay.png").exists()
    assert Image.open(tmp_path / "1.png").size == (128, 96)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("size", [(64, 64), (33, 400), (1, 1), (700, 500)])
def test_masks_are_those_of_pytorch(threshold, size, monkeypatch):
    monkeypatch.setattr(masks, "_FLOATS_PER_BAND", 5000)
    logits = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0)) * 4
    expected, expected_scores = sample_masks(logits, 64, *size, threshold)
    found, scores = masks.sample_masks(logits.numpy(), 64, *size, threshold)
    assert (found != expected.numpy()).mean() <= 1e-4
    np.testing.assert_allclose(scores, expected_scores, atol=1e-4)


def test_convolutions_in_8_bits(folder, exported, tmp_path, pairs):
    """Weights are smaller, and answers similar."""
    out = shutil.copytree(exported, tmp_path / "int8")
    quantize_folder(out, load_processor(folder), zip(*pairs))
    graph = onnx.load(out / "encode.onnx").graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    assert all(made_by[name] == "DequantizeLinear" for node in convolutions for name in node.input[:2])
    assert (out / "weights.bin").stat().st_size < (exported / "weights.bin").stat().st_size
    logits = [
        segmenter.answer(segmenter.encode_pair(*pairs, domain=DOMAINS), TEXTS)["mask_logits"]
        for segmenter in (mtrefseg.OnnxSegmenter(exported), mtrefseg.OnnxSegmenter(out))
    ]
    assert np.corrcoef(logits[0].ravel(), logits[1].ravel())[0, 1] > 0.9


@torch.no_grad()
def test_torch_export(folder, tmp_path, pairs):
    out = tmp_path / "programs"
    assert main(["export", "--format", "torch-export", str(folder), str(out)]) == 0
    processor = load_processor(folder)
    inputs = processor(*pairs, text=[["trees"]] * 3)
    encode, answer = (torch.export.load(out / f"{name}.pt2").module() for name in ("encode", "answer"))
    encoded = encode(*(inputs[name] for name in (*PAIR, *PROMPT)))
    logits, _ = answer(*encoded, inputs[PROMPT[1]], *(inputs[name].unsqueeze(1) for name in SENTENCES))
    expected = load_plain_model(folder, processor)(**inputs).mask_logits
    torch.testing.assert_close(logits[:, 0], expected, atol=1e-4, rtol=1e-4)
    with pytest.raises(UserError, match="--format onnx"):
        mtrefseg.OnnxSegmenter(out)


def test_wrong_calls_are_refused_in_one_line(exported, folder, tmp_path, capsys, pairs):
    with pytest.raises(UserError, match="holds no exported model"):
        mtrefseg.OnnxSegmenter(folder)
    segmenter = mtrefseg.OnnxSegmenter(exported)
    pair = {"image_t1": pairs[0][0], "image_t2": pairs[1][0], "text": ["the house"]}
    with pytest.raises(ValueError, match="image_t1 and image_t2"):
        segmenter({**pair, "mask": None})
    with pytest.raises(ValueError, match="is empty"):
        segmenter({**pair, "text": " "})
    with pytest.raises(ValueError, match="must lie in"):
        segmenter(pair, threshold=2.0)
    with pytest.raises(ValueError, match="differ in size"):
        segmenter({**pair, "image_t2": pairs[1][1]})
    assert len(segmenter({**pair, "image_t2": pairs[1][1]}, align="resize")) == 1
    assert segmenter({**pair, "text": []}) == []
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "export.json").write_text('{"version": 1, "image": {}}')
    with pytest.raises(UserError, match="export the model again"):
        mtrefseg.OnnxSegmenter(damaged)
    for arguments, message in (
        ([str(folder), str(exported)], "exists already"),
        (["--int8", "--format", "torch-export", "new"], "--int8 requires"),
        (["--calibration", "pairs", "new"], "requires --int8"),
    ):
        assert main(["export", *arguments]) == 2
        assert message in capsys.readouterr().err
    assert main(["predict", "--model", str(exported), "--device", "cuda", "a.png", "b.png", "x", "--out", "o"]) == 2
    assert "--device" in capsys.readouterr().err
