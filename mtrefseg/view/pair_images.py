# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The images behind `predictions.parquet`, which holds names and masks but no images: they are found again where the
evaluation read them.
"""

import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeAlias

import pyarrow
import pyarrow.parquet
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.readers.image_file import ImageFile
from dataset_scripts.readers.pair_record import PairRecord
from dataset_scripts.readers.parquet_source import find_parquet_files
from dataset_scripts.readers.reading_report import ReadingReport, UnusableError
from dataset_scripts.readers.schema import DOMAINS
from dataset_scripts.readers.sources import open_source
from modeling_mtrefseg import load_image

from .predictions import ScoredSentence


Images: TypeAlias = tuple[Image.Image, Image.Image]

GENERATED = "generated"
"""What `trainer/evaluate.py --data` calls the pairs that it makes itself."""
IMAGE_COLUMNS = ("image_t1", "image_t2")
_GENERATED_ID = re.compile(r"(NS|RS)_(train|validation|test)_(\d{1,9})_(\d{1,9})", flags=re.ASCII)


class PairImages(Protocol):
    """Images of pairs, by sentence."""

    def find(self, sentence: ScoredSentence) -> Images | None:
        """
        The images that a sentence is about.

        Args:
            sentence ([`ScoredSentence`]): The sentence.

        Returns:
            `tuple[PIL.Image.Image, PIL.Image.Image]`: t1 and t2, RGB, of the size of the sentence's masks; `None` if
            there is no such pair, or one of its images cannot be read.
        """
        ...

    def in_reading_order(self, sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
        """
        Orders sentences such that [`find`] reads no part of the data twice.

        Args:
            sentences (`Sequence[ScoredSentence]`): Sentences of different pairs.

        Returns:
            `list[ScoredSentence]`: The same ones.
        """
        ...


def open_pair_images(data: str | Path) -> PairImages:
    """
    Opens the data of an evaluation.

    Args:
        data (`str` or `Path`): What `trainer/evaluate.py --data` was given: `"generated"`, whose pairs are made again
            from their names, or a folder: the raw layout, an image folder or exported Parquet.

    Returns:
        `PairImages`: Finds images; a pair that was shown last is kept.

    Raises:
        ValueError: If it is no folder, or none of these kinds.
    """
    if str(data) == GENERATED:
        return GeneratedImages()
    folder = Path(data)
    try:
        files = find_parquet_files(folder)
        if files:
            return TableImages([path for part in files for path in part.paths])
        return RecordImages(list(open_source(folder, ReadingReport()).list_records()))
    except DataError as error:
        raise ValueError(f"The images cannot be found: {error}") from error


class GeneratedImages:
    """Makes generated pairs again: seed, split and number stand in a pair's name, the size in its masks."""

    def find(self, sentence: ScoredSentence) -> Images | None:
        """See [`PairImages`]; `None` too if another version of the generator drew the pair."""
        named = _GENERATED_ID.fullmatch(sentence.pair_id)
        if named is None or sentence.size is None or sentence.size[0] != sentence.size[1]:
            return None
        domain, split, seed, index = named.groups()
        made = _make_pair(domain, split, int(seed), int(index), sentence.size[0])
        if made is None or sentence.expression not in made[2]:
            return None
        return made[0], made[1]

    def in_reading_order(self, sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
        """See [`PairImages`]; every pair is a matter of its own."""
        return list(sentences)


@lru_cache(maxsize=8)
def _make_pair(
    domain: str, split: str, seed: int, index: int, size: int
) -> tuple[Image.Image, Image.Image, tuple[str, ...]] | None:
    """Both images and the sentences; `None` if there are none of this size."""
    # Only who shows generated pairs needs the generator.
    from dataset_scripts.synthesis.generator import Generator

    try:
        generator = Generator(seed=seed, size=size, domains=(domain,), split=split)  # type: ignore[arg-type]
    except ValueError:
        return None
    pair = generator.pair(index)
    return pair.image_t1, pair.image_t2, tuple(expression.text for expression in pair.expressions)


class RecordImages:
    """
    Images of a raw folder or an image folder.

    Args:
        records (`list[PairRecord]`): Its pairs.
    """

    def __init__(self, records: list[PairRecord]) -> None:
        self.records: Mapping[str, list[PairRecord]] = defaultdict(list)
        for record in records:
            self.records[record.pair_id].append(record)

    def find(self, sentence: ScoredSentence) -> Images | None:
        """See [`PairImages`]; among pairs of one name, the one that has the sentence, best in the same domain."""
        records = self.records.get(sentence.pair_id, [])
        for record in sorted(records, key=lambda record: record.domain != sentence.domain):
            if sentence.expression in [expression.text for expression in record.expressions]:
                return _read(record.image_t1, record.image_t2, sentence)
        return None

    def in_reading_order(self, sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
        """See [`PairImages`]; every pair is a matter of its own."""
        return list(sentences)


@dataclass(frozen=True)
class _Place:
    """Where a row lies: file, group of rows, number in the group; and its domain."""

    path: Path
    group: int
    row: int
    domain: str | None


class TableImages:
    """
    Images of exported Parquet.

    Args:
        paths (`list[Path]`): The files.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._last: tuple[Path, int, pyarrow.Table] | None = None
        self.places: Mapping[str, list[_Place]] = defaultdict(list)
        for path in paths:
            with pyarrow.parquet.ParquetFile(path) as file:
                for group in range(file.metadata.num_row_groups):
                    names = file.read_row_group(group, columns=["pair_id", "domain"]).to_pylist()
                    for row, name in enumerate(names):
                        domain = None if name["domain"] is None else DOMAINS[name["domain"]]
                        self.places[name["pair_id"]].append(_Place(path, group, row, domain))

    def find(self, sentence: ScoredSentence) -> Images | None:
        """See [`PairImages`]; among pairs of one name, the one that has the sentence, best in the same domain."""
        places = self.places.get(sentence.pair_id, [])
        for place in sorted(places, key=lambda place: place.domain != sentence.domain):
            table = self._read_group(place.path, place.group)
            (row,) = table.slice(place.row, 1).to_pylist()
            texts = row["expressions"] if "expressions" in row else [row["expression"]]
            if sentence.expression in texts:
                files = [ImageFile(f"{sentence.pair_id}/{name}", _bytes_of(row[name])) for name in IMAGE_COLUMNS]
                return _read(files[0], files[1], sentence)
        return None

    def in_reading_order(self, sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
        """See [`PairImages`]; by file, group of rows and row."""
        end = ("", 0, 0)

        def place_of(sentence: ScoredSentence) -> tuple[str, int, int]:
            places = self.places.get(sentence.pair_id, [])
            return min(((str(place.path), place.group, place.row) for place in places), default=end)

        return sorted(sentences, key=place_of)

    def _read_group(self, path: Path, group: int) -> pyarrow.Table:
        """A group of rows; the one that was read last is kept, since it holds the images of many pairs."""
        if self._last is None or self._last[:2] != (path, group):
            with pyarrow.parquet.ParquetFile(path) as file:
                texts = "expressions" if "expressions" in file.schema_arrow.names else "expression"
                self._last = (path, group, file.read_row_group(group, columns=[*IMAGE_COLUMNS, texts]))
        return self._last[2]


def _bytes_of(cell: Mapping[str, bytes | None] | None) -> bytes:
    return (cell and cell["bytes"]) or b""


def _read(file_t1: ImageFile, file_t2: ImageFile, sentence: ScoredSentence) -> Images | None:
    """Both images, if they are whole and have the size of the sentence's masks."""
    images = []
    for file in (file_t1, file_t2):
        try:
            width, height = file.check()
        except UnusableError:
            return None
        if sentence.size is not None and (height, width) != sentence.size:
            return None
        source = file.source
        images.append(load_image(Image.open(io.BytesIO(source)) if isinstance(source, bytes) else source))
    return images[0], images[1]


__all__ = ["GENERATED", "Images", "PairImages", "open_pair_images"]
