# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Prediction for a pair of plain images with an exported model, without PyTorch."""

import argparse

from mtrefseg.errors import UserError
from mtrefseg.export import open_exported

from ..common import bad_input, check_sentences, check_writable, load_pair, progress
from .many import refuse_engine
from .options import refuse_unused
from .plain import finish, warn_of_shrinking


_OF_SCENES = ("overlap", "batch_size", "pixel_size", "no_warp", "register", "min_area", "simplify", "probability")
"""Options that only a model folder uses."""


def run_exported(options: argparse.Namespace) -> None:
    """
    Segments a pair of images with an exported model, a folder of `mtrefseg export`. Large images are shrunk.

    Args:
        options (`argparse.Namespace`): Arguments of the verb; `model` is the folder.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    if options.device not in (None, "cpu") or options.dtype != "auto":
        raise UserError("an exported model runs on the CPU in its own precision: leave out --device and --dtype")
    if isinstance(options.window, int):
        raise UserError("an exported model shrinks large images: leave out --window, or pass a model folder")
    refuse_unused(
        options,
        _OF_SCENES,
        "an exported model has no windows, registration or polygons",
        "pass a model folder with --model",
    )
    refuse_engine(options, is_many=False)
    check_sentences(options.texts)
    check_writable(options.out)
    image_t1, image_t2 = load_pair(options)
    segmenter = open_exported(options.model)
    settings = segmenter.settings
    # Defaults come from the model; result.json records the values that were used.
    if options.threshold is None:
        options.threshold = settings.threshold
    if options.no_target_threshold is None:
        options.no_target_threshold = settings.no_target_threshold
    warn_of_shrinking(image_t1, settings.image.size)
    progress(f"segmenting {image_t1.width}x{image_t1.height} pixels with {segmenter.runtime}")
    with bad_input():
        image_t1, image_t2 = segmenter.load_pair(image_t1, image_t2, options.align)
        results = segmenter(
            {"image_t1": image_t1, "image_t2": image_t2, "text": options.texts or None, "domain": options.domain},
            options.threshold,
            options.no_target_threshold,
        )
    finish(options, (image_t1, image_t2), results)
