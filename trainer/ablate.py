# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Trains the runs of a matrix, one after another, and puts their scores into one table.

```bash
python trainer/ablate.py                                             # all of trainer/ablation/ablation.yaml
python trainer/ablate.py --dry_run                                   # lists what would be trained
python trainer/ablate.py --runs full fusion_avg --steps 100 --seeds 0 1 2
python trainer/ablate.py --runs --noise 0 0.1 0.3                    # the noise series alone
python trainer/ablate.py --matrix trainer/ablation/ablation_lora.yaml --accelerate_config trainer/accelerate/ddp.yaml
```

Every run is stage 2, or stage 1 and then stage 2, each in a separate process; a run that fails is marked in the
table. The same command resumes a stopped ablation, and only trains what is missing: a run with changed settings gets
a new folder in `runs/`, and the old one is kept. Each of these folders has a `train.log` and a `recipe.yaml`.

The output folder gets `ablation.csv`, `.md` and `.tex` (named like the matrix), `ablation.png` (the curves) and
`ablation.json` (versions, command, every single result); with `--noise` also a table and curves `ablation_noise.*`,
for runs like the first of the matrix, with a share of wrong sentences in the training data. The evaluation pairs stay
clean.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from mtrefseg.errors import run_command
from mtrefseg.io import read_yaml
from mtrefseg.option_values import OneLineParser, named_path
from trainer.errors import TrainingError
from trainer.names import MATRICES


if TYPE_CHECKING:
    from trainer.ablation.matrix import Matrix, Run
    from trainer.ablation.tables import Outcome


def parse_arguments(given: Sequence[str], program: str) -> argparse.Namespace:
    """Reads the command line."""
    parser = OneLineParser(prog=program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--matrix",
        type=named_path,
        default=MATRICES / "ablation.yaml",
        help="YAML file with the runs (default: trainer/ablation/ablation.yaml)",
    )
    parser.add_argument(
        "--output_dir",
        type=named_path,
        default=Path("outputs/ablation"),
        help="folder for runs and tables (default: %(default)s)",
    )
    parser.add_argument("--runs", nargs="*", metavar="NAME", help="train only these runs; without names, none")
    parser.add_argument(
        "--noise",
        nargs="+",
        type=float,
        default=[],
        metavar="SHARE",
        help="shares of corrupted training sentences, 0 to 1",
    )
    parser.add_argument("--steps", type=int, help="steps per run, both stages together; by default from the matrix")
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], metavar="SEED", help="seeds of each run (default: 0)"
    )
    parser.add_argument("--accelerate_config", type=named_path, help="configuration file for `accelerate launch`")
    parser.add_argument("--dry_run", action="store_true", help="list the runs without training")
    arguments = parser.parse_args(given)
    if arguments.steps is not None and arguments.steps < 1:
        parser.error("--steps must be 1 or more")
    if not all(0 <= share <= 1 for share in arguments.noise):
        parser.error("--noise takes shares from 0 to 1")
    if min(arguments.seeds) < 0 or any(len({*given}) < len(given) for given in (arguments.seeds, arguments.noise)):
        parser.error("--seeds must be 0 or more, and neither --seeds nor --noise may repeat a value")
    return arguments


def make_plan(arguments: argparse.Namespace) -> "tuple[Matrix, list[Run]]":
    """Reads the matrix, and returns the runs in the order of training."""
    from trainer.ablation.matrix import plan, read_matrix

    matrix = read_matrix(arguments.matrix)
    unknown = {*(arguments.runs or ())} - matrix.runs.keys()
    if unknown:
        raise TrainingError(
            f"{arguments.matrix} has no {', '.join(sorted(unknown))}; it has {', '.join(matrix.runs)}."
        )
    engine = None
    if arguments.accelerate_config is not None:
        try:
            engine = read_yaml(arguments.accelerate_config)
        except (OSError, ValueError) as error:
            raise TrainingError(f"{arguments.accelerate_config} cannot be read: {error}") from error
    return matrix, plan(matrix, arguments.seeds, arguments.steps, arguments.noise, engine)


def check_devices(accelerate_config: Path | None) -> None:
    """Raises a [`TrainingError`] if there are several devices and nothing says how many of them are used."""
    import torch

    if accelerate_config is None and torch.accelerator.device_count() > 1:
        raise TrainingError(
            f"There are {torch.accelerator.device_count()} devices: add --accelerate_config "
            "trainer/accelerate/ddp.yaml to use all of them, or trainer/accelerate/single.yaml to use one."
        )


def write_all(outcomes: "Sequence[Outcome]", stem: Path) -> str:
    """Writes the files of all series that have runs, and returns the tables."""
    from trainer.ablation.curves import draw_curves, draw_noise
    from trainer.ablation.tables import make_rows, write_report, write_tables

    rows, tables = make_rows(outcomes), []
    for series, name, draw in (
        ([row for row in rows if row.run.noise is None], stem.name, draw_curves),
        ([row for row in rows if row.run.noise is not None], f"{stem.name}_noise", draw_noise),
    ):
        if series:
            tables.append(write_tables(series, stem.with_name(name)))
            draw(series, stem.with_name(f"{name}.png"))
    write_report(rows, stem.with_name(f"{stem.name}.json"))
    return "\n\n".join(tables)


def run(arguments: argparse.Namespace) -> bool:
    """Trains the runs and writes the tables. Returns whether all runs have finished."""
    matrix, runs = make_plan(arguments)  # Before the libraries are imported, which takes seconds.
    check_devices(arguments.accelerate_config)

    from tqdm.auto import tqdm

    from trainer.ablation.folder import TrainingFolder
    from trainer.ablation.runs import list_trainings, train_all
    from trainer.ablation.tables import Outcome

    outcomes = [
        Outcome(run, [TrainingFolder(arguments.output_dir, one, arguments.accelerate_config) for one in run.trainings])
        for run in runs
    ]
    # Finished runs are shown even if they are not selected.
    is_wanted = [arguments.runs is None or run.noise is not None or run.name in arguments.runs for run in runs]
    outcomes = [outcome for outcome, wanted in zip(outcomes, is_wanted) if wanted or outcome.is_finished]
    if arguments.dry_run or not outcomes:
        tqdm.write(list_trainings(outcomes))
        return True
    stem = arguments.output_dir / matrix.path.stem
    was_finished = [outcome.is_finished for outcome in outcomes]
    for place, outcome in enumerate(train_all(outcomes)):
        outcomes[place] = outcome
        if not was_finished[place]:
            write_all(outcomes, stem)  # The current results.
    tqdm.write(f"\n{write_all(outcomes, stem)}\n\nwritten to {arguments.output_dir}")
    return all(outcome.failure is None for outcome in outcomes)


def main(arguments: Sequence[str] | None = None, program: str = "ablate.py") -> int:
    """
    Trains the runs of the command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 1 a run has failed, 2 bad input, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else arguments
    # Exit regularly, so that the training process is terminated, too.
    handler = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return run_command(program, lambda: 0 if run(parse_arguments(given, program)) else 1)
    finally:
        signal.signal(signal.SIGTERM, handler)


if __name__ == "__main__":
    sys.exit(main())
