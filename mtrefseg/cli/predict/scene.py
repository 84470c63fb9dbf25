# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Prediction for a pair of rasters: GeoTIFF, GeoPackage and GeoJSON."""

import argparse

from mtrefseg.io import results_in

from ..common import load_model_with_note, progress, versions
from .options import (
    check_scene_input,
    make_predictor,
    open_scene_input,
    say_what_is_segmented,
    scene_options,
    sentence_lines,
)


def run_scene(options: argparse.Namespace) -> None:
    """
    Segments a pair of rasters.

    Args:
        options (`argparse.Namespace`): Arguments of the verb.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    from mtrefseg.scenes import check_scene, segment_pair

    how = scene_options(options)
    model_type = check_scene_input(options)
    grid = check_scene([options.image_t1, options.image_t2], how)
    processor, device = open_scene_input(options, model_type)
    predictor = make_predictor(
        load_model_with_note(options.model, processor, device, options.dtype), processor, options
    )
    say_what_is_segmented(grid, device)
    images, texts = (options.image_t1, options.image_t2), options.texts or None
    more = {"model": options.model, "versions": versions()}
    result = segment_pair(*images, texts, predictor, how, options.out, progress, more)
    for line in sentence_lines(result):
        print(line)
    for path in results_in(options.out):
        print(path)
