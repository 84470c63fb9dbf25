# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds leakage between splits.

The same pair in two splits is a failure: equal pixels, or the same name and a similar image. A single shared image, or
a near-duplicate (re-encoded, resized, mirrored, rotated, or from the same fixed camera), is a warning. Overlapping
crops of a larger image are not found: split such data by the original image.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from dataset_scripts.readers import SPLITS

from .checks import Check, Verdict, judge
from .dataset_statistics import ImageFacts, PairFacts
from .perceptual_hash import find_near_duplicates, look_alike


Leak = tuple[PairFacts, PairFacts]


def leakage_checks(pairs: Sequence[PairFacts], max_distance: int) -> list[Check]:
    """
    Compares every two splits, and every split with itself.

    Args:
        pairs (`Sequence[PairFacts]`): The distinct pairs. Stage 1 counts as training.
        max_distance (`int`): Maximum number of different bits of the 64-bit hashes of near-duplicates, 0 to 15.

    Returns:
        `list[Check]`: Same pairs, same names, same images, near-duplicate images, and pairs that one split contains
            twice. Each pair of the later split is counted only in the first check that finds it.
    """
    same_pairs: list[str] = []
    same_names: list[str] = []
    same_images: list[str] = []
    near_images: list[str] = []
    splits = sorted({pair.split for pair in pairs}, key=SPLITS.index)
    for seen_split, held_split in combinations(splits, 2):
        seen = [pair for pair in pairs if pair.split == seen_split]
        held = [pair for pair in pairs if pair.split == held_split]
        copies = _find_copies(seen, held)
        same_pairs += [f"{pair.name} is {other.name}" for pair, other in copies]
        same_names += [f"{pair.name} and {other.name}" for pair, other in _find_name_twins(seen, held, copies)]
        held = _without(held, copies)
        shared = _find_shared_images(seen, held)
        same_images += [f"{pair.name} has an image of {other.name}" for pair, other in shared]
        near_images += _find_near_images(seen, _without(held, shared), max_distance)
    compared = ", ".join(splits)
    nothing = f"none in two of {compared}" if len(splits) > 1 else f"only {compared} is here"
    outcomes = (
        ("same pair", same_pairs, Verdict.FAIL, "the later split holds pairs that the earlier one shows"),
        ("same name", same_names, Verdict.WARN, "different pairs have one name"),
        ("same image", same_images, Verdict.WARN, "pairs have one image of another split"),
        ("near-duplicate", near_images, Verdict.WARN, "pairs have an image that is like one of another split"),
    )
    checks = [judge(f"{what} in two splits", found, bad, summary, nothing) for what, found, bad, summary in outcomes]
    return [*checks, _check_repeated_pairs(pairs)]


def _find_copies(seen: Sequence[PairFacts], held: Sequence[PairFacts]) -> list[Leak]:
    """Pairs with the same two images, in any order, or with the same name and a similar image."""
    by_pixels = {pair.pixels: pair for pair in seen}
    by_name: dict[str, list[PairFacts]] = {}
    for pair in seen:
        by_name.setdefault(pair.pair_id, []).append(pair)
    leaks = []
    for pair in held:
        namesakes = (other for other in by_name.get(pair.pair_id, ()) if _share_an_image(pair, other))
        copy = by_pixels.get(pair.pixels) or next(namesakes, None)
        if copy is not None:
            leaks.append((pair, copy))
    return leaks


def _find_name_twins(seen: Sequence[PairFacts], held: Sequence[PairFacts], copies: Sequence[Leak]) -> list[Leak]:
    """Different pairs with the same name and kind."""
    by_name = {(pair.pair_id, pair.change_mask is None): pair for pair in seen}
    named = [(pair, by_name.get((pair.pair_id, pair.change_mask is None))) for pair in _without(held, copies)]
    return [(pair, other) for pair, other in named if other is not None]


def _find_shared_images(seen: Sequence[PairFacts], held: Sequence[PairFacts]) -> list[Leak]:
    """Pairs that share one image with another split."""
    owners = {image.digest: pair for pair in seen for image in _images(pair)}
    leaks = []
    for pair in held:
        owner = owners.get(pair.image_t1.digest) or owners.get(pair.image_t2.digest)
        if owner is not None:
            leaks.append((pair, owner))
    return leaks


def _find_near_images(seen: Sequence[PairFacts], held: Sequence[PairFacts], max_distance: int) -> list[str]:
    """Describes the pairs with a near-duplicate of an image in another split."""
    if not seen or not held:
        return []
    matches = find_near_duplicates(_thumbnails(held), _thumbnails(seen), max_distance)
    examples: dict[str, list[str]] = {}
    for match in matches:
        pair, other = held[match.query // 2], seen[match.found // 2]
        how = f"{match.symmetry}, {match.distance} bits differ, correlation {match.correlation:.3f}"
        dates = (f"t{match.query % 2 + 1}", f"t{match.found % 2 + 1}")
        examples.setdefault(pair.name, []).append(f"{dates[0]} resembles {dates[1]} of {other.name} ({how})")
    return [f"{name}: {'; '.join(found)}" for name, found in examples.items()]


def _check_repeated_pairs(pairs: Sequence[PairFacts]) -> Check:
    """Pairs of one split with the same images and different names."""
    first: dict[tuple[object, ...], PairFacts] = {}
    examples = []
    for pair in pairs:
        original = first.setdefault((pair.split, pair.pixels, pair.change_mask is None), pair)
        if original is not pair:
            examples.append(f"{pair.name} shows the same as {original.name}")
    summary = "pairs of one split that show the same images"
    return judge("repeated pairs", examples, Verdict.WARN, summary, "no pair occurs twice in a split")


def _share_an_image(first: PairFacts, second: PairFacts) -> bool:
    """Whether the earlier or the later images of two pairs are similar."""
    return bool(first.pixels & second.pixels) or any(
        look_alike(left.thumbnail, right.thumbnail) for left, right in zip(_images(first), _images(second))
    )


def _without(pairs: Sequence[PairFacts], leaks: Sequence[Leak]) -> list[PairFacts]:
    """The pairs without a leak so far."""
    named = {id(pair) for pair, _ in leaks}
    return [pair for pair in pairs if id(pair) not in named]


def _images(pair: PairFacts) -> tuple[ImageFacts, ImageFacts]:
    return pair.image_t1, pair.image_t2


def _thumbnails(pairs: Sequence[PairFacts]) -> np.ndarray:
    """`(2 * pairs, 32, 32)`: t1 and t2 of each pair."""
    return np.stack([image.thumbnail for pair in pairs for image in _images(pair)])
