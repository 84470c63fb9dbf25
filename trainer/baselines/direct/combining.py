# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Ways to use a single-image model for two dates, independent of the model:

| way | shown | the mask |
|---|---|---|
| `later` | t2 | as found |
| `change_word` | t1 if something disappeared according to the sentence, t2 otherwise | as found |
| `t2_minus_t1` | t2, and t1 separately | the mask at t2 without the mask at t1 |
| `t1_minus_t2` | the same | the reverse |
| `side_by_side` | one image: t1 on the left, t2 on the right | the union of the masks in both halves |
| `two_images` | t1 and t2 as two images of one question | the union of the masks in both images |

The sentence is used unchanged, including words about time.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from mtrefseg.errors import UserError, one_line
from mtrefseg.scenes import change_type_of
from trainer.errors import TrainingError
from trainer.evaluation import Answer

from .asking import Finding, ImageModel, View, nothing


GAP = 16
"""Width in pixels of the white strip between t1 and t2 side by side."""

Pair = tuple[Image.Image, Image.Image]
Ask = Callable[[Sequence[Image.Image], Sequence[str], View], list[Finding]]


def _later(ask: Ask, pair: Pair, sentences: Sequence[str]) -> list[Finding]:
    return ask(pair[1:], sentences, "one")


def _by_change_word(ask: Ask, pair: Pair, sentences: Sequence[str]) -> list[Finding]:
    left = [change_type_of(sentence) == "disappear" for sentence in sentences]
    found: list[Finding | None] = [None] * len(sentences)
    for image, is_earlier in zip(pair, (True, False)):
        places = [place for place, has_left in enumerate(left) if has_left == is_earlier]
        if places:
            answers = ask([image], [sentences[place] for place in places], "one")
            for place, answer in zip(places, answers, strict=True):
                found[place] = answer
    return [answer for answer in found if answer is not None]


def _t2_minus_t1(ask: Ask, pair: Pair, sentences: Sequence[str]) -> list[Finding]:
    both = zip(ask(pair[1:], sentences, "one"), ask(pair[:1], sentences, "one"), strict=True)
    return [_without(kept, taken, ("t2", "t1")) for kept, taken in both]


def _t1_minus_t2(ask: Ask, pair: Pair, sentences: Sequence[str]) -> list[Finding]:
    both = zip(ask(pair[:1], sentences, "one"), ask(pair[1:], sentences, "one"), strict=True)
    return [_without(kept, taken, ("t1", "t2")) for kept, taken in both]


def _without(kept: Finding, taken: Finding, names: tuple[str, str]) -> Finding:
    """The part of one mask that is not in the other. Without an answer for one of the dates there is no difference."""
    problems = [f"{name}: {each.problem}" for name, each in zip(names, (kept, taken)) if each.problem]
    texts = [f"{name}: {each.text}" for name, each in zip(names, (kept, taken)) if each.text is not None]
    mask = np.zeros_like(kept.mask) if problems else kept.mask & ~taken.mask
    return Finding(
        mask, kept.score if mask.any() else 0.0, "\n".join(texts) if texts else None, "; ".join(problems) or None
    )


def _side_by_side(ask: Ask, pair: Pair, sentences: Sequence[str]) -> list[Finding]:
    width, height = pair[0].size
    canvas = Image.new("RGB", (2 * width + GAP, height), "white")
    canvas.paste(pair[0], (0, 0))
    canvas.paste(pair[1], (width + GAP, 0))
    halves = []
    for found in ask([canvas], sentences, "side_by_side"):
        mask = found.mask[:, :width] | found.mask[:, width + GAP :]
        halves.append(Finding(mask, found.score if mask.any() else 0.0, found.text, found.problem))
    return halves


def _two_images(ask: Ask, pair: Pair, sentences: Sequence[str]) -> list[Finding]:
    return ask(pair, sentences, "two")


WAYS: dict[str, Callable[[Ask, Pair, Sequence[str]], list[Finding]]] = {
    "later": _later,
    "change_word": _by_change_word,
    "t2_minus_t1": _t2_minus_t1,
    "t1_minus_t2": _t1_minus_t2,
    "side_by_side": _side_by_side,
    "two_images": _two_images,
}
"""The ways by name."""


class DirectSegmenter:
    """
    Converts a single-image model to a [`Segmenter`] of changes, without training. If the model fails, the sentences
    are processed one at a time, so that one of them does not affect the others; a sentence that still fails gets an
    empty mask and the reason. Only a [`UserError`], such as a rejected key, stops the run.

    Args:
        model ([`ImageModel`]): The model.
        way (`str`): Key of `WAYS`.

    Raises:
        TrainingError: If there is no such way, or the model does not accept two images.
    """

    def __init__(self, model: ImageModel, way: str) -> None:
        if way not in WAYS:
            raise TrainingError(f"images={way} is unknown; use one of {', '.join(WAYS)}.")
        if way == "two_images" and not model.takes_two:
            ways = ", ".join(name for name in WAYS if name != "two_images")
            raise TrainingError(f"images={way}: {model.name} takes one image at a time; use one of {ways}.")
        self.name = f"{model.name} ({way})"
        self.identity = {**model.identity, "images": way}
        self._model = model
        self._way = WAYS[way]

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]; the domain is not used."""
        found = self._way(self._ask, (image_t1, image_t2), sentences)
        return [
            # Partial answers are used; a problem is only reported if there is no answer.
            Answer(each.mask, each.score, text=each.text, problem=None if each.mask.any() else each.problem)
            for each in found
        ]

    def _ask(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        try:
            return self._model.find(images, sentences, view)
        except UserError:
            raise
        # Third-party models and their code may raise almost any exception.
        except Exception as error:  # noqa: BLE001
            if isinstance(error, torch.OutOfMemoryError):
                torch.cuda.empty_cache()
            if len(sentences) > 1:
                return [found for sentence in sentences for found in self._ask(images, [sentence], view)]
            return [nothing(images[0], problem=f"{type(error).__name__}: {one_line(error)}")]
