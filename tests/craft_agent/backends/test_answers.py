# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json

import pytest

from craft_agent.backends.answers import LONGEST_ANSWER, AnswerError, find_problem, read_answer
from craft_agent.prompts.schemas import GROUND, PERCEIVE, REVIEW, refine_schema
from tests.craft_agent.scripted_perceiver import difference, review


GOOD = json.dumps({"differences": [difference()]})


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Here is what I see: {GOOD} I hope that helps {{really}}.",
        f"<think>perhaps {{1}} or {{}}</think>{GOOD}",
        f"a set {{x, y}} first, then {GOOD}",
    ],
)
def test_json_is_found_wherever_it_stands(text):
    assert read_answer(text, PERCEIVE) == json.loads(GOOD)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("I see nothing.", "no JSON object"),
        (GOOD[:-3], "no valid JSON"),
        ("[" * 100_000, "no JSON object"),
        ('{"a":' * 30_000, "nested too deeply"),
        ("x" * (LONGEST_ANSWER + 1), "characters"),
        ("{}", "lacks differences"),
        ('{"differences": []} extra', None),
        ('{"differences": [], "more": 1}', "must not have"),
        ('{"differences": {}}', "of type array"),
        (json.dumps({"differences": [difference(change_type="moved")]}), "one of appear"),
        (json.dumps({"differences": [difference(confidence=1.5)]}), "out of range"),
        (json.dumps({"differences": [difference(confidence=True)]}), "of type number"),
        (json.dumps({"differences": [difference(confidence="0.5")]}), "of type number"),
        (json.dumps({"differences": [difference(confidence=float("nan"))]}), "no JSON number"),
        (json.dumps({"differences": [difference(box=[1, 2, 3])]}), "3 items"),
        (json.dumps({"differences": [difference(expression="  ")]}), "0 characters"),
        (json.dumps({"differences": [difference()] * 41}), "41 items"),
    ],
)
def test_anything_else_is_a_problem_in_words(text, problem):
    if problem is None:
        assert read_answer(text, PERCEIVE) == {"differences": []}
        return
    with pytest.raises(AnswerError, match=problem):
        read_answer(text, PERCEIVE)


def test_every_schema_is_strict_and_accepts_a_good_answer():
    for schema in (PERCEIVE, REVIEW, GROUND, refine_schema(2)):
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
    assert find_problem(review(), REVIEW, "x") is None
    assert find_problem({"expression": "abc", "paraphrases": ["def"] * 3}, refine_schema(2), "x") is not None


def test_a_schema_that_nothing_checks_is_refused():
    with pytest.raises(ValueError, match="pattern"):
        find_problem("a", {"type": "string", "pattern": "b"}, "x")
