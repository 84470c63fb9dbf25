# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Sa2VA, whose code on the Hub answers with masks (`predict_forward`). Its code runs on your machine, so the option
`trust_remote_code=yes` is needed.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import AutoModel, AutoProcessor, AutoTokenizer

from mtrefseg.foundation import load_part, load_third_party_model
from trainer.errors import TrainingError
from trainer.evaluation import shown_name

from .asking import Finding, View, nothing, source_of, unite


PROMPT = "<image>Please segment {}."


class Sa2vaModel:
    """
    Sa2VA. It returns no confidence, so the score of a mask is 1.

    Args:
        model (`str`): Hub id or folder, such as "ByteDance/Sa2VA-4B".
        trust_remote_code (`str`): Must be "yes".
        device (`str`, *optional*): The device; by default the first GPU if there is one.

    Raises:
        TrainingError: If the code of the repository is not trusted, or is not that of Sa2VA.
    """

    takes_two = False

    def __init__(self, model: str, trust_remote_code: str, device: str | None = None) -> None:
        if trust_remote_code != "yes":
            raise TrainingError(
                f"sa2va:{model} runs code of that repository: read it, then add trust_remote_code=yes."
            )
        self._model = load_third_party_model(AutoModel.from_pretrained, model, device, trust_remote_code=True)
        if not hasattr(self._model, "predict_forward"):
            raise TrainingError(f"sa2va:{model} has no predict_forward; use a Sa2VA model such as ByteDance/Sa2VA-4B.")
        # Models based on InternVL need their tokenizer, those based on Qwen-VL their processor.
        kinds = {"tokenizer": AutoTokenizer, "processor": AutoProcessor}
        taken = (
            "processor" if "processor" in inspect.signature(self._model.predict_forward).parameters else "tokenizer"
        )
        self._part = {taken: load_part(kinds[taken].from_pretrained, model, trust_remote_code=True)}
        self.name = f"sa2va:{shown_name(model)}"
        self.identity = {"model": source_of(model)}

    @torch.inference_mode()
    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """See [`ImageModel.find`]."""
        found = []
        for sentence in sentences:
            words = sentence.strip().rstrip(".")
            answer = self._model.predict_forward(image=images[0], text=PROMPT.format(words), **self._part)
            masks = [_flat(mask) for mask in answer.get("prediction_masks") or []]
            text = str(answer.get("prediction", ""))
            if masks:
                found.append(unite(images[0], [(mask, 1.0) for mask in masks], text))
            else:
                found.append(nothing(images[0], text, "the answer holds no mask"))
        return found


def _flat(mask: Any) -> npt.NDArray[np.bool_]:
    """A mask (frames, height, width) or (height, width), of NumPy or PyTorch, as bool (height, width)."""
    pixels = np.asarray(mask.cpu() if isinstance(mask, torch.Tensor) else mask)
    return (pixels[0] if pixels.ndim == 3 else pixels) > 0
