# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Qwen-VL, InternVL and other image-text-to-text models of transformers, in this process."""

from collections.abc import Sequence
from typing import Any

from PIL import Image

from mtrefseg.foundation import ChatModel
from trainer.evaluation import shown_name

from .asking import source_of
from .language_models import Reply
from .regions import Unit


PIXEL_MODELS = ("qwen2_5_vl", "qwen2_5_omni")
"""Types of models that write pixels of the image as it was resized for them; all others are asked for thousandths,
with which Qwen2-VL, Qwen3-VL and InternVL were trained."""


class ChatTalker:
    """
    A model with a chat template.

    Args:
        model (`str`): Hub id or folder, such as "Qwen/Qwen3-VL-8B-Instruct" or "OpenGVLab/InternVL3-8B-hf".
        max_tokens (`int`, *optional*, defaults to 2048): Maximum length of an answer in tokens.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
    """

    def __init__(self, model: str, max_tokens: int = 2048, device: str | None = None) -> None:
        self._model = ChatModel(model, device, max_tokens)
        self.unit: Unit = "pixels" if self._model.model_type in PIXEL_MODELS else "thousandths"
        self.name = f"chat:{shown_name(model)}"
        self.identity = {"model": source_of(model), "max_tokens": str(max_tokens), "unit": self.unit}

    def ask(self, images: Sequence[Image.Image], question: str) -> Reply:
        """See [`Talker.ask`]."""
        content: list[dict[str, Any]] = [{"type": "image", "image": image} for image in images]
        answer = self._model.ask([*content, {"type": "text", "text": question}])
        return Reply(answer.text, answer.image_sizes, answer.is_cut_off)
