# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Image-text-to-text models that answer questions about images through their chat templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from mtrefseg.build.loading import CheckpointError

from .loading import load_part, load_third_party_model, to_model


class QuestionTooLongError(ValueError):
    """A question has more tokens than the model accepts."""


@dataclass(frozen=True)
class ChatAnswer:
    """
    What a model wrote.

    Args:
        text (`str`): The text without special tokens.
        prompt_tokens, completion_tokens (`int`): Length of question and answer.
        is_cut_off (`bool`): Whether the text ends at the limit of tokens.
        image_sizes (`tuple[tuple[int, int], ...]`): Width and height of each image after resizing for the model; empty
            if its processor does not report it.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    is_cut_off: bool
    image_sizes: tuple[tuple[int, int], ...] = ()


class ChatModel:
    """
    Asks a model that was tuned for instructions.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        max_tokens (`int`, *optional*, defaults to 4096): Maximum length of an answer in tokens.
        temperature (`float`, *optional*, defaults to 0): Sampling temperature; 0 decodes greedily.

    Raises:
        CheckpointError: If the model cannot be loaded, or has no chat template.
    """

    def __init__(
        self, model: str, device: str | None = None, max_tokens: int = 4096, temperature: float = 0.0
    ) -> None:
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        if not self._processor.chat_template:
            raise CheckpointError(f"{model} has no chat template: use an instruction-tuned model")
        self._model = load_third_party_model(AutoModelForImageTextToText.from_pretrained, model, device)
        self._options: dict[str, Any] = {"max_new_tokens": max_tokens, "do_sample": temperature > 0}
        if temperature > 0:
            self._options["temperature"] = temperature
        self._longest = self._model.config.get_text_config().to_dict().get("max_position_embeddings")
        self.model_type: str = self._model.config.model_type

    @torch.inference_mode()
    def ask(self, content: Sequence[Mapping[str, Any]]) -> ChatAnswer:
        """
        Asks a question.

        Args:
            content (`Sequence[Mapping]`): The parts of the message, in order: `{"type": "text", "text": ...}` and
                `{"type": "image", "image": ...}` with an RGB image of PIL.

        Raises:
            QuestionTooLongError: If the question is too long for the model.
        """
        messages = [{"role": "user", "content": list(content)}]
        inputs = self._processor.apply_chat_template(
            messages, tokenize=True, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        prompt_tokens = inputs["input_ids"].shape[1]
        if self._longest is not None and prompt_tokens >= self._longest:
            raise QuestionTooLongError(
                f"the question has {prompt_tokens} tokens, but the model reads at most {self._longest}"
            )
        output = self._model.generate(**to_model(inputs, self._model), **self._options)[0, prompt_tokens:]
        text = self._processor.decode(output, skip_special_tokens=True)
        # Generation ends earlier only at an end-of-sequence token.
        is_cut_off = len(output) >= self._options["max_new_tokens"]
        return ChatAnswer(text, prompt_tokens, len(output), is_cut_off, self._image_sizes(inputs))

    def _image_sizes(self, inputs: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
        """Width and height of each image as the Qwen-VL models get them, in multiples of a patch."""
        grid, patch = inputs.get("image_grid_thw"), getattr(self._processor.image_processor, "patch_size", None)
        if grid is None or not isinstance(patch, int):
            return ()
        return tuple((int(width) * patch, int(height) * patch) for _, height, width in grid.tolist())
