# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Third-party models that find objects by name, segment the object in a box or at a point, or answer questions about
images. They are loaded with `transformers` from a Hub id or folder that the user names, or answer behind a server
(`chat_client.py`).

All names, and PyTorch with them, are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from .chat import ChatAnswer, ChatModel, QuestionTooLongError
    from .clipseg import ClipSeg
    from .finders import BoxFinder, Found, Sam3Finder
    from .loading import load_part, load_third_party_model, to_model
    from .model_text import CUT_OFF, LONGEST_ANSWER, AnswerError, drop_thoughts, final_text, json_objects, json_values
    from .prompted import EncodedImage, PromptedSegmenter

_HOMES = {
    "CUT_OFF": "model_text",
    "LONGEST_ANSWER": "model_text",
    "AnswerError": "model_text",
    "BoxFinder": "finders",
    "ChatAnswer": "chat",
    "ChatModel": "chat",
    "ClipSeg": "clipseg",
    "EncodedImage": "prompted",
    "Found": "finders",
    "PromptedSegmenter": "prompted",
    "QuestionTooLongError": "chat",
    "Sam3Finder": "finders",
    "drop_thoughts": "model_text",
    "final_text": "model_text",
    "json_objects": "model_text",
    "json_values": "model_text",
    "load_part": "loading",
    "load_third_party_model": "loading",
    "to_model": "loading",
}

__all__ = [
    "CUT_OFF",
    "LONGEST_ANSWER",
    "AnswerError",
    "BoxFinder",
    "ChatAnswer",
    "ChatModel",
    "ClipSeg",
    "EncodedImage",
    "Found",
    "PromptedSegmenter",
    "QuestionTooLongError",
    "Sam3Finder",
    "drop_thoughts",
    "final_text",
    "json_objects",
    "json_values",
    "load_part",
    "load_third_party_model",
    "to_model",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
