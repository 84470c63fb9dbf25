# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the demo shows before anything is asked is right, and is what the shipped checkpoint answers."""

import json
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mtrs_iou import decode_rle
from spaces_demo.solved_examples import EXAMPLES, Example, cards_html, load_solved, solve
from tests.spaces_demo.conftest import SPACE, Segmenter, Server


TRUTH = json.loads((SPACE.parent / "docs" / "example" / "demo_truth.json").read_text(encoding="utf-8"))
SHIPPED = SPACE.parent / "mtrefseg-r1"
SMALLEST_IOU = 0.72
"""As for the README's example."""


def iou(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    union = np.logical_or(first, second).sum()
    return float(np.logical_and(first, second).sum() / union) if union else 1.0


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_every_shown_answer_is_right(example: Example) -> None:
    solved = load_solved(example)
    truth = TRUTH[example.name]
    assert solved.sentences == list(example.sentences) == [each["sentence"] for each in truth]
    for sentence, mask, each in zip(solved.sentences, solved.masks, truth, strict=True):
        expected = decode_rle(each["mask"])
        assert mask.any() == expected.any(), sentence
        assert iou(mask, expected) >= SMALLEST_IOU, sentence


def test_the_shipped_checkpoint_gives_these_answers() -> None:
    """After a change of the weights `make images` solves the examples again."""
    found = solve(Segmenter.from_pretrained(str(SHIPPED)))
    for example in EXAMPLES:
        kept = load_solved(example)
        for mask, answer in zip(kept.masks, found[example.name], strict=True):
            assert iou(mask, decode_rle(answer["mask"])) >= 0.97, f"{example.name}: run `make images`"


def test_a_card_fills_the_page_without_the_model(server: Server) -> None:
    tab: Any = next(function.fn.__self__ for function in server.page.fns.values() if function.name == "choose")
    chosen = tab.choose(SimpleNamespace(_data={"index": 1}))
    *_, files, numbers = chosen
    assert {Path(path).name for path in files} >= {"mask_1.png", "masks.json", "outlines.geojson"}
    assert [each["sentence"] for each in numbers["answers"]] == list(EXAMPLES[1].sentences)
    for path in files:  # As the page does it when it stops.
        Path(path).unlink()
    assert [Path(path).name for path in chosen[:2]] == ["lagoon_t1.jpg", "lagoon_t2.jpg"]
    assert chosen[2].splitlines() == chosen[7] == list(EXAMPLES[1].sentences)
    # The masks are those of the initial settings.
    initial = (tab.fit.value, tab.threshold.value, tab.no_target_threshold.value)
    assert chosen[3:7] == (EXAMPLES[1].domain, *initial)
    assert all(escape(sentence) in chosen[8] for sentence in EXAMPLES[1].sentences)
    for wrong in (None, {}, {"index": -1}, {"index": "1"}, {"index": 99}):
        assert len(tab.choose(SimpleNamespace(_data=wrong))) == len(chosen)


def test_cards_have_names() -> None:
    html = cards_html()
    assert html.count("<button") == len(EXAMPLES)
    assert all(f"<span>{example.title}</span>" in html for example in EXAMPLES)
