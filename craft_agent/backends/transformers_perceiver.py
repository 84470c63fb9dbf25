# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A perceiver in this process, with any image-text-to-text model of `transformers`.

    craft-agent run PAIRS --out WORK --perceiver transformers --perceiver-model Qwen/Qwen3-VL-8B-Instruct

It answers one question at a time and cannot enforce the schema; a server such as vLLM with `--perceiver chat` is
better at both. This perceiver needs nothing but the weights.
"""

import threading
import time
from typing import Any

from mtrefseg.foundation import ChatModel, QuestionTooLongError

from ..errors import RefusedError
from .hub_models import delaying_without_memory, permanent_if_not_loaded
from .model_names import model_name
from .protocols import Answer, Question, Usage


class TransformersPerceiver:
    """
    Asks an image-text-to-text model through its chat template.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        max_tokens (`int`, *optional*, defaults to 4096): Maximum length of an answer in tokens.
        temperature (`float`, *optional*, defaults to 0): Sampling temperature; 0 decodes greedily.

    Raises:
        PermanentError: If the model cannot be loaded, or has no chat template.
    """

    def __init__(
        self, model: str, device: str | None = None, max_tokens: int = 4096, temperature: float = 0.0
    ) -> None:
        self.name = model_name("transformers", model)
        with permanent_if_not_loaded():
            self._model = ChatModel(model, device, max_tokens, temperature)
        self._lock = threading.Lock()

    def ask(self, question: Question) -> Answer:
        """
        Asks a question.

        Args:
            question (`Question`): The question.

        Returns:
            `Answer`: The text without special tokens, and its usage.

        Raises:
            RefusedError: If the images and the prompt are too long for the model.
            TransientError: If the GPU runs out of memory.
        """
        content: list[dict[str, Any]] = []
        for number, image in enumerate(question.images, start=1):
            content += [{"type": "text", "text": f"Image {number}:"}, {"type": "image", "image": image}]
        content.append({"type": "text", "text": question.prompt})
        started = time.perf_counter()
        with self._lock, delaying_without_memory():
            try:
                answer = self._model.ask(content)
            except QuestionTooLongError as error:
                raise RefusedError(str(error)) from error
        usage = Usage(
            answer.prompt_tokens, answer.completion_tokens, requests=0, seconds=time.perf_counter() - started
        )
        return Answer(answer.text, usage, is_cut_off=answer.is_cut_off)
