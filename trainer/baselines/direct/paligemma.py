# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
PaliGemma, which answers "segment …" with four tokens of a box and sixteen of a mask.

The tokens of the mask are code words of an autoencoder. Its decoder is not part of transformers, and its weights are a
NumPy file in the authors' repository. Therefore SAM 2 segments the box here, and the code words are not used.
"""

import re
from collections.abc import Sequence

import torch
from PIL import Image
from transformers import AutoProcessor, PaliGemmaForConditionalGeneration

from mtrefseg.foundation import PromptedSegmenter, load_part, load_third_party_model, to_model
from trainer.evaluation import shown_name

from .asking import Finding, View, nothing, source_of, unite
from .painting import Painter
from .regions import Region


BINS = 1024
"""Positions across the image: `<loc0000>` to `<loc1023>`."""
MOST_TOKENS = 256
_BOX = re.compile(r"<loc(\d{4})>" * 4)


class PaliGemmaModel:
    """
    PaliGemma or PaliGemma 2 with SAM 2.

    Args:
        model (`str`): Hub id or folder, such as "google/paligemma2-3b-mix-448".
        sam (`str`): Hub id or folder of SAM 2.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
    """

    takes_two = False

    def __init__(self, model: str, sam: str, device: str | None = None) -> None:
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        self._model = load_third_party_model(PaliGemmaForConditionalGeneration.from_pretrained, model, device)
        self._segmenter = PromptedSegmenter(sam, device)
        self.name = f"paligemma:{shown_name(model)}"
        self.identity = {"model": source_of(model), "sam": source_of(sam)}

    @torch.inference_mode()
    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """See [`ImageModel.find`]; the score is the best IoU that SAM 2 predicts."""
        painter, found = Painter(self._segmenter, images), []
        for sentence in sentences:
            # The processor puts the image's tokens first and ends the prompt with a line break. Prompts of the
            # training data are in lower case and have no full stop.
            prompt = f"<image>segment {sentence.strip().rstrip('.').lower()}"
            inputs = self._processor(text=prompt, images=images[0], return_tensors="pt")
            inputs = {name: value for name, value in inputs.items() if name != "labels"}
            output = self._model.generate(**to_model(inputs, self._model), max_new_tokens=MOST_TOKENS, do_sample=False)
            answer = output[0, inputs["input_ids"].shape[1] :]
            text = self._processor.decode(answer, skip_special_tokens=False)
            regions = read_boxes(text, images[0].size)
            if regions:
                found.append(unite(images[0], [painter.paint(region) for region in regions], text))
            else:
                found.append(nothing(images[0], text, "the answer holds no box"))
        return found


def read_boxes(text: str, size: tuple[int, int]) -> list[Region]:
    """
    Reads the boxes of an answer: `<locY1><locX1><locY2><locX2>`, each followed by the tokens of its mask and a name.

    Args:
        text (`str`): The answer with its special tokens.
        size (`tuple[int, int]`): Width and height of the image.

    Returns:
        `list[Region]`: In order; boxes without area are dropped.
    """
    regions = []
    for found in _BOX.finditer(text):
        top, left, bottom, right = (min(int(value), BINS) / BINS for value in found.groups())
        if left < right and top < bottom:
            regions.append(Region(0, (left * size[0], top * size[1], right * size[0], bottom * size[1])))
    return regions
