# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import shutil

import pytest

from craft_agent.errors import CraftError
from craft_agent.prompts.templates import FOLDER, NAMES, Prompts


FACTS = {
    "rows": 3,
    "columns": 3,
    "cells": "a, b",
    "cell": "a",
    "expression": "the car",
    "thing": "car",
    "change_type": "appear",
    "others": "none",
    "paraphrases": 2,
    "feedback": "",
    "problem": "p",
    "answer": "$x",
}


def test_every_prompt_can_be_filled_in_and_gives_reasons():
    prompts = Prompts()
    assert set(prompts.versions) == set(NAMES) == {path.stem for path in FOLDER.glob("*.txt")}
    for name in NAMES:
        text = prompts.fill(name, schema={"type": "object"}, **FACTS)
        assert '{"type": "object"}' in text
        assert "#" not in text
        reasons = [line for line in (FOLDER / f"{name}.txt").read_text().splitlines() if line.startswith("# ")]
        assert len(reasons) >= 2


def test_a_changed_text_is_another_version_and_a_changed_reason_is_not(tmp_path):
    folder = tmp_path / "prompts"
    shutil.copytree(FOLDER, folder)
    path = folder / "ground.txt"
    path.write_text(f"{path.read_text()}# another reason\n")
    assert Prompts(folder).versions == Prompts().versions
    path.write_text(f"{path.read_text()}Look well.\n")
    assert Prompts(folder).versions["ground"] != Prompts().versions["ground"]


@pytest.mark.parametrize(
    ("text", "problem"), [("no version", "must begin"), ("# version 1\ncosts 5$", "without a name")]
)
def test_a_broken_prompt_is_refused(tmp_path, text, problem):
    folder = tmp_path / "prompts"
    shutil.copytree(FOLDER, folder)
    (folder / "ground.txt").write_text(text)
    with pytest.raises(CraftError, match=problem):
        Prompts(folder)


def test_a_mark_that_nothing_fills_in_is_named(tmp_path):
    folder = tmp_path / "prompts"
    shutil.copytree(FOLDER, folder)
    (folder / "ground.txt").write_text("# version 2\n$weather $schema")
    with pytest.raises(CraftError, match=r"\$weather"):
        Prompts(folder).fill("ground", schema={})
