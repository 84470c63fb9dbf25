# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The thresholds that a trained model is given away with."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoProcessor

from dataset_scripts.readers import GeneratedPairs, Pair
from dataset_scripts.synthesis import Generator
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from trainer.calibrate import main, parse_arguments
from trainer.evaluation.calibration import FALLBACK_THRESHOLDS, NO_TARGET_THRESHOLDS, THRESHOLDS, choose, measure


def test_choice_is_the_best_of_all_pairs() -> None:
    random = np.random.default_rng(0)
    ious, is_empty, scores = random.random((len(THRESHOLDS), 40)), random.random(40) < 0.3, random.random(40)
    choice = choose((ious[None], is_empty, scores))
    values = {
        (threshold, other): np.average(
            [float(empty) if score > other else iou for iou, empty, score in zip(row, is_empty, scores)],
            weights=[0.2 / is_empty.sum() if empty else 0.8 / (~is_empty).sum() for empty in is_empty],
        )
        for threshold, row in zip(THRESHOLDS, ious)
        for other in NO_TARGET_THRESHOLDS
    }
    best = max(values, key=lambda key: values[key])
    assert (choice.threshold, choice.no_target_threshold) == best
    assert np.isclose(choice.mean_iou, 100 * values[best])


def test_a_fallback_is_chosen_if_it_helps() -> None:
    ious = np.full((2, len(THRESHOLDS), 4), 0.2)
    is_empty, scores = np.zeros(4, bool), np.zeros(4)
    assert choose((ious, is_empty, scores), fallback_thresholds=(None, 0.01)).fallback_threshold is None
    ious[1, 3] = 0.6
    choice = choose((ious, is_empty, scores), fallback_thresholds=(None, 0.01))
    assert (choice.fallback_threshold, choice.threshold) == (0.01, THRESHOLDS[3])


def test_choice_rejects_what_nothing_fits() -> None:
    ious = np.zeros((len(THRESHOLDS), 4))
    ious[:, 2:] = 0.8
    choice = choose((ious[None], np.array([True, True, False, False]), np.array([0.75, 0.95, 0.1, 0.65])))
    assert choice.no_target_threshold == 0.7
    assert np.isclose(choice.mean_iou, 0.8 * 80 + 0.2 * 100)


def test_few_sentences_without_a_target_count_as_much_as_many() -> None:
    is_empty = np.array([True] + [False] * 99)
    ious = np.full((2, len(THRESHOLDS), 100), 0.8)
    ious[0, :, 0], ious[1, :, 0] = 1.0, 0.0
    ious[1, :, 1:] = 0.9
    choice = choose((ious, is_empty, np.zeros(100)), fallback_thresholds=(None, 0.01))
    assert choice.fallback_threshold is None


def test_a_sentence_that_cannot_be_used_is_named(
    small_model: MTRefSegModel, small_processor: MTRefSegProcessor, caplog: pytest.LogCaptureFixture
) -> None:
    pair = GeneratedPairs(Generator(seed=0, size=128), 1)[0]
    refused = replace(pair.expressions[0], text="the [SEG] that appeared")

    class OnePair(GeneratedPairs):
        def __getitem__(self, index: int) -> Pair:
            return replace(pair, expressions=(refused, *pair.expressions[1:]))

    source = OnePair(Generator(seed=0, size=128), 1)
    ious, _, _ = measure(source, small_model.eval(), small_processor, (None,))
    assert ious.shape[-1] == len(pair.expressions) - 1
    (record,) = caplog.records
    assert f"{pair.sample_id(refused)} is left out: refused_sentence" in record.message


def test_command_saves_a_model_of_the_same_weights(
    tmp_path: Path,
    small_model: MTRefSegModel,
    small_processor: MTRefSegProcessor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small_model.save_pretrained(tmp_path / "trained")
    small_processor.save_pretrained(tmp_path / "trained")
    options = ["--model", str(tmp_path / "trained"), "--output_dir", str(tmp_path / "ready")]
    options += ["--generated_pairs", "3", "--generated_size", "128", "--pixel_size", "0.5"]
    monkeypatch.setattr(sys, "argv", ["trainer/calibrate.py", *options])
    assert main() == 0
    assert "mean IoU with them" in capsys.readouterr().out
    stored = load_file(tmp_path / "ready" / "model.safetensors")
    assert {value.dtype for value in stored.values() if value.is_floating_point()} == {torch.bfloat16}
    ready, chosen = (kind.from_pretrained(tmp_path / "ready") for kind in (AutoModel, AutoProcessor))
    assert ready.dtype == torch.float32, "what is stored in half is computed in full"
    assert chosen.image_processor.threshold in THRESHOLDS
    assert chosen.image_processor.pixel_size == 0.5
    assert chosen.image_processor.no_target_threshold in NO_TARGET_THRESHOLDS
    assert chosen.image_processor.fallback_threshold in FALLBACK_THRESHOLDS
    for name, value in small_model.state_dict().items():
        assert torch.equal(ready.state_dict()[name], value.bfloat16().to(value.dtype)), name


@pytest.mark.parametrize("option", ["--generated_pairs=0", "--pixel_size=0"])
def test_numbers_that_cannot_be_are_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse_arguments(["--model", "x", "--output_dir", "y", option], "calibrate.py")
    assert stopped.value.code == 2
    assert f"argument {option[:-2]}: '0' is not" in capsys.readouterr().err


def test_sets_of_pairs_count_alike() -> None:
    ious = np.zeros((len(THRESHOLDS), 1))
    many = np.zeros((len(THRESHOLDS), 100))
    ious[2], many[5] = 1.0, 0.9
    sets = [(values[None], np.zeros(values.shape[1], bool), np.zeros(values.shape[1])) for values in (ious, many)]
    assert choose(*sets).threshold == THRESHOLDS[2]
