# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from craft_agent.geometry import box_mask, from_pixels
from craft_agent.records import Box, ChangeType, Round, Verdict
from craft_agent.steps.refinement import has_artefacts, refine, tidy
from tests.craft_agent.scripted_perceiver import make_asker, make_pair


BOX = Box(20, 20, 60, 50)
GRID = "the white car that appeared at the top-left"


def chosen():
    mask = box_mask(BOX, (120, 90))
    return Round(0, GRID, "white car", ChangeType.APPEAR, BOX, (), mask, 0.9, Verdict.ACCEPT, 0.9, "")


def script(sentences, found):
    """Refines to these sentences in turn, and finds the region by those of `found`."""
    refined = iter(sentences)

    def answer(question, number):
        if question.kind == "refine":
            return next(refined)
        is_found = question.facts["expression"] in found
        box = from_pixels(found[question.facts["expression"]], Box(0, 0, 120, 90)) if is_found else []
        return {"found": is_found, "box": box, "object": "car", "change_type": "appear"}

    return answer


def refined(answer, paraphrases=2):
    asker = make_asker(answer)
    return refine(make_pair(), chosen(), ["the red bus that left"], asker, paraphrases, 0.5), asker


def test_a_natural_sentence_replaces_the_grid_and_paraphrases_are_grounded_too():
    sentences = [{"expression": '"The new car by the gate."', "paraphrases": ["a car that came", "the top-left car"]}]
    found = {"The new car by the gate": BOX, "a car that came": Box(80, 60, 110, 80), "the top-left car": BOX}
    (grounded, outcome), asker = refined(script(sentences, found))
    assert grounded == {"The new car by the gate": 1.0}
    assert outcome == "refined"
    assert "the red bus that left" in asker.perceiver.asked[0].prompt


def test_a_sentence_that_grounds_elsewhere_is_asked_for_again_with_the_reason():
    sentences = [{"expression": "the car", "paraphrases": []}, {"expression": "the new car", "paraphrases": []}]
    (grounded, outcome), asker = refined(script(sentences, {"the new car": Box(20, 20, 60, 48)}))
    assert outcome == "refined"
    assert grounded["the new car"] == pytest.approx(28 / 30)
    assert '"the car" did not lead back' in asker.perceiver.asked[2].prompt


def test_the_words_of_the_grid_are_kept_only_if_nothing_else_leads_back():
    bad = [{"expression": "the car in the mid-right", "paraphrases": []}] * 2
    (grounded, outcome), _ = refined(script(bad, {GRID: BOX}))
    assert (list(grounded), outcome) == ([GRID], "grid_words")
    (grounded, outcome), _ = refined(script(bad, {}))
    assert (grounded, outcome) == ({}, "not_singled_out")
    (grounded, outcome), _ = refined(lambda question, number: "nonsense")
    assert (grounded, outcome) == ({}, "not_singled_out")


@pytest.mark.parametrize(
    "text", ["it in the mid-right", "in cell B2", "outlined in magenta", "as image 1 shows", "", "."]
)
def test_words_of_the_questions_are_noticed(text):
    assert has_artefacts(tidy(text))


@pytest.mark.parametrize("text", ["the right house", "the cellar door", "the top of the mast", "left of the gate"])
def test_words_of_people_are_not(text):
    assert not has_artefacts(tidy(text))


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        (' "The new\ncar." ', "The new car"),
        ("“the car”.", "the car"),
        ('the sign that says "open"', 'the sign that says "open"'),
        ('"Sale" on the sign.', '"Sale" on the sign'),
        ('"open" on a door that says "closed"', '"open" on a door that says "closed"'),
        ("the boys' car", "the boys' car"),
        ("“the driver's car”", "the driver's car"),
        ("'The driver's car'", "The driver's car"),
    ],
)
def test_only_quotes_around_a_sentence_are_removed(text, tidied):
    assert tidy(text) == tidied


def test_the_type_of_change_must_be_said():
    def other_type(question, number):
        if question.kind == "refine":
            return {"expression": "the car that is gone", "paraphrases": []}
        box = from_pixels(BOX, Box(0, 0, 120, 90))
        return {"found": True, "box": box, "object": "car", "change_type": "disappear"}

    assert refined(other_type)[0] == ({}, "not_singled_out")
    assert np.count_nonzero(chosen().mask) == BOX.area
