# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes the results of an evaluation: report.json, predictions.parquet, the tables and the image sheet."""

import argparse
import platform
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from PIL import Image

from dataset_scripts.readers import PairSource
from mtrefseg import __version__
from mtrefseg.io import sha256_bytes, sha256_of, write_json, write_text
from mtrefseg.view.predictions import PREDICTIONS_SCHEMA, ScoredSentence
from mtrefseg.view.report_images import Case, draw_cases
from mtrs_iou import MaskScores, merge
from trainer.errors import TrainingError
from trainer.names import PREDICTIONS, REPORT

from .batches import read_pair
from .folder import total_seconds
from .image_sheet import choose_cases
from .model_card import hardware, shown_name
from .paper_scores import latex_report, markdown_report


SHEET = "sheet.png"
_VERSIONS = ("torch", "transformers", "accelerate", "datasets", "numpy", "pillow")


def model_hash(folder: Path) -> dict[str, str]:
    """
    SHA-256 of the weights of a checkpoint, and of the files that determine their use.

    Args:
        folder (`Path`): The checkpoint.

    Returns:
        `dict[str, str]`: 64 hexadecimal digits by file name.

    Raises:
        TrainingError: If there are no safetensors.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise TrainingError(f"{folder} holds no weights (*.safetensors): give --model the folder of a checkpoint.")
    names = ("config.json", "processor_config.json", "preprocessor_config.json", "tokenizer.json")
    return {
        path.name: sha256_of(path)
        for path in [*weights, *(folder / name for name in names if (folder / name).is_file())]
    }


def versions() -> dict[str, str]:
    """Versions of Python, of this project and of the libraries that scores may depend on."""
    return {
        "python": platform.python_version(),
        "mtrefseg": __version__,
        **{name: version(name) for name in _VERSIONS},
    }


def identity_of(
    hashes: Mapping[str, str], source: PairSource, options: Mapping[str, Any], device: str
) -> dict[str, Any]:
    """Model, data, options, device and versions. Two evaluations with equal values give the same scores."""
    data = sha256_bytes(source.identity.encode())
    return {"model": dict(hashes), "data": data, "options": dict(options), "device": device, "versions": versions()}


def command_line(processes: int) -> str:
    """The command line of this run."""
    launcher = ["python"] if processes == 1 else ["accelerate", "launch", "--num_processes", str(processes)]
    return shlex.join([*launcher, *sys.argv])


def collect(
    results: Iterable[dict[str, Any]], num_batches: int, bootstrap: int
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """
    Joins the results of all processes and attempts.

    Args:
        results (`Iterable[dict]`): From [`EvaluationFolder.results`].
        num_batches (`int`): The expected number of batches.
        bootstrap (`int`): Resamples for the intervals.

    Returns:
        `dict`: The scores, see `mtrs_iou/README.md`.
        `list[dict]`: The sentences in order, with "iou" and pixel counts.
        `dict`: "sha256" of the data, "pairs", "sentences" and "seconds".

    Raises:
        TrainingError: If a batch is missing, or only some predictions have a no-target score.
    """
    ordered = sorted(results, key=lambda result: int(result["batch"]))
    if len(ordered) != num_batches:
        raise TrainingError(
            f"{num_batches - len(ordered)} of {num_batches} batches are missing. All processes must share one file "
            "system for --output_dir; start the evaluation again."
        )
    scores = MaskScores.from_state(merge([result["state"] for result in ordered]))
    try:
        summary = scores.compute(bootstrap=bootstrap, per_sample=True)
    except ValueError as error:
        # It names a sample by its internal key.
        names = {sample["key"]: sample["sample_id"] for result in ordered for sample in result["samples"]}
        text = re.sub(r"'(\d+-\d+-\d+)'", lambda found: repr(names.get(found[1], found[1])), str(error))
        raise TrainingError(f"The predictions cannot be scored: {text}.") from error
    details = {entry["sample_id"]: entry for entry in summary.pop("per_sample")}
    samples = [
        {**sample, "batch": result["batch"], "iou": details[sample["key"]]["IoU"]} | _wrongness(details[sample["key"]])
        for result in ordered
        for sample in result["samples"]
    ]
    digests = [digest for result in ordered for digest in result["digests"]]
    facts = {
        # Sorted, to be independent of the order of folders.
        "sha256": sha256_bytes("".join(sorted(digests)).encode()),
        "pairs": len(digests),
        "sentences": len(samples),
        "seconds": total_seconds([(result["attempt"], result["seconds"]) for result in ordered]),
    }
    return summary, samples, facts


def make_report(
    arguments: argparse.Namespace,
    scores: dict[str, Any],
    samples: Sequence[dict[str, Any]],
    facts: dict[str, Any],
    source: PairSource,
    options: Mapping[str, Any],
    identity: dict[str, Any],
    processes: int,
) -> dict[str, Any]:
    """
    The content of `report.json`. Everything except "run" is independent of the number of processes.

    Args:
        arguments (`Namespace`): "model", "data", "setting", "split" and "seed" of the command line.
        scores, samples, facts: From [`collect`].
        source (`PairSource`): The pairs.
        options (`Mapping`): Further options that affect the scores, such as thresholds.
        identity (`dict`): Result of [`identity_of`].
        processes (`int`): Number of processes.

    Returns:
        `dict`: "scores", "model", "data", "counted_as_wrong", "left_out", "options", "versions", "identity" and "run".
    """
    seconds = facts["seconds"]
    return {
        "scores": scores,
        "model": {"name": shown_name(arguments.model), "sha256": identity["model"]},
        "data": {
            "name": shown_name(arguments.data),
            "setting": arguments.setting,
            "split": arguments.split,
            **{name: facts[name] for name in ("pairs", "sentences", "sha256")},
        },
        "counted_as_wrong": [
            {"sample_id": sample["sample_id"], "problem": sample["problem"]} for sample in samples if sample["problem"]
        ],
        "left_out": list(source.left_out),
        "options": dict(options),
        "versions": identity["versions"],
        "identity": identity,
        "run": {
            "command": command_line(processes),
            "seed": arguments.seed,
            "device": identity["device"],
            "hardware": hardware(),
            "processes": processes,
            "seconds": round(seconds, 3),
            "sentences_per_second": round(len(samples) / seconds, 3),
        },
    }


def write_report(folder: Path, report: dict[str, Any], samples: Sequence[dict[str, Any]], source: PairSource) -> None:
    """
    Writes all files. The report is written last, so that its presence means that the others are complete.

    Args:
        folder (`Path`): The output folder.
        report (`dict`): Content of `report.json`.
        samples (`Sequence[dict]`): From [`collect`].
        source (`PairSource`): Source of the images for the sheet.
    """
    rows = [{name: sample[name] for name in PREDICTIONS_SCHEMA.names} for sample in samples]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=PREDICTIONS_SCHEMA), folder / PREDICTIONS)
    data = report["data"]
    measure = (
        f"{data['name']}, {'all domains' if data['setting'] == 'TV' else data['setting']}, {data['split']}, "
        f"{data['sentences']:,} sentences{' in other words' if 'reworded' in report['options'] else ''} "
        f"of {data['pairs']:,} pairs, at the images' own size"
    )
    table = (data["setting"], report["model"]["name"], measure, report["scores"])
    write_text(folder / "table.md", markdown_report(*table))
    write_text(folder / "table.tex", latex_report(*table))
    _draw(samples, source, int(report["options"]["batch_size"])).save(folder / SHEET)
    write_json(folder / REPORT, report)


def summary(report: dict[str, Any], folder: Path) -> str:
    """The report in a few lines, with every sentence that counts as wrong because it could not be read."""
    scores = report["scores"]
    lines = [f"counted as wrong: {entry['sample_id']} ({entry['problem']})" for entry in report["counted_as_wrong"]]
    lines += [f"left out: {finding}" for finding in report["left_out"]]
    lines.append(f"sentences  {scores['num_samples']:,}")
    names = ("mIoU", "oIoU", "Pr@50", "N-acc", "T-acc")
    lines += [f"{name:<9}  {scores[name]:.2f}" for name in names if scores[name] is not None]
    return "\n".join([*lines, f"written to {folder}"])


def _wrongness(detail: dict[str, Any]) -> dict[str, Any]:
    wrong = detail["prediction_area"] + detail["reference_area"] - 2 * detail["intersection"]
    return {"reference_area": detail["reference_area"], "wrong": wrong}


def _draw(samples: Sequence[dict[str, Any]], source: PairSource, batch_size: int) -> Image.Image:
    """The image sheet."""
    candidates = [
        {
            **sample,
            "pair": sample["batch"] * batch_size + sample["place"],
            "wrong_share": sample["wrong"] / (sample["truth"]["size"][0] * sample["truth"]["size"][1]),
        }
        for sample in samples
        if sample["prediction"] is not None
    ]
    sections: dict[str, list[Case]] = {}
    for kind, chosen in choose_cases(candidates).items():
        sections[kind] = []
        for sample in chosen:
            columns = {name: sample[name] for name in PREDICTIONS_SCHEMA.names}
            has_target, wrong = sample["reference_area"] > 0, sample["wrong"]
            sentence = ScoredSentence(**columns, has_target=has_target, wrong_pixels=wrong)
            sections[kind].append(Case(sentence, read_pair(source[sample["pair"]]).images))
    return draw_cases(sections)
