# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models that are exported for OpenVINO answer as the models that they were made of. Most tests need the package."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import mtrefseg
from mtrefseg.cli.main import main
from mtrefseg.errors import UserError
from mtrefseg.export.openvino_files import import_openvino
from tests.mtrefseg.export.comparing import check_answers, check_without_pytorch
from tests.tiny_models import save_mtrefseg


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return save_mtrefseg(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def exported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as graphs of OpenVINO, by the command."""
    for package in ("openvino", "onnx", "onnxscript"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    out = tmp_path_factory.mktemp("exported") / "openvino"
    assert main(["export", "--format", "openvino", str(folder), str(out)]) == 0
    return out


def test_graphs_answer_as_the_model(folder, exported, pairs):
    assert sorted(path.name for path in exported.iterdir() if path.suffix in (".xml", ".onnx")) == [
        "answer.xml",
        "changes.xml",
        "encode.xml",
    ]
    check_answers(folder, exported, pairs, choose_objects=False)


def test_convolutions_in_8_bits(folder, exported, pairs, tmp_path):
    """The file of the weights is smaller, and answers are similar."""
    pytest.importorskip("onnxruntime")
    out = tmp_path / "int8"
    assert main(["export", "--format", "openvino", "--int8", str(folder), str(out)]) == 0
    names = [{path.name for path in one.iterdir()} for one in (exported, out)]
    assert names[0] == names[1]
    assert (out / "encode.bin").stat().st_size < (exported / "encode.bin").stat().st_size
    segmenters = [mtrefseg.OpenVinoSegmenter(one) for one in (exported, out)]
    assert [one.settings.precision for one in segmenters] == ["float32", "int8"]
    logits = [one.answer(one.encode_pair(*pairs), [["trees"]] * 3)["mask_logits"] for one in segmenters]
    assert not np.array_equal(*logits)
    assert np.corrcoef(logits[0].ravel(), logits[1].ravel())[0, 1] > 0.9


def test_it_runs_without_pytorch(folder, exported, pairs, tmp_path):
    check_without_pytorch(folder, exported, pairs, tmp_path)


def test_lengths_are_dynamic(exported):
    """Also the sizes of images, which the segmenter fixes."""
    model = import_openvino().Core().read_model(exported / "encode.xml")
    dynamic = {value.any_name: [length.is_dynamic for length in value.partial_shape] for value in model.inputs}
    assert dynamic["pixel_values_t1"] == [True, False, True, True]
    assert dynamic["prompt_input_ids"] == [True, True]


def test_answers_of_one_call_outlive_the_next(exported, pairs):
    """The runtime reuses its memory."""
    segmenter = mtrefseg.OpenVinoSegmenter(exported)
    first, other = (segmenter.encode_pair(one, other) for one, other in list(zip(*pairs))[:2])
    answers = segmenter.answer(first, [["trees"]])["mask_logits"]
    before = answers.copy()
    assert not np.array_equal(segmenter.answer(other, [["trees"]])["mask_logits"], before)
    np.testing.assert_array_equal(answers, before)
    np.testing.assert_array_equal(segmenter.answer(first, [["trees"]])["mask_logits"], before)


def test_damaged_files_are_refused_in_one_line(exported, tmp_path):
    (tmp_path / "export.json").write_bytes((exported / "export.json").read_bytes())
    (tmp_path / "encode.xml").write_text("<net")
    with pytest.raises(UserError, match="export the model again"):
        mtrefseg.OpenVinoSegmenter(tmp_path)
    with pytest.raises(UserError, match="--format onnx"):
        mtrefseg.OnnxSegmenter(exported)


def test_without_the_package(folder, tmp_path, monkeypatch, capsys):
    """One line says what to install."""
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UserError, match=r'openvino is not installed: pip install "mtrefseg\[openvino\]"'):
        import_openvino()
    assert "openvino_telemetry" not in sys.modules
    monkeypatch.setattr("mtrefseg.cli.export.find_spec", lambda name: None if name == "openvino" else name)
    assert main(["export", "--format", "openvino", str(folder), str(tmp_path / "out")]) == 2
    assert 'pip install "mtrefseg[openvino]"' in capsys.readouterr().err
    names = ("openvino", "onnx", "onnxscript")
    monkeypatch.setattr("mtrefseg.cli.export.find_spec", lambda name: name if name in names else None)
    assert main(["export", "--format", "openvino", "--int8", str(folder), str(tmp_path / "out")]) == 2
    assert 'onnxruntime is not installed: pip install "mtrefseg[openvino]"' in capsys.readouterr().err
