# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Assigns pairs to Parquet files. The same raw folders always give the same plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataset_scripts.readers import (
    DOMAINS,
    PAIRS_SUFFIX,
    SPLITS,
    MaskRule,
    Pair,
    ReadingReport,
    SplitFolder,
    list_setting,
    report_shared_ids,
    select_folders,
)


DEFAULT_SHARD_SIZE = 256_000_000
"""Size of one file in bytes."""
KINDS = ("referring", "pretrain")
"""Kinds of exports: pairs with sentences, or pairs for stage 1."""


@dataclass(frozen=True)
class Shard:
    """
    One Parquet file of an export.

    Args:
        config (`str`): Name of the configuration, and of its folder.
        layout (`str`): A key of `schema.FEATURES`.
        split (`str`): One of `schema.SPLITS`.
        index, count (`int`): Index of the file in its configuration and split, from 0, and the number of
            its files.
        pairs (`tuple[Pair, ...]`): The pairs of the file; unusable ones are skipped when it is written.
    """

    config: str
    layout: str
    split: str
    index: int
    count: int
    pairs: tuple[Pair, ...]

    @property
    def name(self) -> str:
        """Path of the file below the folder "data", with forward slashes."""
        return f"{self.config}/{self.split}-{self.index:05d}-of-{self.count:05d}.parquet"


@dataclass(frozen=True)
class ExportPlan:
    """
    All files of an export.

    Args:
        shards (`tuple[Shard, ...]`): The files.
        parts (`dict[str, dict[str, tuple[str, ...]]]`): For each configuration and split the names of the
            configurations whose files it uses: its own, or for setting "TV" those of both domains.
        report (`ReadingReport`): What was skipped or repaired before any image was decoded.
    """

    shards: tuple[Shard, ...]
    parts: dict[str, dict[str, tuple[str, ...]]]
    report: ReadingReport


def plan_export(
    folders: Sequence[SplitFolder],
    is_pretrain: bool,
    with_pairs: bool,
    max_shard_size: int,
    mask_rule: MaskRule | None = None,
) -> ExportPlan:
    """
    Plans an export.

    Args:
        folders (`Sequence[SplitFolder]`): The split folders.
        is_pretrain (`bool`): Whether the stage-1 folders are exported.
        with_pairs (`bool`): Whether to write the configurations with one row per pair as well.
        max_shard_size (`int`): Bytes of raw images and masks per file; a pair is never split.
        mask_rule (`MaskRule`, *optional*): Meaning of the values of the masks.

    Returns:
        `ExportPlan`: The files, sorted by configuration, split and number.
    """
    report = ReadingReport()
    shards: list[Shard] = []
    parts: dict[str, dict[str, tuple[str, ...]]] = {}
    layouts = {"": "pretrain" if is_pretrain else "referring", **({PAIRS_SUFFIX: "pairs"} if with_pairs else {})}
    for split in SPLITS:
        of_domains: list[Pair] = []
        settings: list[str] = []
        for setting in (*DOMAINS, "TV"):
            selected = select_folders(folders, setting, split, is_pretrain)
            if setting == "TV" and all(folder.domain is not None for folder in selected):
                # TV reuses the files of both domains, so that no image is stored twice.
                report_shared_ids(of_domains, report)
                for suffix in layouts if settings else ():
                    parts.setdefault(f"TV{suffix}", {})[split] = tuple(other + suffix for other in settings)
                continue
            pairs = list_setting(folders, setting, split, is_pretrain, report)
            if mask_rule is not None:
                pairs = [pair.with_mask_rule(mask_rule) for pair in pairs]
            if not pairs:
                continue
            settings.append(setting)
            of_domains += pairs
            groups = list(_group(pairs, max_shard_size))
            for suffix, layout in layouts.items():
                config = setting + suffix
                parts.setdefault(config, {})[split] = (config,)
                shards += [
                    Shard(config, layout, split, index, len(groups), group) for index, group in enumerate(groups)
                ]
    return ExportPlan(tuple(sorted(shards, key=lambda shard: shard.name)), parts, report)


def _group(pairs: Sequence[Pair], max_bytes: int) -> Iterator[tuple[Pair, ...]]:
    """Consecutive pairs that together stay below the limit, or a single larger pair."""
    group: list[Pair] = []
    group_bytes = 0
    for pair in pairs:
        size = _size(pair)
        if group and group_bytes + size > max_bytes:
            yield tuple(group)
            group, group_bytes = [], 0
        group.append(pair)
        group_bytes += size
    if group:
        yield tuple(group)


def _size(pair: Pair) -> int:
    masks = [expression.mask for expression in pair.expressions]
    if pair.change_mask is not None:
        masks.append(pair.change_mask)
    return sum(file.num_bytes for file in (pair.image_t1, pair.image_t2, *masks))
