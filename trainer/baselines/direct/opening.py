# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Opens models by their names in `mtrefseg benchmark run --models`; options are text. Each model is loaded once.

    clipseg:CIDAS/clipseg-rd64-refined,images=change_word
    chat:Qwen/Qwen3-VL-8B-Instruct,images=two_images
"""

from mtrefseg.foundation import PromptedSegmenter

from .asking import number
from .combining import DirectSegmenter
from .painting import SAM2


MAX_TOKENS = 2048


def clipseg(model: str, images: str = "later", threshold: str = "0.4", device: str | None = None) -> DirectSegmenter:
    """[`ClipSegModel`]: `images` is a way of `combining.py`."""
    from .text_models import ClipSegModel

    return DirectSegmenter(ClipSegModel(model, _share(threshold), device), images)


def sam3(model: str, images: str = "later", threshold: str = "0.3", device: str | None = None) -> DirectSegmenter:
    """[`Sam3Model`]: `images` is a way of `combining.py`."""
    from .text_models import Sam3Model

    return DirectSegmenter(Sam3Model(model, _share(threshold), device), images)


def grounded_sam2(
    model: str, images: str = "later", sam: str = SAM2, threshold: str | None = None, device: str | None = None
) -> DirectSegmenter:
    """[`GroundedSam2Model`]: `model` is the detector, `images` a way of `combining.py`."""
    from .text_models import GroundedSam2Model

    return DirectSegmenter(
        GroundedSam2Model(model, sam, None if threshold is None else _share(threshold), device), images
    )


def florence2(model: str, images: str = "later", device: str | None = None) -> DirectSegmenter:
    """[`FlorenceModel`]: `images` is a way of `combining.py`."""
    from .florence import FlorenceModel

    return DirectSegmenter(FlorenceModel(model, device), images)


def paligemma(model: str, images: str = "later", sam: str = SAM2, device: str | None = None) -> DirectSegmenter:
    """[`PaliGemmaModel`]: `images` is a way of `combining.py`."""
    from .paligemma import PaliGemmaModel

    return DirectSegmenter(PaliGemmaModel(model, sam, device), images)


def chat(
    model: str,
    images: str = "two_images",
    sam: str = SAM2,
    max_tokens: str | int = MAX_TOKENS,
    device: str | None = None,
) -> DirectSegmenter:
    """[`LanguageModel`] with a [`ChatTalker`]: `images` is a way of `combining.py`."""
    from .chat_models import ChatTalker
    from .language_models import LanguageModel

    talker = ChatTalker(model, _tokens(max_tokens), device)
    return DirectSegmenter(LanguageModel(talker, PromptedSegmenter(sam, device), sam), images)


def endpoint(
    model: str,
    url: str,
    images: str = "two_images",
    sam: str = SAM2,
    unit: str | None = None,
    max_tokens: str | int = MAX_TOKENS,
    device: str | None = None,
) -> DirectSegmenter:
    """[`LanguageModel`] with an [`EndpointTalker`]: `images` is a way of `combining.py`."""
    from .endpoint import EndpointTalker
    from .language_models import LanguageModel

    talker = EndpointTalker(model, url, unit, _tokens(max_tokens))
    return DirectSegmenter(LanguageModel(talker, PromptedSegmenter(sam, device), sam), images)


def sa2va(
    model: str, trust_remote_code: str = "no", images: str = "later", device: str | None = None
) -> DirectSegmenter:
    """[`Sa2vaModel`]: `images` is a way of `combining.py`."""
    from .sa2va import Sa2vaModel

    return DirectSegmenter(Sa2vaModel(model, trust_remote_code, device), images)


def _share(text: str) -> float:
    return number("threshold", text, 0.0, 1.0)


def _tokens(text: str | int) -> int:
    return int(number("max_tokens", text, 1, 100_000))
