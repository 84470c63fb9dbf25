# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Views of a pair source: a subset of the pairs, or the pairs with reworded sentences."""

from dataclasses import replace

import numpy as np

from dataset_scripts.readers import Pair, PairSource
from dataset_scripts.synthesis.words import WORDS_VERSION, Paraphraser


_PARAPHRASER = Paraphraser("reworded")


class _View(PairSource):
    """The pairs of another source, changed when they are looked up."""

    def __init__(self, source: PairSource, identity: str) -> None:
        super().__init__(source.name, source.is_stage1, source.report)
        self.source = source
        self.kind = source.kind
        self.parts = source.parts
        self.identity = identity

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Pair:
        return self.source[index]


class EvenlySpacedPairs(_View):
    """
    A part of the pairs of a source.

    Args:
        source (`PairSource`): All pairs.
        count (`int`): How many of them, evenly spaced; at most all.
    """

    def __init__(self, source: PairSource, count: int) -> None:
        self.count = min(count, len(source))
        super().__init__(source, f"{self.count} of {source.identity}")

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Pair:
        return self.source[index * len(self.source) // self.count]


class RewordedPairs(_View):
    """
    Pairs with their sentences reworded with words and forms that no training sentence has.

    Args:
        source (`PairSource`): The pairs with the original sentences.
    """

    def __init__(self, source: PairSource) -> None:
        super().__init__(source, f"{source.identity}, by {_PARAPHRASER}, version {WORDS_VERSION}")

    def __getitem__(self, index: int) -> Pair:
        pair = self.source[index]
        reworded = []
        for expression in pair.expressions:
            # The wording depends only on the id of the sentence.
            random = np.random.default_rng(list(pair.sample_id(expression).encode()))
            text = _PARAPHRASER.paraphrase(expression.text, expression.change_type, random, pair.domain)
            reworded.append(replace(expression, text=text))
        return replace(pair, expressions=tuple(reworded))
