# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A decoded pair, which the trainer can augment."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from dataset_scripts.readers import Pair, PairSource, Reason, UnusableError
from modeling_mtrefseg.object_choice_mtrefseg import answered_by
from mtrefseg.io import is_blank


@dataclass
class PairSample:
    """
    A pair with its sentences.

    Args:
        pair_id (`str`): Its name.
        source (`str`): Name of the [`PairSource`] of its dataset.
        image_t1, image_t2 (`PIL.Image.Image`): RGB, of one size, the earlier and the later image.
        masks (`list[np.ndarray]`): bool (height, width), one per sentence; in stage 1 the mask of every change.
        expressions (`list[str]`): The sentences; none in stage 1.
        change_types (`list[str]`): One of `CHANGE_TYPES` per sentence.
        domain (`str`, *optional*): "NS" or "RS", `None` if unknown.
        absent_types (`frozenset[str]`, *optional*): Change types that certainly do not occur in the pair.
        change_mask (`np.ndarray`, *optional*): bool (height, width), every change; `None` if not every change is
            known, see [`Pair.knows_every_change`].
    """

    pair_id: str
    source: str
    image_t1: Image.Image
    image_t2: Image.Image
    masks: list[np.ndarray]
    expressions: list[str] = field(default_factory=list)
    change_types: list[str] = field(default_factory=list)
    domain: str | None = None
    absent_types: frozenset[str] = frozenset()
    change_mask: np.ndarray | None = None

    def with_sentences(self, kept: Sequence[int]) -> "PairSample":
        """The pair with some of its sentences, by their numbers from 0. The mask of every change stays."""
        return replace(
            self,
            masks=[self.masks[index] for index in kept],
            expressions=[self.expressions[index] for index in kept],
            change_types=[self.change_types[index] for index in kept],
        )


def without_choices(sample: PairSample) -> PairSample:
    """The pair without sentences that select among objects ([`answered_by`]); unchanged if it has no others."""
    kept = [index for index, text in enumerate(sample.expressions) if answered_by(text, True) == "image"]
    return sample.with_sentences(kept) if 0 < len(kept) < len(sample.expressions) else sample


def load_sample(source: PairSource, index: int) -> PairSample:
    """
    Decodes a pair.

    Args:
        source (`PairSource`): The pairs.
        index (`int`): The number of the pair.

    Returns:
        [`PairSample`]: With its sentences, or, for stage 1, only with the mask of every change.

    Raises:
        UnusableError: If an image or mask cannot be read, or if no sentence is left.
    """
    return decode_pair(source[index], source)


def decode_pair(pair: Pair, source: PairSource) -> PairSample:
    """Decodes a pair that was already taken from its source; see [`load_sample`]."""
    if not source.is_stage1:
        # A blank sentence, which `validate` reports, cannot be used.
        asked = tuple(expression for expression in pair.expressions if not is_blank(expression.text))
        if not asked:
            raise UnusableError(Reason.NO_EXPRESSION_LEFT, f"{pair.pair_id} has no sentences, or only blank ones")
        pair = pair.with_expressions(asked)
    image_t1, image_t2 = pair.load_images()
    change_mask: np.ndarray | None
    if source.is_stage1:
        masks = [pair.load_change_mask(image_t1.size)]
        change_mask, pair = masks[0], replace(pair, expressions=())
    else:
        masks = pair.load_masks(image_t1.size)
        change_mask = pair.load_change_mask(image_t1.size, masks) if pair.knows_every_change else None
    return PairSample(
        pair_id=pair.pair_id,
        source=source.name,
        image_t1=image_t1,
        image_t2=image_t2,
        masks=masks,
        expressions=[expression.text for expression in pair.expressions],
        change_types=[expression.change_type for expression in pair.expressions],
        domain=pair.domain,
        absent_types=pair.absent_types,
        change_mask=change_mask,
    )
