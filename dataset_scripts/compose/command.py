# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Composes pairs with sentences and exact masks from single real images with instance masks (COCO format):

```bash
mtrefseg data compose coco/ data/composed --domain NS --pairs 2000 --num-proc 2   # raw layout
mtrefseg data compose planes/ roofs/ data/composed --domain RS --split validation
mtrefseg data compose coco/ pairs.parquet --domain NS --pairs 2000                # one row per pair
mtrefseg data compose coco/ data/stage1 --domain NS --kind pretrain               # masks of every change
mtrefseg data compose coco/ --domain NS --contact-sheet sheet.png                 # only draw
```

Each folder contains `annotations.json` and the images, in `images/` or next to it.
"""

import argparse
import logging
from pathlib import Path

from dataset_scripts.errors import DataError
from mtrefseg.io import written_whole
from mtrefseg.option_values import positive

from .composer import LARGEST_SIZE, SMALLEST_SIZE, Composer


_SHEET_PAIRS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `compose`."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="FOLDER … OUT",
        help="folders in COCO format, then the dataset root or the .parquet file to write (left out with only "
        "--contact-sheet)",
    )
    parser.add_argument("--domain", choices=("NS", "RS"), required=True, help="normal scenes or remote sensing")
    parser.add_argument("--pairs", type=positive, default=1000, help="number of pairs (default: 1000)")
    parser.add_argument("--size", type=int, default=256, help=f"side in pixels, {SMALLEST_SIZE} to {LARGEST_SIZE}")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train")
    parser.add_argument("--kind", choices=("referring", "pretrain"), default="referring", help="pretrain: stage 1")
    parser.add_argument(
        "--seed", type=int, default=0, help="the same seed and images give the same pairs (default: 0)"
    )
    parser.add_argument(
        "--backgrounds",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="images without annotated objects",
    )
    parser.add_argument("--png", action="store_true", help="save images as lossless PNG instead of JPEG")
    parser.add_argument("--num-proc", type=positive, default=1, help="number of processes (default: 1)")
    parser.add_argument(
        "--contact-sheet", type=Path, metavar="FILE", help="also draw the first 12 pairs on one page, a PNG"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs `compose`. Returns the exit code."""
    logging.basicConfig(format="%(message)s")
    folders, out = _split_paths(arguments.paths, arguments.contact_sheet is not None)
    is_parquet = out is not None and out.suffix == ".parquet"
    has_folder_options = arguments.kind == "pretrain" or arguments.png or arguments.num_proc > 1
    if has_folder_options and (is_parquet or out is None):
        raise DataError("--kind pretrain, --png and --num-proc are for raw folders: name a folder as OUT.")
    try:
        composer = Composer(
            folders=folders,
            domain=arguments.domain,
            seed=arguments.seed,
            size=arguments.size,
            split=arguments.split,
            backgrounds=arguments.backgrounds,
        )
    except ValueError as error:
        raise DataError(str(error)) from error
    if out is not None and is_parquet:
        _write_parquet(composer, arguments.pairs, out)
        print(out)
    elif out is not None:
        from dataset_scripts.synthesis import write_raw

        for folder in write_raw(composer, out, arguments.pairs, arguments.kind, arguments.png, arguments.num_proc):
            print(folder)
    if arguments.contact_sheet is not None:
        _draw_sheet(composer, min(arguments.pairs, _SHEET_PAIRS), arguments.contact_sheet)
        print(arguments.contact_sheet)
    return 0


def _split_paths(paths: list[Path], has_sheet: bool) -> tuple[list[Path], Path | None]:
    """
    The folders to read, and the output: the last path, unless only a contact sheet is requested and all paths are
    inputs.
    """
    from .instances import ANNOTATION_FILE

    if has_sheet and (paths[-1] / ANNOTATION_FILE).is_file():
        return paths, None
    if len(paths) < 2:
        raise DataError("Say where to write: FOLDER OUT, or FOLDER --contact-sheet FILE.")
    return paths[:-1], paths[-1]


def _write_parquet(composer: Composer, count: int, file: Path) -> None:
    from dataset_scripts.readers import pair_features
    from dataset_scripts.synthesis import stream

    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as opened:
        stream(composer, stop=count).cast(pair_features()).to_parquet(opened)


def _draw_sheet(composer: Composer, count: int, file: Path) -> None:
    from dataset_scripts.synthesis.contact_sheet import contact_sheet

    file.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet([composer.pair(index) for index in range(count)]).save(file, "PNG")
