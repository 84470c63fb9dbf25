# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Any OpenAI-compatible server that accepts images, such as vLLM. The `openai` client retries lost connections and
busy servers. The key comes from OPENAI_API_KEY and is stored nowhere.
"""

import base64
import io
import os
import re
from collections.abc import Sequence
from typing import Any

from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from trainer.errors import TrainingError

from .language_models import Reply
from .regions import Size, Unit


RETRIES = 5
SECONDS = 180.0
"""Time limit of a request."""
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
            import openai  # Imported here, because nothing else needs it.
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
        self._client = openai.OpenAI(
            base_url=url, api_key=os.environ.get("OPENAI_API_KEY") or "none", timeout=SECONDS, max_retries=RETRIES
        )

    def ask(self, images: Sequence[Image.Image], question: str) -> Reply:
        """
        See [`Talker.ask`].

        Raises:
            TrainingError: If the server cannot answer any question: no connection, a wrong key, an unknown model.
            openai.OpenAIError: If it does not answer this question.
        """
        import openai

        if self.unit == "pixels":
            # Servers resize images to multiples of a patch, so images are resized to that size here.
            images = [image.resize(_whole_patches(image.size), Image.Resampling.BICUBIC) for image in images]
        content: list[Any] = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in images]
        content.append({"type": "text", "text": question})
        try:
            completion = self._client.chat.completions.create(
                model=self._model,
                messages=[{"role": "user", "content": content}],
                max_tokens=self._max_tokens,
                temperature=0,
            )
        # One slow answer does not mean that the server is down.
        except openai.APITimeoutError:
            raise
        except (
            openai.APIConnectionError,
            openai.AuthenticationError,
            openai.PermissionDeniedError,
            openai.NotFoundError,
        ) as error:
            raise TrainingError(
                f"the request to {self.name} failed: {error}; check url, model and OPENAI_API_KEY"
            ) from error
        if not completion.choices:
            raise ValueError("the server sent no answer")
        choice = completion.choices[0]
        if choice.finish_reason == "content_filter":
            raise ValueError("the server's content filter withheld the answer")
        seen = tuple(image.size for image in images)
        return Reply(_text(choice.message.content), seen, choice.finish_reason == "length")


def _text(content: Any) -> str:
    """The text of a message; some servers send it in parts."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    return content or ""


def _whole_patches(size: Size) -> Size:
    """Width and height to which Qwen2.5-VL resizes an image."""
    height, width = smart_resize(size[1], size[0])
    return width, height


def _data_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
