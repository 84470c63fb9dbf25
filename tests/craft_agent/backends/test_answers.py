# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import time

import pytest

from craft_agent.backends.answers import read_answer
from craft_agent.prompts.schemas import GROUND, PERCEIVE, REVIEW, refine_schema
from mtrefseg.foundation import CUT_OFF, LONGEST_ANSWER, AnswerError
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
        (GOOD[:-3], "not valid JSON"),
        ("[" * 100_000, "no JSON object"),
        ('{"a":' * 30_000, "nested too deeply"),
        ("x" * (LONGEST_ANSWER + 1), "characters"),
        ("{}", "'differences' is a required property"),
        ('{"differences": []} extra', None),
        ('{"differences": [], "more": 1}', "'more' was unexpected"),
        ('{"differences": {}}', "not of type 'array'"),
        (json.dumps({"differences": [difference(change_type="moved")]}), "is not one of"),
        (json.dumps({"differences": [difference(confidence=1.5)]}), "greater than the maximum"),
        (json.dumps({"differences": [difference(confidence=True)]}), "not of type 'number'"),
        (json.dumps({"differences": [difference(confidence="0.5")]}), "not of type 'number'"),
        (json.dumps({"differences": [difference(confidence=float("nan"))]}), "not a JSON number"),
        (json.dumps({"differences": [difference(box=[1, 2, 3])]}), "too short"),
        (json.dumps({"differences": [difference(expression="  ")]}), "should be non-empty|too short"),
        (json.dumps({"differences": [difference()] * 41}), "too long"),
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
    assert read_answer(json.dumps(review()), REVIEW) == review()
    with pytest.raises(AnswerError):
        read_answer(json.dumps({"expression": "abc", "paraphrases": ["def"] * 3}), refine_schema(2))


DRAFT = json.dumps({"differences": []})


@pytest.mark.parametrize(
    "text",
    [
        f"<think>maybe {DRAFT}</think>{GOOD}",
        f"{DRAFT} no, wait</think>{GOOD}",
        f"<thinking>{DRAFT}</thinking>\n<Think>again {DRAFT}</Think>```json\n{GOOD}\n```",
        f"[THINK]{DRAFT}[/THINK]{GOOD}",
        f"◁think▷{DRAFT}◁/think▷{GOOD}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{GOOD}",
        f"<|channel|>analysis<|message|>{DRAFT}<|channel|>final <|constrain|>json<|message|>{GOOD}",
        f"My first idea: {DRAFT}. Better: {GOOD}",
        f'{GOOD} I did not use {{"other": 1}}.',
    ],
)
def test_the_answer_is_the_last_fitting_object_after_the_thoughts(text):
    assert read_answer(text, PERCEIVE) == json.loads(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        f"<think>perhaps {DRAFT}",
        f"◁think▷perhaps {DRAFT}",
        f"<think>a</think> once more: <thinking>perhaps {DRAFT}",
        f"<|channel|>analysis<|message|>perhaps {DRAFT}",
    ],
)
def test_an_answer_that_ends_inside_the_thoughts_is_refused(text):
    with pytest.raises(AnswerError, match=f"^{CUT_OFF}"):
        read_answer(text, PERCEIVE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (json.dumps({"differences": [difference(confidence=1)]}).replace(": 1,", f": {'1' * 5000},"), "number"),
        (json.dumps({"differences": [difference(confidence=10**300)]}), "greater than the maximum"),
        (json.dumps({"differences": [difference(expression="a\ud800b c")]}), "surrogate"),
        (json.dumps({"differences": [difference(confidence=2**63)]}), "greater than the maximum"),
    ],
)
def test_values_that_cannot_be_stored_are_problems(text, problem):
    with pytest.raises(AnswerError, match=problem):
        read_answer(text, PERCEIVE)


@pytest.mark.parametrize(
    "piece", ["<think>", "</think>", "{", '{"a":', "{x} ", "<|channel|>final", "[THINK]", '{"a": [']
)
def test_hostile_repetition_takes_linear_time(piece):
    text = (piece * (LONGEST_ANSWER // len(piece)))[:LONGEST_ANSWER]
    started = time.process_time()
    with pytest.raises(AnswerError):
        read_answer(text, PERCEIVE)
    # It takes about a second at most; quadratic time would be minutes.
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ([0.1, 0.1, 0.3, 0.3], r"differences\[1\]\.box: .* are fractions; write .* from 0 to 1000"),
        ([0, 0, 1, 1], "fractions"),
        ([600, 600, 100, 100], "ends before it begins; write left, top, right, bottom, not width and height"),
        ([100, 100, 100, 300], "ends before it begins"),
        ([0, 0, 0, 0], "ends before it begins"),
        ([0, 0, 2, 2], None),
        ([100, 100, 300, 300], None),
    ],
)
def test_boxes_in_other_coordinates_are_refused(box, problem):
    """They fit the schema, and would lie elsewhere: fractions in one pixel of the corner."""
    text = json.dumps({"differences": [difference(), difference(box=box)]})
    if problem is None:
        assert len(read_answer(text, PERCEIVE)["differences"]) == 2
        return
    with pytest.raises(AnswerError, match=problem):
        read_answer(text, PERCEIVE)


def test_boxes_and_points_of_reviews_in_other_coordinates_are_refused():
    for change in ({"box": [0.2, 0.2, 0.4, 0.4]}, {"points": [[0.5, 0.5, 1]]}, {"box": [600, 600, 100, 100]}):
        with pytest.raises(AnswerError, match=r"fractions|ends before"):
            read_answer(json.dumps(review(**change)), REVIEW)
    for change in ({"box": []}, {"box": [0, 0, 0, 0]}, {"points": [[0, 1, 1]]}):
        assert read_answer(json.dumps(review(**change)), REVIEW) == review(**change)
    missing = {"found": False, "box": [0, 0, 1, 1], "object": "", "change_type": "appear"}
    assert read_answer(json.dumps(missing), GROUND) == missing
