# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs segmenters on pairs and scores the results, in folders like those of `trainer/evaluate.py`."""

import argparse
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from tqdm.auto import tqdm

from dataset_scripts.readers import PairSource
from mtrefseg.io import sha256_of, write_text
from mtrs_iou import decode_rle
from trainer.baselines.registry import planned_name, plugin_module
from trainer.errors import TrainingError
from trainer.evaluation import (
    Answer,
    EvaluationFolder,
    ScoredPair,
    Segmenter,
    TruthSegmenter,
    append_result,
    ask,
    collect,
    identity_of,
    make_report,
    read_pair,
    score_answers,
    write_report,
)


PAIRS_AT_ONCE = 8
"""Number of pairs whose results are written together; a killed run loses at most these."""
ANSWERS = "answers.jsonl"
"""File with the answers of language models."""


def folder_name(name: str) -> str:
    """
    The name of a model as the name of a folder.

    Args:
        name (`str`): [`Segmenter.name`].

    Returns:
        `str`: Only letters, digits and "._-".
    """
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.") or "model"


def claim_folder(taken: dict[str, str], name: str, text: str) -> None:
    """
    Notes that a model uses the folder of its name.

    Args:
        taken (`dict[str, str]`): The folders and the specifications of their models; the new one is added.
        name (`str`): [`Segmenter.name`].
        text (`str`): Its specification in `--models`.

    Raises:
        TrainingError: If another one uses this folder.
    """
    folder = folder_name(name)
    if folder in taken:
        raise TrainingError(
            f"--models {taken[folder]} and {text} would both write to the folder {folder}: run one of them with "
            "another --output_dir, or give checkpoints other names (mtrefseg:FOLDER,name=...)."
        )
    taken[folder] = text


def check_names(models: Sequence[str]) -> None:
    """Raises a `TrainingError` if two models of `--models` have one folder, before the first one runs."""
    if len(models) == 1:
        return  # A plugin need not be opened twice.
    taken: dict[str, str] = {}
    for text in models:
        claim_folder(taken, planned_name(text), text)


def answers_of(segmenter: Segmenter, pair: ScoredPair) -> dict[int, Answer]:
    """
    Runs a segmenter on a pair. A sentence that it rejects is noted in `pair.problems`, and counts as wrong.

    Args:
        segmenter ([`Segmenter`]): The model.
        pair ([`ScoredPair`]): The pair.

    Returns:
        `dict[int, Answer]`: The answers by the number of the sentence.

    Raises:
        TrainingError: If an answer does not have the form that [`Segmenter`] requires.
    """
    asked = [] if pair.images is None else [index for index, problem in enumerate(pair.problems) if not problem]
    if pair.images is None or not asked:
        return {}
    texts = [pair.expressions[index] for index in asked]
    if isinstance(segmenter, TruthSegmenter):
        truths = [decode_rle(truth) for truth in pair.truths if truth is not None]
        return dict(zip(asked, segmenter.segment_truths(pair.images[0], texts, truths)))
    try:
        return dict(zip(asked, ask(segmenter, *pair.images, texts, pair.domain)))
    except TrainingError:
        raise
    except ValueError as error:
        if len(asked) == 1:
            pair.problems[asked[0]] = f"refused_sentence: {error}"
            return {}
    # One of them was rejected, but others may be valid.
    answers: dict[int, Answer] = {}
    for index in asked:
        try:
            answers[index] = ask(segmenter, *pair.images, [pair.expressions[index]], pair.domain)[0]
        except TrainingError:
            raise
        except ValueError as error:
            pair.problems[index] = f"refused_sentence: {error}"
    return answers


def row_options(arguments: argparse.Namespace, source: PairSource) -> dict[str, Any]:
    """The options that the scores of a row depend on; `arguments` as in [`run_row`]."""
    options = {name: getattr(arguments, name) for name in ("setting", "split", "bootstrap")}
    return options | {"batch_size": PAIRS_AT_ONCE, "limit": len(source)}


def read_batch(source: PairSource, number: int) -> list[ScoredPair]:
    """The pairs whose results are written together, by the number of their batch."""
    rows = range(number * PAIRS_AT_ONCE, min((number + 1) * PAIRS_AT_ONCE, len(source)))
    return [read_pair(source[row]) for row in rows]


def run_row(
    segmenter: Segmenter,
    source: PairSource,
    folder_path: Path,
    arguments: argparse.Namespace,
    accelerator: Accelerator,
) -> dict[str, Any] | None:
    """
    Scores a segmenter on pairs, or resumes a stopped run. The results do not depend on the
    number of processes.

    Args:
        segmenter ([`Segmenter`]): The model.
        source (`PairSource`): The pairs, unchecked.
        folder_path (`Path`): Folder for the results.
        arguments (`Namespace`): "data", "setting", "split", "seed", "bootstrap" and "plugin" of the command line.
        accelerator (`Accelerator`): Connects the processes.

    Returns:
        `dict`, *optional*: The report; `None` on all processes but the main one, and if it was already finished.
    """
    options = row_options(arguments, source)
    plugin = [sha256_of(path) for path in arguments.plugin if plugin_module(path) == type(segmenter).__module__]
    if plugin:
        options["plugin"] = plugin
    identity = identity_of(segmenter.identity, source, options, accelerator.device.type)
    folder = EvaluationFolder(folder_path, identity)
    if folder.is_finished():
        return None
    num_batches = -(-len(source) // PAIRS_AT_ONCE)
    own, file = folder.share(accelerator, num_batches)
    started = time.perf_counter()
    for number in tqdm(own, desc=segmenter.name, unit="batch", disable=not accelerator.is_main_process):
        pairs = read_batch(source, number)
        result = score_answers(number, pairs, [answers_of(segmenter, pair) for pair in pairs])
        append_result(file, {**result, "seconds": time.perf_counter() - started})
    accelerator.wait_for_everyone()
    if not accelerator.is_main_process:
        return None
    return finish_row(folder, num_batches, segmenter.name, source, arguments, identity, accelerator.num_processes)


def finish_row(
    folder: EvaluationFolder,
    num_batches: int,
    name: str,
    source: PairSource,
    arguments: argparse.Namespace,
    identity: dict[str, Any],
    processes: int,
) -> dict[str, Any]:
    """Joins the results of a row, and writes its report and predictions; arguments as in [`run_row`]."""
    scores, samples, facts = collect(folder.results(), num_batches, arguments.bootstrap)
    named = argparse.Namespace(**{**vars(arguments), "model": name})
    report = make_report(named, scores, samples, facts, source, identity["options"], identity, processes)
    report["model"]["name"] = name  # In full, even if it looks like a path ("run/checkpoint-100").
    report["unusable_answers"] = write_answers(samples, folder.folder / ANSWERS)
    write_report(folder.folder, report, samples, source)
    folder.finish()
    return report


def write_answers(samples: Sequence[dict[str, Any]], path: Path) -> int:
    """
    Writes the answers of language models, one line per sentence; no file without answers.

    Args:
        samples (`Sequence[dict]`): Result of [`collect`].
        path (`Path`): The file.

    Returns:
        `int`: Number of answers that could not be used.
    """
    said = [sample for sample in samples if "answer" in sample]
    if said:
        names = {"sample_id": "sample_id", "expression": "expression", "answer": "answer", "problem": "answer_problem"}
        lines = [json.dumps({name: sample[key] for name, key in names.items()}, ensure_ascii=False) for sample in said]
        write_text(path, "\n".join(lines) + "\n")
    return sum(sample["answer_problem"] is not None for sample in said)
