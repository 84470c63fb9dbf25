# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Interface of single-image models: questions and answers. The answers are combined elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.errors import TrainingError
from trainer.evaluation import model_hash


View = Literal["one", "side_by_side", "two"]
"""The input of a model: one image; t1 and t2 side by side in one image; or t1 and t2 as two images."""


@dataclass(frozen=True, eq=False)
class Finding:
    """
    The result of a model for a sentence.

    Args:
        mask (`np.ndarray`): bool (height, width), at the size of the images; empty if there is no target.
        score (`float`): Confidence, 0 to 1; 0 where the mask is empty.
        text (`str`, *optional*): The unchanged answer of a language model.
        problem (`str`, *optional*): Why there is no usable answer.
    """

    mask: npt.NDArray[np.bool_]
    score: float = 0.0
    text: str | None = None
    problem: str | None = None


class ImageModel(Protocol):
    """A model for single images, or for several images in a conversation. Plain attributes are enough."""

    @property
    def name(self) -> str:
        """Kind and model, such as "clipseg:CIDAS/clipseg-rd64-refined"."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything that determines its answers: models with revisions or hashes, and options."""

    @property
    def takes_two(self) -> bool:
        """Whether it accepts two images at once (the view "two")."""

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """
        Finds the objects that sentences describe.

        Args:
            images (`Sequence[PIL.Image.Image]`): One image, RGB; two of one size, t1 and t2, if the view is "two".
            sentences (`Sequence[str]`): One or more sentences.
            view (`str`): Kind of input, see `View`.

        Returns:
            `list[Finding]`: One per sentence. For the view "two", masks of both images are united.

        Raises:
            Exception: Any error of the model; the sentence is then scored with an empty mask.
        """


def nothing(image: Image.Image, text: str | None = None, problem: str | None = None) -> Finding:
    """The finding of an empty mask."""
    return Finding(np.zeros((image.height, image.width), dtype=bool), 0.0, text, problem)


def unite(
    image: Image.Image, found: Sequence[tuple[npt.NDArray[np.bool_], float]], text: str | None = None
) -> Finding:
    """One finding of several masks (height, width) with their scores; the best score counts."""
    masks = [(mask, score) for mask, score in found if mask.any()]
    if not masks:
        return nothing(image, text)
    return Finding(np.logical_or.reduce([mask for mask, _ in masks]), max(score for _, score in masks), text)


def source_of(model: str) -> str:
    """
    Identifies the exact weights of a model.

    Args:
        model (`str`): Hub id or folder of a model that has been loaded.

    Returns:
        `str`: The Hub id with the commit; of a folder, the hashes of its files.
    """
    if Path(model).is_dir():
        return " ".join(f"{name}:{digest[:16]}" for name, digest in sorted(model_hash(Path(model)).items()))
    from transformers.utils.hub import cached_file, extract_commit_hash

    commit = extract_commit_hash(cached_file(model, "config.json"), None)
    return f"{model}@{commit or 'unknown'}"


def number(option: str, text: str | float, least: float, most: float) -> float:
    """
    Reads an option that is a number.

    Args:
        option (`str`): Name of the option, for the error.
        text (`str` or `float`): Its value.
        least, most (`float`): Limits.

    Raises:
        TrainingError: If it is not a number within the limits.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise TrainingError(f"{option}={text}: give a number from {least:g} to {most:g}.")
    return value
