# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Measures every pair once. About 3 KB per pair are stored, independent of the size of its images; `validate` checks
these facts, and `stats` draws them.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from dataset_scripts.parallel import map_ahead
from dataset_scripts.readers import SPLITS, Finding, ImageFile, MaskRule, Pair, PairSource, check_pair

from .perceptual_hash import Bytes, image_thumbnail


PLACE_SIDE = 32  # cells on each side of the map of mask positions
UNKNOWN = "unknown"
# Edges of the histogram of mask areas, as a share of the image: five bins per decade from 0.001 % to 100 %.
AREA_EDGES = np.logspace(-5, 0, 26)
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Function words, which carry no content.
# fmt: off
FUNCTION_WORDS = frozenset((
    "a", "an", "all", "and", "are", "as", "at", "be", "been", "both", "by", "each", "every", "for", "from", "has",
    "have", "in", "into", "is", "it", "its", "near", "of", "on", "one", "or", "side", "some", "than", "that", "the",
    "their", "there", "this", "to", "two", "up", "was", "were", "which", "while", "who", "with",
))
# fmt: on


@dataclass(frozen=True)
class ImageFacts:
    """
    One image.

    Args:
        digest (`bytes`): Hash of its pixels: equal for two files with the same image.
        size (`tuple[int, int]`): Width and height in pixels, upright.
        mode (`str`): Colour mode of the file in Pillow: `"RGB"`, `"L"`, `"P"`…
        thumbnail (`np.ndarray` of shape `(32, 32)`): Used to find near-duplicates.
        dullness (`str`, *optional*, defaults to `""`): A note if it is nearly black or flat.
    """

    digest: bytes
    size: tuple[int, int]
    mode: str
    thumbnail: Bytes
    dullness: str = ""


@dataclass(frozen=True)
class MaskFacts:
    """
    One mask.

    Args:
        digest (`bytes`): Hash of its pixels.
        pixels (`int`): Pixels of its foreground.
        fraction (`float`): Their share of the image, 0 to 1.
    """

    digest: bytes
    pixels: int
    fraction: float


@dataclass(frozen=True)
class SentenceFacts:
    """
    One sentence of a pair.

    Args:
        text (`str`): The sentence.
        change_type (`str`): `"appear"`, `"disappear"`, `"state_change"` or `"unknown"`.
        noisy (`bool`): Whether mask or sentence were deliberately corrupted.
        mask (`MaskFacts`): Its mask.
    """

    text: str
    change_type: str
    noisy: bool
    mask: MaskFacts


@dataclass(frozen=True)
class PairFacts:
    """
    One pair.

    Args:
        part (`str`): Its split folder or configuration.
        pair_id (`str`): Its name.
        split (`str`): `"train"`, `"validation"` or `"test"`.
        domain (`str`): `"NS"`, `"RS"` or `"unknown"`.
        view (`str`): `"normal"`, `"aerial"`, `"satellite"` or `"unknown"`.
        source (`str`): Its source dataset, or `"unknown"`.
        image_t1 (`ImageFacts`): The earlier image.
        image_t2 (`ImageFacts`): The later image.
        sentences (`tuple[SentenceFacts, ...]`): Its sentences; none in stage 1.
        change_mask (`MaskFacts`, *optional*): Stage 1 only: the mask of every change.
    """

    part: str
    pair_id: str
    split: str
    domain: str
    view: str
    source: str
    image_t1: ImageFacts
    image_t2: ImageFacts
    sentences: tuple[SentenceFacts, ...]
    change_mask: MaskFacts | None

    @property
    def name(self) -> str:
        """The pair's name with its part."""
        return f"{self.part}/{self.pair_id}"

    @property
    def pixels(self) -> frozenset[bytes]:
        """The hashes of both images, in any order."""
        return frozenset((self.image_t1.digest, self.image_t2.digest))


@dataclass(frozen=True)
class _Measured:
    """The facts of a pair, and the sum of its masks over `(32, 32)` cells."""

    pair: PairFacts
    places: npt.NDArray[np.float64]


@dataclass
class DatasetFacts:
    """
    All measured facts.

    Args:
        pairs (`list[PairFacts]`): Every pair of every part, in reading order.
        places (`dict[str, np.ndarray]`): For each domain, the sum of its masks over `(32, 32)` cells of the image.
    """

    pairs: list[PairFacts] = field(default_factory=list)
    places: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def distinct_pairs(self) -> list[PairFacts]:
        """The pairs, each once: several parts of a split may contain the same ones, such as `TV` those of `NS` and
        `RS`."""
        known: dict[tuple[Any, ...], PairFacts] = {}
        for pair in self.pairs:
            key = (pair.split, pair.pair_id, pair.image_t1.digest, pair.image_t2.digest, pair.change_mask is None)
            known.setdefault(key, pair)
        return list(known.values())


def measure_dataset(source: PairSource, mask_rule: MaskRule | None = None) -> DatasetFacts:
    """
    Reads every pair once, on all cores, with a progress bar. Only the images that are being read are in memory.

    Args:
        source (`PairSource`): From [`open_pairs`]; skipped and repaired items are added to its report.
        mask_rule (`MaskRule`, *optional*): Meaning of the values of the masks.

    Returns:
        `DatasetFacts`: The facts.
    """
    facts = DatasetFacts()
    pairs = source if mask_rule is None else (pair.with_mask_rule(mask_rule) for pair in source)
    results = map_ahead(partial(_measure, known={}), pairs)
    progress = tqdm(results, total=len(source), unit="pair", desc="measuring", leave=False, disable=None)
    for measured, findings in progress:
        source.report.extend(findings)
        if measured is not None:
            source.report.keep(measured.pair.part, len(measured.pair.sentences))
            facts.pairs.append(measured.pair)
            if measured.pair.sentences:
                domain = measured.pair.domain
                facts.places[domain] = facts.places.get(domain, 0) + measured.places
    return facts


def summarize(facts: DatasetFacts) -> dict[str, Any]:
    """
    Summarizes a dataset.

    Args:
        facts (`DatasetFacts`): From [`measure_dataset`].

    Returns:
        `dict`: JSON-able; for each split and in total: pairs, sentences, no-target sentences, change types, domains,
            views and sources, lengths of sentences in characters, mask areas as shares of the image.
    """
    pairs = facts.distinct_pairs()
    referring = [pair for pair in pairs if pair.change_mask is None]
    splits = sorted({pair.split for pair in referring}, key=SPLITS.index)
    return {
        "total": _summarize_pairs(referring),
        "splits": {split: _summarize_pairs([pair for pair in referring if pair.split == split]) for split in splits},
        "stage_1_pairs": len(pairs) - len(referring),
    }


def sentences_of(pairs: Iterable[PairFacts]) -> list[SentenceFacts]:
    """All sentences of some pairs."""
    return [sentence for pair in pairs for sentence in pair.sentences]


def frequent_words(sentences: Iterable[SentenceFacts], count: int) -> list[tuple[str, int]]:
    """
    The most frequent words, without function words.

    Args:
        sentences (`Iterable[SentenceFacts]`): The sentences.
        count (`int`): Number of words to return.

    Returns:
        `list[tuple[str, int]]`: Words in lower case and the number of sentences that use them, most frequent first.
    """
    words: Counter[str] = Counter()
    for sentence in sentences:
        words.update(set(WORD.findall(sentence.text.lower())) - FUNCTION_WORDS)
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))[:count]


def area_histogram(fractions: Sequence[float]) -> list[int]:
    """
    Counts mask areas.

    Args:
        fractions (`Sequence[float]`): Shares of the image, 0 to 1. Empty masks are not counted.

    Returns:
        `list[int]`: One count for each of the 25 bins between [`AREA_EDGES`]; smaller areas are in the first one.
    """
    areas = np.asarray([fraction for fraction in fractions if fraction > 0])
    return [int(count) for count in np.histogram(np.clip(areas, AREA_EDGES[0], 1), AREA_EDGES)[0]]


def _summarize_pairs(pairs: Sequence[PairFacts]) -> dict[str, Any]:
    """Counts of some pairs."""
    sentences = sentences_of(pairs)
    fractions = [sentence.mask.fraction for sentence in sentences]
    lengths = [len(sentence.text) for sentence in sentences]
    targets = [fraction for fraction in fractions if fraction > 0]
    return {
        "pairs": len(pairs),
        "sentences": len(sentences),
        "no_target": len(fractions) - len(targets),
        "noisy": sum(sentence.noisy for sentence in sentences),
        "change_types": dict(Counter(sentence.change_type for sentence in sentences)),
        "domains": dict(Counter(pair.domain for pair in pairs)),
        "domain_sentences": dict(Counter(pair.domain for pair in pairs for _ in pair.sentences)),
        "views": dict(Counter(pair.view for pair in pairs)),
        "sources": dict(Counter(pair.source for pair in pairs).most_common()),
        "sizes": {
            f"{width}x{height}": count
            for (width, height), count in Counter(pair.image_t1.size for pair in pairs).most_common()
        },
        "characters": _spread(lengths),
        "area_fraction": _spread(targets),
        "area_histogram": {"edges": [float(f"{edge:.3g}") for edge in AREA_EDGES], "counts": area_histogram(targets)},
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    """Smallest, median and largest value; `None` without values."""
    if not values:
        return None
    return {"min": min(values), "median": float(np.median(values)), "max": max(values)}


def _measure(listed: Pair, known: dict[bytes, ImageFacts]) -> tuple[_Measured | None, list[Finding]]:
    """Checks and measures a pair. An image with the same bytes as an earlier one is looked up in `known`."""
    pair, findings = check_pair(listed)
    if pair is None:
        return None, findings
    size = pair.image_t1.size
    places = np.zeros((PLACE_SIDE, PLACE_SIDE))
    sentences = []
    for expression in pair.expressions:
        mask = expression.mask.read_mask(size)[0]
        places += _cells(mask)
        sentences.append(SentenceFacts(expression.text, expression.change_type, expression.noisy, _measure_mask(mask)))
    change_mask = pair.change_mask
    facts = PairFacts(
        part=pair.folder,
        pair_id=pair.pair_id,
        split=pair.split,
        domain=pair.domain or UNKNOWN,
        view=pair.view,
        source=pair.source,
        image_t1=_measure_image(pair.image_t1, known),
        image_t2=_measure_image(pair.image_t2, known),
        sentences=tuple(sentences),
        change_mask=None if change_mask is None else _measure_mask(change_mask.read_mask(size)[0]),
    )
    return _Measured(facts, places), findings


def _measure_image(image: ImageFile, known: dict[bytes, ImageFacts]) -> ImageFacts:
    """Measures an image, unless it is known."""
    data = image.read_bytes()
    key = _digest(data)
    if key not in known:
        from mtrefseg.io import describe_dullness  # Imports PyTorch, which loading an image also does.

        in_memory = ImageFile(image.name, data)
        pixels = in_memory.load()
        size = f"{pixels.width}x{pixels.height}:".encode()
        thumbnail, dullness = image_thumbnail(pixels), describe_dullness(pixels)
        known[key] = ImageFacts(_digest(size + pixels.tobytes()), pixels.size, in_memory.mode, thumbnail, dullness)
    return known[key]


def _measure_mask(mask: npt.NDArray[np.bool_]) -> MaskFacts:
    """Measures a mask."""
    pixels = int(mask.sum())
    return MaskFacts(_digest(np.packbits(mask).tobytes()), pixels, pixels / mask.size)


def _cells(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The share of each of 32 × 32 cells that a mask covers, 0 to 1."""
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(image.resize((PLACE_SIDE, PLACE_SIDE), Image.Resampling.BOX), dtype=np.float64) / 255


def _digest(data: bytes) -> bytes:
    """A hash of 16 bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()
