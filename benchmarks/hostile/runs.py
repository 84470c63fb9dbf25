# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Run-length encoded masks and whatever else the metric may be given as a mask."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtrs_iou import count_masks, decode_rle, encode_rle

from .cases import Case, Random
from .pixels import blobs


REFUSALS = (ValueError,)
ODD_VALUES: tuple[Any, ...] = (
    None,
    -1,
    2**63,
    10**400,
    0.5,
    float("nan"),
    "4",
    b"4",
    True,
    [],
    {},
    "\ud800",
    2**40 + 1,
)


def make(random: Random, folder: Path) -> Case:
    """A case of any sort."""
    sorts = (_whole, _whole, _damaged_text, _damaged_text, _damaged_list, _odd, _large, _array)
    return sorts[random.integers(0, len(sorts))](random)


# --- the oracle: loops over single pixels and characters, with integers of any size ---


def run_lengths(mask: np.ndarray) -> list[int]:
    """The runs of a mask, column by column, background first."""
    runs, current = [0], False
    for value in mask.T.ravel().tolist():
        if value != current:
            runs.append(0)
            current = value
        runs[-1] += 1
    return runs


def to_text(runs: Sequence[int]) -> str:
    """COCO's compressed form of runs."""
    text = ""
    for index, run in enumerate(runs):
        number = run - runs[index - 2] if index > 2 else run
        while True:
            piece = number & 31
            number >>= 5
            is_last = number == (-1 if piece & 16 else 0)
            text += chr((piece if is_last else piece | 32) + 48)
            if is_last:
                break
    return text


def from_text(text: str) -> list[int] | None:
    """The runs of COCO's compressed form; `None` if it is none."""
    runs: list[int] = []
    number, place = 0, 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64:
            return None
        number |= (code & 31) << place
        place += 5
        if code < 32:
            if code & 16:
                number -= 1 << place
            runs.append(number + (runs[-2] if len(runs) > 2 else 0))
            number, place = 0, 0
    return runs if place == 0 else None


def from_runs(runs: Sequence[int] | None, height: int, width: int) -> np.ndarray | None:
    """The mask of runs; `None` if they do not fit."""
    if not runs or min(runs) < 0 or sum(runs) != height * width:
        return None
    values = [index % 2 == 1 for index, run in enumerate(runs) for _ in range(run)]
    return np.array(values, dtype=bool).reshape(width, height).T


# --- cases ---


def _same(expected: np.ndarray) -> Callable[[Any], bool]:
    return lambda found: found.shape == expected.shape and bool((found == expected).all())


def _whole(random: Random) -> Case:
    """Every form that a mask may have, against another one of the same size."""
    mask = blobs(random)
    other = np.roll(mask, int(random.integers(0, 5)), axis=1)
    forms = _forms(mask), _forms(other)
    first, second = (each[random.integers(0, len(each))] for each in forms)
    counts = int((mask & other).sum()), int(mask.sum()), int(other.sum())
    if random.random() < 0.3:
        return Case("encoded", lambda: encode_rle(first)["counts"], REFUSALS, run_text(mask).__eq__, must_read=True)
    return Case("two masks", lambda: count_masks(first, second)[:3], REFUSALS, counts.__eq__, must_read=True)


def run_text(mask: np.ndarray) -> str:
    """The compressed form of a mask."""
    return to_text(run_lengths(mask))


def _forms(mask: np.ndarray) -> list[Any]:
    size, runs = list(mask.shape), run_lengths(mask)
    text = to_text(runs)
    return [
        {"size": size, "counts": text},
        {"size": tuple(np.array(size)), "counts": text.encode()},
        {"size": size, "counts": runs},
        {"size": size, "counts": np.array(runs, dtype=np.uint32)},
        mask,
        mask.astype(np.uint8),
        mask.astype(np.uint8) * 255,
        mask.astype(np.float32),
        mask.astype(int).tolist(),
        np.asfortranarray(mask.astype(np.int64)),
    ]


def _damaged_text(random: Random) -> Case:
    """One to three wrong, missing or further characters. What still is an RLE of the size means another mask."""
    mask = blobs(random)
    text = list(to_text(run_lengths(mask)))
    for _ in range(random.integers(1, 4)):
        place = int(random.integers(0, len(text) + 1))
        letter = chr(int(random.integers(40, 120)))
        text[place : place + int(random.integers(0, 2))] = [letter] if random.random() < 0.7 else []
    damaged = "".join(text)
    expected = from_runs(from_text(damaged), *mask.shape)
    content = {"size": list(mask.shape), "counts": damaged if random.random() < 0.5 else damaged.encode("latin-1")}
    return Case(
        f"RLE {damaged!r} of {mask.shape}",
        lambda: decode_rle(content),
        REFUSALS,
        None if expected is None else _same(expected),
    )


def _damaged_list(random: Random) -> Case:
    mask = blobs(random)
    runs: list[Any] = list(run_lengths(mask))
    place = int(random.integers(0, len(runs)))
    odd = (*ODD_VALUES, runs[place] + 1, -runs[place], 0)[random.integers(0, len(ODD_VALUES) + 3)]
    runs[place] = odd
    is_whole = all(type(run) is int for run in runs)
    expected = from_runs(runs, *mask.shape) if is_whole and odd in (0, runs[place]) and abs(odd) < 2**40 else None
    content = {"size": list(mask.shape), "counts": runs}
    return Case(
        f"runs with {odd!r}", lambda: decode_rle(content), REFUSALS, None if expected is None else _same(expected)
    )


def _odd(random: Random) -> Case:
    """Values of wrong types in the places of size and counts."""
    content: Any = {"size": [4, 4], "counts": [16]}
    value = ODD_VALUES[random.integers(0, len(ODD_VALUES))]
    sort = random.integers(0, 6)
    if sort == 0:
        content["size"] = [value, 4]
    elif sort == 1:
        content["size"] = value
    elif sort == 2:
        content["counts"] = value
    elif sort == 3:
        del content[("size", "counts")[random.integers(0, 2)]]
    elif sort == 4:
        content = (value, "mask.png", [[1, 2, 3, 4, 5, 6]], [[0, 2]], [])[random.integers(0, 5)]
    else:
        content = {"size": [4, 4], "counts": [[16]]}
    reference = {"size": [4, 4], "counts": [16]}
    # No mask at all is a prediction that is missing.
    is_missing = content is None
    return Case(
        f"{content!r:.80}",
        lambda: count_masks(content, reference),
        REFUSALS,
        (lambda found: found.is_missing == 1) if is_missing else None,
    )


def _large(random: Random) -> Case:
    """Masks that fit in no memory, as runs: their counts are exact up to 2^40 pixels and refused beyond."""
    height, width = (1 << int(power) for power in random.integers(16, 24, 2))
    area = height * width
    runs = [int(random.integers(0, area // 4)) for _ in range(3)]
    runs.append(area - sum(runs))
    content = {"size": [height, width], "counts": runs if random.random() < 0.5 else to_text(runs)}
    if random.random() < 0.3:
        read = lambda: decode_rle(content) if random.random() < 0.5 else count_masks(content, content, boundary=True)  # noqa: E731
        return Case(f"write out {height} x {width}", read, REFUSALS)
    expected = (runs[1] + runs[3],) * 3
    return Case(
        f"count {height} x {width}",
        lambda: count_masks(content, content)[:3],
        REFUSALS,
        expected.__eq__ if area <= 1 << 40 else None,
        must_read=area <= 1 << 40,
    )


def _array(random: Random) -> Case:
    """Arrays that are no masks."""
    mask = blobs(random).astype(float)
    sort = random.integers(0, 7)
    odd: Any = mask
    if sort < 5:
        mask[0, 0] = (np.nan, np.inf, -1, 0.5, 7)[sort]
    elif sort == 5:
        odd = np.ma.masked_array(mask, mask > 0)
    else:
        odd = mask[None] if random.random() < 0.5 else mask.astype("complex64")
    return Case(f"array, sort {sort}", lambda: count_masks(odd, odd), REFUSALS)
