# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The folder as a Space."""

import re
from pathlib import Path

import pytest
from huggingface_hub.repocard import metadata_load

from segment_tab import EXAMPLE_ROWS
from tests.spaces_demo.conftest import SPACE


SAMPLE = Path(__file__).parents[2] / "dataset_scripts" / "sample"
EXAMPLE_PAIRS = {
    "houses": ("RS_synthetic_val", "RS_validation_210_0000003"),
    "fields": ("RS_synthetic_val", "RS_validation_210_0000005"),
    "room": ("NS_synthetic_val", "NS_validation_210_0000000"),
    "storeroom": ("NS_synthetic_val", "NS_validation_210_0000006"),
}


def test_the_card_says_what_a_space_needs() -> None:
    card = metadata_load(SPACE / "README.md")
    assert card is not None
    assert (card["sdk"], card["app_file"], card["license"]) == ("gradio", "app.py", "apache-2.0")
    assert re.fullmatch(r"6\.\d+\.\d+", card["sdk_version"])
    assert len(card["short_description"]) <= 60


def test_requirements_are_ranges_of_packages() -> None:
    lines = (SPACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = {re.split(r"[<>=]", line)[0] for line in lines if not line.startswith("#")}
    assert {"gradio", "torch", "transformers", "pillow", "numpy", "pyarrow"} <= names


@pytest.mark.parametrize(("name", "text"), EXAMPLE_ROWS)
def test_examples_are_the_generated_sample(name: str, text: str) -> None:
    folder, pair = EXAMPLE_PAIRS[name]
    for time, letter in (("t1", "A"), ("t2", "B")):
        copy, original = SPACE / "examples" / f"{name}_{time}.jpg", SAMPLE / folder / letter / f"{pair}.jpg"
        assert copy.read_bytes() == original.read_bytes()
    annotation = (SAMPLE / folder / "referring_expression" / f"{pair}.json").read_text(encoding="utf-8")
    assert all(f'"{sentence}"' in annotation for sentence in text.splitlines())


def test_examples_are_small() -> None:
    assert sum(path.stat().st_size for path in (SPACE / "examples").iterdir()) < 300_000
