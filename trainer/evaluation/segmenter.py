# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The interface of everything that can be scored: two images and sentences in, one mask per sentence out. It is used for
our model, the baselines in `trainer/baselines` and third-party models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.errors import TrainingError


@dataclass(frozen=True, eq=False)
class Answer:
    """
    The prediction of a model for a sentence.

    Args:
        mask (`np.ndarray`): bool (height, width), at the size of the images; empty if there is no target.
        score (`float`): Probability of the mask, 0 to 1.
        no_target_score (`float`, *optional*): Probability that the sentence has no target, 0 to 1; `None` if the model
            does not return one.
        text (`str`, *optional*): The unchanged answer of a language model.
        problem (`str`, *optional*): The reason why `mask` is empty although the model was run, such as an answer that
            cannot be parsed. The sentence is scored with the empty mask, and the report counts such answers.
    """

    mask: npt.NDArray[np.bool_]
    score: float
    no_target_score: float | None = None
    text: str | None = None
    problem: str | None = None


@runtime_checkable
class Segmenter(Protocol):
    """
    Anything that can be scored. A class needs no base class: these members are enough.

    `name` labels its row in tables. `identity` contains everything that determines its results (model ids, revisions,
    hashes of weights, options), so that a stopped run is only resumed with equal values.
    """

    @property
    def name(self) -> str:
        """Its name in tables."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything that determines its results, by name."""

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """
        Segments the changes that sentences describe. The results only depend on the arguments, not on earlier calls.

        Args:
            image_t1, image_t2 (`PIL.Image.Image`): The earlier and the later image, RGB, of one size.
            sentences (`Sequence[str]`): One or more sentences about this pair.
            domain (`str`, *optional*): "NS" (normal scene) or "RS" (remote sensing), `None` if unknown.

        Returns:
            `list[Answer]`: One per sentence, in order.

        Raises:
            ValueError: If it rejects a sentence (too long, for example); the sentence then counts as wrong.
        """


@runtime_checkable
class TruthSegmenter(Segmenter, Protocol):
    """A [`Segmenter`] that uses the truth: a bound for the others, not a model."""

    def segment_truths(
        self, image_t1: Image.Image, sentences: Sequence[str], truths: Sequence[npt.NDArray[np.bool_]]
    ) -> list[Answer]:
        """
        Computes results from the true masks of a pair.

        Args:
            image_t1 (`PIL.Image.Image`): The earlier image, for its size.
            sentences (`Sequence[str]`): One or more sentences about this pair.
            truths (`Sequence[np.ndarray]`): All readable true masks of the pair, bool (height, width).

        Returns:
            `list[Answer]`: One per sentence, in order.
        """


def ask(
    segmenter: Segmenter,
    image_t1: Image.Image,
    image_t2: Image.Image,
    sentences: Sequence[str],
    domain: str | None = None,
) -> list[Answer]:
    """
    Runs a segmenter, and checks its results.

    Args:
        segmenter ([`Segmenter`]): The model.
        image_t1, image_t2, sentences, domain: See [`Segmenter.segment`].

    Returns:
        `list[Answer]`: One per sentence.

    Raises:
        TrainingError: If there is not one answer per sentence, a mask is not bool at the size of the images, or a
            score is not a probability.
    """
    answers = segmenter.segment(image_t1, image_t2, sentences, domain)
    if len(answers) != len(sentences):
        raise TrainingError(f"{segmenter.name} gave {len(answers)} answers to {len(sentences)} sentences.")
    shape = image_t1.size[::-1]
    for sentence, answer in zip(sentences, answers):
        mask = answer.mask
        if mask.dtype != np.bool_ or mask.shape != shape:
            raise TrainingError(
                f"{segmenter.name} gave a mask of {mask.dtype} {mask.shape} for {sentence!r}; it must be bool {shape}."
            )
        for name in ("score", "no_target_score"):
            value = getattr(answer, name)
            if value is None and name == "no_target_score":
                continue
            if not isinstance(value, float | int) or not 0 <= value <= 1:
                raise TrainingError(f"{segmenter.name} gave the {name} {value!r} for {sentence!r}; it must be 0 to 1.")
    return answers
