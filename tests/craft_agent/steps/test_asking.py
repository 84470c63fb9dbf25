# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from craft_agent.backends.protocols import Segmentation, SegmentationPrompt
from craft_agent.errors import PermanentError, RefusedError, TransientError
from craft_agent.records import Box, ChangeType
from craft_agent.state.journal import MemoryJournal
from craft_agent.steps.grid import plan_grid
from craft_agent.steps.perception import cell_question
from tests.craft_agent.scripted_perceiver import difference, make_asker, make_pair


GOOD = {"differences": [difference()]}


def ask(asker):
    pair = make_pair()
    return asker.ask(cell_question(pair, plan_grid(pair.size).cells[0], asker))


def test_a_good_answer_is_asked_for_once_and_then_remembered():
    journal = MemoryJournal()
    first = make_asker(lambda question, number: GOOD, journal=journal)
    assert ask(first) == GOOD
    second = make_asker(lambda question, number: "nonsense", journal=journal)
    assert ask(second) == GOOD
    assert (len(first.perceiver.asked), len(second.perceiver.asked)) == (1, 0)
    assert [exchange.problem for exchange in journal.new] == [""]


def test_an_unreadable_answer_is_repaired_once_without_the_images():
    asker = make_asker(lambda question, number: GOOD if question.kind == "repair" else "the car, at [1, 2]")
    assert ask(asker) == GOOD
    assert [(question.kind, len(question.images)) for question in asker.perceiver.asked] == [
        ("perceive", 2),
        ("repair", 0),
    ]
    assert "the car, at [1, 2]" in asker.perceiver.asked[1].prompt


def test_what_cannot_be_repaired_is_asked_anew_with_what_was_wrong_and_then_given_up():
    journal = MemoryJournal()
    asker = make_asker(lambda question, number: '{"differences": 3}', journal=journal)
    assert ask(asker) is None
    assert [question.kind for question in asker.perceiver.asked] == ["perceive", "repair", "perceive", "repair"]
    assert "not of type 'array'" in asker.perceiver.asked[2].prompt
    assert all(exchange.problem and exchange.response for exchange in journal.new)
    # A resumed run does not ask all that again.
    again = make_asker(lambda question, number: GOOD, journal=journal)
    assert ask(again) is None
    assert again.perceiver.asked == []


def test_an_empty_answer_is_not_sent_to_be_repaired():
    asker = make_asker(lambda question, number: GOOD if number else " ")
    assert ask(asker) == GOOD
    assert [question.kind for question in asker.perceiver.asked] == ["perceive", "perceive"]


def test_a_refusal_is_remembered_and_not_asked_again():
    def refuse(question, number):
        raise RefusedError("content filter")

    journal = MemoryJournal()
    asker = make_asker(refuse, journal=journal)
    assert ask(asker) is None
    assert ask(asker) is None
    assert len(asker.perceiver.asked) == 1
    assert journal.new[0].problem == "refused: content filter"


@pytest.mark.parametrize("error", [TransientError("429"), PermanentError("no such model")])
def test_other_errors_reach_the_engine_and_leave_nothing_behind(error):
    def fail(question, number):
        raise error

    journal = MemoryJournal()
    with pytest.raises(type(error)):
        ask(make_asker(fail, journal=journal))
    assert journal.new == []
    assert [failure.problem for failure in journal.failures] == [str(error)]


def test_a_lone_surrogate_can_be_stored():
    journal = MemoryJournal()
    assert ask(make_asker(lambda question, number: "\ud800", journal=journal)) is None
    journal.new[0].response.encode("utf-8")


@pytest.mark.parametrize("mask", [np.zeros((90, 119), dtype=bool), np.zeros((90, 120), dtype=np.uint8)])
def test_a_segmenter_that_breaks_its_protocol_ends_the_run(mask):
    class Broken:
        name = "broken"

        def segment(self, prompt):
            return Segmentation(mask, 0.5)

    pair = make_pair()
    prompt = SegmentationPrompt(pair.image_t2, "t2", "car", "car", ChangeType.APPEAR, Box(0, 0, 9, 9), (), pair)
    with pytest.raises(PermanentError, match="broken"):
        make_asker(lambda question, number: GOOD, segmenter=Broken()).segment(prompt)
