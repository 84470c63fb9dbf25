# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Converts raw folders to a dataset of Parquet files that `load_dataset` reads directly."""

import errno
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import PIL
import pyarrow as pa
from datasets.utils import tqdm
from huggingface_hub import HfApi

from dataset_scripts.errors import DataError
from dataset_scripts.mtrefseg_21k import REPOSITORY
from dataset_scripts.mtrefseg_pretrain import REPOSITORY as PRETRAIN_REPOSITORY
from dataset_scripts.parallel import worker_pool
from dataset_scripts.readers import (
    PAIRS_SUFFIX,
    SETTINGS,
    MaskRule,
    ReadingReport,
    SplitFolder,
    find_split_folders,
    fingerprint,
    is_image_folder,
    printable,
)
from mtrefseg.io import write_text

from .card import CardFacts, add_up, make_card
from .folder import ExportFolder, Progress
from .plan import DEFAULT_SHARD_SIZE, ExportPlan, Shard, plan_export
from .shard_writer import ShardSummary, read_summary, write_shard


# The names of the published split folders.
_PUBLISHED = {
    "referring": re.compile(r"(NS_FINAL_CLEAN_|RS_FINAL_CLEAN_)(train|val)|(train|val)_FINAL_CLEAN"),
    "pretrain": re.compile(r"MTRefSeg_pretrain_(TV|TV_clean|NS|RS)"),
}
_LOCATION = re.compile(r'(load_dataset\()"[^"]*"')
"""Where the card names the repository."""
_REPOSITORIES = {"referring": (REPOSITORY, "MTRefSeg-21K"), "pretrain": (PRETRAIN_REPOSITORY, "MTRefSeg-Pretrained")}


@dataclass(frozen=True)
class ExportOptions:
    """
    Options of an export.

    Args:
        kind (`str`, *optional*): "referring" or "pretrain" (stage 1); by default "referring" if there is any such
            folder.
        with_pairs (`bool`, *optional*, defaults to `False`): Whether to write the configurations with one row per pair
            as well. Each image is then stored twice.
        max_shard_size (`int`, *optional*, defaults to 256 MB): Approximate size of a file in bytes.
        license (`str`, *optional*): The Hub's identifier; by default "apache-2.0" for the published folders, and
            "unknown" for all others.
        mask_rule (`MaskRule`, *optional*): Meaning of the values of the masks.
    """

    kind: str | None = None
    with_pairs: bool = False
    max_shard_size: int = DEFAULT_SHARD_SIZE
    license: str | None = None
    mask_rule: MaskRule | None = None


@dataclass(frozen=True)
class ExportResult:
    """
    The result of an export.

    Args:
        path (`Path`): The folder.
        is_new (`bool`): Whether anything was written; `False` if it was already finished.
        configs (`dict`): By configuration and split: pairs, rows, masks without a pixel, change types, bytes.
        report (`ReadingReport`): What was skipped and repaired.
        kind (`str`): "referring" or "pretrain".
        other_folders (`tuple[str, ...]`): Names of the split folders of the other kind, which were not exported.
    """

    path: Path
    is_new: bool
    configs: dict[str, dict[str, dict[str, Any]]]
    report: ReadingReport
    kind: str
    other_folders: tuple[str, ...]


def export_dataset(
    raw: Path,
    out: Path,
    options: ExportOptions | None = None,
    num_proc: int = 1,
    strict: bool = False,
    overwrite: bool = False,
) -> ExportResult:
    """
    Exports raw folders, or continues an interrupted export.

    Args:
        raw (`Path`): The raw dataset's folder, or one of its split folders.
        out (`Path`): Folder for the result: a new or empty one, or that of an earlier run.
        options (`ExportOptions`, *optional*): What to write.
        num_proc (`int`, *optional*, defaults to 1): Number of processes. The result does not depend on it.
        strict (`bool`, *optional*, defaults to `False`): Whether to fail if anything is skipped.
        overwrite (`bool`, *optional*, defaults to `False`): Whether to replace an export of other data or options.

    Returns:
        `ExportResult`: The written files; none if the same export already exists.

    Raises:
        DataError: If `raw` is an image folder or contains nothing that can be exported, if `out` contains something
            else, if files change or the disk becomes full, and with `strict` if anything was skipped.
    """
    options = options or ExportOptions()
    found = _find_folders(raw)
    kind = options.kind or ("pretrain" if all(folder.is_pretrain for folder in found) else "referring")
    folders = [folder for folder in found if folder.is_pretrain == (kind == "pretrain")]
    if not folders:
        raise DataError(f"{raw} holds no folder of the kind {kind} ({', '.join(folder.name for folder in found)})")
    if kind == "pretrain" and options.with_pairs:
        raise DataError("--pairs is for sentences: a stage-1 set has one row per pair anyway; leave it out")
    if any(out.resolve().is_relative_to(folder.path.resolve()) for folder in folders):
        raise DataError(f"{out} lies in the raw folder; name a folder outside of it")
    folder = ExportFolder(out, _identity(raw, folders, kind, options))
    replaces = overwrite and folder.is_replaceable()
    is_new = replaces or folder.progress() is not Progress.FINISHED
    if is_new:
        rule = options.mask_rule
        plan = plan_export(folders, kind == "pretrain", options.with_pairs, options.max_shard_size, rule)
        with _writing(folder), folder.locked():
            if replaces:
                folder.discard()
            folder.begin()
            _fill(folder, plan, folders, num_proc, strict)
    record = folder.read_record()
    folder.tidy()
    report = _read_report(record, out)
    if strict:
        report.raise_if_skipped()
    others = tuple(other.name for other in found if other not in folders)
    return ExportResult(out, is_new, record["configs"], report, kind, others)


def push_dataset(out: Path, repository: str, is_private: bool) -> str:
    """
    Uploads a finished export in one commit that replaces the content of the repository, and names the repository in
    the card.

    Args:
        out (`Path`): Its folder.
        repository (`str`): OWNER/NAME on the Hub; created if it does not exist.
        is_private (`bool`): Whether a new repository is private.

    Returns:
        `str`: The address of the repository.

    Raises:
        DataError: If the Hub rejects the upload.
    """
    api = HfApi()
    card = out / "README.md"
    # It names none, or that of an earlier upload.
    named = _LOCATION.sub(lambda found: f'{found[1]}"{repository}"', card.read_text(encoding="utf-8"))
    write_text(card, named)
    try:
        url = api.create_repo(repository, repo_type="dataset", private=is_private, exist_ok=True)
        api.upload_folder(
            repo_id=url.repo_id,
            folder_path=out,
            repo_type="dataset",
            allow_patterns=["README.md", "export.json", "data/*"],
            delete_patterns=["data/*"],
            commit_message="Upload the dataset with mtrefseg",
        )
    # The Hub raises both kinds of errors.
    except (OSError, ValueError) as error:
        raise DataError(f"{out} is complete, but cannot be uploaded to {repository}; run it again: {error}") from error
    return str(url)


def _find_folders(raw: Path) -> list[SplitFolder]:
    """The split folders of a raw dataset, of both kinds; raises a [`DataError`] for an image folder."""
    if raw.is_dir() and is_image_folder(raw):
        # With images in t1 and t2, it would be read as a stage-1 set, and its sentences would be lost.
        raise DataError(
            f"{raw} is an image folder (metadata.jsonl), which needs no export: --train_data and --data read it, and "
            f'load_dataset("imagefolder", data_dir={json.dumps(str(raw))})'
        )
    return find_split_folders(raw)


def _read_report(record: Mapping[str, Any], out: Path) -> ReadingReport:
    try:
        return ReadingReport.from_json(record["report"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(f"the record of {out} is damaged; export it again with --overwrite") from error


def _identity(raw: Path, folders: Sequence[SplitFolder], kind: str, options: ExportOptions) -> dict[str, Any]:
    """Everything that determines the result."""
    is_published = all(_PUBLISHED[kind].fullmatch(folder.name) for folder in folders)
    rule = options.mask_rule
    return {
        "raw": fingerprint([each.path for each in folders]),
        "name": _REPOSITORIES[kind][1] if is_published else printable(raw.resolve().name),
        "repository": _REPOSITORIES[kind][0] if is_published else None,
        "license": options.license or ("apache-2.0" if is_published else "unknown"),
        "kind": kind,
        "pairs": options.with_pairs,
        "max_shard_size": options.max_shard_size,
        **({} if rule is None else {"masks": {"values": list(rule.values), "threshold": rule.threshold}}),
        "versions": {"datasets": datasets.__version__, "pillow": PIL.__version__, "pyarrow": pa.__version__},
    }


def _fill(
    folder: ExportFolder, plan: ExportPlan, raw_folders: Sequence[SplitFolder], num_proc: int, strict: bool
) -> None:
    """Writes missing files, and finishes the export."""
    if not folder.is_moved:
        _write_shards(plan.shards, folder, num_proc)
    if fingerprint([each.path for each in raw_folders]) != folder.identity["raw"]:
        raise DataError("the raw folders were changed meanwhile; export them again with --overwrite")
    summaries = {shard: read_summary(shard, folder.work) for shard in plan.shards}
    report = ReadingReport()
    report.merge(plan.report)
    for shard, summary in summaries.items():
        # The other layout has the same images, with the same problems.
        if shard.layout != "pairs":
            report.merge(ReadingReport.from_json(summary.report))
    if strict:
        report.raise_if_skipped()
    facts = _card_facts(folder.identity, plan, summaries, report)
    if not facts.parts:
        raise DataError(f"nothing in the raw folders can be used, so there is nothing to export:\n{report.table()}")
    used = {shard: summary for shard, summary in summaries.items() if (shard.config, shard.split) in facts.summaries}
    for shard in set(summaries) - set(used):
        (folder.work / "data" / shard.name).unlink(missing_ok=True)
    record = {
        "configs": {
            config: {split: _sizes(facts, config, split) for split in facts.parts[config]} for config in facts.parts
        },
        "files": {
            shard.name: {"rows": summary.rows, "bytes": summary.file_bytes, "sha256": summary.sha256}
            for shard, summary in used.items()
        },
        "report": report.to_json(),
    }
    folder.publish(record, make_card(facts))


def _card_facts(
    identity: dict[str, Any], plan: ExportPlan, summaries: dict[Shard, ShardSummary], report: ReadingReport
) -> CardFacts:
    totals = {
        (config, split): add_up(
            summary for shard, summary in summaries.items() if (shard.config, shard.split) == (config, split)
        )
        for config, split in {(shard.config, shard.split) for shard in plan.shards}
    }
    totals = {key: total for key, total in totals.items() if total.rows}
    parts: dict[str, dict[str, tuple[str, ...]]] = {}
    for config in (setting + suffix for suffix in ("", PAIRS_SUFFIX) for setting in SETTINGS):
        for split, names in plan.parts.get(config, {}).items():
            with_rows = tuple(name for name in names if (name, split) in totals)
            if with_rows:
                parts.setdefault(config, {})[split] = with_rows
    return CardFacts(
        name=identity["name"],
        repository=identity["repository"],
        license=identity["license"],
        is_pretrain=identity["kind"] == "pretrain",
        parts=parts,
        summaries=totals,
        report=report,
    )


def _sizes(facts: CardFacts, config: str, split: str) -> dict[str, Any]:
    total = facts.total(config, split)
    return {
        "pairs": total.pairs,
        "rows": total.rows,
        "no_target": total.no_target,
        "change_types": total.change_types,
        "file_bytes": total.file_bytes,
    }


def _write_shards(shards: Sequence[Shard], folder: ExportFolder, num_proc: int) -> None:
    missing = [shard for shard in shards if not (folder.work / "data" / shard.name).is_file()]
    total, left = (sum(len(shard.pairs) for shard in some) for some in (shards, missing))
    with tqdm(total=total, initial=total - left, desc="Writing", unit=" pairs") as bar:
        if num_proc == 1:
            for shard in missing:
                write_shard(shard, folder.work, bar.update)
            return
        with worker_pool(num_proc) as pool:
            futures = {pool.submit(write_shard, shard, folder.work): len(shard.pairs) for shard in missing}
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update(futures[future])
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def _writing(folder: ExportFolder) -> Iterator[None]:
    """Converts errors of the operating system to a `DataError` that states what happens to the finished files."""
    kept = f"what is complete in {folder.path} is kept: run the same command again"
    try:
        yield
    except BrokenProcessPool as error:
        raise DataError(
            f"a process was killed, perhaps because memory ran out; use a smaller --num-proc; {kept}"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(f"the disk is full; free some space; {kept}") from error
        raise DataError(f"{error.filename or folder.path}: {error.strerror or error}; {kept}") from error
