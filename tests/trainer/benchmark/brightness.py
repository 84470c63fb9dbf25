# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A model from outside the project, as the page about the benchmark shows it: masks what has become brighter."""

import numpy as np

from trainer.baselines import register_segmenter
from trainer.evaluation import Answer


@register_segmenter("brighter")
class Brighter:
    def __init__(self, model="", least="30"):
        self.name = f"brighter by {least}"
        self.identity = {"least": least}
        self.least = int(least)

    def segment(self, image_t1, image_t2, sentences, domain=None):
        before, after = (np.asarray(image.convert("L"), dtype=int) for image in (image_t1, image_t2))
        mask = after - before > self.least
        return [Answer(mask, score=1.0, text="brighter") for _ in sentences]
