# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The model behind the page. Each pair is encoded once and each sentence is answered once; both are cached."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np
import numpy.typing as npt
from PIL import Image

from mtrefseg.serve.engine import Answer, Engine, Sentence
from mtrefseg.serve.pair_cache import PairCache, digest_of
from mtrefseg.view.drawing import to_panel

from .limits import DELETE_AFTER, InputError, read_pair


SHOWN_SIDE = 768  # longer side of the images that the page shows, in pixels
MAX_BYTES = 1 << 27  # cache for the pairs of all visitors together: 128 MiB
MAX_ANSWERS = 32  # cached answers of one pair
NAMES = ("The earlier image (t1)", "The later image (t2)")


@dataclass
class CachedPair:
    """
    A cached pair.

    Args:
        size (`tuple[int, int]`): Height and width of t1, in pixels.
        shown (`tuple[PIL.Image.Image, PIL.Image.Image]`): Both images as the page shows them.
        encoding ([`MTRefSegPairEncoding`]): What all sentences share.
        answers (`OrderedDict[str | None, Answer]`): The sentences that were asked last.
    """

    size: tuple[int, int]
    shown: tuple[Image.Image, Image.Image]
    encoding: Any
    answers: OrderedDict[Sentence, Answer] = field(default_factory=OrderedDict)


@dataclass(frozen=True)
class Segmentation:
    """
    Masks of one pair.

    Args:
        shown (`tuple[PIL.Image.Image, PIL.Image.Image]`): t1 and t2, their longer side `SHOWN_SIDE`.
        sentences (`list[str | None]`): The sentences, `None` for every change.
        masks (`np.ndarray` of shape `(num_sentences, height, width)`): bool, at the own size of t1.
        scores (`list[float]`): Mean probability inside each mask, 0 if it is empty.
        no_target_scores (`list[float]`): Probability that nothing fits.
        is_closest (`list[bool]`): Whether nothing fits clearly, and the mask contains the changes that fit best.
        encoding_seconds (`float`, *optional*): Time to read and encode the pair; `None` if it was known.
        answering_seconds (`float`): Time for the sentences.
        num_asked (`int`): How many of the sentences the model was asked now; the others were known.
    """

    shown: tuple[Image.Image, Image.Image]
    sentences: list[Sentence]
    masks: npt.NDArray[np.bool_]
    scores: list[float]
    no_target_scores: list[float]
    is_closest: list[bool]
    encoding_seconds: float | None
    answering_seconds: float
    num_asked: int


class Segmenter:
    """
    Answers sentences about pairs. The model runs one request at a time.

    Args:
        model ([`MTRefSegModel`] or [`Engine`]): The model, on any device; or an engine that others use, too.
        processor ([`MTRefSegProcessor`], *optional*): Its processor; an engine has one.
    """

    def __init__(self, model: Any, processor: Any = None) -> None:
        self.engine = model if isinstance(model, Engine) else Engine(model, processor)
        self.model = self.engine.model
        self.processor = self.engine.processor
        self.lock = self.engine.lock
        self.threshold = self.engine.threshold
        self.no_target_threshold = self.engine.no_target_threshold
        self.pairs: PairCache[CachedPair] = PairCache(MAX_BYTES, DELETE_AFTER)

    @classmethod
    def from_pretrained(cls, name: str, revision: str | None = None) -> "Segmenter":
        """
        Loads a checkpoint, onto a GPU if there is one.

        Args:
            name (`str`): Folder or Hub id.
            revision (`str`, *optional*): Commit of the Hub repository.

        Raises:
            [`CheckpointError`]: If it cannot be loaded.
        """
        return cls(Engine.from_pretrained(name, revision))

    @property
    def special_tokens(self) -> list[str]:
        """`list[str]`: Tokens that a sentence must not contain."""
        return self.engine.special_tokens

    def segment(
        self,
        visitor: str,
        paths: tuple[str, str],
        sentences: Sequence[Sentence],
        domain: str | None = None,
        align: str = "error",
        threshold: float = 0.5,
        no_target_threshold: float = 1.0,
    ) -> Segmentation:
        """
        Masks for some sentences. What was computed before, for the same visitor, is not computed again.

        Args:
            visitor (`str`): Whose pair it is; visitors do not share what is kept.
            paths (`tuple[str, str]`): Files of t1 and t2.
            sentences (`Sequence[str | None]`): Checked sentences; `None` is every change.
            domain (`str`, *optional*): `"remote_sensing"` or `"normal_scene"`.
            align (`str`, *optional*, defaults to `"error"`): `"resize"` fits a t2 of another size to t1.
            threshold (`float`, *optional*, defaults to 0.5): Probability above which a pixel is masked.
            no_target_threshold (`float`, *optional*, defaults to 1.0): No-target score above which a mask is emptied.

        Returns:
            [`Segmentation`]

        Raises:
            [`InputError`]: If an image cannot be read, the sizes differ, or a sentence is too long for the model.
        """
        start = time.perf_counter()
        key = (digest_or_refuse(paths), domain, align)
        with self.lock:
            pair = self.pairs.get(visitor, key)
            encoding_seconds = None
            if pair is None:
                pair = self._encode(paths, domain, align)
                encoding_seconds = time.perf_counter() - start
                self.pairs.put(visitor, key, pair)
                start = time.perf_counter()
            asked = [sentence for sentence in sentences if sentence not in pair.answers]
            if asked:
                pair.answers.update(self.engine.answer(pair.encoding, asked))
            answers = [pair.answers[sentence] for sentence in sentences]
            while len(pair.answers) > MAX_ANSWERS:
                pair.answers.popitem(last=False)
            if asked:
                self.pairs.put(visitor, key, pair)  # updates its size
        result = self.engine.masks_of(answers, pair.size, threshold, no_target_threshold)
        return Segmentation(
            shown=pair.shown,
            sentences=list(sentences),
            masks=result["masks"].cpu().numpy(),
            scores=result["scores"].tolist(),
            no_target_scores=result["no_target_scores"].tolist(),
            is_closest=result["is_closest"].tolist(),
            encoding_seconds=encoding_seconds,
            answering_seconds=time.perf_counter() - start,
            num_asked=len(asked),
        )

    def _encode(self, paths: tuple[str, str], domain: str | None, align: str) -> CachedPair:
        images = load_pair(self.processor, paths, align)
        if note := self.engine.shrinking_note(images[0]):
            gr.Warning(f'{note}. The tab "Large scene" keeps the resolution of images from above.')
        encoding = self.engine.encode(images[0], images[1], domain)
        width, height = images[0].size
        panel = shown_size((width, height))
        return CachedPair((height, width), (to_panel(images[0], panel), to_panel(images[1], panel)), encoding)


def load_pair(processor: Any, paths: tuple[str, str], align: str) -> tuple[Image.Image, Image.Image]:
    """
    Reads a pair, at one size.

    Args:
        processor ([`MTRefSegProcessor`]): The model's processor.
        paths (`tuple[str, str]`): Files of t1 and t2.
        align (`str`): `"resize"` fits a t2 of another size to t1, `"error"` refuses it.

    Raises:
        [`InputError`]: If an image cannot be read, or the sizes differ.
    """
    image_t1, image_t2 = read_pair(paths, NAMES)
    try:
        loaded: tuple[Image.Image, Image.Image] = processor.image_processor.load_pair(image_t1, image_t2, align=align)
    except ValueError as error:
        raise InputError(_size_message(image_t1, image_t2, str(error))) from error
    return loaded


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height at which the page shows an image, in pixels."""
    scale = SHOWN_SIDE / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def digest_or_refuse(paths: tuple[str, str]) -> str:
    """Cache key of a pair: a hash of its files. Raises [`InputError`] if a file is gone."""
    try:
        return digest_of(*paths)
    except OSError as error:
        raise InputError("Uploads are deleted after an hour: upload both images again.") from error


def _size_message(image_t1: Image.Image, image_t2: Image.Image, message: str) -> str:
    if image_t1.size == image_t2.size:
        return message
    return (
        f"The images differ in size: t1 has {image_t1.width} x {image_t1.height} pixels and t2 "
        f'{image_t2.width} x {image_t2.height}. If both show the same area, tick "Resize t2 to the size of t1".'
    )
