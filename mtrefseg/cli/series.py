# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg series`: follows the changes that sentences describe through many dates of a place.

```bash
mtrefseg series 2019.tif 2021.tif 2024.tif "the buildings that appeared" --out outputs
```
"""

import argparse
from collections.abc import Sequence

from mtrefseg.errors import UserError
from mtrefseg.io import IMAGE_SUFFIXES, results_in, suffix_of

from .common import (
    add_pair_arguments,
    closest_note,
    load_model_with_note,
    progress,
)
from .parsing import VerbParser
from .predict.options import (
    add_scene_options,
    add_threshold_options,
    check_scene_input,
    counted,
    make_predictor,
    need_geo,
    open_scene_input,
    say_what_is_segmented,
    scene_options,
)


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser(
        "series",
        "Segments the changes between consecutive dates, and between the first and the last. Writes series.csv, "
        "timeline.webp, masks.tif, objects.gpkg (coloured by step in QGIS), objects.geojson and series.json to a "
        "folder.",
        examples=('mtrefseg series 2019.tif 2021.tif 2024.tif "the buildings that appeared" --out outputs',),
    )
    parser.positionals.add_argument(
        "words",
        metavar="IMAGE|SENTENCE",
        nargs="+",
        help="two or more images, the earliest first, and sentences; arguments with an image suffix are images",
    )
    add_pair_arguments(parser, with_images=False)
    add_threshold_options(parser.options)
    add_scene_options(parser.options)
    return parser


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    options = make_parser().parse(arguments)
    images = _take_images(options)
    need_geo("a series")
    from mtrefseg.scenes import check_scene, segment_series

    how = scene_options(options)
    model_type = check_scene_input(options)
    grid = check_scene(images, how)
    processor, device = open_scene_input(options, model_type)
    predictor = make_predictor(
        load_model_with_note(options.model, processor, device, options.dtype), processor, options
    )
    say_what_is_segmented(grid, device, f"{len(images)} dates of ")
    result = segment_series(images, options.texts or None, predictor, how, options.out, progress)
    for row in result.rows():
        ground = "" if row["area_m2"] is None else f"  {row['area_m2']:12,.0f} m²"
        note = closest_note(row["is_closest"])
        print(f"{row['from']} to {row['to']}  {counted(row['objects'])}{ground}  {row['sentence']}{note}")
    for path in results_in(options.out):
        print(path)


def _take_images(options: argparse.Namespace) -> list[str]:
    """Separates the images from the sentences among the positional arguments."""
    images = [word for word in options.words if suffix_of(word) in IMAGE_SUFFIXES]
    options.texts = [word for word in options.words if word not in images]
    if len(images) < 2:
        found = ", ".join(images) or "no argument"
        raise UserError(f"a series needs two images or more; only files with an image suffix count: {found}")
    return images
