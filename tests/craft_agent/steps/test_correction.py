# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from craft_agent.backends.protocols import Segmentation
from craft_agent.geometry import box_mask, box_of
from craft_agent.records import Box, Candidate, ChangeType, Verdict
from craft_agent.steps.correction import Aim, correct, correct_all, segment_change
from tests.craft_agent.scripted_perceiver import BoxSegmenter, make_asker, make_pair, review


CAR = Box(20, 20, 50, 40)


def candidate(index=0, box=CAR):
    text, appear = "the white car that appeared", ChangeType.APPEAR
    return Candidate(index, text, "white car", "top-left", appear, 0.8, box, ("whole",))


def answering(*answers):
    return lambda question, number: answers[min(number, len(answers) - 1)]


def test_an_accepted_mask_needs_one_round():
    asker = make_asker(answering(review()))
    proposal = correct(make_pair(), candidate(), asker, rounds=3)
    assert (proposal.best, proposal.outcome, len(proposal.rounds)) == (0, "kept", 1)
    assert len(asker.perceiver.asked[0].images) == 3


def test_a_correction_leads_to_another_mask_and_the_history_is_kept():
    # The right half of what is shown.
    too_large = review(
        verdict="too_large",
        fit=0.3,
        box=[500, 0, 1000, 1000],
        expression="the van that appeared",
        points=[[750, 500, 1]],
    )
    proposal = correct(make_pair(), candidate(), make_asker(answering(too_large, review())), rounds=3)
    assert proposal.best == 1
    assert [each.verdict for each in proposal.rounds] == [Verdict.TOO_LARGE, Verdict.ACCEPT]
    first, second = proposal.rounds
    shown = first.box.grow(24, (120, 90))
    assert second.box.left == (shown.left + shown.right) // 2
    assert second.expression == "the van that appeared"
    assert second.points[0].positive
    assert box_of(second.mask) == second.box


def test_without_an_accepted_round_the_best_one_is_kept_if_it_fits():
    answers = [
        review(verdict="too_small", fit=fit, box=[0, 0, 500 + 100 * n, 900]) for n, fit in enumerate((0.6, 0.8, 0.7))
    ]
    proposal = correct(make_pair(), candidate(), make_asker(answering(*answers)), rounds=3)
    assert (len(proposal.rounds), proposal.best) == (3, 1)
    bad = [review(verdict="wrong_object", fit=0.2, box=[0, 0, 500 + 100 * n, 900]) for n in range(3)]
    proposal = correct(make_pair(), candidate(), make_asker(answering(*bad)), rounds=3)
    assert (proposal.best, proposal.outcome) == (None, "wrong_object")


def test_no_change_ends_it():
    proposal = correct(make_pair(), candidate(), make_asker(answering(review(verdict="not_a_change"))), rounds=3)
    assert (len(proposal.rounds), proposal.best, proposal.outcome) == (1, None, "not_a_change")


def test_without_another_proposal_the_same_is_not_tried_again():
    same = review(verdict="too_large", fit=0.1, expression="the white car that appeared")
    proposal = correct(make_pair(), candidate(), make_asker(answering(same)), rounds=5)
    assert len(proposal.rounds) == 1


def test_nonsense_ends_it_unanswered():
    proposal = correct(make_pair(), candidate(), make_asker(answering("nonsense")), rounds=3)
    assert (proposal.best, proposal.outcome) == (None, "unanswered")


def test_where_the_segmenter_finds_nothing_it_is_shown_more():
    class Shy(BoxSegmenter):
        def segment(self, prompt):
            found = super().segment(prompt)
            return found if prompt.box.area > 1000 else Segmentation(np.zeros_like(found.mask), 0.0)

    asker = make_asker(answering(review()), segmenter=Shy())
    proposal = correct(make_pair(), candidate(), asker, rounds=3)
    assert [each.verdict for each in proposal.rounds] == [Verdict.WRONG_OBJECT, Verdict.ACCEPT]
    assert len(asker.perceiver.asked) == 1


def test_of_two_candidates_with_one_mask_the_better_one_stays():
    answers = {Box(20, 20, 50, 40): 0.7, Box(20, 20, 50, 41): 0.9, Box(70, 50, 90, 80): 0.6}

    def script(question, number):
        return review(fit=answers[box_of(question.facts["mask"])])

    candidates = [candidate(index, box) for index, box in enumerate(answers)]
    proposals = correct_all(make_pair(), candidates, make_asker(script), rounds=1)
    assert [proposal.outcome for proposal in proposals] == ["duplicate", "kept", "kept"]


@pytest.mark.parametrize(
    ("change_type", "times"),
    [(ChangeType.APPEAR, ["t2"]), (ChangeType.DISAPPEAR, ["t1"]), (ChangeType.STATE_CHANGE, ["t1", "t2"])],
)
def test_the_segmenter_sees_the_time_at_which_the_thing_is_there(change_type, times):
    asker = make_asker(answering(review()))
    segment_change(make_pair(), Aim("the car", "car", change_type, Box(1, 1, 9, 9)), asker)
    assert [prompt.time for prompt in asker.segmenter.prompts] == times


def test_a_change_of_state_unites_what_both_times_show_alike():
    class ByTime(BoxSegmenter):
        def __init__(self, boxes):
            super().__init__()
            self.boxes = boxes

        def segment(self, prompt):
            box, score = self.boxes[prompt.time]
            return Segmentation(box_mask(box, prompt.image.size), score)

    def found(first, second):
        asker = make_asker(answering(review()), segmenter=ByTime({"t1": (first, 0.5), "t2": (second, 0.9)}))
        return segment_change(make_pair(), Aim("it", "it", ChangeType.STATE_CHANGE, None), asker).mask

    assert box_of(found(Box(0, 0, 10, 10), Box(2, 0, 12, 10))) == Box(0, 0, 12, 10)
    assert box_of(found(Box(0, 0, 10, 10), Box(40, 0, 50, 10))) == Box(40, 0, 50, 10)
