# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The model behind the page. Each pair is encoded once and each sentence is answered once; both are cached."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from transformers.utils.generic import ModelOutput

# This also registers the model's classes, so that AutoModel runs no code from a model repository.
from mtrefseg.build.loading import find_device, load_model, load_processor
from mtrefseg.view.drawing import to_panel

from .limits import InputError, read_pair
from .pair_cache import PairCache, digest_of


SHOWN_SIDE = 768  # longer side of the images that the page shows, in pixels
MAX_BYTES = 1 << 27  # cache for the pairs of all visitors together: 128 MiB
MAX_ANSWERS = 32  # cached answers of one pair
NAMES = ("The earlier image (t1)", "The later image (t2)")
SENTENCE_INPUTS = ("input_ids", "attention_mask", "query_mask", "num_expressions")
BLANK = Image.new("RGB", (8, 8))

# Stands for the request without a sentence: segment every change.
EVERY_CHANGE = None
Sentence = str | None


@dataclass(frozen=True)
class Answer:
    """
    The model's answer to one sentence, before thresholds are applied.

    Args:
        mask_logits (`Tensor` of shape `(height / 4, width / 4)`): On the padded canvas.
        no_target_logit (`Tensor` of shape `()`): Logit of "nothing in these images fits this sentence".
    """

    mask_logits: Tensor
    no_target_logit: Tensor


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
        encoding_seconds (`float`, *optional*): Time to read and encode the pair; `None` if it was known.
        answering_seconds (`float`): Time for the sentences.
        num_asked (`int`): How many of the sentences the model was asked now; the others were known.
    """

    shown: tuple[Image.Image, Image.Image]
    sentences: list[Sentence]
    masks: npt.NDArray[np.bool_]
    scores: list[float]
    no_target_scores: list[float]
    encoding_seconds: float | None
    answering_seconds: float
    num_asked: int


class Segmenter:
    """
    Answers sentences about pairs. The model runs one request at a time.

    Args:
        model ([`MTRefSegModel`]): The model, on any device.
        processor ([`MTRefSegProcessor`]): Its processor.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self.model = model
        self.processor = processor
        self.pairs: PairCache[CachedPair] = PairCache(MAX_BYTES)
        self.lock = threading.Lock()
        self.threshold = float(processor.image_processor.threshold)
        # Used to report "nothing fits" when the checkpoint has no threshold of its own.
        self.no_target_threshold = float(processor.image_processor.no_target_threshold or 0.5)

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
        processor = load_processor(name, revision=revision)
        return cls(load_model(name, processor, find_device(), revision=revision), processor)

    @property
    def special_tokens(self) -> list[str]:
        """`list[str]`: Tokens that a sentence must not contain."""
        processor = self.processor
        own = [processor.seg_token, processor.image_t1_token, processor.image_t2_token]
        return [*own, *processor.tokenizer.all_special_tokens]

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
            self._answer(pair, asked)
            answers = [pair.answers[sentence] for sentence in sentences]
            while len(pair.answers) > MAX_ANSWERS:
                pair.answers.popitem(last=False)
            if asked:
                self.pairs.put(visitor, key, pair)  # updates its size
        result = self._post_process(pair.size, answers, threshold, no_target_threshold)
        return Segmentation(
            shown=pair.shown,
            sentences=list(sentences),
            masks=result["masks"].cpu().numpy(),
            scores=result["scores"].tolist(),
            no_target_scores=result["no_target_scores"].tolist(),
            encoding_seconds=encoding_seconds,
            answering_seconds=time.perf_counter() - start,
            num_asked=len(asked),
        )

    @torch.inference_mode()
    def _encode(self, paths: tuple[str, str], domain: str | None, align: str) -> CachedPair:
        image_t1, image_t2 = read_pair(paths, NAMES)
        try:
            images = self.processor.image_processor.load_pair(image_t1, image_t2, align=align)
        except ValueError as error:
            raise InputError(_size_message(image_t1, image_t2, str(error))) from error
        # No sentence yet: only the prompt, which all sentences share.
        inputs = self.processor(*images, text=[[]], domain=domain).to(self.model.device, self.model.dtype)
        names = ("pixel_values_t1", "pixel_values_t2", "prompt_input_ids", "prompt_attention_mask")
        encoding = self.model.encode_pair(*(inputs[name] for name in names))
        width, height = images[0].size
        scale = SHOWN_SIDE / max(width, height)
        panel = (max(1, round(width * scale)), max(1, round(height * scale)))
        return CachedPair((height, width), (to_panel(images[0], panel), to_panel(images[1], panel)), encoding)

    @torch.inference_mode()
    def _answer(self, pair: CachedPair, sentences: Sequence[Sentence]) -> None:
        """Runs the model and caches the answers with the pair."""
        texts = [sentence for sentence in sentences if sentence is not EVERY_CHANGE]
        if texts:
            try:
                inputs = self.processor(BLANK, BLANK, text=[texts]).to(self.model.device)
            except ValueError as error:
                raise InputError(f"The model refuses a sentence: {error}") from error
            outputs = self.model(pair_encoding=pair.encoding, **{name: inputs[name] for name in SENTENCE_INPUTS})
            for text, logits, no_target in zip(texts, outputs.mask_logits, outputs.no_target_logits, strict=True):
                pair.answers[text] = Answer(logits.clone(), no_target)
        if len(texts) < len(sentences):
            outputs = self.model(pair_encoding=pair.encoding)
            pair.answers[EVERY_CHANGE] = Answer(outputs.mask_logits[0], outputs.no_target_logits[0])

    def _post_process(
        self, size: tuple[int, int], answers: Sequence[Answer], threshold: float, no_target_threshold: float
    ) -> dict[str, Tensor]:
        outputs = ModelOutput(
            mask_logits=torch.stack([answer.mask_logits for answer in answers]),
            no_target_logits=torch.stack([answer.no_target_logit for answer in answers]),
            num_expressions=torch.tensor([len(answers)]),
        )
        (result,) = self.processor.post_process_referring_segmentation(
            outputs, [size], threshold=threshold, no_target_threshold=no_target_threshold
        )
        return dict(result)


def digest_or_refuse(paths: tuple[str, str]) -> str:
    """Cache key of a pair: a hash of its files. Raises [`InputError`] if a file is gone."""
    try:
        return digest_of(*paths)
    except OSError as error:
        raise InputError("An image is gone, since uploads are deleted after an hour: upload both again.") from error


def _size_message(image_t1: Image.Image, image_t2: Image.Image, message: str) -> str:
    if image_t1.size == image_t2.size:
        return message
    return (
        f"The images differ in size: t1 has {image_t1.width} x {image_t1.height} pixels and t2 "
        f'{image_t2.width} x {image_t2.height}. If both show the same area, tick "Fit t2 to the size of t1".'
    )
