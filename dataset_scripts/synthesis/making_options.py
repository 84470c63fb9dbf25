# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What `synth` and `compose` have in common: the options for making pairs, and the contact sheet."""

import argparse
from pathlib import Path

from dataset_scripts.errors import DataError
from dataset_scripts.readers import PairMaker
from mtrefseg.option_values import named_path, positive

from .contact_sheet import contact_sheet
from .generator import LARGEST_SIZE, SMALLEST_SIZE


SHEET_PAIRS = 12
"""Maximum number of pairs on a contact sheet."""


def add_making_options(parser: argparse.ArgumentParser) -> None:
    """
    Declares the options for making pairs.

    Args:
        parser (`ArgumentParser`): The parser of a command.
    """
    parser.add_argument("--pairs", type=positive, default=1000, help="total number of pairs (default: 1000)")
    parser.add_argument(
        "--size", type=int, default=256, help=f"side in pixels, {SMALLEST_SIZE} to {LARGEST_SIZE} (default: 256)"
    )
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train", help="default: train")
    parser.add_argument(
        "--kind",
        choices=("referring", "pretrain"),
        default="referring",
        help="pretrain: masks of all changes, for stage 1",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives identical files (default: 0)")
    parser.add_argument("--png", action="store_true", help="save images as lossless PNG instead of JPEG")
    parser.add_argument("--num-proc", type=positive, default=1, help="number of worker processes (default: 1)")
    parser.add_argument(
        "--contact-sheet", type=named_path, metavar="FILE", help=f"also draw the first {SHEET_PAIRS} pairs to one PNG"
    )


def refuse_folder_options(arguments: argparse.Namespace) -> None:
    """
    Refuses the options that only apply to raw folders, for a command line that writes none.

    Args:
        arguments (`Namespace`): The options of [`add_making_options`].

    Raises:
        DataError: If one of them is given.
    """
    if arguments.kind == "pretrain" or arguments.png or arguments.num_proc > 1:
        raise DataError("--kind pretrain, --png and --num-proc are for raw folders: name a folder as OUT.")


def draw_sheet(maker: PairMaker, count: int, file: Path) -> None:
    """
    Draws the first pairs on one page.

    Args:
        maker ([`PairMaker`]): Makes the pairs.
        count (`int`): Number of pairs of the command; at most `SHEET_PAIRS` of them are drawn.
        file (`Path`): The PNG; its folder is created if it is missing.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet([maker.pair(index) for index in range(min(count, SHEET_PAIRS))]).save(file, "PNG")
