# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes samples of a run for another tool: the images of their pairs, and a file of annotations beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from mtrefseg.io import folder_written_whole, read_json, sha256_of, write_json, write_text
from mtrs_iou import encode_rle

from ..audit.decisions import apply_decisions
from ..audit.store import AuditStore
from ..errors import CraftError
from ..records import Sample
from ..state.store import Store
from ..steps.exporting import check_changed, check_target, copy_images
from .annotations import AnnotatedPair, Region
from .formats import find_format


MARKER = ".craft-export"
"""A file in each folder of an export: the hashes of the other ones, without the images."""


@dataclass(frozen=True)
class ExchangeSummary:
    """
    What was exported.

    Args:
        file (`Path`): The file of annotations.
        pairs, samples, sentences (`int`): Their numbers.
        changed (`tuple[str, ...]`): Pairs that were left out because their files have changed since the run.
    """

    file: Path
    pairs: int
    samples: int
    sentences: int
    changed: tuple[str, ...]


def export_annotations(
    work: Path, out: Path, format_name: str, auditors: int = 1, as_polygons: bool = False
) -> ExchangeSummary:
    """
    Exports samples of a run.

    Args:
        work (`Path`): The folder of the run.
        out (`Path`): A new folder, or that of an earlier export in the same format, which is replaced. It gets `A/`,
            `B/` and the file of annotations.
        format_name (`str`): One of `FORMATS`.
        auditors (`int`, *optional*, defaults to 1): How many people must have accepted a sample; with 0, everything
            that nobody has rejected is exported.
        as_polygons (`bool`, *optional*, defaults to `False`): Whether to write outlines instead of pixels.

    Returns:
        `ExchangeSummary`: What was written.

    Raises:
        CraftError: If there is no such sample, all images are missing, or `out` holds something else, or an export
            that was changed.
    """
    store, audit, form = Store(work), AuditStore(work), find_format(format_name)
    check_target(store, out, MARKER)
    _check_unchanged(out)
    summary = ExchangeSummary(out / form.FILE_NAME, 0, 0, 0, ())

    def pairs() -> Iterator[AnnotatedPair]:
        nonlocal summary
        samples = audit.accepted_samples(auditors) if auditors else _not_rejected(store, audit)
        for pair_id, group in groupby(samples, key=lambda sample: sample.pair_id):
            if not copy_images(store, pair_id, building):
                summary = replace(summary, changed=(*summary.changed, pair_id))
                continue
            pair = _annotated(store, pair_id, list(group))
            summary = replace(
                summary,
                pairs=summary.pairs + 1,
                samples=summary.samples + len(pair.regions),
                sentences=summary.sentences + sum(len(region.expressions) for region in pair.regions),
            )
            yield pair

    with folder_written_whole(out) as building:
        for side in ("A", "B"):
            (building / side).mkdir()
        written = form.write(pairs(), as_polygons)
        for name, text in written.items():
            write_text(building / name, text)
        write_json(building / MARKER, {name: sha256_of(building / name) for name in written})
        if not summary.samples:
            check_changed(store, summary.changed)
            raise CraftError(
                f"{work} has no sample to export; run `craft-agent audit {work}` first, or give --auditors 0 for what "
                "nobody has judged yet"
            )
    return summary


def _check_unchanged(out: Path) -> None:
    """Raises `CraftError` if somebody has changed an earlier export, which would be removed with it."""
    if not (out / MARKER).is_file():
        return
    try:
        known = dict(read_json(out / MARKER))
    except (OSError, ValueError, TypeError) as error:
        raise CraftError(f"{out / MARKER} is damaged; name a new folder") from error
    for path in sorted(out.iterdir()):
        is_ours = path.name in (MARKER, "A", "B") or (path.is_file() and known.get(path.name) == sha256_of(path))
        if not is_ours:
            raise CraftError(f"{path} was added or changed since the export; import or move it, or name a new folder")


def _not_rejected(store: Store, audit: AuditStore) -> Iterator[Sample]:
    """
    All samples of the run that nobody has rejected, and those that an adjudicator accepted, with the edits of the
    newest decision.
    """
    for row in store.rows("SELECT DISTINCT pair_id FROM samples ORDER BY pair_id"):
        for sample in store.samples(row["pair_id"]):
            decisions = audit.decisions(sample.sample_id)
            if not decisions:
                yield sample
            elif all(each.verdict == "accept" for each in (decisions[-1:] if decisions[-1].final else decisions)):
                yield apply_decisions(sample, decisions)


def _annotated(store: Store, pair_id: str, samples: list[Sample]) -> AnnotatedPair:
    [row] = store.rows("SELECT file_t1, file_t2 FROM pairs WHERE pair_id = ?", pair_id)
    height, width = samples[0].mask.shape
    regions = [Region(each.sample_id, each.expressions, each.change_type, encode_rle(each.mask)) for each in samples]
    return AnnotatedPair(pair_id, row["file_t1"], row["file_t2"], (width, height), tuple(regions))
