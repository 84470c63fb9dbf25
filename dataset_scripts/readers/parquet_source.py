# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Exported Parquet: the files that a folder's `README.md` lists, and their rows as pairs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PureWindowsPath
from typing import Any

import pyarrow
import pyarrow.parquet
from datasets import Features
from huggingface_hub import metadata_load

from dataset_scripts.errors import DataError

from .image_file import ImageFile
from .pair_record import Expression, PairRecord
from .reading_report import ReadingReport, Reason, UnusableError
from .schema import CHANGE_TYPES, DOMAINS, FEATURES, PAIRS_SUFFIX, SPLITS, VIEWS


CARD = "README.md"
ROWS_AT_ONCE = 4


@dataclass(frozen=True)
class ParquetFiles:
    """
    One split of a configuration.

    Args:
        name (`str`): Configuration and split, for messages, and the `folder` of the records.
        split (`str`): One of `schema.SPLITS`.
        layout (`str`): A key of `schema.FEATURES`.
        pair_count (`int`): Its pairs.
        paths (`tuple[Path, ...]`): Its files in order.
    """

    name: str
    split: str
    layout: str
    pair_count: int
    paths: tuple[Path, ...]


def find_parquet_files(folder: Path) -> list[ParquetFiles]:
    """
    Finds the files that hold every pair once: those of one row a pair where there are any, otherwise those of one row
    a sentence; files that several configurations have are taken once.

    Args:
        folder (`Path`): A folder with `README.md`, whose YAML block lists configurations and their files.

    Returns:
        `list[ParquetFiles]`: Sorted by configuration; empty if there is no such `README.md`.

    Raises:
        [`DataError`]: If a file is missing, no Parquet, or has other columns.
    """
    taken: set[Path] = set()
    found: list[ParquetFiles] = []
    listed = sorted(_listed_files(folder), key=lambda entry: entry[:2])
    with_pairs = {(config, split) for config, split, _ in listed if config.endswith(PAIRS_SUFFIX)}
    for config, split, paths in listed:
        new = tuple(path for path in paths if path not in taken)
        if new and (config + PAIRS_SUFFIX, split) not in with_pairs:
            taken.update(new)
            layout = _layout(new[0])
            found.append(ParquetFiles(f"{config}/{split}", split, layout, _count_pairs(new, layout), new))
    return found


def list_parquet_pairs(files: ParquetFiles, report: ReadingReport) -> Iterator[PairRecord]:
    """
    Reads rows, a few at a time, without decoding images and masks.

    Args:
        files (`ParquetFiles`): From [`find_parquet_files`].
        report (`ReadingReport`): Takes what is skipped.

    Yields:
        `PairRecord`: The pairs, in the order of the rows.

    Raises:
        [`DataError`]: If a file is damaged.
    """
    seen: set[tuple[str | None, str]] = set()
    for path in files.paths:
        for number, row in enumerate(_pair_rows(path, files.layout)):
            try:
                record = _record(files, row)
                if (record.domain, record.pair_id) in seen:
                    raise UnusableError(Reason.DUPLICATE_ID, f'an earlier pair has the id "{record.pair_id}"')
            except UnusableError as error:
                report.skip(error.reason, files.name, f"{path.name}, pair {number}", error.detail)
                continue
            seen.add((record.domain, record.pair_id))
            yield record


def _listed_files(folder: Path) -> list[tuple[str, str, list[Path]]]:
    """Configuration, split and files, as the card lists them."""
    card = folder / CARD
    if not card.is_file():
        return []
    try:
        content = metadata_load(card)
    except (ValueError, OSError) as error:
        raise DataError(f"The YAML block of {card} cannot be read: {error}; repair it.") from error
    listed = []
    for config in (content or {}).get("configs") or []:
        data_files = config.get("data_files")
        if not isinstance(data_files, list) or not all(isinstance(entry, dict) for entry in data_files):
            raise DataError(f'{card}: data_files of "{config.get("config_name")}" is no list of split and path.')
        for entry in data_files:
            split = entry["split"]
            if split not in SPLITS:
                raise DataError(f'{card} names the split "{split}"; known are {", ".join(SPLITS)}.')
            listed.append((config["config_name"], split, _expand(folder, entry["path"])))
    return listed


def _expand(folder: Path, patterns: str | list[str]) -> list[Path]:
    """The files that fit patterns; none may lie outside of the folder."""
    paths: list[Path] = []
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        if ".." in pattern.split("/") or pattern.startswith("/") or PureWindowsPath(pattern).drive:
            raise DataError(f'{folder / CARD} names "{pattern}", which leads out of the folder; name a file in it.')
        matches = sorted(folder.glob(pattern))
        if not matches:
            raise DataError(f'{folder / CARD} names "{pattern}", but no file fits it; export it anew.')
        paths += matches
    return paths


def _open(path: Path) -> pyarrow.parquet.ParquetFile:
    """A file's header."""
    with _damage_named(path):
        return pyarrow.parquet.ParquetFile(path)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Whatever pyarrow raises for a damaged file becomes a [`DataError`] with its name."""
    try:
        yield
    except DataError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise DataError(f"{path} is no whole Parquet file: {detail}; export it anew.") from error


def _layout(path: Path) -> str:
    """The layout of a file."""
    with _damage_named(path):
        features = Features.from_arrow_schema(_open(path).schema_arrow)
    for layout, make_features in FEATURES.items():
        if features == make_features():
            return layout
    raise DataError(f"{path} has other columns than exports have ({', '.join(features)}); export it anew.")


def _count_pairs(paths: tuple[Path, ...], layout: str) -> int:
    """How many pairs files hold."""
    if layout != "referring":
        return sum(_open(path).metadata.num_rows for path in paths)
    count = 0
    for path in paths:
        with _damage_named(path):
            ids = _open(path).read(columns=["pair_id"])["pair_id"].to_pylist()
        count += sum(1 for _ in groupby(ids))
    return count


def _pair_rows(path: Path, layout: str) -> Iterator[Mapping[str, Any]]:
    """One row a pair. Sentences that follow each other and have one `pair_id` are one pair."""
    rows = _rows(path)
    if layout != "referring":
        yield from rows
        return
    lists = {"expressions": "expression", "masks": "mask", "change_types": "change_type", "noisy": "noisy"}
    for _, group in groupby(rows, key=lambda row: row["pair_id"]):
        sentences = list(group)
        columns = {name: [sentence[column] for sentence in sentences] for name, column in lists.items()}
        yield {**sentences[0], **columns}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file as they are."""
    with _damage_named(path):
        for batch in _open(path).iter_batches(batch_size=ROWS_AT_ONCE):
            yield from batch.to_pylist()


def _record(files: ParquetFiles, row: Mapping[str, Any]) -> PairRecord:
    """One row as a pair."""
    pair_id = row["pair_id"]
    if not isinstance(pair_id, str):
        raise UnusableError(Reason.UNREADABLE_JSON, "pair_id is no text")
    name = f"{files.name}/{pair_id}"
    is_pretrain = files.layout == "pretrain"
    return PairRecord(
        pair_id=pair_id,
        split=files.split,
        domain=_label(DOMAINS, row["domain"]),
        view=_label(VIEWS, row["view"]) or "unknown",
        source=row["source"] or "unknown",
        image_t1=_image(row["image_t1"], f"{name}/image_t1", Reason.MISSING_IMAGE),
        image_t2=_image(row["image_t2"], f"{name}/image_t2", Reason.MISSING_IMAGE),
        expressions=() if is_pretrain else _expressions(row, name),
        change_mask=_image(row["mask"], f"{name}/mask", Reason.MISSING_MASK) if is_pretrain else None,
        folder=files.name,
    )


def _expressions(row: Mapping[str, Any], name: str) -> tuple[Expression, ...]:
    """The sentences of a row."""
    columns = [row[column] for column in ("expressions", "masks", "change_types", "noisy")]
    if len({len(column) for column in columns}) > 1:
        raise UnusableError(Reason.UNREADABLE_JSON, "expressions, masks, change_types and noisy differ in length")
    return tuple(
        Expression(
            text=text,
            mask=_image(mask, f"{name}/{index}", Reason.MISSING_MASK),
            change_type=_label(CHANGE_TYPES, change_type) or "unknown",
            index=index,
            noisy=bool(noisy),
        )
        for index, (text, mask, change_type, noisy) in enumerate(zip(*columns))
    )


def _image(cell: Mapping[str, Any] | None, name: str, missing: Reason) -> ImageFile:
    """The image that a cell holds."""
    data = None if cell is None else cell["bytes"]
    if data is None:
        raise UnusableError(missing, f"{name} holds no bytes")
    return ImageFile(name=name, source=data)


def _label(names: Sequence[str], number: int | None) -> str | None:
    """The name of a label, which may be null."""
    if number is None:
        return None
    if not 0 <= number < len(names):
        raise UnusableError(Reason.UNREADABLE_JSON, f"it has the label {number}; known are 0 to {len(names) - 1}")
    return names[number]
