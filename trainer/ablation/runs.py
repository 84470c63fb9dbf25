# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Trains the runs of an ablation, or lists what would be trained."""

from collections.abc import Iterator, Sequence
from functools import partial

from tqdm.auto import tqdm

from .folder import LOG, TrainingFailedError
from .tables import Outcome


def list_trainings(outcomes: Sequence[Outcome]) -> str:
    """
    Lists the trainings and their states.

    Args:
        outcomes (`Sequence[Outcome]`): The runs.

    Returns:
        `str`: A line for each stage of each run, and one for all.
    """
    lines: list[str] = []
    seen: dict[str, str] = {}
    steps, width = 0, max((len(outcome.run.name) for outcome in outcomes), default=0)
    for outcome in outcomes:
        for folder in outcome.folders:
            training, state = folder.training, folder.state()
            if training.digest in seen:
                state = f"shared with {seen[training.digest]}"
            elif state != "finished":
                steps += training.steps
                state += f", {folder.path}"
            seen.setdefault(training.digest, outcome.run.name)
            name = f"{outcome.run.name:<{width}}  seed {outcome.run.seed}  {training.stage}"
            lines.append(f"{name}  {training.steps:>7,} steps  {state}")
    return "\n".join([*lines, f"{len(seen)} trainings; those that are not finished have {steps:,} steps"])


def train_all(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """
    Trains unfinished runs, each training once, and shows a progress bar.

    Args:
        outcomes (`Sequence[Outcome]`): The runs.

    Yields:
        [`Outcome`]: The result of each run, as soon as it is known.
    """
    folders = {folder.training.digest: folder for outcome in outcomes for folder in outcome.folders}
    unfinished = {digest: folder.training.steps for digest, folder in folders.items() if folder.results() is None}
    failures: dict[str, str] = {}
    with tqdm(total=sum(unfinished.values()), unit="step", disable=not unfinished) as bar:
        for number, outcome in enumerate(outcomes, 1):
            failure = None
            for folder in outcome.folders:
                digest, before = folder.training.digest, bar.n
                bar.set_description(f"{number}/{len(outcomes)} {outcome.run.name}, {folder.training.stage}")
                if digest not in failures:
                    try:
                        folder.train(partial(_move, bar, before))
                    except TrainingFailedError as error:
                        failures[digest] = f"{error} (runs/{folder.path.name}/{LOG})"
                    _move(bar, before, unfinished.pop(digest, 0))
                if failure := failures.get(digest):
                    break
            result = Outcome(outcome.run, outcome.folders, failure)
            if unfinished or failure:
                bar.write(f"{outcome.run.name}, seed {outcome.run.seed}: {result.status}")
            yield result


def _move(bar: tqdm, before: int, steps: int) -> None:
    """Moves a bar to `before + steps`."""
    bar.update(before + steps - bar.n)
