# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
r"""
Prepares a trained model for publishing: chooses the thresholds that are saved with its processor, and converts its
weights to bfloat16, which takes half the space.

```bash
python trainer/calibrate.py --model outputs/checkpoint --output_dir outputs/mtrefseg-r1
python trainer/calibrate.py --model outputs/checkpoint --output_dir outputs/mtrefseg-r1 \
    --data path/to/MTRefSeg-21K --split train
```

Pixels above `threshold` are in the mask, and the mask is empty if the no-target score is above
`no_target_threshold`. A sentence whose mask is empty gets the changed objects that fit it best, if their probability
is above `fallback_threshold`. The thresholds with the largest mean IoU are chosen (an empty mask for a no-target
sentence counts as 100, and no-target sentences always make up a fifth of the mean). Use pairs on which no scores are
reported: generated pairs have another seed here than in `evaluate.py`; for other data, choose `--split`.
"""

import argparse
import sys
from collections.abc import Sequence


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from mtrefseg.errors import run_command
from mtrefseg.option_values import OneLineParser, between, named_path
from trainer.evaluation_inputs import add_data_options, open_source, resolve_checkpoint
from trainer.loop.checks import check_checkpoint, check_dataset


MOST_PAIRS = 60


def parse_arguments(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Reads the command line."""
    parser = OneLineParser(prog=program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder or Hub id of a checkpoint")
    parser.add_argument("--output_dir", required=True, type=named_path, help="folder for the calibrated checkpoint")
    parser.add_argument(
        "--pixel_size",
        type=between(0.001, 10_000),
        help="ground resolution of the training images in metres per pixel, saved with the processor; large scenes "
        "are cut into windows at this resolution",
    )
    parser.add_argument(
        "--also",
        nargs="+",
        default=[],
        metavar="FOLDER",
        help=f"folders of training pairs; up to {MOST_PAIRS} of each are used, with the same weight as --data",
    )
    parser.add_argument(
        "--choose_objects",
        action=argparse.BooleanOptionalAction,
        help="let colours, places and ranks in sentences select among the objects that the model finds; saved with "
        "the processor; by default as in the checkpoint",
    )
    add_data_options(parser, seed=1, generated_pairs=300)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None, program: str = "calibrate.py") -> int:
    """
    Calibrates with a command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """

    def run() -> None:
        options = parse_arguments(sys.argv[1:] if arguments is None else arguments, program)
        # Before the libraries are imported, which takes seconds.
        check_checkpoint("model", options.model)
        for option, names in (("data", [options.data]), ("also", options.also)):
            for name in names:
                check_dataset(option, name)

        from tqdm.auto import tqdm

        from dataset_scripts.readers import open_pairs
        from trainer.evaluation.calibration import calibrate
        from trainer.evaluation.selection import EvenlySpacedPairs

        also = [EvenlySpacedPairs(open_pairs(name, "train", checked=False), MOST_PAIRS) for name in options.also]
        choice = calibrate(
            open_source(options, options.setting),
            resolve_checkpoint(options.model),
            options.output_dir,
            options.pixel_size,
            options.choose_objects,
            also,
        )
        tqdm.write(f"threshold            {choice.threshold}")
        tqdm.write(f"no_target_threshold  {choice.no_target_threshold}")
        tqdm.write(f"fallback_threshold   {choice.fallback_threshold}")
        tqdm.write(f"mean IoU with them   {choice.mean_iou:.2f}")
        tqdm.write(f"saved in             {options.output_dir}")

    return run_command(program, run)


if __name__ == "__main__":
    sys.exit(main())
