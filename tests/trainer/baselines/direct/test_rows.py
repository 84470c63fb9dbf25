# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models that are asked directly, through `mtrefseg benchmark run`."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.baselines import register_segmenter, registry
from trainer.baselines.direct import DirectSegmenter, Finding, View
from trainer.benchmark.command import main


class Fragile:
    """Fails at every sentence with a colour, as a model with a bug would."""

    name, identity, takes_two = "fragile", {"version": "1"}, False

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        if any(colour in sentence for sentence in sentences for colour in ("red", "blue", "grey", "white")):
            raise IndexError("index 3 is out of bounds")
        mask = np.ones(images[0].size[::-1], dtype=bool)
        return [Finding(mask, 0.5, "all of it") for _ in sentences]


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})


def run(models: Sequence[str], folder: Path) -> None:
    data = ["--generated_pairs", "4", "--generated_size", "128", "--settings", "TV"]
    assert main(["run", "--models", *models, *data, "--output_dir", str(folder)]) == 0


def test_a_model_that_fails_has_a_row_with_its_problems(tmp_path: Path) -> None:
    @register_segmenter("fragile")
    def fragile(images: str = "later") -> DirectSegmenter:
        return DirectSegmenter(Fragile(), images)

    run(["fragile:,images=change_word"], tmp_path)
    row = tmp_path / "TV" / "fragile-change_word"
    report = json.loads((row / "report.json").read_text(encoding="utf-8"))
    answers = [json.loads(line) for line in (row / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    failed = [answer for answer in answers if answer.get("problem")]
    assert report["unusable_answers"] == len(failed) > 0
    assert {answer["problem"] for answer in failed} == {"IndexError: index 3 is out of bounds"}
    assert sum(answer.get("answer") == "all of it" for answer in answers) > 0


def test_rows_of_a_text_model_and_the_oracle(folder_of, tmp_path: Path) -> None:
    clipseg = f"clipseg:{folder_of('clipseg')},threshold=0,images=side_by_side"
    run([clipseg, "union_oracle", "change_vectors"], tmp_path)
    scores = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))["scores"]
        for path in tmp_path.glob("TV/*/report.json")
    }
    assert set(scores) == {"clipseg-clipseg-side_by_side-threshold-0", "union-oracle", "change-vectors"}
    assert scores["union-oracle"]["mIoU"] > max(scores[name]["mIoU"] for name in scores if name != "union-oracle")
