# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Florence-2, which answers a referring expression with polygons."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from transformers import AutoProcessor, Florence2ForConditionalGeneration

from mtrefseg.foundation import load_part, load_third_party_model, to_model
from trainer.evaluation import shown_name

from .asking import Finding, View, nothing, source_of, unite


TASK = "<REFERRING_EXPRESSION_SEGMENTATION>"
BEAMS = 3
"""Beams of the search, as in the examples of its authors."""
MOST_TOKENS = 1024


class FlorenceModel:
    """
    Florence-2. Its polygons are filled; it returns no confidence, so the score of a mask is 1.

    Args:
        model (`str`): Hub id or folder in the format of transformers, such as "florence-community/Florence-2-large".
        device (`str`, *optional*): The device; by default the first GPU if there is one.
    """

    takes_two = False

    def __init__(self, model: str, device: str | None = None) -> None:
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        self._model = load_third_party_model(Florence2ForConditionalGeneration.from_pretrained, model, device)
        self.name = f"florence2:{shown_name(model)}"
        self.identity = {"model": source_of(model), "beams": str(BEAMS)}

    @torch.inference_mode()
    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """See [`ImageModel.find`]."""
        image, found = images[0], []
        for sentence in sentences:
            inputs = self._processor(text=TASK + sentence, images=image, return_tensors="pt")
            output = self._model.generate(
                **to_model(inputs, self._model), max_new_tokens=MOST_TOKENS, num_beams=BEAMS, do_sample=False
            )
            # Coordinates are special tokens.
            text = self._processor.decode(output[0], skip_special_tokens=False)
            found.append(self.read(text, image))
        return found

    def read(self, text: str, image: Image.Image) -> Finding:
        """
        The mask of an answer.

        Args:
            text (`str`): The answer with its special tokens: "<loc_12><loc_40>…", polygons separated by "<sep>".
            image (`PIL.Image.Image`): The image of the answer.
        """
        answer = self._processor.post_process_generation(text=text, task=TASK, image_size=image.size)[TASK]
        polygons = [polygon for polygons in answer["polygons"] for polygon in polygons if len(polygon) >= 6]
        if not polygons:
            return nothing(image, text, "the answer holds no polygon")
        return unite(image, [(_fill(polygon, image.size), 1.0) for polygon in polygons], text)


def _fill(polygon: Sequence[float], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The inside of a polygon x1, y1, x2, y2, … in an image of `size` (width, height)."""
    canvas = Image.new("1", size)
    ImageDraw.Draw(canvas).polygon(list(polygon), fill=1, outline=1)
    return np.asarray(canvas, dtype=bool)
