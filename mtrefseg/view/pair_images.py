# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The images behind `predictions.parquet`, which contains names and masks but no images: they are looked up in the pairs
that were evaluated.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from PIL import Image

from .predictions import ScoredSentence


Images: TypeAlias = tuple[Image.Image, Image.Image]


class FindsPairs(Protocol):
    """Pairs that can be found by their sentences, as a `PairSource` of `dataset_scripts.readers`."""

    @property
    def positions(self) -> Mapping[str, Sequence[tuple[str | None, int]]]:
        """Domains and indices of the pairs of each id."""
        ...

    def find(self, pair_id: str, expression: str, domain: str | None, size: tuple[int, int] | None) -> Any:
        """The pair that has this sentence, `None` if there is none. Its `load_images` returns t1 and t2."""
        ...


class PairImages:
    """
    Finds the images of sentences.

    Args:
        pairs ([`FindsPairs`]): The pairs that were evaluated, from `dataset_scripts.readers.open_pairs`.
    """

    def __init__(self, pairs: FindsPairs) -> None:
        self.pairs = pairs

    def find(self, sentence: ScoredSentence) -> Images | None:
        """
        The images of a sentence.

        Args:
            sentence ([`ScoredSentence`]): The sentence.

        Returns:
            `tuple[PIL.Image.Image, PIL.Image.Image]`: t1 and t2, RGB, of the size of the sentence's masks; `None` if
            there is no such pair, or one of its images cannot be read.
        """
        try:
            pair = self.pairs.find(sentence.pair_id, sentence.expression, sentence.domain, sentence.size)
            images = None if pair is None else pair.load_images()
        except ValueError:  # Raised by the readers for damaged files.
            return None
        if images is None or any(sentence.size not in (None, (image.height, image.width)) for image in images):
            return None
        return images[0], images[1]

    def in_reading_order(self, sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
        """
        Orders sentences by the position of their pairs, so that [`find`] reads no part of the data twice.

        Args:
            sentences (`Sequence[ScoredSentence]`): Sentences of different pairs.

        Returns:
            `list[ScoredSentence]`: The same ones.
        """
        positions = self.pairs.positions

        def number_of(sentence: ScoredSentence) -> float:
            return min((number for _, number in positions.get(sentence.pair_id, ())), default=float("inf"))

        return sorted(sentences, key=number_of)


__all__ = ["FindsPairs", "Images", "PairImages"]
