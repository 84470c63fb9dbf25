# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Pairs of a `datasets.Dataset`, which keeps its rows on the disk and finds each of them at once."""

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .pair import Pair
from .pair_source import PairSource
from .rows import make_pair


if TYPE_CHECKING:
    from datasets import Dataset


class TablePairs(PairSource):
    """
    Pairs of a table with the columns of one of `schema.FEATURES`. Rows of one sentence each are put together to pairs.

    Args:
        name (`str`): Its name.
        table (`datasets.Dataset`): The rows.
        split (`str`, *optional*, defaults to `"train"`): One of `schema.SPLITS`.
        is_stage1 (`bool`, *optional*, defaults to `False`): Whether its pairs are meant for stage 1.
    """

    kind = "table"

    def __init__(self, name: str, table: "Dataset", split: str = "train", is_stage1: bool = False) -> None:
        from datasets import Image  # Here, so that commands start quickly.
        from datasets import Sequence as SequenceFeature

        super().__init__(name, is_stage1)
        self.split = split
        self.identity = json.dumps(sorted(entry["filename"] for entry in table.cache_files))
        # Images and masks stay encoded: a pair decodes its own, and one that is damaged does not end everything.
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
            rows: dict[tuple[Any, Any], list[int]] = defaultdict(list)
            for row, key in enumerate(zip(table["domain"], table["pair_id"])):
                rows[key].append(row)
            self._groups = list(rows.values())

    def __len__(self) -> int:
        return len(self.table) if self._sentences is None else len(self._groups)

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
        }
        return make_pair({**self.table[group[0]], **lists}, self.split, self.name)
