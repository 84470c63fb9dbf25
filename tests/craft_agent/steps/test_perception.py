# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from craft_agent.geometry import from_pixels
from craft_agent.records import Box, ChangeType
from craft_agent.steps.grid import plan_grid
from craft_agent.steps.perception import perceive
from tests.craft_agent.scripted_perceiver import difference, make_asker, make_pair


SIZE = (300, 300)


def seeing(*things):
    """A perceiver that sees these boxes of the whole image wherever they are shown, cut to what is shown."""

    def script(question, number):
        part = question.facts["part"]
        return {
            "differences": [
                difference(box=from_pixels(box, part), **changes)
                for box, changes in things
                if box.intersect(part).area
            ]
        }

    return script


def test_every_cell_is_asked_and_a_thing_is_named_once():
    asker = make_asker(seeing((Box(120, 130, 160, 170), {})))
    [candidate] = perceive(make_pair(SIZE), asker)
    assert len(asker.perceiver.asked) == 10
    assert candidate.box == Box(120, 130, 160, 170)
    assert candidate.position == "center"
    assert "center" in candidate.cells


def test_a_thing_across_the_border_of_cells_is_put_together():
    box = Box(40, 120, 260, 160)

    def only_cells(question, number):
        part = question.facts["part"]
        return {"differences": []} if part.area == 300 * 300 else seeing((box, {}))(question, number)

    [candidate] = perceive(make_pair(SIZE), make_asker(only_cells))
    assert candidate.box == box
    assert set(candidate.cells) == {"mid-left", "center", "mid-right"}


def test_two_things_stay_two():
    boxes = Box(10, 10, 40, 40), Box(45, 10, 80, 40)
    found = perceive(make_pair(SIZE), make_asker(seeing(*((box, {}) for box in boxes))))
    assert [candidate.box for candidate in found] == list(boxes)
    assert [candidate.index for candidate in found] == [0, 1]


def test_in_one_place_a_thing_may_go_and_another_come():
    found = perceive(
        make_pair(SIZE),
        make_asker(seeing((Box(10, 10, 60, 60), {}), (Box(35, 10, 85, 60), {"change_type": "disappear"}))),
    )
    assert {candidate.change_type for candidate in found} == {ChangeType.APPEAR, ChangeType.DISAPPEAR}


def test_cells_without_an_answer_are_left_out_but_not_all():
    def mostly_nonsense(question, number):
        return {"differences": [difference()]} if number == 0 else "no"

    assert len(perceive(make_pair(SIZE), make_asker(mostly_nonsense))) == 1
    assert perceive(make_pair(SIZE), make_asker(lambda question, number: "no")) is None
    assert perceive(make_pair(SIZE), make_asker(lambda question, number: {"differences": []})) == []


def test_a_box_without_extent_is_no_candidate():
    script = seeing()

    def flat(question, number):
        return {"differences": [difference(box=[5, 5, 5, 5])]} if number == 0 else script(question, number)

    assert perceive(make_pair(SIZE), make_asker(flat)) == []


def test_a_large_image_has_more_cells():
    asker = make_asker(seeing())
    assert perceive(make_pair((1600, 300)), asker) == []
    assert len(asker.perceiver.asked) == 1 + len(plan_grid((1600, 300)).cells) == 13
