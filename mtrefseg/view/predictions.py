# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads, filters, sorts and counts the sentences of an evaluation in `predictions.parquet`.

```python
sentences = load_predictions("outputs/report/predictions.parquet")
worst = worst_first(filter_predictions(sentences, domain="RS", change_type="appear", max_iou=50))
```
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from mtrefseg.io import read_limited
from mtrs_iou import count_masks, decode_rle


_RLE = pyarrow.struct([("size", pyarrow.list_(pyarrow.int32())), ("counts", pyarrow.string())])
PREDICTIONS_SCHEMA = pyarrow.schema(
    [
        *((name, pyarrow.string()) for name in ("sample_id", "pair_id", "domain", "change_type", "expression")),
        ("truth", _RLE),
        ("prediction", _RLE),
        ("iou", pyarrow.float64()),
        ("score", pyarrow.float64()),
        ("no_target_score", pyarrow.float64()),
        ("problem", pyarrow.string()),
    ]
)
"""`iou` is 0 to 100, the scores are probabilities. `prediction` is null if there is none, `truth` if it
cannot be read; then `problem` contains the reason."""
MOST_SENTENCES = 200_000
MOST_BYTES = 1 << 30
"""Maximum size of a file with all its texts decoded. The file may come from an untrusted
source."""
MOST_CHARACTERS = 10_000
"""Maximum length of a sentence or name."""
CODECS = ("UNCOMPRESSED", "SNAPPY")
"""Allowed compression of the columns. Other codecs can expand a few kilobytes to gigabytes."""
SNAPPY_RATIO = 24
"""Maximum compression ratio of Snappy."""
ROWS_AT_ONCE = 256
MOST_PIXELS = 1 << 26
"""Largest mask that is decoded: 8192 x 8192."""
IOU_STEPS = 10
"""Number of columns of the histogram."""


@dataclass(frozen=True)
class ScoredSentence:
    """
    One sentence, the prediction of the model, and its score.

    Args:
        sample_id, pair_id (`str`): Name of the sentence and of its pair.
        domain (`str`, *optional*): "NS" or "RS", `None` if unknown.
        change_type (`str`): "appear", "disappear", "state_change" or "unknown".
        expression (`str`): The sentence.
        truth, prediction (`dict`, *optional*): Masks as COCO RLE, "size" (height, width) and "counts"; `None` for a
            truth that cannot be read and for a missing prediction.
        iou (`float`): 0 to 100.
        score, no_target_score (`float`, *optional*): Probabilities; `None` without a prediction.
        problem (`str`, *optional*): Why the sentence counts as wrong although the model was not run on it.
        has_target (`bool`): Whether the sentence has a target in the pair; true if the truth cannot be read.
        wrong_pixels (`int`): Number of pixels that are in the truth or the prediction, but not in both.
    """

    sample_id: str
    pair_id: str
    domain: str | None
    change_type: str
    expression: str
    truth: Mapping[str, Any] | None
    prediction: Mapping[str, Any] | None
    iou: float
    score: float | None
    no_target_score: float | None
    problem: str | None
    has_target: bool
    wrong_pixels: int

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the pair in pixels, `None` if there is no mask."""
        mask = self.truth or self.prediction
        return None if mask is None else (mask["size"][0], mask["size"][1])

    def truth_mask(self) -> npt.NDArray[np.bool_] | None:
        """The truth, bool of shape `(height, width)`."""
        return None if self.truth is None else decode_rle(self.truth)

    def prediction_mask(self) -> npt.NDArray[np.bool_] | None:
        """The prediction, bool of shape `(height, width)`."""
        return None if self.prediction is None else decode_rle(self.prediction)


def load_predictions(path: str | Path, most_bytes: int = MOST_BYTES) -> list[ScoredSentence]:
    """
    Reads the output of `trainer/evaluate.py`. A few kilobytes of Parquet can expand to gigabytes, so the sizes in the
    file metadata are checked before anything is decoded. [`check_predictions`] detects wrong metadata.

    Args:
        path (`str` or `Path`): `predictions.parquet`.
        most_bytes (`int`, *optional*, defaults to `MOST_BYTES`): Maximum total size of all texts and masks when
            decoded.

    Returns:
        `list[ScoredSentence]`: In the order of the data.

    Raises:
        OSError: If there is no such file.
        ValueError: If it is not such a file, is damaged or too large, or contains a mask that cannot be decoded.
    """
    path = Path(path)
    sentences: list[ScoredSentence] = []
    left = most_bytes
    with _opened(path, most_bytes) as file:
        for batch in _batches(file, _rows_at_once(file, most_bytes)):
            left -= _text_bytes(path, batch, len(sentences))
            if left < 0:
                raise _too_large(path, most_bytes)
            rows = enumerate(batch.to_pylist(), start=len(sentences))
            sentences += [_read_row(path, number, row) for number, row in rows]
    return sentences


def check_predictions(path: str | Path, most_bytes: int = MOST_BYTES) -> None:
    """
    Reads a file as [`load_predictions`] does, but in another process with limited memory: the file metadata may
    give a smaller size than that of the pages. Must be called first for third-party files.

    Args:
        path (`str` or `Path`): `predictions.parquet`.
        most_bytes (`int`, *optional*, defaults to `MOST_BYTES`): As for [`load_predictions`].

    Raises:
        OSError: If there is no such file.
        ValueError: If it is damaged, or needs more memory than its metadata say.
    """
    read_limited(f"{__name__}:{read_through.__name__}", path, most_bytes)


def read_through(path: str | Path, most_bytes: int) -> None:
    """Reads a file as [`load_predictions`] does and discards the content; same arguments and errors."""
    path = Path(path)
    with _opened(path, most_bytes) as file:
        for _ in _batches(file, _rows_at_once(file, most_bytes)):
            pass


def filter_predictions(
    sentences: Iterable[ScoredSentence],
    domain: str | None = None,
    change_type: str | None = None,
    min_iou: float = 0.0,
    max_iou: float = 100.0,
    text: str = "",
) -> list[ScoredSentence]:
    """
    Filters sentences; an argument that is not given does not filter.

    Args:
        sentences (`Iterable[ScoredSentence]`): The sentences.
        domain (`str`, *optional*): Only this domain.
        change_type (`str`, *optional*): Only this change type.
        min_iou, max_iou (`float`, *optional*, default to 0 and 100): Only an IoU in this range, ends included.
        text (`str`, *optional*): Only sentences whose text or name contains all of these words, in upper or lower
            case.

    Returns:
        `list[ScoredSentence]`: In the same order.
    """
    words = text.lower().split()
    return [
        sentence
        for sentence in sentences
        if domain in (None, sentence.domain)
        and change_type in (None, sentence.change_type)
        and min_iou <= sentence.iou <= max_iou
        and all(word in f"{sentence.expression} {sentence.sample_id}".lower() for word in words)
    ]


def worst_first(sentences: Iterable[ScoredSentence]) -> list[ScoredSentence]:
    """Sorts by IoU; sentences with the same IoU by the number of wrong pixels, most first, then by name."""
    return sorted(sentences, key=lambda sentence: (sentence.iou, -sentence.wrong_pixels, sentence.sample_id))


def iou_histogram(sentences: Iterable[ScoredSentence]) -> list[int]:
    """Counts the sentences by IoU, in ten steps: 0 to below 10, 10 to below 20, and so on; the last includes 100."""
    counts = [0] * IOU_STEPS
    for sentence in sentences:
        counts[min(int(sentence.iou * IOU_STEPS / 100), IOU_STEPS - 1)] += 1
    return counts


def domains_of(sentences: Iterable[ScoredSentence]) -> list[str]:
    """The domains of some sentences, sorted."""
    return sorted({sentence.domain for sentence in sentences if sentence.domain is not None})


def change_types_of(sentences: Iterable[ScoredSentence]) -> list[str]:
    """The change types of some sentences, sorted."""
    return sorted({sentence.change_type for sentence in sentences})


def mean_iou(sentences: Sequence[ScoredSentence]) -> float:
    """The mean IoU, 0 to 100; 0 if there is no sentence."""
    return sum(sentence.iou for sentence in sentences) / len(sentences) if sentences else 0.0


@contextmanager
def _opened(path: Path, most_bytes: int) -> Iterator[pyarrow.parquet.ParquetFile]:
    """Opens the file and checks its metadata; errors of pyarrow in the block name it."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}: name the predictions.parquet of an evaluation.")
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_header(path, file, most_bytes)
            yield file
    # OSError: raised by pyarrow for some kinds of damage.
    except (pyarrow.ArrowException, OSError) as error:
        detail = " ".join(str(error).split())
        raise ValueError(f"{path} is not a complete predictions.parquet of an evaluation: {detail}") from error


def _check_header(path: Path, file: pyarrow.parquet.ParquetFile, most_bytes: int) -> None:
    missing = [name for name in PREDICTIONS_SCHEMA.names if name not in file.schema_arrow.names]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]}: name the predictions.parquet that trainer/evaluate.py wrote."
        )
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    if file.metadata.num_rows > MOST_SENTENCES or sum(group.total_byte_size for group in groups) > most_bytes:
        raise _too_large(path, most_bytes)
    for group in groups:
        for column in map(group.column, range(group.num_columns)):
            # The height and width of a mask are the only repeated values of a row.
            if column.num_values > 2 * group.num_rows or column.compression not in CODECS:
                raise ValueError(
                    f"{path}: the column {column.path_in_schema} has {column.num_values:,} values of "
                    f"{group.num_rows:,} sentences, with {column.compression} compression; evaluate again."
                )


def _too_large(path: Path, most_bytes: int) -> ValueError:
    return ValueError(
        f"{path} is larger than {MOST_SENTENCES:,} sentences or {most_bytes >> 20:,} MiB: evaluate in parts."
    )


def _rows_at_once(file: pyarrow.parquet.ParquetFile, most_bytes: int) -> list[int]:
    """
    For each row group, how many rows need at most a quarter of `most_bytes`. A repeated text is
    stored once in a dictionary, but decoded as often as it is repeated.
    """
    counts = []
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        longest = 0  # Total for the texts of a row; none is longer than its dictionary.
        for column in map(group.column, range(group.num_columns)):
            if column.has_dictionary_page:
                stored = column.data_page_offset - column.dictionary_page_offset
                longest += min(column.total_uncompressed_size, SNAPPY_RATIO * max(0, stored))
        counts.append(min(ROWS_AT_ONCE, max(1, most_bytes // 4 // max(1, longest))))
    return counts


def _batches(file: pyarrow.parquet.ParquetFile, rows_at_once: Sequence[int]) -> Iterator[pyarrow.Table]:
    """The rows, in batches of this size."""
    for number, count in enumerate(rows_at_once):
        for batch in file.iter_batches(count, row_groups=[number], columns=PREDICTIONS_SCHEMA.names):
            yield pyarrow.Table.from_batches([batch]).cast(PREDICTIONS_SCHEMA)


def _text_bytes(path: Path, batch: pyarrow.Table, number: int) -> int:
    """Bytes of all texts of a batch; raises if a sentence or name is too long. `number` is the number of the first
    sentence."""
    total = 0
    for name, kind in zip(batch.schema.names, batch.schema.types):
        column = batch[name].combine_chunks()
        if kind == _RLE:
            column = pyarrow.compute.struct_field(column, "counts")
        if column.type != pyarrow.string():
            continue
        lengths = pyarrow.compute.binary_length(column)
        total += pyarrow.compute.sum(lengths).as_py() or 0
        longest = pyarrow.compute.max(lengths).as_py() or 0
        if kind != _RLE and longest > MOST_CHARACTERS:
            raise ValueError(
                f"{path}: one of the sentences {number} to {number + len(batch) - 1} has {longest:,} bytes in {name}, "
                f"but at most {MOST_CHARACTERS:,} are read; evaluate again."
            )
    return total


def _read_row(path: Path, number: int, row: dict[str, Any]) -> ScoredSentence:
    """A sentence from a row; raises if the row is incomplete or its masks cannot be decoded."""
    for name in ("sample_id", "pair_id", "change_type", "expression", "iou"):
        if row[name] is None:
            raise ValueError(f"{path}, sentence {number}: {name} is null; evaluate again.")
    if not 0 <= row["iou"] <= 100:
        raise ValueError(f"{path}, sentence {number}: iou is {row['iou']}, but must be from 0 to 100; evaluate again.")
    name = f"{path}, sentence {number}"
    for column in ("truth", "prediction"):
        if row[column] is not None:
            _check_size(f"{name}: {column}", row[column]["size"])
    # A missing mask counts as wrong in all pixels of the other one.
    shown = row["truth"] or row["prediction"]
    if shown is None:
        return ScoredSentence(**row, has_target=True, wrong_pixels=0)
    try:
        counts = count_masks(row["prediction"], shown, name=name)
    except ValueError as error:
        raise ValueError(f"{error}; evaluate again.") from error
    wrong = counts.prediction_area + counts.reference_area - 2 * counts.intersection
    if row["truth"] is None:
        return ScoredSentence(**row, has_target=True, wrong_pixels=counts.reference_area)
    return ScoredSentence(**row, has_target=counts.reference_area > 0, wrong_pixels=wrong)


def _check_size(name: str, size: Sequence[int | None] | None) -> None:
    """Checks the size of a mask. Whether its runs match this size is checked when they are counted."""
    sides = [side for side in size or () if side is not None and side > 0]
    if size is None or not len(size) == len(sides) == 2 or math.prod(sides) > MOST_PIXELS:
        raise ValueError(
            f"{name} has the size {size}, but only up to {MOST_PIXELS:,} pixels are read; evaluate again."
        )


__all__ = [
    "PREDICTIONS_SCHEMA",
    "ScoredSentence",
    "change_types_of",
    "check_predictions",
    "domains_of",
    "filter_predictions",
    "iou_histogram",
    "load_predictions",
    "mean_iou",
    "worst_first",
]
