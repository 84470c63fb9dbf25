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
from pathlib import Path

from dataset_scripts.errors import DataError

from .generator import LARGEST_SIZE, SMALLEST_SIZE, Generator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `synth`."""
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT", help="dataset root to write split folders to")
    parser.add_argument("--pairs", type=int, default=1000, help="total number of pairs (default: 1000)")
    parser.add_argument(
        "--size", type=int, default=256, help=f"side in pixels, {SMALLEST_SIZE} to {LARGEST_SIZE} (default: 256)"
    )
    parser.add_argument("--domain", choices=("NS", "RS"), help="only this domain (default: both, alternating)")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train", help="default: train")
    parser.add_argument(
        "--kind",
        choices=("referring", "pretrain"),
        default="referring",
        help="pretrain: masks of all changes, for stage 1",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives identical files (default: 0)")
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="share of sentences with a corrupted mask or text, 0 to 1 (default: 0)",
    )
    parser.add_argument(
        "--strength", type=float, default=1.0, help="how much season and camera differ, 0 to 1 (default: 1)"
    )
    parser.add_argument("--png", action="store_true", help="save images as lossless PNG instead of JPEG")
    parser.add_argument("--num-proc", type=int, default=1, help="number of worker processes (default: 1)")
    parser.add_argument("--contact-sheet", type=Path, metavar="FILE", help="also draw the first 12 pairs to one PNG")
    parser.add_argument(
        "--scene",
        type=Path,
        metavar="DIR",
        help="write one georeferenced scene of 2048 x 2048 pixels instead: t1.tif, t2.tif, truth.tif; of the other "
        "options, only --seed applies",
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs `synth`. Returns the exit code."""
    from .writing import write_raw

    if arguments.scene is not None:
        _refuse_options_of_pairs(arguments)
        from .large_scene import write_scene

        for path in write_scene(arguments.scene, arguments.seed):
            print(path)
        return 0
    if arguments.out is None and arguments.contact_sheet is None:
        raise DataError("Say where to write: OUT, --contact-sheet FILE or --scene DIR.")
    if arguments.pairs < 1 or arguments.num_proc < 1:
        raise DataError(f"--pairs ({arguments.pairs}) and --num-proc ({arguments.num_proc}) must be 1 or more.")
    if arguments.out is None and (arguments.kind == "pretrain" or arguments.png or arguments.num_proc > 1):
        raise DataError("--kind pretrain, --png and --num-proc are for raw folders: name a folder as OUT.")
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
        _draw_sheet(generator, min(arguments.pairs, 12), arguments.contact_sheet)
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


def _draw_sheet(generator: Generator, count: int, file: Path) -> None:
    from .contact_sheet import contact_sheet

    file.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet([generator.pair(index) for index in range(count)]).save(file, "PNG")
