# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints of this project (our model and the trained baselines) as segmenters."""

from collections.abc import Mapping, Sequence

import torch
from PIL import Image

from mtrefseg.build.loading import find_device, load_model, load_processor
from mtrefseg.io import SCENES
from trainer.evaluation import Answer, model_hash, to_answers
from trainer.evaluation_inputs import resolve_checkpoint

from .registry import shown_model


class CheckpointSegmenter:
    """
    A checkpoint that `trainer/finetune.py` saved, or one of that kind on the Hub.

    Args:
        model (`str`, *optional*, defaults to `"mtrefseg-r1"`): Folder or Hub id.
        name (`str`, *optional*): Name in tables; by default that of the folder (with its parent for `checkpoint-N`) or
            Hub id.
    """

    def __init__(self, model: str = "mtrefseg-r1", name: str | None = None) -> None:
        folder = resolve_checkpoint(model)
        self.name = name or shown_model(model)
        self.identity: Mapping[str, str] = model_hash(folder)
        import trainer.baselines.models  # noqa: F401  # So that the checkpoints of baselines can be loaded, too.

        self._processor = load_processor(folder)
        self._model = load_model(folder, self._processor, find_device(), dtype="float32")

    @torch.inference_mode()
    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]."""
        scene = None if domain is None else SCENES[domain]
        inputs = self._processor(image_t1, image_t2, text=[list(sentences)], domain=scene)
        device = next(self._model.parameters()).device
        outputs = self._model(**{name: value.to(device) for name, value in inputs.items()})
        result = self._processor.post_process_referring_segmentation(outputs, [image_t1.size[::-1]])[0]
        return to_answers(result)
