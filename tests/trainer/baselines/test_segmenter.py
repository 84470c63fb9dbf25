# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The protocol of everything that is scored, and the registry of names."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tiny_models import save_mtrefseg
from tests.trainer.baselines.contract import check_segmenter, noise_pair
from trainer.baselines import known_segmenters, load_plugin, open_segmenter, register_segmenter, registry
from trainer.errors import TrainingError
from trainer.evaluation import Answer, ask


class Everything:
    """Masks the whole image, or what a test makes it give."""

    def __init__(self, model: str = "", shade: str = "0", answers: list[Answer] | None = None) -> None:
        self.name = f"everything {model} {shade}"
        self.identity = {"shade": shade}
        self.answers = answers

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        if self.answers is not None:
            return self.answers
        return [Answer(np.ones(image_t1.size[::-1], dtype=bool), 1.0) for _ in sentences]


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})


def test_the_contract() -> None:
    check_segmenter(Everything())


def test_a_checkpoint_keeps_the_contract(tmp_path: Path) -> None:
    segmenter = open_segmenter(f"mtrefseg:{save_mtrefseg(tmp_path / 'model')},name=ours")
    assert segmenter.name == "ours"
    assert "model.safetensors" in segmenter.identity
    check_segmenter(segmenter)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], "0 answers to 1 sentences"),
        ([Answer(np.ones((36, 47), dtype=bool), 1.0)], r"must be bool \(36, 48\)"),
        ([Answer(np.ones((36, 48), dtype=np.uint8), 1.0)], "uint8"),
        ([Answer(np.ones((36, 48), dtype=bool), float("nan"))], "score nan"),
        ([Answer(np.ones((36, 48), dtype=bool), 1.0, 1.5)], "no_target_score 1.5"),
    ],
)
def test_wrong_answers_are_named(answers: list[Answer], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        ask(Everything(answers=answers), *noise_pair(), ["the car"])


def test_names_models_and_options() -> None:
    register_segmenter("all-white")(Everything)
    assert "all-white" in known_segmenters()
    assert open_segmenter("all-white").name == "everything  0"
    assert open_segmenter("all-white:some/model,shade=3").name == "everything some/model 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("all-whit", "did you mean all-white?"),
        ("all-white:,colour=3", "does not take these options"),
        ("all-white:some/model,3", "OPTION=VALUE"),
    ],
)
def test_what_cannot_be_opened_is_named(text: str, message: str) -> None:
    register_segmenter("all-white")(Everything)
    with pytest.raises(TrainingError, match=message):
        open_segmenter(text)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(TrainingError, match="already"):
        register_segmenter("mtrefseg")(Everything)
    with pytest.raises(TrainingError, match="letters"):
        register_segmenter("all white")


PLUGIN = """
from __future__ import annotations

from dataclasses import dataclass

from trainer.baselines import register_segmenter


@register_segmenter("plugged")
@dataclass
class Plugged:
    model: str = ""
    name: str = "plugged"
"""


@pytest.mark.parametrize("stem", ["mine", "json"])
def test_a_plugin_may_hold_dataclasses_and_hides_no_module(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.py"
    path.write_text(PLUGIN, encoding="utf-8")
    before = sys.modules.get(stem)
    load_plugin(path)
    segmenter = open_segmenter("plugged")
    assert segmenter.name == "plugged"
    assert sys.modules.get(stem) is before
    assert type(segmenter).__module__ == registry.plugin_module(path)


def test_names_tell_options_and_runs_apart(tmp_path: Path) -> None:
    assert open_segmenter("image_difference:,threshold=40").name == "image difference"
    assert open_segmenter("image_difference:,threshold=20").name == "image difference (threshold=20)"
    checkpoints = [tmp_path / run / "checkpoint-100" for run in ("a", "b")]
    for checkpoint in checkpoints:
        checkpoint.mkdir(parents=True)
    names = [registry.planned_name(f"mtrefseg:{checkpoint}") for checkpoint in checkpoints]
    assert names == ["a/checkpoint-100", "b/checkpoint-100"]
    assert registry.shown_model(str(checkpoints[0])) == names[0]


def test_a_missing_plugin_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"--plugin .*model\.py"):
        load_plugin(tmp_path / "model.py")
