# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds near-duplicate images: the same image re-encoded, resized, brightened, mirrored or rotated.

Each image is reduced to a thumbnail of 1 KB. Its 64-bit hash encodes which low cosine frequencies of the thumbnail are
above their median. Two images are candidates if their hashes differ in few bits, and near-duplicates if their
thumbnails also correlate. Crops and shifted images are not found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
from PIL import Image


Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

THUMBNAIL_SIDE = 32
HASH_SIDE = 8
# Hashes are split into parts of this many bits. If two hashes differ in at most `distance` of 64 bits, then one
# of their four parts differs in at most `distance // 4`: only these neighbours are looked up, not every pair.
PART_BITS = 16
PARTS = 64 // PART_BITS
_BIT_COUNTS: Indices = np.array([number.bit_count() for number in range(1 << PART_BITS)], dtype=np.int64)
DEFAULT_MAX_DISTANCE = 7  # The largest one for which a part differs in only one bit.
LARGEST_MAX_DISTANCE = 15  # Above it, half of all buckets would be looked up.
MIN_CORRELATION = 0.95
MIN_CONTRAST = 3.0  # grey levels; the frequencies of flatter thumbnails are noise
CANDIDATES_PER_IMAGE = 16
QUERIES_AT_ONCE = 256

# Every way to mirror and rotate a square, by name; `turn` quarter turns after the mirroring.
SYMMETRIES = (
    ("the same way up", False, 0),
    ("turned by 90°", False, 1),
    ("turned by 180°", False, 2),
    ("turned by 270°", False, 3),
    ("mirrored", True, 0),
    ("mirrored and turned by 90°", True, 1),
    ("mirrored and turned by 180°", True, 2),
    ("mirrored and turned by 270°", True, 3),
)


@dataclass(frozen=True)
class NearDuplicate:
    """
    A near-duplicate of an image.

    Args:
        query (`int`): Index of the query image.
        found (`int`): Index of the most similar image.
        distance (`int`): Bits of the hashes that differ, 0 to 64.
        correlation (`float`): Correlation of the thumbnails, -1 to 1.
        symmetry (`str`): How the image is mirrored or rotated: `"the same way up"`, `"mirrored"`…
    """

    query: int
    found: int
    distance: int
    correlation: float
    symmetry: str


def image_thumbnail(image: Image.Image) -> Bytes:
    """
    Creates the thumbnail for the comparison of images.

    Args:
        image (`PIL.Image.Image`): The image, of any size and mode, upright.

    Returns:
        `np.ndarray` of shape `(32, 32)` and type uint8: Brightness; the aspect ratio is not kept.
    """
    grey = image.convert("L").resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.uint8)


def image_hashes(thumbnails: Bytes) -> Hashes:
    """
    Hashes thumbnails.

    Args:
        thumbnails (`np.ndarray` of shape `(images, 32, 32)`): From [`image_thumbnail`].

    Returns:
        `np.ndarray` of shape `(images,)` and type uint64: One hash each; the bit of the mean brightness is 0.
    """
    basis = _cosine_basis()
    frequencies = basis @ thumbnails.astype(np.float32) @ basis.T
    frequencies = frequencies.reshape(len(thumbnails), HASH_SIDE * HASH_SIDE)[:, 1:]
    above = frequencies > np.median(frequencies, axis=1, keepdims=True)
    bits = np.concatenate([np.zeros((len(above), 1), dtype=bool), above], axis=1)
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).reshape(len(thumbnails))


def hash_distances(first: Hashes, second: Hashes) -> Indices:
    """
    Counts differing bits.

    Args:
        first (`np.ndarray` of type uint64): Hashes.
        second (`np.ndarray` of type uint64): The same number of hashes, or one.

    Returns:
        `np.ndarray` of type int64: Differing bits, 0 to 64.
    """
    different = np.bitwise_xor(first, second)
    distances = np.zeros(different.shape, dtype=np.int64)
    for part in range(PARTS):
        distances += _BIT_COUNTS[_part_of(different, part)]
    return distances


def find_near_duplicates(
    queries: Bytes, images: Bytes, max_distance: int = DEFAULT_MAX_DISTANCE
) -> list[NearDuplicate]:
    """
    Looks for each image among others, in every orientation. Images of a single colour are never found.

    Args:
        queries (`np.ndarray` of shape `(queries, 32, 32)`): Thumbnails of the query images.
        images (`np.ndarray` of shape `(images, 32, 32)`): Thumbnails of the images to search.
        max_distance (`int`, defaults to 7): Maximum number of different bits of the 64-bit hashes, 0 to 15.

    Returns:
        `list[NearDuplicate]`: The best match of every query that has one, in the order of the queries.

    Raises:
        `ValueError`: If `max_distance` is out of range.
    """
    if not 0 <= max_distance <= LARGEST_MAX_DISTANCE:
        raise ValueError(f"max_distance is {max_distance}; it must be from 0 to {LARGEST_MAX_DISTANCE}.")
    image_rows, _ = _different(images)
    query_rows, copies = _different(queries)
    if not len(query_rows) or not len(image_rows):
        return []
    index = _HashIndex(image_hashes(images[image_rows]), max_distance)
    best: dict[int, NearDuplicate] = {}
    for name, mirrored, turn in SYMMETRIES:
        turned = _turned(queries[query_rows], mirrored, turn)
        for query, found, distance in index.search(image_hashes(turned)):
            correlations = _correlations(turned[query], images[image_rows[found]])
            for position in np.flatnonzero(correlations >= MIN_CORRELATION):
                match = NearDuplicate(
                    query=int(query[position]),
                    found=int(image_rows[found[position]]),
                    distance=int(distance[position]),
                    correlation=float(correlations[position]),
                    symmetry=name,
                )
                known = best.get(match.query)
                if known is None or match.correlation > known.correlation:
                    best[match.query] = match
    return [replace(best[place], query=query) for query, place in enumerate(copies.tolist()) if place in best]


def look_alike(first: Bytes, second: Bytes) -> bool:
    """
    Compares two thumbnails in the same orientation.

    Args:
        first (`np.ndarray` of shape `(32, 32)`): From [`image_thumbnail`].
        second (`np.ndarray` of shape `(32, 32)`): Another one.

    Returns:
        `bool`: Whether they correlate as near-duplicates do; never for images of a single colour.
    """
    both = np.stack([first, second])
    return len(_textured(both)) == 2 and bool(_correlations(both[:1], both[1:])[0] >= MIN_CORRELATION)


class _HashIndex:
    """Finds the hashes within a distance of others: multi-index hashing, each part searched by bisection."""

    def __init__(self, hashes: Hashes, max_distance: int) -> None:
        self.hashes = hashes
        self.max_distance = max_distance
        self.flips = _flips(max_distance // PARTS)
        self.orders = [np.argsort(_part_of(hashes, part), kind="stable") for part in range(PARTS)]
        self.keys = [_part_of(hashes, part)[order] for part, order in enumerate(self.orders)]

    def search(self, hashes: Hashes) -> Iterator[tuple[Indices, Indices, Indices]]:
        """Yields, for a block of queries at a time: indices of queries, of what was found, and their distances."""
        for start in range(0, len(hashes), QUERIES_AT_ONCE):
            block = hashes[start : start + QUERIES_AT_ONCE]
            pairs = np.unique(np.concatenate([self._search_part(block, part) for part in range(PARTS)]))
            query, found = np.divmod(pairs, len(self.hashes))
            distance = hash_distances(block[query], self.hashes[found])
            nearest = np.lexsort((distance, query))
            nearest = nearest[_rank_in_group(query[nearest]) < CANDIDATES_PER_IMAGE]
            yield query[nearest] + start, found[nearest], distance[nearest]

    def _search_part(self, hashes: Hashes, part: int) -> Indices:
        """Pairs of a query and a hash with one nearly equal part, each pair as one number."""
        wanted = _part_of(hashes, part)[:, None] ^ self.flips[None, :]
        first = np.searchsorted(self.keys[part], wanted, side="left")
        count = np.searchsorted(self.keys[part], wanted, side="right") - first
        total = count.sum(axis=1)
        query = np.repeat(np.arange(len(hashes)), total)
        starts, counts = first.reshape(-1), count.reshape(-1)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        found = self.orders[part][np.repeat(starts, counts) + offsets]
        is_near = hash_distances(hashes[query], self.hashes[found]) <= self.max_distance
        return query[is_near] * len(self.hashes) + found[is_near]


def _textured(thumbnails: Bytes) -> Indices:
    """Indices of the thumbnails that are not flat."""
    return np.flatnonzero(thumbnails.reshape(len(thumbnails), THUMBNAIL_SIDE**2).std(axis=1) >= MIN_CONTRAST)


def _different(thumbnails: Bytes) -> tuple[Indices, Indices]:
    """Indices of the thumbnails that are neither flat nor equal to an earlier one; and for each, or its first equal,
    its index among them, -1 for flat ones."""
    textured = _textured(thumbnails)
    if not len(textured):
        return textured, np.full(len(thumbnails), -1)
    flattened = thumbnails[textured].reshape(len(textured), THUMBNAIL_SIDE**2)
    _, first, inverse = np.unique(flattened, axis=0, return_index=True, return_inverse=True)
    places = np.full(len(thumbnails), -1)
    places[textured] = inverse.reshape(-1)
    return textured[first], places


def _turned(thumbnails: Bytes, mirrored: bool, turn: int) -> Bytes:
    """The thumbnails mirrored left to right, then rotated by quarter turns, anticlockwise."""
    flipped = thumbnails[:, :, ::-1] if mirrored else thumbnails
    return np.rot90(flipped, turn, axes=(1, 2))


def _correlations(first: Bytes, second: Bytes) -> npt.NDArray[np.float32]:
    """Correlation of thumbnails, one by one, independent of brightness and contrast."""
    left = first.reshape(len(first), THUMBNAIL_SIDE**2).astype(np.float32)
    right = second.reshape(len(second), THUMBNAIL_SIDE**2).astype(np.float32)
    left -= left.mean(axis=1, keepdims=True)
    right -= right.mean(axis=1, keepdims=True)
    correlations: npt.NDArray[np.float32] = (left * right).sum(axis=1)
    return correlations / (np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1))


def _rank_in_group(groups: Indices) -> Indices:
    """0, 1, 2… within each run of equal numbers."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.arange(len(groups)) - np.repeat(starts, np.diff(starts, append=len(groups)))


def _cosine_basis() -> npt.NDArray[np.float32]:
    """The lowest frequencies of the discrete cosine transform, `(8, 32)`."""
    positions = (np.arange(THUMBNAIL_SIDE) + 0.5) * np.pi / THUMBNAIL_SIDE
    return np.cos(np.arange(HASH_SIDE)[:, None] * positions[None, :]).astype(np.float32)


def _part_of(hashes: Hashes, part: int) -> Indices:
    """One part of every hash as a number of 16 bits."""
    return ((hashes >> np.uint64(part * PART_BITS)) & np.uint64(0xFFFF)).astype(np.int64)


def _flips(bits: int) -> Indices:
    """Every pattern of 16 bits with at most `bits` bits set."""
    patterns = [
        sum(1 << bit for bit in chosen)
        for count in range(bits + 1)
        for chosen in combinations(range(PART_BITS), count)
    ]
    return np.array(patterns, dtype=np.int64)
