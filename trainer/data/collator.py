# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Collates pairs into batches for the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.io import SCENES

from .samples import PairSample


@dataclass
class PairCollator:
    """
    Prepares pairs with the processor. All sentences of a pair stay together, so that the model encodes it once.

    Args:
        processor ([`MTRefSegProcessor`]): The processor.
        choose_objects (`bool`, *optional*, defaults to `False`): Whether colours, places and ranks are removed from
            sentences; see [`MTRefSegProcessor`]. In training they are not.
    """

    processor: MTRefSegProcessor
    choose_objects: bool = False

    def __call__(self, rows: Sequence[dict[str, PairSample]]) -> dict[str, Any]:
        """
        Args:
            rows (`Sequence[dict]`): Rows with a "sample" each, all of one stage.

        Returns:
            `dict`: Result of [`MTRefSegProcessor`] for the images, sentences and masks; without sentences (stage 1)
            for images and masks.
        """
        samples = [row["sample"] for row in rows]
        images = ([sample.image_t1 for sample in samples], [sample.image_t2 for sample in samples])
        if any(sample.expressions for sample in samples):
            batch = self.processor(
                *images,
                text=[sample.expressions for sample in samples],
                masks=[sample.masks for sample in samples],
                change_masks=[sample.change_mask for sample in samples],
                domain=[None if sample.domain is None else SCENES[sample.domain] for sample in samples],
                choose_objects=self.choose_objects,
            )
        else:
            batch = self.processor(*images, masks=[sample.masks[0] for sample in samples])
        return dict(batch)
