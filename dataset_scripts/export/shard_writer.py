# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes one Parquet file of an export atomically."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

from dataset_scripts.errors import DataError
from dataset_scripts.readers import (
    FEATURES,
    Pair,
    PairContent,
    ReadingReport,
    UnusableError,
    check_pair,
    make_rows,
    read_content,
)
from mtrefseg.io import read_json, sha256_of, write_json, written_whole

from .plan import Shard


# Looking up a row means reading its row group.
_ROWS_PER_GROUP = 100
_STORED_BYTES_PER_GROUP = 16 * 2**20
# The row of a sentence contains the images of its pair. In memory, and when the row group is read, they count once
# per row.
_BYTES_PER_GROUP = 128 * 2**20
# On disk they are stored once per row group, if the dictionary is at most this large.
_DICTIONARY_BYTES = 2**30


@dataclass
class ShardSummary:
    """
    Summary of a written file.

    Args:
        pairs, rows (`int`): Number of pairs and of rows.
        no_target (`int`): Masks without a pixel.
        change_types (`dict[str, int]`): Number of sentences by change type.
        num_bytes (`int`): Size of the rows in memory.
        file_bytes (`int`): Size of the file.
        sha256 (`str`): Its hash, hexadecimal.
        report (`dict`): `ReadingReport.to_json` of its pairs.
    """

    pairs: int = 0
    rows: int = 0
    no_target: int = 0
    change_types: dict[str, int] = field(default_factory=dict)
    num_bytes: int = 0
    file_bytes: int = 0
    sha256: str = ""
    report: dict[str, Any] = field(default_factory=dict)


def write_shard(shard: Shard, folder: Path, on_pair: Callable[[], object] | None = None) -> ShardSummary:
    """
    Writes a file and its summary. The summary is written before the file gets its final name, so that a file that
    exists is complete and has a summary.

    Args:
        shard (`Shard`): The file to write.
        folder (`Path`): Files go into its folder "data", summaries into "summaries".
        on_pair (`Callable`, *optional*): Called after each pair.

    Returns:
        `ShardSummary`: The summary.

    Raises:
        DataError: If a raw file changes while it is read.
        OSError: If the file cannot be written.
    """
    path, summary_path = folder / "data" / shard.name, folder / "summaries" / f"{shard.name}.json"
    for parent in (path.parent, summary_path.parent):
        parent.mkdir(parents=True, exist_ok=True)
    report = ReadingReport()
    summary = ShardSummary()
    with written_whole(path) as file:
        with _RowGroups(file, FEATURES[shard.layout](), summary) as groups:
            for pair in shard.pairs:
                checked, findings = check_pair(pair)
                report.extend(findings)
                if checked is not None:
                    report.keep(checked.folder, len(checked.expressions))
                    _add_pair(checked, shard.layout, groups, summary)
                if on_pair is not None:
                    on_pair()
        file.flush()
        summary.file_bytes = file.tell()
        summary.sha256 = sha256_of(Path(file.name))
        summary.report = report.to_json()
        write_json(summary_path, asdict(summary))
    return summary


def read_summary(shard: Shard, folder: Path) -> ShardSummary:
    """The summary of a shard that was written into this folder."""
    return ShardSummary(**read_json(folder / "summaries" / f"{shard.name}.json"))


def _add_pair(pair: Pair, layout: str, groups: "_RowGroups", summary: ShardSummary) -> None:
    try:
        content = read_content(pair)
    except (UnusableError, OSError) as error:
        raise DataError(f"{pair.folder} was changed while it was read; export it again: {error}") from error
    change_types = Counter(expression.change_type for expression in pair.expressions)
    summary.pairs += 1
    summary.no_target += sum(area == 0 for area in content.areas)
    summary.change_types = dict(sorted((Counter(summary.change_types) + change_types).items()))
    groups.add(make_rows(pair, content, layout), content)


class _RowGroups:
    """Collects rows and writes them in groups."""

    def __init__(self, file: IO[bytes], features: Features, summary: ShardSummary) -> None:
        self.features = features
        self.summary = summary
        self._writer = pq.ParquetWriter(
            file,
            features.arrow_schema,
            compression="zstd",
            use_dictionary=True,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
        )
        self._rows: list[dict[str, Any]] = []
        self._stored_bytes = 0
        self._bytes = 0

    def __enter__(self) -> "_RowGroups":
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self._flush()
        self._writer.close()

    def add(self, rows: list[dict[str, Any]], content: PairContent) -> None:
        """Adds the rows of one pair."""
        images = len(content.image_t1["bytes"]) + len(content.image_t2["bytes"])
        masks = [len(mask["bytes"]) for mask in content.masks]
        # The row of a pair contains all masks, the row of a sentence only its own.
        sizes = masks if len(rows) == len(masks) else [sum(masks)]
        new = images
        for row, size in zip(rows, sizes, strict=True):
            if self._rows and (
                len(self._rows) == _ROWS_PER_GROUP
                or self._stored_bytes + new + size > _STORED_BYTES_PER_GROUP
                or self._bytes + images + size > _BYTES_PER_GROUP
            ):
                self._flush()
                new = images
            self._rows.append(self.features.encode_example(row))
            self._stored_bytes += new + size
            self._bytes += images + size
            new = 0

    def _flush(self) -> None:
        if not self._rows:
            return
        table = pa.Table.from_pylist(self._rows, schema=self.features.arrow_schema)
        self._writer.write_table(table, row_group_size=len(table))
        self.summary.rows += len(table)
        self.summary.num_bytes += table.nbytes
        self._rows, self._stored_bytes, self._bytes = [], 0, 0
