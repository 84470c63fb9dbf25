# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg predict`: segments the changes that sentences describe, in one pair or in many.

```bash
mtrefseg predict t1.png t2.png "the house that appeared" --out outputs
mtrefseg predict 2019.tif 2024.tif "the buildings that appeared" --out outputs
mtrefseg predict --manifest pairs.csv "the buildings that appeared" --out outputs
mtrefseg predict 2019/ 2024/ "the buildings that appeared" --out outputs
```

Plain images give masks as PNG files; GeoTIFF and other rasters give GeoTIFF, GeoPackage and GeoJSON. Images that are
much larger than the model's canvas are cut into windows. For plain images, the model may also be a folder of
`mtrefseg export`; then PyTorch is not loaded.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from mtrefseg.errors import UserError
from mtrefseg.export.names import SETTINGS as EXPORT_SETTINGS

from ..common import add_pair_arguments, progress
from ..parsing import VerbParser
from .many import add_manifest_options, refuse_engine, run_many
from .options import add_scene_options, add_threshold_options, has_geo, is_raster
from .plain import run_plain
from .scene import run_scene


def make_parser(is_manifest: bool = False) -> VerbParser:
    """
    The parser of the verb.

    Args:
        is_manifest (`bool`, *optional*, defaults to `False`): Whether the images come from a manifest.
    """
    parser = VerbParser(
        "predict",
        "Segments the changes that sentences describe, and writes the results to a folder. Plain images: mask_1.png, "
        "mask_2.png … (one per sentence), overlay.png and result.json. GeoTIFF and other rasters: masks.tif (one band "
        "per sentence), objects.gpkg, objects.geojson, overview.webp and result.json. Many pairs (--manifest, or two "
        "folders as T1 and T2): one folder per pair and results.parquet.",
        examples=(
            'mtrefseg predict t1.png t2.png "the house that appeared" --out outputs',
            'mtrefseg predict 2019.tif 2024.tif "the buildings that appeared" --domain remote_sensing --out outputs',
            'mtrefseg predict --manifest pairs.csv "the buildings that appeared" --out outputs',
        ),
    )
    add_pair_arguments(parser, with_images=not is_manifest)
    parser.positionals.add_argument(
        "texts",
        metavar="SENTENCE",
        nargs="*",
        help="each describes one change; without a sentence, every change is masked",
    )
    add_threshold_options(parser.options)
    add_scene_options(parser.options)
    add_manifest_options(parser.options)
    return parser


def run(arguments: Sequence[str]) -> int | None:
    """
    Runs the verb. All input is checked before the weights are loaded.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Returns:
        `int`, *optional*: The exit code: 1 if some pairs of a manifest failed.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    before_dashes = arguments[: list(arguments).index("--")] if "--" in arguments else arguments
    is_manifest = any(word.split("=")[0] == "--manifest" for word in before_dashes)
    options = make_parser(is_manifest).parse(arguments)
    # Unlike Path.is_file, this is false for a name that is too long; the reader of models reports it.
    if options.model and os.path.isfile(os.path.join(options.model, EXPORT_SETTINGS)):
        _run_exported(options, is_manifest)
        return None
    is_folders = not is_manifest and Path(options.image_t1).is_dir() and Path(options.image_t2).is_dir()
    refuse_engine(options, is_manifest or is_folders)
    if is_manifest:
        return run_many(options, [options.manifest])
    if is_folders:
        return run_many(options, [options.image_t1, options.image_t2])
    if is_raster(options.image_t1) or is_raster(options.image_t2):
        if has_geo():
            run_scene(options)
            return None
        progress("the georeference is not read: pip install 'mtrefseg[geo]'")
    run_plain(options)
    return None


def _run_exported(options: argparse.Namespace, is_manifest: bool) -> None:
    if is_manifest or Path(options.image_t1).is_dir() or is_raster(options.image_t1) or is_raster(options.image_t2):
        raise UserError("an exported model only supports a pair of plain images: pass a model folder with --model")
    from .exported import run_exported

    run_exported(options)
