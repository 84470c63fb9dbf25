# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Opens datasets by name, mixes them, and reads their pairs.

What the trainer iterates over is a table of numbers, which pair of which dataset, made once from the seed alone; the
pair is read (or generated) and augmented when the row is looked up, by a random generator that depends on nothing but
seed, epoch and row. So a resumed run skips what it has seen without reading it, any number of workers and processes
sees the same pairs, and the generator is an endless stream that needs no disk.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from datasets import Dataset, concatenate_datasets, interleave_datasets, load_dataset
from PIL import Image

from dataset_scripts import mtrefseg_21k, mtrefseg_pretrain
from dataset_scripts.errors import DataError
from dataset_scripts.readers.reading_report import ReadingReport
from dataset_scripts.readers.schema import PAIRS_SUFFIX
from dataset_scripts.readers.sources import open_source
from dataset_scripts.readers.split_folders import find_split_folders
from dataset_scripts.synthesis.generator import Generator
from trainer.arguments import GENERATED, DataArguments

from .augmentation import PairAugmentation
from .samples import GeneratedSource, PairSample, RecordSource, Source, TableSource, UnionSource


logger = datasets.logging.get_logger(__name__)
_PLACES_LOOKED_AT = 4
_PLACES_WITHOUT_END = 1_000_000


class PairLoader:
    """
    Looks up the pairs of a table made by [`mix`] or [`list_all`]: the transform of a `datasets.Dataset`.

    Args:
        sources (`Sequence[Source]`): What the column "source" counts.
        augmentation ([`PairAugmentation`], *optional*): Applied to each pair.
        sentences_per_pair (`int`, *optional*, defaults to 0): Keeps so many sentences of a pair, by chance; 0 for all.
        seed (`int`, *optional*, defaults to 0): Of all chance.
        epoch_draws (`Sequence[int]`, *optional*): How many pairs of each dataset an epoch takes. With it the column
            "row" counts draws, which go on in the next epoch: every dataset is gone through in an order by chance, and
            then in another one, whatever its share. Without it, rows are the pairs' own numbers.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        augmentation: PairAugmentation | None = None,
        sentences_per_pair: int = 0,
        seed: int = 0,
        epoch_draws: Sequence[int] | None = None,
    ) -> None:
        self.sources = sources
        self.augmentation = augmentation
        self.sentences_per_pair = sentences_per_pair
        self.seed = seed
        self.epoch_draws = epoch_draws
        # In shared memory, so that workers that live on hear of it.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Chooses other augmentations, and other generated pairs, than in other epochs."""
        self._epoch.fill_(epoch)

    def __call__(self, rows: dict[str, list[int]]) -> dict[str, list[PairSample]]:
        """Columns "source", "row" and "position" of some rows to a column "sample"."""
        return {"sample": [self.sample(*row) for row in zip(rows["source"], rows["row"], rows["position"])]}

    def sample(self, source: int, row: int, position: int) -> PairSample:
        """The pair of one row, augmented."""
        epoch = int(self._epoch)
        sample = self.sources[source].pair(self._number(source, row, epoch))
        random = np.random.default_rng([self.seed, epoch, position])
        if self.augmentation is not None:
            # The places of generated pairs are without number anyway.
            other_place = partial(self._place_like, sample, random) if self.sources[source].num_pairs else None
            sample = self.augmentation(sample, random, other_place)
        count = len(sample.expressions)
        if 0 < self.sentences_per_pair < count:
            kept = np.sort(random.permutation(count)[: self.sentences_per_pair])
            sample.masks = [sample.masks[index] for index in kept]
            sample.expressions = [sample.expressions[index] for index in kept]
            sample.change_types = [sample.change_types[index] for index in kept]
        return sample

    def _number(self, source: int, draw: int, epoch: int) -> int:
        """Which pair of a dataset a draw is."""
        if self.epoch_draws is None:
            return draw
        size, draw = self.sources[source].num_pairs, draw + epoch * self.epoch_draws[source]
        if not size:
            return draw
        cycle, place = divmod(draw, size)
        return int(np.random.default_rng([self.seed, source, cycle]).permutation(size)[place])

    def _place_like(self, sample: PairSample, random: np.random.Generator) -> Image.Image | None:
        """The earlier image of another pair of any dataset, of the same domain, if a few draws find one."""
        for _ in range(_PLACES_LOOKED_AT):
            source = self.sources[int(random.integers(len(self.sources)))]
            other = source.pair(int(random.integers(source.num_pairs or _PLACES_WITHOUT_END)))
            if other.domain == sample.domain and other.pair_id != sample.pair_id:
                return other.image_t1
        return None


def make_train_dataset(
    arguments: DataArguments, augmentation: PairAugmentation, is_stage1: bool, seed: int, run_pairs: int
) -> tuple[Dataset, PairLoader]:
    """
    Opens and mixes the training data.

    Args:
        arguments ([`DataArguments`]): Which.
        augmentation ([`PairAugmentation`]): Applied to each pair.
        is_stage1 (`bool`): Whether pairs have the mask of every change instead of sentences.
        seed (`int`): Of all chance.
        run_pairs (`int`): How many pairs the whole run takes, 0 if unknown: an epoch of an endless mixture.

    Returns:
        `datasets.Dataset`: One row a pair, with the column "sample".
        [`PairLoader`]: Its transform, to be told the epoch.

    Raises:
        DataError: If a dataset cannot be opened, or the length of an epoch is unknown.
    """
    generator = Generator(
        seed=arguments.generated_seed,
        size=arguments.generated_size,
        domains=tuple(arguments.generated_domains),  # type: ignore[arg-type]
        noise=arguments.generated_noise,
        most_expressions=arguments.generated_expressions,
        plain_share=arguments.generated_plain_share,
        no_target_share=arguments.generated_no_target_share,
    )
    generated = GeneratedSource(generator, is_stage1, arguments.generated_pairs)
    sources: list[Source] = [
        generated if name == GENERATED else open_data(name, arguments.setting, arguments.train_split, is_stage1)
        for name in arguments.train_data
    ]
    is_endless = any(not source.num_pairs for source in sources)
    length = arguments.epoch_pairs or (run_pairs if is_endless else sum(source.num_pairs for source in sources))
    if not length:
        raise DataError("The generated pairs have no end: say max_steps, generated_pairs or epoch_pairs.")
    table = mix([source.num_pairs for source in sources], arguments.train_weights, length, seed)
    draws = np.bincount(np.asarray(table["source"]), minlength=len(sources)).tolist()
    loader = PairLoader(sources, augmentation, arguments.sentences_per_pair, seed, draws)
    table.set_transform(loader)
    return table, loader


def make_eval_dataset(arguments: DataArguments, is_stage1: bool) -> Dataset | None:
    """
    Opens the data to evaluate on, as it is.

    Args:
        arguments ([`DataArguments`]): Which.
        is_stage1 (`bool`): See [`make_train_dataset`].

    Returns:
        `datasets.Dataset`: One row a pair, with the column "sample"; `None` without `eval_data`.
    """
    generator = Generator(
        seed=arguments.generated_seed,
        size=arguments.generated_size,
        domains=tuple(arguments.generated_domains),  # type: ignore[arg-type]
        split="validation",
    )
    generated = GeneratedSource(generator, is_stage1, arguments.generated_eval_pairs)
    sources: list[Source] = [
        generated if name == GENERATED else open_data(name, arguments.setting, "validation", is_stage1)
        for name in arguments.eval_data
    ]
    if not sources:
        return None
    table = list_all([source.num_pairs for source in sources], arguments.max_eval_pairs)
    table.set_transform(PairLoader(sources))
    return table


def open_data(name: str, setting: str, split: str, is_stage1: bool) -> Source:
    """
    Opens a dataset.

    Args:
        name (`str`): Hub id or folder of an export, a raw folder, or an image folder with `metadata.jsonl`.
        setting (`str`): Benchmark setting: "TV", "NS" or "RS".
        split (`str`): "train", "validation" or "test".
        is_stage1 (`bool`): Whether pairs have the mask of every change instead of sentences.

    Returns:
        `Source`: Its pairs.

    Raises:
        DataError: If there is no such dataset, configuration or split.
    """
    folder = Path(name)
    if is_stage1 and folder.is_dir() and _has_sentences(folder):
        return UnionSource(open_data(name, setting, split, is_stage1=False))
    label = folder.resolve().name if folder.is_dir() else name.replace("/", "_")
    is_raw = name in (mtrefseg_21k.REPOSITORY, mtrefseg_pretrain.REPOSITORY)
    if folder.is_dir() and next(folder.rglob("*.parquet"), None) is None:
        kind = open_source(folder, ReadingReport()).kind
        if kind == "image folder":
            return _open_image_folder(folder, label, setting, split, is_stage1)
        is_raw = True
    elif not folder.is_dir() and (name.startswith((".", "/")) or name.count("/") != 1):
        raise DataError(f"{name} is neither a folder nor a Hub id; name the folder that holds the data.")
    table = _prepare_raw(name, setting, split, is_stage1) if is_raw else _load(name, setting, split, is_stage1)
    needed = {"mask", "pair_id"} if is_stage1 else {"pair_id", "change_types" if "masks" in table.features else "mask"}
    if not needed <= table.features.keys() or (is_stage1 and "expression" in table.features):
        kind = "masks of every change (stage 1)" if is_stage1 else "sentences"
        raise DataError(f"{name} has the columns {', '.join(table.column_names)}, which are not those of {kind}.")
    return TableSource(label, table)


def _has_sentences(folder: Path) -> bool:
    """Whether a folder is of the raw layout and has sentences, but no masks of every change."""
    try:
        split_folders = find_split_folders(folder)
    except DataError:
        return False
    return not any(split_folder.is_pretrain for split_folder in split_folders)


def mix(sizes: Sequence[int], weights: Sequence[float] | None, length: int, seed: int) -> Dataset:
    """
    The order in which pairs of several datasets are read.

    Args:
        sizes (`Sequence[int]`): Pairs of each dataset, 0 for no end.
        weights (`Sequence[float]`, *optional*): How often each is drawn. Without weights as often as it has pairs.
        length (`int`): Rows to make.
        seed (`int`): Of all chance.

    Returns:
        `datasets.Dataset`: Columns "source", "row" (which draw from that dataset it is, from 0) and "position" (the
        row's own number).
    """
    shares = np.array([size or length for size in sizes] if weights is None else weights, dtype=np.float64)
    tables = [
        Dataset.from_dict({"source": np.full(length, source), "row": np.arange(length)})
        for source in range(len(sizes))
    ]
    if weights is None and sum(sizes) == length and all(sizes):
        # Every pair once.
        mixed = concatenate_datasets([table.select(range(size)) for table, size in zip(tables, sizes)])
    elif len(tables) == 1:
        mixed = tables[0]
    else:
        probabilities = (shares / shares.sum()).tolist()
        mixed = interleave_datasets(tables, probabilities, seed=seed, stopping_strategy="first_exhausted")
    mixed = mixed.select(range(length))
    return mixed.add_column("position", np.arange(length))


def list_all(sizes: Sequence[int], most: int | None = None) -> Dataset:
    """
    Every pair of several datasets, one after another.

    Args:
        sizes (`Sequence[int]`): Pairs of each dataset.
        most (`int`, *optional*): Takes no more of each, evenly spaced.

    Returns:
        `datasets.Dataset`: Columns as those of [`mix`].
    """
    rows: list[dict[str, Any]] = []
    for source, size in enumerate(sizes):
        count = size if most is None else min(size, most)
        rows += [{"source": source, "row": index * size // count, "position": len(rows)} for index in range(count)]
    return Dataset.from_list([{**row, "position": position} for position, row in enumerate(rows)])


def _prepare_raw(name: str, setting: str, split: str, is_stage1: bool) -> Dataset:
    """A raw dataset by its builder, which checks every file once and keeps the result in the cache."""
    data_dir = name if Path(name).is_dir() else None
    if is_stage1:
        builder = mtrefseg_pretrain.MTRefSegPretrain(config_name=setting, data_dir=data_dir)
    else:
        builder = mtrefseg_21k.MTRefSeg21K(config_name=setting + PAIRS_SUFFIX, data_dir=data_dir)
    builder.download_and_prepare()
    found = list(builder.info.splits or {})
    if split not in found:
        raise DataError(f"{name} has no split {split!r} for setting {setting}; it has {', '.join(found)}.")
    return builder.as_dataset(split=split)


def _load(name: str, setting: str, split: str, is_stage1: bool) -> Dataset:
    """An export, of one row a pair where it has such a configuration."""
    known = datasets.get_dataset_config_names(name)
    wanted = [setting] if is_stage1 else [setting + PAIRS_SUFFIX, setting]
    config = next((config for config in wanted if config in known), None)
    if config is None:
        raise DataError(f"{name} has no configuration {wanted[-1]!r}; it has {', '.join(known)}.")
    splits = datasets.get_dataset_split_names(name, config)
    if split not in splits:
        raise DataError(f"{name} has no split {split!r} for setting {setting}; it has {', '.join(splits)}.")
    return load_dataset(name, config, split=split)


def _open_image_folder(folder: Path, label: str, setting: str, split: str, is_stage1: bool) -> RecordSource:
    report = ReadingReport()
    records = [
        record
        for record in open_source(folder, report).read()
        if record.split == split
        and (setting == "TV" or record.domain == setting)
        and (record.change_mask is not None) == is_stage1
    ]
    if report.findings:
        logger.warning(f"{folder}:\n{report.table()}")
    if not records:
        raise DataError(f"{folder} holds no usable pair of split {split!r} and setting {setting}.")
    return RecordSource(label, records)
