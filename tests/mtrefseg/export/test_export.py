# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Exported models answer as the models that they were made of, with and without PyTorch."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers.utils import ModelOutput

import mtrefseg
from modeling_mtrefseg.resampling_mtrefseg import sample_masks
from mtrefseg.build.loading import load_plain_model, load_processor
from mtrefseg.cli.main import main
from mtrefseg.errors import UserError
from mtrefseg.export import masks, open_exported
from mtrefseg.export.exporting import export_model, quantize_encoder
from mtrefseg.export.names import ANSWERS, FEATURES, PAIR, PROMPT, SENTENCES, TEXT_ENCODING
from mtrefseg.export.settings import hashes_in
from mtrefseg.io import read_json, write_json
from tests.mtrefseg.export.comparing import DOMAINS, SHIPPED, TEXTS, check_answers, check_without_pytorch
from tests.tiny_models import save_mtrefseg


onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as ONNX graphs, by the command. Exporting takes most of the time of this file."""
    out = tmp_path_factory.mktemp("exported") / "new" / "onnx"
    assert main(["export", str(SHIPPED), str(out)]) == 0
    return out


def test_graphs_answer_as_the_model(exported, pairs):
    check_answers(SHIPPED, exported, pairs, choose_objects=True)


def test_the_network_alone(exported, pairs, tmp_path):
    """Without `choose_objects`."""
    out = shutil.copytree(exported, tmp_path / "whole")
    settings = json.loads((out / "export.json").read_text())
    settings["text"]["choose_objects"] = False
    (out / "export.json").write_text(json.dumps(settings))
    check_answers(SHIPPED, out, pairs, choose_objects=False)


def test_empty_masks_get_the_closest_changes(exported, pairs):
    segmenter = open_exported(exported)
    segmenter.settings = replace(segmenter.settings, fallback_threshold=0.001)
    processor = load_processor(SHIPPED)
    processor.image_processor.fallback_threshold = 0.001
    sides = processor.image_processor.size["height"] // 4
    changes = np.full((1, 1, sides, sides), -9, dtype=np.float32)
    changes[..., 20:30, 20:30] = changes[..., 50:52, 40:60] = 9
    masks = np.full((3, sides, sides), -12, dtype=np.float32)
    masks[0, 20:30, 20:30], masks[1, 50:52, 40:60], masks[2, 40:44, 5:9] = -4, -5, 4
    segmenter.__dict__["_find_changes"] = lambda names, inputs: [changes, np.zeros((1, 1), np.float32)]
    encoding = segmenter.encode_pair(pairs[0][0], pairs[1][0])
    outputs = {
        "mask_logits": masks,
        "no_target_logits": np.full(3, -9, np.float32),
        "num_expressions": np.array([3]),
    }
    (found,) = segmenter.post_process_referring_segmentation({**outputs, "encoding": encoding}, [(200, 300)])
    tensors = {name: torch.from_numpy(value) for name, value in outputs.items()}
    tensors["change_logits"] = torch.from_numpy(changes[:, 0])
    (expected,) = processor.post_process_referring_segmentation(ModelOutput(tensors), [(200, 300)])
    assert found["masks"].any((1, 2)).all()
    np.testing.assert_array_equal(found["masks"], expected["masks"].numpy())
    np.testing.assert_allclose(found["scores"], expected["scores"].numpy(), atol=1e-5)
    assert found["is_closest"].tolist() == expected["is_closest"].tolist() == [True, True, False]
    outputs["mask_logits"] = masks[:1]
    outputs |= {"no_target_logits": np.full(1, -9, np.float32), "num_expressions": np.array([1])}
    segmenter.answer = lambda encoding, text: {**outputs, "encoding": encoding}
    (answer,) = segmenter({"image_t1": pairs[0][0], "image_t2": pairs[1][0], "text": "a house"})
    assert answer["is_closest"] is True


@torch.no_grad()
def test_sizes_and_counts_are_open(exported):
    """Images of another size than the canvas, one pair and seven sentences of other lengths."""
    processor = load_processor(SHIPPED)
    model = load_plain_model(SHIPPED, processor)
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


def test_it_runs_without_pytorch(exported, pairs, tmp_path):
    check_without_pytorch(SHIPPED, exported, pairs, tmp_path)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("size", [(64, 64), (33, 400), (1, 1), (700, 500)])
def test_masks_are_those_of_pytorch(threshold, size, monkeypatch):
    monkeypatch.setattr(masks, "_FLOATS_PER_BAND", 5000)
    logits = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0)) * 4
    expected, expected_scores = sample_masks(logits, 64, *size, threshold)
    found, scores = masks.sample_masks(logits.numpy(), 64, *size, threshold)
    assert (found != expected.numpy()).mean() <= 1e-4
    np.testing.assert_allclose(scores, expected_scores, atol=1e-4)


def test_small_masks_are_those_of_pytorch():
    """Only the part of the image around them is sampled."""
    logits = torch.full((4, 16, 16), -4.0)
    logits[0, 3:5, 7:9] = 4.0
    logits[1, 2, 0] = logits[1, 13, 15] = 4.0
    logits[2, 13, :] = 0.5
    expected, expected_scores = sample_masks(logits, 64, 90, 120, 0.5)
    found, scores = masks.sample_masks(logits.numpy(), 64, 90, 120, 0.5)
    assert found[:3].any(axis=(1, 2)).all()
    assert not found[3].any()
    np.testing.assert_array_equal(found, expected.numpy())
    np.testing.assert_allclose(scores, expected_scores, atol=1e-5)


def test_convolutions_in_8_bits(exported, tmp_path, pairs):
    """Weights are smaller, and answers similar."""
    from mtrefseg.export.onnx_files import share_weights

    out = shutil.copytree(exported, tmp_path / "int8")
    quantize_encoder(out, load_processor(SHIPPED), zip(*pairs))
    share_weights(out)
    changed = {"precision": "int8", "files": hashes_in(out)}
    write_json(out / "export.json", {**read_json(out / "export.json"), **changed})
    graph = onnx.load(out / "encode.onnx").graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    assert all(made_by[name] == "DequantizeLinear" for node in convolutions for name in node.input[:2])
    # The pixel decoder has two layers, with four linear layers each besides positions and attention weights.
    products = [node for node in graph.node if node.op_type == "MatMul"]
    assert [made_by.get(node.input[1]) for node in products].count("DequantizeLinear") == 8
    assert (out / "weights.bin").stat().st_size < (exported / "weights.bin").stat().st_size
    logits = [
        segmenter.answer(segmenter.encode_pair(*pairs, domain=DOMAINS), TEXTS)["mask_logits"]
        for segmenter in (mtrefseg.OnnxSegmenter(exported), mtrefseg.OnnxSegmenter(out))
    ]
    assert np.corrcoef(logits[0].ravel(), logits[1].ravel())[0, 1] > 0.9
    shutil.copy(exported / "weights.bin", out)
    with pytest.raises(
        UserError, match=r"weights\.bin belongs to another export or is damaged; export the model again"
    ):
        mtrefseg.OnnxSegmenter(out)


def test_files_of_two_exports_are_not_mixed(exported, tmp_path):
    """Weights of another training have the same size, so that the runtime would load them."""
    out = shutil.copytree(exported, tmp_path / "mixed")
    weights = bytearray((out / "weights.bin").read_bytes())
    weights[len(weights) // 2] ^= 1
    (out / "weights.bin").write_bytes(weights)
    with pytest.raises(UserError, match=r"weights\.bin belongs to another export"):
        open_exported(out)
    (out / "changes.onnx").unlink()
    with pytest.raises(UserError, match=r"changes\.onnx is missing"):
        open_exported(out)
    with pytest.raises(UserError, match="is not empty: export into a new folder"):
        export_model(load_plain_model(SHIPPED, load_processor(SHIPPED)), load_processor(SHIPPED), out)


@torch.no_grad()
def test_torch_export(tmp_path, pairs):
    folder = save_mtrefseg(tmp_path / "model")
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
    with pytest.raises(UserError, match="--format onnx or openvino"):
        open_exported(out)


@pytest.mark.parametrize("content", [None, "", "{}", "[]"])
def test_a_damaged_tokenizer_is_named(content, tmp_path):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    segmenter = object.__new__(mtrefseg.OnnxSegmenter)
    segmenter.folder = tmp_path
    with pytest.raises(UserError, match=r"cannot read .*tokenizer\.json: .*; export the model again"):
        _ = segmenter.sentence_encoder


def test_the_working_directory_may_change(exported, pairs, tmp_path, monkeypatch):
    """The tokenizer and the graph of every change are opened on first use."""
    monkeypatch.chdir(exported.parent)
    segmenter = open_exported(exported.name)
    monkeypatch.chdir(tmp_path)
    first, second = (images[0] for images in pairs)
    assert len(segmenter({"image_t1": first, "image_t2": second, "text": "a house"})) == 1
    assert len(segmenter({"image_t1": first, "image_t2": second})) == 1


def test_wrong_calls_are_refused_in_one_line(exported, tmp_path, capsys, pairs):
    with pytest.raises(UserError, match="holds no exported model"):
        mtrefseg.OnnxSegmenter(SHIPPED)
    segmenter = mtrefseg.OnnxSegmenter(exported)
    pair = {"image_t1": pairs[0][0], "image_t2": pairs[1][0], "text": ["the house"]}
    with pytest.raises(ValueError, match="image_t1 and image_t2"):
        segmenter({**pair, "mask": None})
    with pytest.raises(ValueError, match="is empty"):
        segmenter({**pair, "text": " "})
    with pytest.raises(ValueError, match="must be from 0 to 1"):
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
        ([str(SHIPPED), str(exported)], "exists already"),
        (["--int8", "--format", "torch-export", "new"], "--int8 requires"),
        (["--calibration", "pairs", "new"], "requires --int8"),
    ):
        assert main(["export", *arguments]) == 2
        assert message in capsys.readouterr().err
    assert main(["predict", "--model", str(exported), "--device", "cuda", "a.png", "b.png", "x", "--out", "o"]) == 2
    assert "--device" in capsys.readouterr().err
