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

Each folder contains `annotations.json`, or one `.json` file of another name, and the images,
in `images/` or next to it.
"""

import argparse
import logging
from pathlib import Path

from dataset_scripts.errors import DataError
from dataset_scripts.readers import pair_features
from dataset_scripts.synthesis import stream, write_raw
from dataset_scripts.synthesis.making_options import add_making_options, draw_sheet, refuse_folder_options
from mtrefseg.io import written_whole
from mtrefseg.option_values import named_path

from .composer import Composer
from .instances import is_coco_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `compose`."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=named_path,
        metavar="FOLDER … OUT",
        help="folders in COCO format, then the dataset root or the .parquet file to write (left out with only "
        "--contact-sheet)",
    )
    parser.add_argument("--domain", choices=("NS", "RS"), required=True, help="normal scenes or remote sensing")
    add_making_options(parser)
    parser.add_argument(
        "--backgrounds",
        type=named_path,
        action="append",
        default=[],
        metavar="DIR",
        help="images without annotated objects",
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs `compose`. Returns the exit code."""
    logging.basicConfig(format="%(message)s")
    folders, out = _split_paths(arguments.paths, arguments.contact_sheet is not None)
    is_parquet = out is not None and out.suffix == ".parquet"
    if is_parquet or out is None:
        refuse_folder_options(arguments)
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
        for folder in write_raw(composer, out, arguments.pairs, arguments.kind, arguments.png, arguments.num_proc):
            print(folder)
    if arguments.contact_sheet is not None:
        draw_sheet(composer, arguments.pairs, arguments.contact_sheet)
        print(arguments.contact_sheet)
    return 0


def _split_paths(paths: list[Path], has_sheet: bool) -> tuple[list[Path], Path | None]:
    """
    The folders to read, and the output: the last path, unless only a contact sheet is requested and all paths are
    inputs.
    """
    if has_sheet and (len(paths) == 1 or is_coco_folder(paths[-1])):
        return paths, None
    if len(paths) < 2:
        raise DataError("Say where to write: FOLDER OUT, or FOLDER --contact-sheet FILE.")
    return paths[:-1], paths[-1]


def _write_parquet(composer: Composer, count: int, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as opened:
        stream(composer, stop=count).cast(pair_features()).to_parquet(opened)
