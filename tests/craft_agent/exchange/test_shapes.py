# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Polygons and brushes hold exactly the pixels of a mask."""

import numpy as np
import pytest

from craft_agent.exchange.brush import decode_brush, encode_brush
from craft_agent.exchange.polygons import fill_polygon, to_polygon, to_polygons


def masks():
    rng = np.random.default_rng(0)
    noise = rng.random((23, 31)) < 0.5
    rings = np.zeros((40, 50), dtype=bool)
    rings[2:38, 3:47] = True
    rings[6:20, 8:20] = rings[24:30, 9:40] = rings[8:18, 25:44] = False
    rings[10:14, 12:16] = True
    full = np.ones((5, 4), dtype=bool)
    dot = np.zeros((9, 9), dtype=bool)
    dot[8, 8] = True
    return {"noise": noise, "rings": rings, "full": full, "dot": dot}


@pytest.mark.parametrize("name", masks())
def test_outlines_lose_no_pixel(name):
    mask = masks()[name]
    size = (mask.shape[1], mask.shape[0])
    assert np.array_equal(fill_polygon(to_polygon(mask, name), size), mask)
    union = np.zeros_like(mask)
    for polygon in to_polygons(mask, name):
        union |= fill_polygon(polygon, size)
    assert np.array_equal(union, mask)


def test_corners_may_lie_between_pixels_and_outside():
    mask = fill_polygon([(-5, -5), (2.4, -5), (2.4, 1.6), (-5, 1.6)], (4, 3))
    assert np.array_equal(mask, [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("name", masks())
def test_brushes_lose_no_pixel(name):
    mask = masks()[name]
    assert np.array_equal(decode_brush(encode_brush(mask), (mask.shape[1], mask.shape[0])), mask)


def test_a_brush_as_label_studio_writes_it():
    # Of one pixel: 4 values of 8 bits, lengths of 3, 4, 8 and 16 bits, then the four values one by one.
    bits = f"{4:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}" + "0" + "00" + f"{3:03b}" + f"{200:08b}" * 4
    bits += "0" * (-len(bits) % 8)
    code = [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]
    assert decode_brush(code, (1, 1)).tolist() == [[True]]


def test_long_runs_are_cut():
    mask = np.zeros((300, 300), dtype=bool)
    assert np.array_equal(decode_brush(encode_brush(mask), (300, 300)), mask)


def test_damaged_brushes():
    code = encode_brush(masks()["noise"])
    for wrong, problem in (
        (code[:-3], "cut off"),
        ([*code[:-1], 256], "not bytes"),
        (["x"], "not bytes"),
        ([], "cut off"),
    ):
        with pytest.raises(ValueError, match=problem):
            decode_brush(wrong, (31, 23))
    with pytest.raises(ValueError, match="of the image"):
        decode_brush(code, (23, 30))
