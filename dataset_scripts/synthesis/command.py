# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Generates pairs of images with sentences and masks.

```bash
mtrefseg data synth data/synthetic --pairs 2000 --num-proc 2                     # raw layout, both domains
mtrefseg data synth data/synthetic --pairs 200 --split validation
mtrefseg data synth data/noisy --pairs 2000 --noise 0.2                          # annotation noise in 20 %
mtrefseg data synth data/stage1 --pairs 2000 --kind pretrain                     # masks of all changes
mtrefseg data synth --contact-sheet sheet.png --pairs 12                         # only draw
mtrefseg data synth --scene data/scene                                           # a large GeoTIFF pair
```
"""

import argparse

from dataset_scripts.errors import DataError
from mtrefseg.option_values import named_path

from .generator import Generator
from .making_options import add_making_options, draw_sheet, refuse_folder_options
from .writing import write_raw


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `synth`."""
    parser.add_argument(
        "out", nargs="?", type=named_path, metavar="OUT", help="dataset root to write split folders to"
    )
    add_making_options(parser)
    parser.add_argument("--domain", choices=("NS", "RS"), help="only this domain (default: both, alternating)")
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="share of sentences with a corrupted mask or text, 0 to 1 (default: 0)",
    )
    parser.add_argument(
        "--strength", type=float, default=1.0, help="how much season and camera differ, 0 to 1 (default: 1)"
    )
    parser.add_argument(
        "--scene",
        type=named_path,
        metavar="DIR",
        help="write one georeferenced scene of 2048 x 2048 pixels instead: t1.tif, t2.tif, truth.tif; of the other "
        "options, only --seed applies",
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs `synth`. Returns the exit code."""
    if arguments.scene is not None:
        _refuse_options_of_pairs(arguments)
        from .large_scene import write_scene

        for path in write_scene(arguments.scene, arguments.seed):
            print(path)
        return 0
    if arguments.out is None and arguments.contact_sheet is None:
        raise DataError("Say where to write: OUT, --contact-sheet FILE or --scene DIR.")
    if arguments.out is None:
        refuse_folder_options(arguments)
    if arguments.kind == "pretrain" and arguments.noise:
        raise DataError("--noise corrupts sentences, and --kind pretrain has none: leave out one of them.")
    try:
        generator = Generator(
            seed=arguments.seed,
            size=arguments.size,
            domains=(arguments.domain,) if arguments.domain else ("NS", "RS"),
            split=arguments.split,
            noise=arguments.noise,
            strength=arguments.strength,
        )
    except ValueError as error:
        raise DataError(str(error)) from error
    if arguments.out is not None:
        folders = write_raw(
            generator, arguments.out, arguments.pairs, arguments.kind, arguments.png, arguments.num_proc
        )
        for folder in folders:
            print(folder)
    if arguments.contact_sheet is not None:
        draw_sheet(generator, arguments.pairs, arguments.contact_sheet)
        print(arguments.contact_sheet)
    return 0


def _refuse_options_of_pairs(arguments: argparse.Namespace) -> None:
    """Raises a `DataError` if an option is given that does nothing with --scene."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    defaults = vars(parser.parse_args([]))
    given = [name for name in defaults if name not in ("scene", "seed") and getattr(arguments, name) != defaults[name]]
    if given:
        named = ", ".join("OUT" if name == "out" else "--" + name.replace("_", "-") for name in given)
        raise DataError(f"--scene writes one scene and no pairs: leave out {named}.")
