# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import random
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mtrs_iou import mask_counts
from mtrs_iou.mask_counts import SampleCounts, boundary_band, boundary_width, count_masks, decode_rle, encode_rle
from tests.oracles.brute_force import KINDS, RLE_KINDS, Pixels, band, draw_case, draw_mask, write_mask


def to_array(pixels: Pixels, height: int, width: int) -> np.ndarray:
    return write_mask(pixels, height, width, "bool")


def test_10000_random_pairs_in_every_type_equal_brute_force() -> None:
    dice = random.Random(0)
    for number in range(10_000):
        case = draw_case(dice)
        size = case.height, case.width
        kinds = [dice.choice(RLE_KINDS if dice.random() < 0.3 else KINDS) for _ in range(2)]
        boundary = number % 2 == 0
        counts = count_masks(
            write_mask(case.prediction, *size, kinds[0]),
            write_mask(case.reference, *size, kinds[1]),
            boundary=boundary,
        )
        predicted = case.prediction or frozenset()
        bands = [band(mask, *size) for mask in (predicted, case.reference)]
        wanted = SampleCounts(
            len(predicted & case.reference), len(predicted), len(case.reference), int(case.prediction is None)
        )
        if boundary:
            measured = (len(bands[0] & bands[1]), len(bands[0] | bands[1])) if case.prediction is not None else (0, 0)
            wanted = SampleCounts(*wanted[:4], *measured)
        assert counts == wanted, (case, kinds)


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (63, 1), (8, 8), (13, 5), (65, 127)])
def test_both_ways_of_counting_agree(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    generator = np.random.default_rng(0)
    masks = [generator.random(size) < 0.5 for _ in range(2)]
    counts = [count_masks(*masks)]
    # What NumPy 1 runs.
    monkeypatch.setattr(mask_counts, "POPULATION_COUNT", False)
    counts.append(count_masks(*masks))
    wanted = SampleCounts(int((masks[0] & masks[1]).sum()), int(masks[0].sum()), int(masks[1].sum()))
    assert counts == [wanted, wanted]


@pytest.mark.parametrize("size", [(120, 150), (40, 260), (100, 100)])
def test_wide_boundary_bands_equal_brute_force(size: tuple[int, int]) -> None:
    assert boundary_width(*size) > 2
    dice = random.Random(1)
    for _ in range(2):
        pixels = draw_mask(dice, *size) - {(dice.randrange(size[0]), dice.randrange(size[1])) for _ in range(3)}
        assert (boundary_band(to_array(pixels, *size)) == to_array(band(pixels, *size), *size)).all()


def test_the_band_of_a_square_is_its_frame() -> None:
    mask = np.zeros((300, 400), dtype=bool)
    mask[100:200, 100:200] = True
    assert boundary_width(300, 400) == 10  # 0.02 x 500
    inner = np.zeros_like(mask)
    inner[110:190, 110:190] = True
    assert (boundary_band(mask) == (mask & ~inner)).all()


@pytest.mark.parametrize(("height", "width", "pixels"), [(1, 1, 1), (20, 20, 1), (1024, 1024, 29), (2048, 2048, 58)])
def test_the_band_has_a_fiftieth_of_the_diagonal(height: int, width: int, pixels: int) -> None:
    assert boundary_width(height, width) == pixels


def test_pycocotools_gives_the_same_iou_and_the_same_bytes() -> None:
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    dice = random.Random(2)
    generator = np.random.default_rng(2)
    compared = 0
    for _ in range(1000):
        size = dice.randint(1, 60), dice.randint(1, 60)
        share, scale = dice.random(), dice.choice((1, 1, 7, 40))
        noise = generator.random((2, *(-(-side // scale) for side in size))) < share
        masks = noise.repeat(scale, axis=1).repeat(scale, axis=2)[:, : size[0], : size[1]]
        theirs = [coco.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in masks]
        ours = [encode_rle(mask) for mask in masks]
        for their, our, mask in zip(theirs, ours, masks):
            assert our["counts"].encode() == their["counts"]
            assert our["size"] == list(their["size"])
            assert (decode_rle(their) == mask).all()
        shared, area, true_area, *_ = count_masks(*theirs)
        assert [area, true_area] == coco.area(theirs).tolist()
        if area + true_area:
            assert shared / (area + true_area - shared) == coco.iou([theirs[0]], [theirs[1]], [0])[0, 0]
            compared += 1
    assert compared > 900


def test_a_long_run_is_coded_in_several_characters() -> None:
    rle = {"size": [100_000, 50_000], "counts": [2_000_000_000, 2_500_000_000, 500_000_000]}
    text = encode_rle(rle)
    # Nothing of 5 billion pixels is written out.
    assert count_masks(text, rle) == SampleCounts(2_500_000_000, 2_500_000_000, 2_500_000_000)
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    small = {"size": [3000, 1000], "counts": [7, 2_000_000, 999_993]}
    assert encode_rle(small)["counts"].encode() == coco.frPyObjects(small, 3000, 1000)["counts"]


def test_a_column_comes_after_a_column() -> None:
    mask = np.array([[0, 1, 1], [0, 0, 1]], dtype=bool)
    # Column by column: 0 0, 1 0, 1 1.
    assert (decode_rle({"size": [2, 3], "counts": [2, 1, 1, 2]}) == mask).all()
    # The fourth number is written as its difference to the second one.
    assert encode_rle(mask) == {"size": [2, 3], "counts": "2111"}
    assert (decode_rle({"size": [2, 3], "counts": "2111"}) == mask).all()


MASK = np.eye(3, dtype=bool)
WRONG_MASKS: list[tuple[Any, str]] = [
    (np.eye(3) * 0.5, r"the value 0\.5; .*threshold"),
    (np.eye(3, dtype=np.uint8) * 7, r"the value 7; "),
    (np.array([[0, 255, 1]], dtype=np.uint8), r"the value 1 beside 255"),
    (np.array([[0, 255, 128]], dtype=np.uint8), r"the value 128 beside 255"),
    (np.array([[0, -1]]), r"the value -1; "),
    (np.array([[0, -1]], dtype=np.int8), r"the value -1; "),
    (np.array([[0, 256]]), r"the value 256; "),
    (np.array([[0.0, float("nan")]]), r"holds NaN"),
    (np.array([[0.0, float("inf")]]), r"the value inf; "),
    (np.array([["a"]]), r"values of type <U1"),
    (np.zeros((3, 3), dtype=complex), r"values of type complex128"),
    (np.zeros((3, 3, 3), dtype=bool), r"has the shape 3 x 3 x 3; "),
    (np.zeros(3, dtype=bool), r"has the shape 3; "),
    (np.zeros((0, 3), dtype=bool), r"has the shape 0 x 3; "),
    (True, r"has the shape a single number"),
    ([[1], [1, 0]], r"a list, is not an array"),
    (Image.new("RGB", (3, 3)), r"has the shape 3 x 3 x 3; "),
    ("mask.png", r"is a str; pass"),
    ({"mask": MASK}, r"""not COCO RLE; it needs "size", .* not \['mask'\]"""),
    ({"size": [3], "counts": [9]}, r"not COCO RLE"),
    ({"size": [0, 3], "counts": []}, r"an RLE of 0 x 3 pixels"),
    ({"size": [3, 3], "counts": [4, 4]}, r"damaged RLE: it is 3 x 3 = 9 pixels, but its runs add up to 8"),
    ({"size": [3, 3], "counts": [10, -1]}, r"damaged RLE: .* one run has 10"),
    ({"size": [3, 3], "counts": np.array([2**64 - 1, 10], dtype=np.uint64)}, r"damaged RLE: .* one run has -"),
    ({"size": [3, 3], "counts": [4.5, 4.5]}, r"neither a string nor a list of integers"),
    ({"size": [3, 3], "counts": None}, r"neither a string nor a list of integers"),
    ({"size": [3, 3], "counts": "9~"}, r"characters outside 0 to o"),
    ({"size": [3, 3], "counts": "9é"}, r"characters outside 0 to o"),
    ({"size": [3, 3], "counts": "9P"}, r"cut off or too long"),
    ({"size": [3, 3], "counts": "P" * 12 + "0"}, r"cut off or too long"),
    ({"size": [3, 3], "counts": ""}, r"its runs add up to 0"),
    ({"size": [3, 3], "counts": [[4], [4, 1]]}, r"neither a string nor a list of integers"),
    ({"size": [3, 3], "counts": [10**30, 9]}, r"neither a string nor a list of integers"),
    ({"size": [3.7, 3], "counts": [9]}, r"of the size \[3\.7, 3\]; both must be integers"),
    ({"size": ["3", 3], "counts": [9]}, r"of the size \['3', 3\]; both must be integers"),
    ({"size": [True, 9], "counts": [9]}, r"both must be integers"),
    ({"size": [float("nan"), 9], "counts": [9]}, r"both must be integers"),
    ({"size": [2**20 + 1, 2**20], "counts": [2**40 + 2**20]}, r"an RLE of more than 2\^40 pixels"),
    ({"size": [2**32, 2**32], "counts": [0]}, r"an RLE of more than 2\^40 pixels"),
    (np.ma.masked_array(np.eye(3), mask=np.eye(3)), r"a masked array; .*filled\(0\)"),
    (np.array([[0.0, float("-inf")]]), r"the value -inf; "),
    (torch.zeros(3, 3, device="meta"), r"a Tensor, is not an array"),
    (torch.eye(3).to_sparse(), r"a Tensor, is not an array"),
    ([[10, 10, 40, 10, 40, 40]], r"a list of COCO polygons; rasterise them first: pycocotools"),
    ([[1, 1, 4, 1, 4, 4], [7.5, 7, 9, 7, 9, 9, 7, 9]], r"a list of COCO polygons"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG_MASKS, ids=range(len(WRONG_MASKS)))
def test_what_is_no_mask_is_named(wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^sample 'a': the prediction.*{message}"):
        count_masks(wrong, MASK, name="sample 'a'")
    with pytest.raises(ValueError, match=f"^sample 'a': the reference.*{message}"):
        count_masks(MASK, wrong, name="sample 'a'")


def test_a_missing_reference_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^sample 'a': the reference is None"):
        count_masks(MASK, None, name="sample 'a'")


@pytest.mark.parametrize("kind", ["bool", "RLE text"])
def test_both_sizes_are_in_the_message(kind: str) -> None:
    masks = write_mask(frozenset(), 3, 4, kind), write_mask(frozenset(), 4, 3, "RLE list")
    with pytest.raises(
        ValueError, match=r"^the sample: the prediction is 3 x 4 pixels .* and the reference 4 x 3; resize"
    ):
        count_masks(*masks)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float64])
def test_tensors_of_every_type(dtype: torch.dtype) -> None:
    tensor = torch.eye(3).to(dtype)
    if dtype.is_floating_point:
        tensor.requires_grad_()
    assert count_masks(tensor, MASK) == SampleCounts(3, 3, 3)


def test_a_palette_is_read_by_its_colours() -> None:
    image = Image.fromarray(1 - np.eye(3, dtype=np.uint8))
    image.putpalette([255, 255, 255, 0, 0, 0])
    assert image.mode == "P"
    assert count_masks(image, MASK) == SampleCounts(3, 3, 3)
    image.putpalette([0, 0, 0, 128, 0, 0])
    with pytest.raises(ValueError, match="the prediction holds the value 38; "):
        count_masks(image, MASK)


def test_masks_that_are_not_contiguous_or_writable() -> None:
    wide = np.random.default_rng(0).random((20, 30)) < 0.5
    view, other = wide.T[::-2], np.ascontiguousarray(wide.T[::-2])
    other.flags.writeable = False
    area = int(other.sum())
    assert count_masks(view, other) == SampleCounts(area, area, area)
    bytes_view = (wide * np.uint8(255)).T[::-2]
    assert count_masks(bytes_view, other) == SampleCounts(area, area, area)


@pytest.mark.parametrize(
    ("value", "message"),
    [(None, "None, not COCO RLE"), (7, "a int, not COCO RLE"), ([[1, 1, 1, 2, 2, 2]], "list of COCO polygons")],
)
def test_only_run_lengths_are_decoded(value, message) -> None:
    with pytest.raises(ValueError, match=f"the mask .*{message}"):
        decode_rle(value)


def test_a_mask_that_would_fill_the_memory_is_refused() -> None:
    """Sixty characters can stand for a terabyte of pixels. Counting needs none of them."""
    mask = {"size": [2**20, 2**20], "counts": [2**39, 2**39]}
    assert count_masks(mask, mask)[:3] == (2**39,) * 3
    with pytest.raises(ValueError, match=r"the mask is an RLE of 1048576 x 1048576 pixels; at most 2\^30"):
        decode_rle(mask)
    with pytest.raises(ValueError, match=r"s7: the prediction is an RLE of .* cut the image into parts"):
        count_masks(mask, mask, boundary=True, name="s7")
