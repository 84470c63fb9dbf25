# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Opens a folder of pairs, of whatever kind it is: the raw layout, an image folder with `metadata.jsonl`, or exported
Parquet. Whoever reads people's data reads it through here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dataset_scripts.errors import DataError

from .look_ahead import map_ahead
from .metadata_source import METADATA, MetadataReader
from .pair_record import PairRecord, check_pair
from .parquet_source import find_parquet_files, list_parquet_pairs
from .raw_layout import find_split_folders, list_pairs
from .reading_report import Finding, ReadingReport
from .split_folders import SPLIT_NAMES


@dataclass(frozen=True)
class SourcePart:
    """
    A split folder, one `metadata.jsonl`, or one split of a Parquet configuration.

    Args:
        name (`str`): Its name in messages, also the `folder` of its records.
        split (`str`): One of `schema.SPLITS`.
        pair_count (`int`): How many pairs it lists.
        list_records (`Callable[[], Iterable[PairRecord]]`): Lists them without decoding an image; Parquet is read a
            few rows at a time.
    """

    name: str
    split: str
    pair_count: int
    list_records: Callable[[], Iterable[PairRecord]]


@dataclass(frozen=True)
class Source:
    """
    A folder of pairs.

    Args:
        kind (`str`): `"raw layout"`, `"image folder"` or `"Parquet"`.
        folder (`Path`): The folder.
        parts (`tuple[SourcePart, ...]`): What it consists of.
        report (`ReadingReport`): Takes what is skipped or repaired.
    """

    kind: str
    folder: Path
    parts: tuple[SourcePart, ...]
    report: ReadingReport

    @property
    def pair_count(self) -> int:
        """How many pairs all parts list; some of them may turn out to be unusable."""
        return sum(part.pair_count for part in self.parts)

    def list_records(self) -> Iterator[PairRecord]:
        """Every pair of every part, unchecked; for callers that check on threads of their own."""
        for part in self.parts:
            yield from part.list_records()

    def keep_checked(self, record: PairRecord | None, findings: Iterable[Finding]) -> PairRecord | None:
        """Enters what `check_pair` gave into the report, and returns the record."""
        self.report.extend(findings)
        if record is not None:
            self.report.keep(record.folder, len(record.expressions))
        return record

    def read(self, split: str | None = None, domain: str | None = None) -> Iterator[PairRecord]:
        """
        Reads pairs; all their images and masks are known to be whole.

        Args:
            split (`str`, *optional*): Only this one of `schema.SPLITS`.
            domain (`str`, *optional*): Only this one of `schema.DOMAINS`.

        Yields:
            `PairRecord`: The usable pairs, in order, each when the one before it was taken.
        """
        wanted = (
            record
            for record in self.list_records()
            if split in (None, record.split) and domain in (None, record.domain)
        )
        for checked, findings in map_ahead(check_pair, wanted):
            record = self.keep_checked(checked, findings)
            if record is not None:
                yield record


def open_source(folder: str | Path, report: ReadingReport) -> Source:
    """
    Opens a folder of pairs.

    Args:
        folder (`str` or `Path`): The raw layout (the dataset's root or one split folder), an image folder with
            `metadata.jsonl`, or a folder of exported Parquet with its `README.md`.
        report (`ReadingReport`): Takes what is skipped or repaired, now and while the source is read.

    Returns:
        `Source`: Its parts, sorted by split.

    Raises:
        [`DataError`]: If it is no folder, or none of these kinds.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name the folder that holds the data.")
    openers = {"image folder": _image_folder_parts, "Parquet": _parquet_parts, "raw layout": _raw_parts}
    for kind, list_parts in openers.items():
        parts = list_parts(folder, report)
        if parts:
            return Source(kind, folder, tuple(parts), report)
    raise DataError(
        f"{folder} holds no pairs that are known here: neither folders A and B (in it or in its sub-folders), nor "
        f"{METADATA} (in it or in train, validation, test), nor README.md with configurations of Parquet files."
    )


def _raw_parts(folder: Path, report: ReadingReport) -> list[SourcePart]:
    """The split folders. Pairs of a folder of no domain have the domain of the folder that has them as well."""
    try:
        split_folders = find_split_folders(folder)
    except DataError:
        return []
    parts: list[SourcePart] = []
    domains: dict[str, dict[str, str | None]] = {}
    for split_folder in sorted(split_folders, key=lambda split_folder: split_folder.domain is None):
        known = domains.setdefault(f"{split_folder.split} {split_folder.is_pretrain}", {})
        records = list_pairs(split_folder, report, known)
        if split_folder.domain is not None:
            for record in records:
                same = known.get(record.pair_id, split_folder.domain) == split_folder.domain
                known[record.pair_id] = split_folder.domain if same else None
        parts.append(_part(split_folder.name, split_folder.split, records))
    return sorted(parts, key=lambda part: part.name)


def _part(name: str, split: str, records: Sequence[PairRecord]) -> SourcePart:
    """A part whose records are listed already."""
    return SourcePart(name, split, len(records), partial(iter, records))


def _parquet_parts(folder: Path, report: ReadingReport) -> list[SourcePart]:
    """The splits of the configurations that have one row a pair."""
    return [
        SourcePart(
            name=files.name,
            split=files.split,
            pair_count=files.pair_count,
            list_records=partial(list_parquet_pairs, files, report),
        )
        for files in find_parquet_files(folder)
    ]


def _image_folder_parts(folder: Path, report: ReadingReport) -> list[SourcePart]:
    """One part for every `metadata.jsonl`."""
    parts = []
    if (folder / METADATA).is_file():
        parts.append((folder, folder.resolve().name, SPLIT_NAMES.get(folder.resolve().name.lower(), "train")))
    for path in sorted(folder.iterdir()):
        if path.name.lower() in SPLIT_NAMES and (path / METADATA).is_file():
            parts.append((path, path.name, SPLIT_NAMES[path.name.lower()]))
    readers = [MetadataReader(path, folder.resolve(), name, split, report) for path, name, split in parts]
    return [_part(reader.name, reader.split, reader.list_pairs()) for reader in readers]
