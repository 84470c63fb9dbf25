# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What every segmenter keeps, whatever it is made of."""

import json

import numpy as np
from PIL import Image

from trainer.evaluation import Segmenter, ask


SENTENCES = ("the red car that appeared", "the image")


def noise_pair(width: int = 48, height: int = 36) -> tuple[Image.Image, Image.Image]:
    """Two images of noise, not square."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels[0]), Image.fromarray(pixels[1])


def check_segmenter(segmenter: Segmenter) -> None:
    """Asks a segmenter in several ways, and checks that its answers are what [`Segmenter`] says."""
    assert isinstance(segmenter, Segmenter)
    assert segmenter.name
    assert json.loads(json.dumps(dict(segmenter.identity))) == dict(segmenter.identity)
    image_t1, image_t2 = noise_pair()
    before = [np.array(image) for image in (image_t1, image_t2)]
    first = ask(segmenter, image_t1, image_t2, SENTENCES, "RS")
    again = ask(segmenter, image_t1, image_t2, SENTENCES, "RS")
    for one, other in zip(first, again):
        assert (one.mask == other.mask).all()
        assert (one.score, one.no_target_score, one.text) == (other.score, other.no_target_score, other.text)
    for old, image in zip(before, (image_t1, image_t2)):
        assert (np.array(image) == old).all(), "the images were changed"
    for sentence in SENTENCES:
        ask(segmenter, image_t1, image_t2, [sentence])
    ask(segmenter, *noise_pair(31, 40), SENTENCES, "NS")
