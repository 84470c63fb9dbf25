# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Conversion of the reference's weights: nothing is lost silently, nothing unsafe is read."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mtrefseg.build.conversion import convert_original, load_weights


FIXTURE = Path(__file__).resolve().parents[4] / "shared" / "parity" / "micro"

needs_fixture = pytest.mark.skipif(not FIXTURE.is_dir(), reason="needs the weights of the reference implementation")


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    return load_file(FIXTURE / "model.safetensors")


def convert(weights: dict[str, torch.Tensor], folder: Path):
    save_file(weights, folder / "original.safetensors")
    return convert_original(
        folder / "original.safetensors", folder / "out", FIXTURE / "config.json", FIXTURE / "tokenizer"
    )


@needs_fixture
def test_every_key_is_accounted_for(weights, tmp_path):
    report = convert(weights, tmp_path)
    assert set(report.converted) | set(report.dropped) == set(weights)
    assert set(report.converted) & set(report.dropped) == set()
    assert {key.rsplit(".", 1)[0] for key in report.new} == {
        "vision_model.no_target_head",
        "language_model.lm_head",
        "vision_model.backbone.swin.layernorm",
    }
    assert "11 dropped" in str(report)
    saved = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.json", "model.safetensors", "processor_config.json", "tokenizer.json"} <= saved


@needs_fixture
def test_unknown_key_is_loud(weights, tmp_path):
    weights["model.surprise.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"model\.surprise\.weight"):
        convert(weights, tmp_path)
    assert not (tmp_path / "out").exists()


@needs_fixture
def test_missing_key_is_loud(weights, tmp_path):
    del weights["text_projector.weight"]
    with pytest.raises(ValueError, match=r"seg_head\.query_projection\.weight"):
        convert(weights, tmp_path)


@needs_fixture
def test_wrong_shape_is_loud(weights, tmp_path):
    weights["text_projector.weight"] = torch.zeros(3, 3)
    with pytest.raises(ValueError, match=r"query_projection\.weight is \(3, 3\)"):
        convert(weights, tmp_path)


@needs_fixture
def test_split_query_key_value_is_read_too(weights, tmp_path):
    """Checkpoints that newer libraries wrote hold Phi's projections apart."""
    fused = convert(weights, tmp_path)
    expected = load_file(tmp_path / "out" / "model.safetensors")
    split = dict(weights)
    for key in [key for key in weights if "query_key_value" in key]:
        prefix, kind = key.split("query_key_value.")
        for letter in "qkv":
            ours = f"language_model.{prefix}{letter}_proj.{kind}"
            split[f"{prefix}{letter}_proj.{kind}"] = expected[ours].clone()
        del split[key]
    report = convert(split, tmp_path)
    assert len(report.converted) == len(fused.converted) + 8
    actual = load_file(tmp_path / "out" / "model.safetensors")
    assert all(torch.equal(actual[key], expected[key]) for key in expected)


@needs_fixture
def test_config_that_asks_for_more(tmp_path):
    original = json.loads((FIXTURE / "config.json").read_text())
    original["pixel_decoder"]["n_points"] = 8
    (tmp_path / "config.json").write_text(json.dumps(original))
    with pytest.raises(ValueError, match=r"pixel_decoder\.n_points=8"):
        convert_original(
            FIXTURE / "model.safetensors", tmp_path / "out", tmp_path / "config.json", FIXTURE / "tokenizer"
        )


@needs_fixture
@pytest.mark.parametrize("content", ["{}", "[]", '{"phi": 3}', "without pixel_mean"])
def test_other_json(tmp_path, content):
    if content == "without pixel_mean":
        original = json.loads((FIXTURE / "config.json").read_text())
        del original["pixel_mean"]
        content = json.dumps(original)
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"config\.json is not a configuration"):
        convert_original(
            FIXTURE / "model.safetensors", tmp_path / "out", tmp_path / "config.json", FIXTURE / "tokenizer"
        )


def test_nested_and_repeated_tensors(tmp_path):
    torch.save({"state_dict": {"a": torch.ones(2)}}, tmp_path / "nested.bin")
    with pytest.raises(ValueError, match=r"nested\.bin is not a plain state dict"):
        load_weights(tmp_path / "nested.bin")
    for name in ("model-1.safetensors", "model-2.safetensors"):
        save_file({"a": torch.ones(2)}, tmp_path / name)
    with pytest.raises(ValueError, match="repeats tensors"):
        load_weights(tmp_path)


@pytest.mark.parametrize("name", ["cut.bin", "cut.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK", b"\x10" * 40])
def test_damaged_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"Cannot read weights from .*{name}"):
        load_weights(tmp_path / name)


def test_torch_files_and_folders(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "pytorch_model-1.bin")
    torch.save({"b": torch.zeros(3)}, tmp_path / "pytorch_model-2.bin")
    assert load_weights(tmp_path).keys() == {"a", "b"}
    assert load_weights(tmp_path / "pytorch_model-1.bin").keys() == {"a"}


class Exploit:
    def __reduce__(self):
        return (Path("exploited").write_text, ("yes",))


def test_pickled_code_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Exploit()}, "evil.bin")
    with pytest.raises(ValueError, match=r"Cannot read weights from evil\.bin"):
        load_weights("evil.bin")
    assert not Path("exploited").exists()


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors"):
        load_weights(tmp_path / "nothing.safetensors")
    with pytest.raises(FileNotFoundError, match=r"holds no \.safetensors"):
        load_weights(tmp_path)
