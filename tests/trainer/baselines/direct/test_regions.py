# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Kinds of answers, written as the models' documents describe them, and their boxes and points in pixels."""

import json
import time

import pytest

from mtrefseg.foundation import LONGEST_ANSWER, AnswerError
from trainer.baselines.direct.paligemma import read_boxes
from trainer.baselines.direct.regions import Frame, Region, read_regions


SIZE = (200, 100)
THOUSANDTHS = Frame("thousandths", [SIZE])
PIXELS = Frame("pixels", [SIZE], [(400, 300)])
TWO = Frame("thousandths", [SIZE, SIZE])
BOX = Region(0, (20, 20, 60, 50))
"""[100, 200, 300, 500] in thousandths of 200 x 100."""


@pytest.mark.parametrize(
    "text",
    [
        '[{"bbox_2d": [100, 200, 300, 500], "label": "car"}]',
        '{"bbox_2d": [100, 200, 300, 500]}',
        '```json\n[\n\t{"bbox_2d": [100, 200, 300, 500], "label": "the red car"}\n]\n```',
        'Sure! Here it is:\n```json\n{"bbox_2d": [100, 200, 300, 500]}\n```\nLet me know [if you need more].',
        '<think>Perhaps [1, 2, 3, 4]? No, {"bbox_2d": [9, 9, 99, 99]}.</think>{"bbox_2d": [100, 200, 300, 500]}',
        'I think so.</think>\n\n[{"bbox_2d": [100, 200, 300, 500]}]',
        '{"objects": [{"label": "car", "bbox": [100.0, 200.0, 300.0, 500.0]}]}',
        '{"bounding_box": {"x1": 100, "y1": 200, "x2": 300, "y2": 500}}',
        '{"box_2d": [200, 100, 500, 300], "label": "car"}',
        "[[100, 200, 300, 500]]",
        "<ref>the red car</ref><box>[[100, 200, 300, 500]]</box>",
        "The bounding box coordinates of the region this sentence describes are [100, 200, 300, 500].",
        "<|object_ref_start|>the car<|object_ref_end|><|box_start|>(100,200),(300,500)<|box_end|>",
        "the car(100, 200), (300, 500)",
        '{"bbox_2d": [300, 500, 100, 200]}',
        '{"bbox_2d": [0.1, 0.2, 0.3, 0.5]}',
        # Cut off after the first of two.
        '```json\n[{"bbox_2d": [100, 200, 300, 500], "label": "car"}, {"bbox_2d": [400, 20',
    ],
)
def test_one_box(text: str) -> None:
    (region,) = read_regions(text, THOUSANDTHS)
    assert (region.image, region.point) == (0, None)
    assert region.corners == pytest.approx(BOX.corners)


def test_several_boxes() -> None:
    first, second = '{"bbox_2d": [100, 200, 300, 500]}', '{"bbox_2d": [0, 0, 1000, 1000]}'
    for text in (
        f"[{first}, {second}]",
        f"{first}\n{second}",
        '{"bboxes": [[100, 200, 300, 500], [0, 0, 1000, 1000]]}',
    ):
        assert read_regions(text, THOUSANDTHS) == [BOX, Region(0, (0, 0, 200, 100))]


@pytest.mark.parametrize(
    "text",
    [
        '{"point_2d": [500, 300]}',
        '[{"points": [[500, 300]]}]',
        '{"x": 500, "y": 300}',
        '{"point": {"x": 500, "y": 300}}',
    ],
)
def test_points(text: str) -> None:
    assert read_regions(text, THOUSANDTHS) == [Region(0, None, (100, 30))]


def test_pixels_are_those_of_the_image_as_the_model_saw_it() -> None:
    assert read_regions('{"bbox_2d": [40, 60, 120, 150]}', PIXELS) == [BOX]
    assert read_regions('{"bbox_2d": [20, 20, 60, 50]}', Frame("pixels", [SIZE])) == [BOX]


@pytest.mark.parametrize(
    ("frame", "box"),
    [
        (THOUSANDTHS, [100, 200, 1400, 500]),
        (PIXELS, [100, 200, 600, 250]),
        (THOUSANDTHS, [-200, 0, 100, 100]),
        (PIXELS, [100, 200, 300, 900]),
    ],
)
def test_another_unit_is_noticed(frame: Frame, box: list[int]) -> None:
    with pytest.raises(AnswerError, match="is outside the image"):
        read_regions(json.dumps({"bbox_2d": box}), frame)


def test_a_little_outside_is_cut_off() -> None:
    assert read_regions('{"bbox_2d": [-3, 500, 1003, 1000]}', THOUSANDTHS) == [Region(0, (0, 50, 200, 100))]


def test_the_image_that_is_meant() -> None:
    def images(text: str) -> list[int]:
        return [region.image for region in read_regions(text, TWO)]

    box = '"bbox_2d": [100, 200, 300, 500]'
    assert images(f'[{{"image": 1, {box}}}, {{"image": 2, {box}}}]') == [0, 1]
    assert images(f'{{"image": 1, "regions": [{{{box}}}]}}') == [0]
    # Without a number that exists, the later one.
    assert images(f'[{{{box}}}, {{"image": 0, {box}}}, {{"image": 7, {box}}}, {{"image": true, {box}}}]') == [1] * 4


@pytest.mark.parametrize(
    "text", ["[]", "```json\n[]\n```", '{"objects": []}', '{"bbox_2d": null}', "<think>?</think>[]"]
)
def test_nothing_fits(text: str) -> None:
    assert read_regions(text, THOUSANDTHS) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("I'm sorry, but I can't help with identifying cars.", "no box and no point"),
        ("The red car is at the top left [1].", "no box and no point"),
        ('{"label": "car"}', "no box and no point"),
        ('{"bbox_2d": "top left"}', "no box and no point"),
        ('{"bbox_2d": [100, 200, 300]}', "no box and no point"),
        ('{"bbox_2d": [100, "200", 300, 400]}', "no box and no point"),
        ('{"bbox_2d": [true, true, true, true]}', "no box and no point"),
        ('{"bbox_2d": [1e999, 0, 10, 10]}', "no box and no point"),
        ('{"bbox_2d": [NaN, 0, 10, 10]}', "not valid JSON"),
        ('{"bbox_2d": [100, 200, 300', "not valid JSON"),
        ("<think>The car could be at [100, 200, 300, 500], but", "inside the thoughts"),
        ('{"bbox_2d": [100, 200, 100, 500]}', "no area"),
        ("x" * (LONGEST_ANSWER + 1), "more than"),
    ],
)
def test_answers_that_cannot_be_used(text: str, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        read_regions(text, THOUSANDTHS)


def test_a_box_that_cannot_be_used_does_not_spoil_the_others() -> None:
    assert read_regions('[{"bbox_2d": [5, 5, 5, 5]}, {"bbox_2d": [100, 200, 300, 500]}]', THOUSANDTHS) == [BOX]


@pytest.mark.parametrize("piece", ["[", "{", '{"a":', "[1,", "(1,", "<think>", '{"image":1,"bbox_2d":'])
def test_hostile_answers_take_little_time(piece: str) -> None:
    started = time.process_time()
    with pytest.raises(AnswerError):
        read_regions((piece * LONGEST_ANSWER)[:LONGEST_ANSWER], THOUSANDTHS)
    assert time.process_time() - started < 5


def test_boxes_of_paligemma() -> None:
    """[y1, x1, y2, x2] in 1,024 steps, then the code words of a mask, which are not used."""
    codes = "".join(f"<seg{number:03d}>" for number in range(16))
    text = (
        f"<loc0256><loc0128><loc0512><loc0512>{codes} red car ; <loc0000><loc0000><loc1023><loc1023>{codes} car<eos>"
    )
    first, second = read_boxes(text, SIZE)
    assert first == Region(0, (25, 25, 100, 50))
    assert second.corners == pytest.approx((0, 0, 200, 100), abs=0.2)
    for empty in ("", "red car", "<loc0256><loc0128><loc0512>", "<loc0512><loc0128><loc0256><loc0512>"):
        assert read_boxes(empty, SIZE) == []
