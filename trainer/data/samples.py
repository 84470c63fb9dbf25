# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A pair as the trainer handles it, and the datasets that such pairs are read from."""

import io
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from datasets import Dataset
from PIL import Image

from dataset_scripts.readers.pair_record import PairRecord
from dataset_scripts.readers.schema import CHANGE_TYPES, DOMAINS
from dataset_scripts.synthesis.generator import Generator
from modeling_mtrefseg import load_image


SCENES = {"NS": "normal_scene", "RS": "remote_sensing"}
"""Domain, and what the processor calls it."""


@dataclass
class PairSample:
    """
    A pair with its sentences.

    Args:
        pair_id (`str`): Its name.
        source (`str`): Name of the dataset that it is of.
        image_t1, image_t2 (`PIL.Image.Image`): RGB, of one size, the earlier and the later image.
        masks (`list[np.ndarray]`): bool (height, width), one a sentence; in stage 1 the one of every change.
        expressions (`list[str]`): The sentences; none in stage 1.
        change_types (`list[str]`): One of `schema.CHANGE_TYPES` a sentence.
        domain (`str`, *optional*): "NS" or "RS", `None` if unknown.
        absent_types (`frozenset[str]`, *optional*): Types of change that surely nothing in the pair has undergone.
        change_mask (`np.ndarray`, *optional*): bool (height, width), every change; the union of `masks` where the
            dataset tells no other, for its sentences speak of all that changed.
    """

    pair_id: str
    source: str
    image_t1: Image.Image
    image_t2: Image.Image
    masks: list[np.ndarray]
    expressions: list[str] = field(default_factory=list)
    change_types: list[str] = field(default_factory=list)
    domain: str | None = None
    absent_types: frozenset[str] = frozenset()
    change_mask: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.change_mask is None and self.masks:
            self.change_mask = np.logical_or.reduce(self.masks)


class Source(Protocol):
    """A dataset of pairs."""

    @property
    def name(self) -> str:
        """Its name in tables."""
        ...

    @property
    def num_pairs(self) -> int:
        """How many pairs it has; 0 if there is no end."""
        ...

    def pair(self, row: int) -> PairSample:
        """The pair of a number from 0."""
        ...


@dataclass(frozen=True)
class GeneratedSource:
    """
    Pairs that are made when they are asked for.

    Args:
        generator (`Generator`): Makes them.
        is_stage1 (`bool`): Whether pairs have the mask of every change instead of sentences.
        num_pairs (`int`, *optional*, defaults to 0): How many there are; 0 for no end.
        name (`str`, *optional*, defaults to `"generated"`): Its name.
    """

    generator: Generator
    is_stage1: bool
    num_pairs: int = 0
    name: str = "generated"

    def pair(self, row: int) -> PairSample:
        """The pair of a number from 0."""
        pair = self.generator.pair(row)
        expressions = () if self.is_stage1 else pair.expressions
        return PairSample(
            pair_id=pair.pair_id,
            source=self.name,
            image_t1=pair.image_t1,
            image_t2=pair.image_t2,
            masks=[pair.change_mask] if self.is_stage1 else [expression.mask for expression in expressions],
            expressions=[expression.text for expression in expressions],
            change_types=[expression.change_type for expression in expressions],
            domain=pair.domain,
            absent_types=frozenset(CHANGE_TYPES) - {thing.change or "" for thing in pair.scene.things},
            change_mask=pair.change_mask,
        )


@dataclass(frozen=True)
class RecordSource:
    """
    Pairs whose files stay where they are.

    Args:
        name (`str`): Its name.
        records (`list[PairRecord]`): The pairs, checked.
    """

    name: str
    records: list[PairRecord]

    @property
    def num_pairs(self) -> int:
        """How many pairs it has."""
        return len(self.records)

    def pair(self, row: int) -> PairSample:
        """The pair of a number from 0."""
        record = self.records[row]
        image_t1, image_t2 = (load_image(_source_of(file.source)) for file in (record.image_t1, record.image_t2))
        files = [expression.mask for expression in record.expressions]
        if record.change_mask is not None:
            files = [record.change_mask]
        return PairSample(
            pair_id=record.pair_id,
            source=self.name,
            image_t1=image_t1,
            image_t2=image_t2,
            masks=[file.read_mask(image_t1.size)[0] for file in files],
            expressions=[expression.text for expression in record.expressions],
            change_types=[expression.change_type for expression in record.expressions],
            domain=record.domain,
        )


class TableSource:
    """
    Pairs of a `datasets.Dataset` with the columns of one of `schema.FEATURES`. Rows of one sentence each are put
    together to pairs.

    Args:
        name (`str`): Its name.
        table (`datasets.Dataset`): The rows.
    """

    def __init__(self, name: str, table: Dataset) -> None:
        self.name = name
        self.table = table
        self.sentences: Dataset | None = None
        rows: dict[Any, list[int]] = defaultdict(list)
        if "expression" in table.column_names:
            self.sentences = table.select_columns(["mask", "expression", "change_type"])
            for row, key in enumerate(zip(table["domain"], table["pair_id"])):
                rows[key].append(row)
        self.groups = list(rows.values())

    @property
    def num_pairs(self) -> int:
        """How many pairs it has."""
        return len(self.table) if self.sentences is None else len(self.groups)

    def pair(self, row: int) -> PairSample:
        """The pair of a number from 0."""
        if self.sentences is None:
            first = self.table[row]
            expressions, types = first.get("expressions", []), first.get("change_types", [])
            masks = first["masks"] if "masks" in first else [first["mask"]]
        else:
            group = self.groups[row]
            first = self.table[group[0]]
            columns = self.sentences[group]
            expressions, types, masks = columns["expression"], columns["change_type"], columns["mask"]
        return PairSample(
            pair_id=first["pair_id"],
            source=self.name,
            image_t1=load_image(first["image_t1"]),
            image_t2=load_image(first["image_t2"]),
            masks=[np.asarray(mask) > 127 for mask in masks],
            expressions=list(expressions),
            change_types=[CHANGE_TYPES[number] for number in types],
            domain=None if first["domain"] is None else DOMAINS[first["domain"]],
        )


@dataclass(frozen=True)
class UnionSource:
    """
    Stage 1 from pairs with sentences: the mask of every change is the union of the sentences' masks.

    Args:
        pairs (`Source`): The pairs with sentences.
    """

    pairs: Source

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.pairs.name

    @property
    def num_pairs(self) -> int:
        """How many pairs it has; 0 if infinite."""
        return self.pairs.num_pairs

    def pair(self, row: int) -> PairSample:
        """The pair of a number from 0."""
        sample = self.pairs.pair(row)
        return replace(sample, masks=[np.logical_or.reduce(sample.masks)], expressions=[], change_types=[])


def _source_of(source: Path | bytes) -> Path | Image.Image:
    if isinstance(source, bytes):
        return Image.open(io.BytesIO(source))
    return source
