# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The pairs that `evaluate.py` scores. Nothing is left out because a file is damaged or missing: such sentences are
handed on with the reason, so that they count as wrong.
"""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from datasets import Dataset
from datasets import Image as ImageFeature
from datasets import Sequence as SequenceFeature
from huggingface_hub import snapshot_download
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.mtrefseg_21k import REPOSITORY, MTRefSeg21K
from dataset_scripts.readers.image_file import ImageFile
from dataset_scripts.readers.pair_record import Expression, PairRecord
from dataset_scripts.readers.raw_layout import find_split_folders, list_setting
from dataset_scripts.readers.reading_report import Finding, ReadingReport, Reason, UnusableError, printable
from dataset_scripts.readers.schema import CHANGE_TYPES, DOMAINS
from dataset_scripts.readers.sources import open_source
from dataset_scripts.readers.split_folders import EXPRESSIONS_FOLDER, SplitFolder, fingerprint
from dataset_scripts.synthesis.generator import Generator
from dataset_scripts.synthesis.words import WORDS_VERSION, Paraphraser
from dataset_scripts.synthesis.writing import GENERATOR_VERSION
from modeling_mtrefseg import load_image
from mtrs_iou.mtrs_iou import encode_rle
from trainer.data.pair_loading import open_data
from trainer.data.samples import GeneratedSource, PairSample, TableSource


_LOST = (
    Reason.UNREADABLE_JSON,
    Reason.PATH_ESCAPE,
    Reason.MISSING_IMAGE,
    Reason.MISSING_MASK,
    Reason.MASK_PATH_ESCAPE,
)
"""Why a sentence is lost when a folder is listed. What has the id of an earlier pair, or is blank, is no sentence."""
_PARAPHRASER = Paraphraser("reworded")


@dataclass
class ScoredPair:
    """
    A pair to score.

    Args:
        pair_id (`str`): Its name.
        sample_ids, expressions, change_types (`list[str]`): Name, text and type of each sentence.
        domain (`str`, *optional*): "NS" or "RS".
        truths (`list[dict | None]`): RLE of each true mask, `None` where it cannot be read.
        problems (`list[str]`): What is wrong with each sentence, "" if nothing is.
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`, *optional*): t1 and t2, RGB, of one size; `None` if one
            cannot be read.
        digest (`str`): SHA-256 of images, sentences and true masks.
    """

    pair_id: str
    sample_ids: list[str]
    expressions: list[str]
    change_types: list[str]
    domain: str | None
    truths: list[dict[str, Any] | None]
    problems: list[str]
    images: tuple[Image.Image, Image.Image] | None
    digest: str


class PairSource(Protocol):
    """Pairs by number, whatever they are read from."""

    @property
    def identity(self) -> str:
        """Another one if the pairs have changed."""
        ...

    @property
    def left_out(self) -> Sequence[str]:
        """What looked like a sentence, but is none: blank ones, and pairs with the id of an earlier one."""
        ...

    def __len__(self) -> int: ...

    def read(self, row: int) -> ScoredPair:
        """The pair of a number from 0."""
        ...


@dataclass(frozen=True)
class RecordPairs:
    """
    Pairs of raw folders and image folders, and after them what was lost when the folder was listed.

    Args:
        records (`Sequence[PairRecord]`): The pairs, unchecked.
        lost (`Sequence[ScoredPair]`): What could not even be listed.
        left_out (`Sequence[str]`): What is no sentence.
        identity (`str`): Of the folder.
    """

    records: Sequence[PairRecord]
    lost: Sequence[ScoredPair]
    left_out: Sequence[str]
    identity: str

    def __len__(self) -> int:
        return len(self.records) + len(self.lost)

    def read(self, row: int) -> ScoredPair:
        """The pair of a number from 0."""
        return read_record(self.records[row]) if row < len(self.records) else self.lost[row - len(self.records)]


@dataclass(frozen=True)
class GeneratedPairs:
    """
    Pairs that are made when they are asked for.

    Args:
        source ([`GeneratedSource`]): Makes them.
    """

    source: GeneratedSource
    left_out: Sequence[str] = ()

    @property
    def identity(self) -> str:
        """Another one if the generator makes others."""
        return f"{self.source.num_pairs} of {self.source.generator}, version {GENERATOR_VERSION}"

    def __len__(self) -> int:
        return self.source.num_pairs

    def read(self, row: int) -> ScoredPair:
        """The pair of a number from 0."""
        sample: PairSample = self.source.pair(row)
        truths = [encode_rle(mask) for mask in sample.masks]
        pixels = [np.asarray(image).tobytes() for image in (sample.image_t1, sample.image_t2)]
        return ScoredPair(
            pair_id=sample.pair_id,
            sample_ids=[f"{sample.pair_id}_{index}" for index in range(len(truths))],
            expressions=sample.expressions,
            change_types=sample.change_types,
            domain=sample.domain,
            truths=list(truths),
            problems=[""] * len(truths),
            images=(sample.image_t1, sample.image_t2),
            digest=_digest(pixels, sample.expressions, truths),
        )


@dataclass(frozen=True)
class RewordedPairs:
    """
    Pairs with their sentences in words and forms that no training sentence has.

    Args:
        source ([`PairSource`]): The pairs in their own words.
    """

    source: PairSource

    @property
    def identity(self) -> str:
        """Another one if the pairs or the paraphraser have changed."""
        return f"{self.source.identity}, by {_PARAPHRASER}, version {WORDS_VERSION}"

    @property
    def left_out(self) -> Sequence[str]:
        """What looked like a sentence, but is none."""
        return self.source.left_out

    def __len__(self) -> int:
        return len(self.source)

    def read(self, row: int) -> ScoredPair:
        """The pair of a number from 0; each sentence is worded by chance that its name decides."""
        pair = self.source.read(row)
        said = [
            _PARAPHRASER.paraphrase(text, change_type, np.random.default_rng(list(name.encode())), pair.domain)
            for name, text, change_type in zip(pair.sample_ids, pair.expressions, pair.change_types)
        ]
        return replace(pair, expressions=said, digest=_digest([], [pair.digest, *said], []))


class TablePairs:
    """
    Pairs of an export.

    Args:
        source ([`TableSource`]): Its table; images are decoded here, so that a damaged one does not end everything.
    """

    left_out: Sequence[str] = ()

    def __init__(self, source: TableSource) -> None:
        self.identity = json.dumps(sorted(entry["filename"] for entry in source.table.cache_files))
        table = source.table
        for column in ("image_t1", "image_t2"):
            table = table.cast_column(column, ImageFeature(decode=False))
        self.is_paired = "masks" in table.column_names
        column, undecoded = "mask", ImageFeature(decode=False)
        if self.is_paired:
            column, undecoded = "masks", SequenceFeature(undecoded)
        self.table: Dataset = table.cast_column(column, undecoded)
        self.groups = source.groups

    def __len__(self) -> int:
        return len(self.table) if self.is_paired else len(self.groups)

    def read(self, row: int) -> ScoredPair:
        """The pair of a number from 0."""
        rows = [self.table[row]] if self.is_paired else [self.table[number] for number in self.groups[row]]
        first = rows[0]
        if self.is_paired:
            sentences = list(zip(first["expressions"], first["masks"], first["change_types"]))
        else:
            sentences = [(each["expression"], each["mask"], each["change_type"]) for each in rows]
        pair_id = first["pair_id"]
        record = PairRecord(
            pair_id=pair_id,
            split="",
            domain=None if first["domain"] is None else DOMAINS[first["domain"]],
            view="",
            source="",
            image_t1=_cell(first["image_t1"], f"{pair_id}/image_t1"),
            image_t2=_cell(first["image_t2"], f"{pair_id}/image_t2"),
            expressions=tuple(
                Expression(text, _cell(mask, f"{pair_id}/mask {index}"), CHANGE_TYPES[change_type], index)
                for index, (text, mask, change_type) in enumerate(sentences)
            ),
        )
        pair = read_record(record)
        if not self.is_paired:
            pair.sample_ids = [each["sample_id"] for each in rows]
        return pair


def open_pairs(name: str, setting: str, split: str, generator: Generator | None, count: int) -> PairSource:
    """
    Opens what is to be scored.

    Args:
        name (`str`): Hub id or folder of an export, a raw folder (the root or one split folder), or an image folder.
        setting (`str`): "TV", "NS" or "RS".
        split (`str`): "train", "validation" or "test".
        generator (`Generator`, *optional*): Makes the pairs, instead of `name`.
        count (`int`): How many it makes.

    Returns:
        `PairSource`: The pairs.

    Raises:
        DataError: If there is no such dataset, configuration or split, or nothing in it.
    """
    if generator is not None:
        return GeneratedPairs(GeneratedSource(generator, is_stage1=False, num_pairs=count))
    if name == REPOSITORY:
        name = snapshot_download(REPOSITORY, repo_type="dataset", allow_patterns=MTRefSeg21K.DOWNLOADS[setting])
    folder = Path(name)
    if not folder.is_dir() or next(folder.rglob("*.parquet"), None) is not None:
        source = open_data(name, setting, split, is_stage1=False)
        assert isinstance(source, TableSource)
        return TablePairs(source)
    opened = open_source(folder, ReadingReport())
    report = ReadingReport()
    if opened.kind == "image folder":
        records = [
            record
            for record in open_source(folder, report).list_records()
            if record.split == split and setting in ("TV", record.domain) and record.change_mask is None
        ]
        lost = [_lost(finding, [], "") for finding in report.skipped if finding.reason in _LOST]
        identity = _files_of(folder)
    else:
        folders = find_split_folders(folder)
        records = list_setting(folders, setting, split, False, report)
        lost = [_lost_raw(finding, folders) for finding in report.skipped if finding.reason in _LOST]
        identity = fingerprint(folders)
    if not records and not lost:
        found = ", ".join(f"{part.name} ({part.split})" for part in opened.parts)
        raise DataError(
            f"{folder} holds no sentence of split {split!r} and setting {setting}; it has {found}: choose --split and "
            "--setting accordingly."
        )
    left_out = [
        printable(str(finding))
        for finding in report.skipped
        if finding.reason in (Reason.BLANK_EXPRESSION, Reason.DUPLICATE_ID)
    ]
    return RecordPairs(records, lost, left_out, identity)


def read_record(record: PairRecord) -> ScoredPair:
    """Reads images and masks of a pair, and notes what cannot be read."""
    problem, images, size = "", None, None
    try:
        size, size_t2 = record.image_t1.check(), record.image_t2.check()
        if size != size_t2:
            raise UnusableError(
                Reason.UNEQUAL_SIZES, f"t1 has {size[0]}x{size[1]} pixels, t2 {size_t2[0]}x{size_t2[1]}"
            )
        images = (_load(record.image_t1), _load(record.image_t2))
    except UnusableError as error:
        problem = f"{error.reason.value}: {error.detail}"
        size = size or _first_size(record)
    truths: list[dict[str, Any] | None] = []
    problems = []
    for expression in record.expressions:
        try:
            # Where no image tells the size, the mask is taken as it is.
            mask, _ = expression.mask.read_mask(size or expression.mask.size)
            truths.append(encode_rle(mask))
            problems.append(problem)
        except UnusableError as error:
            truths.append(None)
            problems.append(problem or f"{error.reason.value}: {error.detail}")
    texts = [expression.text for expression in record.expressions]
    return ScoredPair(
        pair_id=record.pair_id,
        sample_ids=[record.sample_id(expression) for expression in record.expressions],
        expressions=texts,
        change_types=[expression.change_type for expression in record.expressions],
        domain=record.domain,
        truths=truths,
        problems=problems,
        images=images,
        digest=_digest([_content(record.image_t1), _content(record.image_t2)], texts, truths),
    )


def _load(file: ImageFile) -> Image.Image:
    return load_image(Image.open(io.BytesIO(file.source)) if isinstance(file.source, bytes) else file.source)


def _content(file: ImageFile) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _first_size(record: PairRecord) -> tuple[int, int] | None:
    """Width and height of t1 or, where it has no header any more, of t2."""
    for file in (record.image_t1, record.image_t2):
        try:
            return file.size
        except UnusableError:
            continue
    return None


def _cell(cell: dict[str, Any] | None, name: str) -> ImageFile:
    return ImageFile(name, b"" if cell is None or cell["bytes"] is None else cell["bytes"])


def _lost_raw(finding: Finding, folders: Sequence[SplitFolder]) -> ScoredPair:
    """What a raw folder lost: one sentence, or the pair of a JSON file with as many sentences as it tells."""
    folder = next(folder for folder in folders if folder.name == finding.split)
    texts: list[str] = []
    if finding.sample.lower().endswith(".json"):
        try:
            content = json.loads((folder.path / EXPRESSIONS_FOLDER / finding.sample).read_text(encoding="utf-8-sig"))
            texts = [str(text) for text in content["referring_expressions"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            texts = []  # Not even how many is known, so that it counts as one.
    return _lost(finding, texts, folder.domain or "")


def _lost(finding: Finding, texts: list[str], domain: str) -> ScoredPair:
    count = len(texts) or 1
    name = finding.sample.removesuffix(".json")
    return ScoredPair(
        pair_id=name,
        sample_ids=[f"{name}_{index}" for index in range(count)] if texts else [name],
        expressions=texts or [""],
        change_types=["unknown"] * count,
        domain=domain or None,
        truths=[None] * count,
        problems=[f"{finding.reason.value}: {finding.detail}"] * count,
        images=None,
        digest=_digest([], [finding.sample, *texts], []),
    )


def _files_of(folder: Path) -> str:
    """Names, sizes and times of change of all files, as 64 hexadecimal digits."""
    files = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    listing = [(path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns) for path, status in files]
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()


def _digest(contents: Sequence[bytes], texts: Sequence[str], truths: Sequence[Any]) -> str:
    parts = [hashlib.sha256(content).hexdigest() for content in contents]
    return hashlib.sha256(json.dumps([parts, list(texts), list(truths)]).encode()).hexdigest()
