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

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from ..errors import PermanentError, RefusedError
from .hub_models import load_model, load_part, refusing_without_memory, to_model
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
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        if not self._processor.chat_template:
            raise PermanentError(f"{model} has no chat template: use an instruction-tuned model")
        self._model = load_model(AutoModelForImageTextToText.from_pretrained, model, device)
        self._options: dict[str, Any] = {"max_new_tokens": max_tokens, "do_sample": temperature > 0}
        if temperature > 0:
            self._options["temperature"] = temperature
        self._longest = self._model.config.get_text_config().to_dict().get("max_position_embeddings")
        self._lock = threading.Lock()

    def ask(self, question: Question) -> Answer:
        """
        Asks a question.

        Args:
            question (`Question`): The question.

        Returns:
            `Answer`: The text without special tokens, and its usage.

        Raises:
            RefusedError: If the images and the prompt are too long for the model, or the GPU runs out of memory.
        """
        content: list[dict[str, Any]] = []
        for number, image in enumerate(question.images, start=1):
            content += [{"type": "text", "text": f"Image {number}:"}, {"type": "image", "image": image}]
        messages = [{"role": "user", "content": [*content, {"type": "text", "text": question.prompt}]}]
        with self._lock, torch.inference_mode(), refusing_without_memory():
            started = time.perf_counter()
            inputs = self._processor.apply_chat_template(
                messages, tokenize=True, add_generation_prompt=True, return_dict=True, return_tensors="pt"
            )
            prompt_tokens = inputs["input_ids"].shape[1]
            if self._longest is not None and prompt_tokens >= self._longest:
                raise RefusedError(
                    f"the question has {prompt_tokens} tokens, but the model reads at most {self._longest}"
                )
            output = self._model.generate(**to_model(inputs, self._model), **self._options)[0, prompt_tokens:]
        text = self._processor.decode(output, skip_special_tokens=True)
        usage = Usage(prompt_tokens, len(output), requests=0, seconds=time.perf_counter() - started)
        # Generation ends earlier only at an end-of-sequence token.
        return Answer(text, usage, is_cut_off=len(output) >= self._options["max_new_tokens"])
