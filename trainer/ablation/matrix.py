# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads the matrix of an ablation and plans its trainings. Trainings with equal settings are done once, even if several
runs need them: runs that differ only in stage 2 share their stage 1.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from mtrefseg.io import read_yaml
from trainer.errors import TrainingError
from trainer.names import GENERATED
from trainer.options import read_recipe, stage_options


FINETUNE = "finetune"
STAGES = ("pretrain", FINETUNE)
"""The stages, by the names of their scripts."""
NOISE = "generated_noise"
_OWN = ("steps", "stage1_share")
_CHECKPOINTS = ("model_name_or_path", "parts_from", "stage1")
_PLANNED = ("max_steps", "output_dir", "resume_from_checkpoint", "seed")


@cache
def _weights_of(checkpoint: str | None) -> dict[str, str] | None:
    """Hashes of a local checkpoint's files, so that a changed checkpoint is another training."""
    if checkpoint is None or not Path(checkpoint).is_dir():
        return None
    from trainer.evaluation import model_hash  # Imports PyTorch, which an invalid matrix does not need.

    return model_hash(Path(checkpoint))


@cache
def _known() -> list[str]:
    """The arguments that a matrix may contain."""
    return sorted(stage_options().names - {*_PLANNED})


@dataclass(frozen=True)
class Training:
    """
    One stage of one run: one call of `pretrain.py` or `finetune.py`.

    Args:
        run (`str`): Name of the run for which it was planned.
        stage (`str`): One of `STAGES`.
        settings (`dict[str, Any]`): All arguments except paths.
        previous ([`Training`], *optional*): Its stage 1.
        engine (`dict[str, Any]`, *optional*): The accelerate configuration.
    """

    run: str
    stage: str
    settings: dict[str, Any]
    previous: "Training | None" = None
    engine: dict[str, Any] | None = None

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.settings["max_steps"])

    @cached_property
    def digest(self) -> str:
        """Digest of the settings, eight hexadecimal digits."""
        from dataset_scripts.synthesis import Generator  # Slow to import.

        previous = None if self.previous is None else self.previous.digest
        begun_with = [_weights_of(self.settings.get(name)) for name in _CHECKPOINTS]
        content = json.dumps(
            [self.stage, self.settings, previous, self.engine, begun_with, Generator.version],
            sort_keys=True,
            default=str,
        )
        return hashlib.sha256(content.encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.run}-seed{self.settings['seed']}-{self.stage}-{self.digest}"


@dataclass(frozen=True)
class Run:
    """
    A run of the matrix with one seed.

    Args:
        name (`str`): Its name.
        seed (`int`): Seed of new weights and of all random numbers in training. The evaluation pairs do not depend on
            it.
        changes (`str`): How it differs from the other runs.
        trainings (`tuple[Training, ...]`): Its stages, one or two.
        noise (`float`, *optional*): Share of wrong sentences, if it belongs to the noise series.
    """

    name: str
    seed: int
    changes: str
    trainings: tuple[Training, ...]
    noise: float | None = None


@dataclass(frozen=True)
class Matrix:
    """
    The content of a matrix file.

    Args:
        path (`Path`): The file.
        recipes (`dict[str, dict]`): The content of the recipe of each stage.
        common (`dict[str, Any]`): Arguments of all runs.
        runs (`dict[str, dict]`): Different arguments of each run.
    """

    path: Path
    recipes: dict[str, dict[str, Any]]
    common: dict[str, Any]
    runs: dict[str, dict[str, Any]]

    @property
    def base(self) -> str:
        """The run with which the others are compared."""
        return next(iter(self.runs))


def read_matrix(path: Path) -> Matrix:
    """
    Reads a matrix file; `ablation/ablation.yaml` documents the format.

    Args:
        path (`Path`): The file.

    Returns:
        [`Matrix`]: Its content, with checked names.

    Raises:
        TrainingError: If the file, or a recipe that it names, cannot be read or is invalid.
    """
    content = _read_mapping(path)
    recipes, common, runs = (content.pop(key, None) for key in ("recipes", "all", "runs"))
    if content or not all(isinstance(part, dict) and part for part in (recipes, common, runs)):
        raise TrainingError(f"{path} must contain exactly three non-empty mappings: recipes, all and runs.")
    if FINETUNE not in recipes or recipes.keys() - {*STAGES}:
        raise TrainingError(
            f"{path}: recipes holds {', '.join(recipes)}; name finetune, and pretrain if there is a stage 1."
        )
    if not {*_OWN} <= common.keys():
        raise TrainingError(f"{path}: all must set steps and stage1_share.")
    for name, changes in {"all": common, **runs}.items():
        if not isinstance(name, str) or not re.fullmatch(r"\w[\w.+-]*", name, re.ASCII):
            raise TrainingError(f"{path}: the run {name!r} needs another name: use only letters, digits and . _ + -")
        _check(f"{path}: {name}", changes)
    return Matrix(
        path=path,
        recipes={stage: read_recipe(path.parent / str(recipe)) for stage, recipe in recipes.items()},
        common=common,
        runs=runs,
    )


def plan(
    matrix: Matrix,
    seeds: Sequence[int],
    steps: int | None = None,
    noise: Sequence[float] = (),
    engine: dict[str, Any] | None = None,
) -> list[Run]:
    """
    Plans the runs: those of the matrix, then the noise series, for one seed after another.

    Args:
        matrix ([`Matrix`]): The matrix.
        seeds (`Sequence[int]`): The seeds.
        steps (`int`, *optional*): Replaces the number of steps of the matrix; runs with their own number keep
            their ratio to it.
        noise (`Sequence[float]`, *optional*): Shares of wrong sentences, 0 to 1.
        engine (`dict[str, Any]`, *optional*): The accelerate configuration.

    Returns:
        `list[Run]`: The runs.

    Raises:
        TrainingError: If a stage would have no step, or noise is requested without generated pairs.
    """
    scale = 1.0 if steps is None else steps / matrix.common["steps"]
    series: list[tuple[str, dict[str, Any], float | None]] = [(*run, None) for run in matrix.runs.items()]
    for share in noise:
        base = matrix.runs[matrix.base]
        own = {**base.get(FINETUNE, {}), NOISE: float(share)}
        series.append((f"noise_{share:g}", {**base, FINETUNE: own}, share))
    planned: dict[str, Training] = {}
    runs = []
    for seed in seeds:
        for name, changes, corrupted in series:
            # Equal trainings have one folder, named by the run that comes first.
            trainings = _trainings(matrix, name, changes, seed, scale, engine)
            trainings = tuple(planned.setdefault(training.digest, training) for training in trainings)
            runs.append(Run(name, seed, _describe(changes), trainings, corrupted))
    if noise and GENERATED not in runs[-1].trainings[-1].settings.get("train_data", [GENERATED]):
        raise TrainingError(
            f"{matrix.path}: --noise corrupts sentences of generated pairs, but train_data names none."
        )
    return runs


def _trainings(
    matrix: Matrix, name: str, changes: Mapping[str, Any], seed: int, scale: float, engine: dict[str, Any] | None
) -> tuple[Training, ...]:
    """The stages of one run."""
    layers = (matrix.common, changes)
    total, share = ({**matrix.common, **changes}[key] for key in _OWN)
    total = round(total * scale)
    stage1_steps = round(total * share)
    if (share > 0 and stage1_steps == 0) or stage1_steps >= total:
        raise TrainingError(f"{matrix.path}: {name} has {total} steps, too few for a stage1_share of {share}.")
    trainings: tuple[Training, ...] = ()
    for stage, steps in zip(STAGES, (stage1_steps, total - stage1_steps)):
        if not steps:
            continue
        if stage not in matrix.recipes:
            raise TrainingError(f"{matrix.path}: {name} has a stage1_share, but recipes has no entry pretrain.")
        parts = [part for layer in layers for part in (_of_both(layer), layer.get(stage, {}))]
        merged = _merge(matrix.recipes[stage], *parts)
        settings = {key: value for key, value in merged.items() if value is not None and key not in _PLANNED}
        if settings.get(NOISE) == 0:
            del settings[NOISE]  # The default: without noise it is the same training.
        if trainings:
            settings.pop("stage1", None)
        settings |= {"max_steps": steps, "seed": seed}
        trainings += (Training(name, stage, settings, trainings[0] if trainings else None, engine),)
    return trainings


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise TrainingError(f"{path} must hold a mapping of names to values.")
    return content


def _check(place: str, changes: Any) -> None:
    """Raises a [`TrainingError`] that names `place` unless `changes` are arguments and sensible numbers of steps."""
    if not isinstance(changes, dict) or not all(isinstance(changes.get(stage, {}), dict) for stage in STAGES):
        raise TrainingError(f"{place} must hold a mapping of arguments to values, {{}} for none.")
    steps, share = changes.get("steps", 1), changes.get("stage1_share", 0.0)
    if type(steps) is not int or steps < 1:
        raise TrainingError(f"{place}: steps={steps!r} must be a whole number of 1 or more.")
    if type(share) not in (int, float) or not 0 <= share < 1:
        raise TrainingError(f"{place}: stage1_share={share!r} must be 0 or more and below 1.")
    for key in [key for part in (_of_both(changes), *(changes.get(stage, {}) for stage in STAGES)) for key in part]:
        if key in _PLANNED:
            raise TrainingError(f"{place}: {key} is set by steps, --seeds and --output_dir; leave it out.")
        if key not in _known():
            near = difflib.get_close_matches(str(key), [*_known(), *_OWN], n=1)
            raise TrainingError(f"{place}: unknown argument {key!r}{f'; did you mean {near[0]}?' if near else '.'}")


def _of_both(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of both stages."""
    return {key: value for key, value in changes.items() if key not in (*_OWN, *STAGES)}


def _merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later layers have precedence; mappings such as `config_overrides` are merged field by field."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            is_merged = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = merged[key] | value if is_merged else value
    return merged


def _describe(changes: Mapping[str, Any]) -> str:
    """Changes in one line, such as "fusion_type=avg"."""
    parts = []
    for key, value in changes.items():
        if isinstance(value, dict):
            parts += [f"{name}={inner}" for name, inner in value.items()]
        else:
            parts.append(f"{key}={value}")
    return ", ".join(parts)
