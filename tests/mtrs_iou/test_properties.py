# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mtrs_iou import MaskScores, merge, score_masks
from mtrs_iou.mask_counts import count_masks, decode_rle, encode_rle
from mtrs_iou.scores import THRESHOLDS


settings.register_profile("mtrs_iou", derandomize=True, deadline=None, max_examples=150)
settings.load_profile("mtrs_iou")

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
LABELS = st.sampled_from(["NS", "RS", None])


def masks(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    """Masks of a shape; fill makes uniform ones frequent."""
    return arrays(bool, shape, fill=st.booleans())


PAIRS = SHAPES.flatmap(lambda shape: st.tuples(masks(shape), masks(shape)))
SETS = st.lists(st.tuples(PAIRS, LABELS, st.floats(0, 1), st.booleans()), min_size=1, max_size=8)


def columns(samples: list[Any]) -> dict[str, Any]:
    """The arguments of `score_masks`; a sample's id is its place in the list."""
    return {
        "predictions": [None if is_missing else pair[0] for pair, _, _, is_missing in samples],
        "references": [pair[1] for pair, _, _, _ in samples],
        "sample_ids": [str(place) for place in range(len(samples))],
        "domains": [domain for _, domain, _, _ in samples],
        "scores": [score for _, _, score, _ in samples],
    }


def shares(result: dict[str, Any]) -> dict[str, float]:
    """All scores of a result that are defined."""
    return {name: value for name, value in result.items() if isinstance(value, float) and name[0] != "b"}


@given(PAIRS)
def test_iou_is_symmetric(pair: tuple[np.ndarray, np.ndarray]) -> None:
    there, back = (score_masks([one], [other], boundary=True) for one, other in (pair, pair[::-1]))
    for name in ("mIoU", "oIoU", "boundary_IoU", "f1", *(f"Pr@{threshold}" for threshold in THRESHOLDS)):
        assert there[name] == back[name]
    assert (there["precision"], there["recall"]) == (back["recall"], back["precision"])


@given(PAIRS)
def test_rle_equals_array(pair: tuple[np.ndarray, np.ndarray]) -> None:
    encoded = [encode_rle(mask) for mask in pair]
    for mask, rle in zip(pair, encoded):
        assert (decode_rle(rle) == mask).all()
        assert encode_rle(rle) == rle
    for boundary in (False, True):
        counts = count_masks(*pair, boundary=boundary)
        assert count_masks(*encoded, boundary=boundary) == counts
        assert count_masks(encoded[0], pair[1], boundary=boundary) == counts
        assert count_masks(pair[0], encoded[1], boundary=boundary) == counts


@given(PAIRS)
def test_a_mask_against_itself_is_perfect(pair: tuple[np.ndarray, np.ndarray]) -> None:
    result = score_masks(pair, pair, boundary=True)
    assert set(shares(result).values()) == {100.0}


@given(SETS)
def test_scores_are_bounded_and_ordered(samples: list[Any]) -> None:
    result = score_masks(**columns(samples), boundary=True, bootstrap=5)
    for scores in (result, *result["by_mask_size"].values(), *result.get("by_domain", {}).values()):
        assert all(0 <= value <= 100 for value in shares(scores).values())
        reached = [scores[f"Pr@{threshold}"] for threshold in THRESHOLDS]
        assert reached == sorted(reached, reverse=True)
        assert all(
            0 <= low <= high <= 100 + 1e-9 for low, high in filter(None, scores["confidence_intervals"].values())
        )
        # F1 and IoU of the same pixels: F = 2 IoU / (1 + IoU).
        if scores["oIoU"] is not None:
            assert scores["f1"] / 100 == pytest.approx(2 * scores["oIoU"] / (100 + scores["oIoU"]))
        assert scores["num_both_empty"] + scores["num_false_positives_on_empty"] <= scores["num_empty_references"]


@given(SETS)
def test_groups_add_up(samples: list[Any]) -> None:
    result = score_masks(**columns(samples))
    for group in ("by_mask_size", "by_domain"):
        if group in result:
            parts = result[group].values()
            for counter in (
                name for name in result["by_mask_size"][next(iter(result["by_mask_size"]))] if "num_" in name
            ):
                assert sum(part[counter] for part in parts) == result[counter]
            weighted = sum(part["mIoU"] * part["num_samples"] for part in parts)
            assert weighted / result["num_samples"] == pytest.approx(result["mIoU"])


@given(SETS, st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(samples: list[Any], dice: Any) -> None:
    arguments = columns(samples)
    order = dice.sample(range(len(samples)), len(samples))
    shuffled = {name: [column[place] for place in order] for name, column in arguments.items()}
    options: dict[str, Any] = {"boundary": True, "bootstrap": 5, "per_sample": True}
    assert score_masks(**shuffled, **options) == score_masks(**arguments, **options)


@given(SETS, st.randoms(use_true_random=False))
def test_parts_merge_to_the_whole(samples: list[Any], dice: Any) -> None:
    arguments = columns(samples)
    parts = [MaskScores() for _ in range(3)]
    repeated = 0
    for place in range(len(samples)):
        chosen = dice.sample(parts, dice.choice((1, 1, 2)))
        repeated += len(chosen) - 1
        for part in chosen:
            part.add_batch(**{name: [column[place]] for name, column in arguments.items()})
    states = [part.state() for part in parts]
    whole = score_masks(**arguments, bootstrap=5, per_sample=True)
    for joined in (merge(states), merge([merge(states[:2]), states[2]]), merge([states[2], merge(states[1::-1])])):
        result = MaskScores.from_state(joined).compute(bootstrap=5, per_sample=True)
        assert result == whole | {"num_duplicates_removed": repeated}
