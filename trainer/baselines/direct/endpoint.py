# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Any OpenAI-compatible server that accepts images, such as vLLM. Lost connections and busy servers are asked again. The
key comes from OPENAI_API_KEY and is stored nowhere.
"""

import os
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from trainer.errors import TrainingError

from .language_models import Reply
from .regions import Size, Unit


if TYPE_CHECKING:
    from mtrefseg.foundation.chat_client import Completion, ExchangeError

RETRIES = 5
SECONDS = 180.0
"""Time limit of a request."""
FIRST_WAIT = 0.5
"""Seconds before the second try; doubled each time."""
LONGEST_WAIT = 60.0
"""Longest pause between two tries in seconds, also if the server asks for more."""
_WRITES_PIXELS = re.compile(r"qwen-?2[._-]?5[._-]?(vl|omni)", re.IGNORECASE)


class EndpointTalker:
    """
    A model behind a server.

    Args:
        model (`str`): Its name at the server.
        url (`str`): The server, such as "http://127.0.0.1:8000/v1".
        unit (`str`, *optional*): "pixels" or "thousandths", in which the model writes coordinates; by default pixels
            if the name is that of Qwen2.5-VL.
        max_tokens (`int`, *optional*, defaults to 2048): Maximum length of an answer in tokens.

    Raises:
        TrainingError: If there is no such unit, or openai is not installed.
    """

    def __init__(self, model: str, url: str, unit: str | None = None, max_tokens: int = 2048) -> None:
        try:
            # Imported here, because nothing else needs openai.
            from mtrefseg.foundation.chat_client import ChatClient
        except ImportError as error:
            raise TrainingError("endpoint needs the package openai: pip install openai.") from error
        if unit not in (None, "pixels", "thousandths"):
            raise TrainingError(f"unit={unit}: use pixels or thousandths.")
        writes_pixels = unit == "pixels" or (unit is None and _WRITES_PIXELS.search(model) is not None)
        self.unit: Unit = "pixels" if writes_pixels else "thousandths"
        self.name = f"endpoint:{model}"
        # Without the URL: the same model gives the same answers on another server.
        self.identity = {"model": model, "max_tokens": str(max_tokens), "unit": self.unit}
        self._model = model
        self._max_tokens = max_tokens
        self._client = ChatClient(url, os.environ.get("OPENAI_API_KEY"), SECONDS)

    def ask(self, images: Sequence[Image.Image], question: str) -> Reply:
        """
        See [`Talker.ask`].

        Raises:
            TrainingError: If the server cannot answer any question: no connection, a wrong key, an unknown model.
            ValueError: If it does not answer this question.
        """
        from mtrefseg.foundation.chat_client import data_url

        if self.unit == "pixels":
            # Servers resize images to multiples of a patch, so images are resized to that size here.
            images = [image.resize(_whole_patches(image.size), Image.Resampling.BICUBIC) for image in images]
        content: list[Any] = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in images]
        content.append({"type": "text", "text": question})
        completion = self._complete(content)
        if completion.finish_reason == "content_filter":
            raise ValueError("the server's content filter withheld the answer")
        seen = tuple(image.size for image in images)
        return Reply(completion.text, seen, completion.finish_reason == "length")

    def _complete(self, content: list[Any]) -> "Completion":
        """Sends a question until it is answered, or refused, or the tries are over."""
        from mtrefseg.foundation.chat_client import ExchangeError, UnreachableError

        failures = 0
        while True:
            try:
                return self._client.complete(
                    model=self._model,
                    messages=[{"role": "user", "content": content}],
                    max_tokens=self._max_tokens,
                    temperature=0,
                )
            except ExchangeError as problem:
                reason = self._client.describe(problem)
                if problem.is_lasting or (isinstance(problem, UnreachableError) and failures == RETRIES):
                    raise TrainingError(
                        f"the request to {self.name} failed: {reason}; check url, model and OPENAI_API_KEY"
                    ) from None
                # One slow answer does not mean that the server is down.
                if failures == RETRIES or not _is_worth_another_try(problem):
                    raise ValueError(reason) from None
                wait = FIRST_WAIT * 2**failures if problem.retry_after is None else problem.retry_after
            time.sleep(min(wait, LONGEST_WAIT))
            failures += 1


def _is_worth_another_try(problem: "ExchangeError") -> bool:
    """Whether the server may answer later. At a temperature of 0, something that is no answer would come again."""
    from mtrefseg.foundation.chat_client import LateError, UnreachableError

    return problem.may_pass if problem.status else isinstance(problem, LateError | UnreachableError)


def _whole_patches(size: Size) -> Size:
    """Width and height to which Qwen2.5-VL resizes an image."""
    height, width = smart_resize(size[1], size[0])
    return width, height
