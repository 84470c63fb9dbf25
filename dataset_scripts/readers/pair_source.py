# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The interface of pair sources, and three implementations: files, generated pairs, and the rows of a `datasets.Dataset`.
Parquet files have a separate module.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from .image_file import ImageFile, MaskRule
from .pair import Expression, Pair, check_pairs
from .reading_report import ReadingReport, Reason, printable
from .rows import label_of, make_pair
from .schema import CHANGE_TYPES, DOMAINS, SKIPPED_SENTENCES


if TYPE_CHECKING:
    from datasets import Dataset


IMAGE_COLUMNS = ("image_t1", "image_t2")
"""The images of a row."""


@dataclass(frozen=True)
class Part:
    """
    A split folder, one `metadata.jsonl`, or one split of a Parquet configuration.

    Args:
        name (`str`): Its name in messages, also the `folder` of its pairs.
        split (`str`): One of `schema.SPLITS`.
        pair_count (`int`): Number of listed pairs.
    """

    name: str
    split: str
    pair_count: int


class PairSource(ABC):
    """
    A sequence of pairs, from any source. A pair is listed or looked up without decoding its images and
    masks; the methods of [`Pair`] decode them.

    Attributes:
        name (`str`): Its name in tables and messages.
        kind (`str`): Kind of source: "raw layout", "image folder", "Parquet", "table" or "generated".
        is_stage1 (`bool`): Whether its pairs are meant for stage 1: the mask of every change is used and the sentences
            are not.
        is_infinite (`bool`): Whether there is a pair for every index, so that it has no length.
        identity (`str`): A text that changes if the pairs change.
        parts (`tuple[Part, ...]`): The parts of a folder.
        report (`ReadingReport`): What was skipped or repaired.
    """

    kind: str
    is_infinite = False
    identity = ""
    parts: tuple[Part, ...] = ()

    def __init__(self, name: str, is_stage1: bool = False, report: ReadingReport | None = None) -> None:
        self.name = name
        self.is_stage1 = is_stage1
        self.report = ReadingReport() if report is None else report

    @abstractmethod
    def __len__(self) -> int:
        """Number of pairs; a `TypeError` if it is infinite."""

    @abstractmethod
    def __getitem__(self, index: int) -> Pair:
        """The pair with an index from 0."""

    def __iter__(self) -> Iterator[Pair]:
        """All pairs in order."""
        return (self[index] for index in range(len(self)))

    @property
    def left_out(self) -> list[str]:
        """Skipped items that do not count as lost sentences: blank ones, and pairs with the id of an earlier one."""
        reasons = (Reason.BLANK_EXPRESSION, Reason.DUPLICATE_ID)
        return [printable(str(finding)) for finding in self.report.skipped if finding.reason in reasons]

    def hash_of_labels(self) -> str:
        """
        A hash of the pairs and their sentences, in order, without their images and masks. Unlike `identity`, it is the
        same for a copy in another place.

        Returns:
            `str`: 64 hexadecimal digits.
        """
        digest = hashlib.sha256()
        for row in self._label_rows():
            digest.update(json.dumps(row).encode() + b"\n")
        return digest.hexdigest()

    def _label_rows(self) -> Iterator[Any]:
        """What [`PairSource.hash_of_labels`] is about: values that JSON can hold."""
        for pair in self:
            sentences = [(each.text, each.change_type, each.noisy) for each in pair.expressions]
            yield pair.pair_id, pair.domain, sentences

    @cached_property
    def positions(self) -> Mapping[str, Sequence[tuple[str | None, int]]]:
        """Domains and indices of the pairs of each id."""
        found: Mapping[str, list[tuple[str | None, int]]] = defaultdict(list)
        for index, pair in enumerate(self):
            found[pair.pair_id].append((pair.domain, index))
        return found

    def find(
        self, pair_id: str, expression: str, domain: str | None = None, size: tuple[int, int] | None = None
    ) -> Pair | None:
        """
        Finds the pair of a sentence.

        Args:
            pair_id (`str`): The id of the pair.
            expression (`str`): The sentence.
            domain (`str`, *optional*): The domain of the pair; it selects among pairs with the same id.
            size (`tuple[int, int]`, *optional*): Height and width in pixels; generated pairs can be made with it.

        Returns:
            `Pair` or `None`: `None` if no pair of this id has this sentence.
        """
        for _, index in sorted(self.positions.get(pair_id, ()), key=lambda place: place[0] != domain):
            pair = self[index]
            if any(expression == other.text for other in pair.expressions):
                return pair
        return None

    def usable(
        self, split: str | None = None, domain: str | None = None, mask_rule: MaskRule | None = None
    ) -> Iterator[Pair]:
        """
        Reads pairs whose images and masks are intact; [`PairSource.report`] lists what was skipped.

        Args:
            split (`str`, *optional*): Only this split, one of `schema.SPLITS`.
            domain (`str`, *optional*): Only this domain, one of `schema.DOMAINS`.
            mask_rule (`MaskRule`, *optional*): Meaning of the values of the masks.

        Yields:
            `Pair`: The usable pairs, in order, on demand.
        """
        wanted = (pair for pair in self if split in (None, pair.split) and domain in (None, pair.domain))
        if mask_rule is not None:
            wanted = (pair.with_mask_rule(mask_rule) for pair in wanted)
        return check_pairs(wanted, self.report, self.is_stage1)


class FilePairs(PairSource):
    """
    Pairs whose files stay where they are: of the raw layout, or of a folder with `metadata.jsonl`.

    Args:
        name (`str`): Its name.
        kind (`str`): "raw layout" or "image folder".
        pairs (`Sequence[Pair]`): The pairs.
        parts (`Sequence[Part]`, *optional*): Its parts.
        report (`ReadingReport`, *optional*): What was skipped or repaired.
        is_stage1 (`bool`, *optional*, defaults to `False`): Whether its pairs are meant for stage 1.
        identity (`str`, *optional*, defaults to `""`): A text that changes if the files change.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        pairs: Sequence[Pair],
        parts: Sequence[Part] = (),
        report: ReadingReport | None = None,
        is_stage1: bool = False,
        identity: str = "",
    ) -> None:
        super().__init__(name, is_stage1, report)
        self.kind = kind
        self.pairs = pairs
        self.parts = tuple(parts)
        self.identity = identity

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        return self.pairs[index]


class PairMaker(Protocol):
    """
    Makes pairs from their indices: a dataclass of its settings, such as `dataset_scripts.synthesis.Generator`.

    Attributes:
        label (`str`): Name of its pairs in folder names: "synthetic", "composed".
        version (`int`): Raised whenever the same settings make other pairs.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    label: ClassVar[str]
    version: ClassVar[int]

    @property
    def domains(self) -> Sequence[Any]:
        """The domains of the pairs, which alternate."""
        ...

    @property
    def split(self) -> str:
        """One of `schema.SPLITS`."""
        ...

    @property
    def made_of(self) -> str:
        """A text that changes with the files that the pairs are made of; "" if there are none."""
        ...

    def pair_id(self, index: int) -> str:
        """The id of the pair with an index."""
        ...

    def pair(self, index: int) -> Any:
        """The pair with an index, with the attributes of `dataset_scripts.synthesis.SyntheticPair`."""
        ...


class OnDemandMaker(PairMaker, Protocol):
    """A maker for [`GeneratedPairs`]: whether its pairs are those of an earlier run can be told."""

    @property
    def made_of_copies(self) -> str:
        """As `made_of`, but the same for copies of the files, whose times of change are others."""
        ...

    def __hash__(self) -> int:
        """The same for equal settings, so that pairs that were made again are kept."""
        ...


class GeneratedPairs(PairSource):
    """
    Pairs that are made on demand.

    Args:
        maker ([`OnDemandMaker`]): Maker of the pairs.
        num_pairs (`int`, *optional*): Number of pairs; infinite by default.
        name (`str`, *optional*, defaults to `"generated"`): Its name.
        is_stage1 (`bool`, *optional*, defaults to `False`): Whether its pairs are meant for stage 1.
    """

    kind = "generated"
    _ID = re.compile(r"(NS|RS)(?:_[a-z]+)?_(train|validation|test)_(\d{1,9})_(\d{1,9})", flags=re.ASCII)

    def __init__(
        self,
        maker: OnDemandMaker,
        num_pairs: int | None = None,
        name: str = "generated",
        is_stage1: bool = False,
    ) -> None:
        super().__init__(name, is_stage1)
        self.maker = maker
        self.num_pairs = num_pairs
        self.is_infinite = num_pairs is None
        self.identity = ", ".join(filter(None, (f"{num_pairs} of {maker}, version {maker.version}", maker.made_of)))

    def __len__(self) -> int:
        if self.num_pairs is None:
            raise TypeError(f"{self.name} pairs are infinite and have no length; give num_pairs.")
        return self.num_pairs

    def __getitem__(self, index: int) -> Pair:
        return _make(self.maker, index, self.is_stage1)

    def _label_rows(self) -> Iterator[Any]:
        yield f"{self.num_pairs} of {self.maker}, version {self.maker.version}", self.maker.made_of_copies

    @property
    def positions(self) -> Mapping[str, Sequence[tuple[str | None, int]]]:
        """Empty: a pair is generated again from its id, see [`find`]."""
        return {}

    def find(
        self, pair_id: str, expression: str, domain: str | None = None, size: tuple[int, int] | None = None
    ) -> Pair | None:
        """See [`PairSource.find`]: the id contains seed, split and number; the size must match. Also `None` if
        another version of the maker made the pair."""
        named = self._ID.fullmatch(pair_id)
        if named is None or size is None or size[0] != size[1]:
            return None
        made = _make_again(self.maker, pair_id, named[1], named[2], int(named[3]), int(named[4]), size[0])
        if made is None or not any(expression == other.text for other in made.expressions):
            return None
        return made


@lru_cache(maxsize=8)
def _make_again(
    maker: OnDemandMaker, pair_id: str, domain: str, split: str, seed: int, index: int, size: int
) -> Pair | None:
    """The pair of an id, made with the seed in the id; `None` if there is none of this size."""
    names = {field.name for field in fields(maker)}
    domains = {"domains": (domain,)} if "domains" in names else {}
    try:
        other = replace(maker, seed=seed, size=size, split=split, **domains)
    except ValueError:
        return None
    return _make(other, index, is_stage1=False) if other.pair_id(index) == pair_id else None


def _make(maker: PairMaker, index: int, is_stage1: bool) -> Pair:
    """Makes a pair; its images and masks are in memory."""
    made = maker.pair(index)
    name = made.pair_id
    return Pair(
        pair_id=name,
        split=maker.split,
        domain=made.domain,
        view=made.view,
        source=made.source,
        image_t1=ImageFile(f"{name}/image_t1", made.image_t1),
        image_t2=ImageFile(f"{name}/image_t2", made.image_t2),
        expressions=()
        if is_stage1
        else tuple(
            Expression(one.text, ImageFile(f"{name}/mask {number}", one.mask), one.change_type, number, one.noisy)
            for number, one in enumerate(made.expressions)
        ),
        change_mask=ImageFile(f"{name}/mask", made.change_mask),
        absent_types=frozenset(CHANGE_TYPES) - {thing.change or "" for thing in made.scene.things},
    )


class TablePairs(PairSource):
    """
    Pairs of a table with the columns of one of `schema.FEATURES`. Rows with one sentence each are combined to pairs.
    For stage 1, pairs of which a sentence was skipped are left out and reported; see [`Pair.knows_every_change`].

    Args:
        name (`str`): Its name.
        table (`datasets.Dataset`): The rows.
        split (`str`, *optional*, defaults to `"train"`): One of `schema.SPLITS`.
        is_stage1 (`bool`, *optional*, defaults to `False`): Whether its pairs are meant for stage 1.
    """

    kind = "table"

    def __init__(self, name: str, table: "Dataset", split: str = "train", is_stage1: bool = False) -> None:
        from datasets import Image  # Imported here, so that commands start quickly.
        from datasets import Sequence as SequenceFeature

        super().__init__(name, is_stage1)
        self.split = split
        self.identity = json.dumps(sorted(entry["filename"] for entry in table.cache_files))
        if is_stage1 and SKIPPED_SENTENCES in table.column_names:
            table = self._with_every_change(table)
        # Images and masks stay encoded: each pair decodes its own, so that a damaged one affects only its pair.
        undecoded = Image(decode=False)
        for column in ("image_t1", "image_t2", "mask"):
            if column in table.column_names:
                table = table.cast_column(column, undecoded)
        if "masks" in table.column_names:
            table = table.cast_column("masks", SequenceFeature(undecoded))
        self.table: Dataset = table
        self._sentences: Dataset | None = None
        self._groups: list[list[int]] = []
        if "expression" in table.column_names:
            optional = [column for column in ("sample_id", "noisy") if column in table.column_names]
            self._sentences = table.select_columns(["mask", "expression", "change_type", *optional])
            # Compared by Arrow, which copies no image into Python.
            self._images = table.select_columns(list(IMAGE_COLUMNS)).with_format("arrow")
            rows: dict[tuple[Any, Any], list[int]] = defaultdict(list)
            for row, key in enumerate(zip(table["domain"], table["pair_id"])):
                rows[key].append(row)
            self._groups = list(rows.values())

    def _with_every_change(self, table: "Dataset") -> "Dataset":
        skipped = table[SKIPPED_SENTENCES]
        incomplete = dict.fromkeys(name for name, count in zip(table["pair_id"], skipped) if count)
        for name in incomplete:
            self.report.skip(Reason.INCOMPLETE_UNION, self.name, name, "some of its sentences skipped")
        if not incomplete:
            return table
        from datasets import logging

        logging.get_logger(__name__).warning(f"{self.name}:\n{self.report.table()}")
        return table.select([row for row, count in enumerate(skipped) if not count])

    def __len__(self) -> int:
        return len(self.table) if self._sentences is None else len(self._groups)

    def _label_rows(self) -> Iterator[Any]:
        names = ("pair_id", "domain", "expression", "expressions", "change_type", "change_types", "noisy")
        rows = self.table.select_columns([name for name in names if name in self.table.column_names])
        return (list(row.values()) for row in rows)

    @cached_property
    def positions(self) -> Mapping[str, Sequence[tuple[str | None, int]]]:
        """See [`PairSource.positions`]; no image is read for it."""
        found: Mapping[str, list[tuple[str | None, int]]] = defaultdict(list)
        rows = range(len(self.table)) if self._sentences is None else [group[0] for group in self._groups]
        ids, domains = self.table["pair_id"], self.table["domain"]
        for index, row in enumerate(rows):
            found[ids[row]].append((label_of(DOMAINS, domains[row]), index))
        return found

    def __getitem__(self, index: int) -> Pair:
        if self._sentences is None:
            return make_pair(self.table[index], self.split, self.name)
        group = self._groups[index]
        columns = self._sentences[group]
        lists = {
            "expressions": columns["expression"],
            "masks": columns["mask"],
            "change_types": columns["change_type"],
            "noisy": columns.get("noisy"),
            "sample_ids": columns.get("sample_id"),
            "other_images": self._other_images(group),
        }
        return make_pair({**self.table[group[0]], **lists}, self.split, self.name)

    def _other_images(self, group: Sequence[int]) -> str:
        """The image column in which the rows of a pair differ; "" if there is none. Missing images do not count."""
        import pyarrow.compute

        if len(group) == 1:
            return ""
        rows = self._images[list(group)]
        for name in IMAGE_COLUMNS:
            contents = pyarrow.compute.struct_field(rows[name], "bytes")
            if pyarrow.compute.count_distinct(contents).as_py() > 1:
                return name
        return ""
