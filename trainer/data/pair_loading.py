# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Mixes datasets and reads their pairs.

The trainer iterates over a table of indices (dataset and pair), which only depends on the seed. A pair is read (or
generated) and augmented when its row is looked up, with a random generator that depends only on seed, epoch and row.
So a resumed run skips finished rows without reading them, the pairs do not depend on the number of workers, and
infinite generated datasets need no disk space.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import torch
from datasets import Dataset, concatenate_datasets, interleave_datasets
from transformers.utils import logging

from dataset_scripts.errors import DataError
from dataset_scripts.readers import PairSource, UnusableError, is_made, open_pairs
from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.errors import one_line
from mtrefseg.io import SCENES
from trainer.arguments import DataArguments

from .augmentation import PairAugmentation
from .samples import PairSample, decode_pair, load_sample, without_choices


logger = logging.get_logger(__name__)
_OTHER_PAIRS_TRIED = 4
_UNREADABLE_IN_A_ROW = 20
_RANGE_OF_INFINITE = 1_000_000


class PairLoader:
    """
    Looks up the pairs of a table made by [`mix`] or [`list_all`]: the transform of a `datasets.Dataset`. A pair that
    cannot be read, or a sentence that the processor refuses, is named in a warning. With `epoch_draws` (in training)
    the next usable pair takes the place of one that is not, independent of processes and resuming; otherwise its
    sample is `None`.

    Args:
        sources (`Sequence[PairSource]`): The datasets, indexed by the column "source".
        augmentation ([`PairAugmentation`], *optional*): Applied to each pair.
        sentences_per_pair (`int`, *optional*, defaults to 0): Keeps this many random sentences of a pair; 0 for all.
        drop_choices (`bool`, *optional*, defaults to `False`): See [`DataArguments`].
        seed (`int`, *optional*, defaults to 0): Seed of all random numbers.
        epoch_draws (`Sequence[int]`, *optional*): Number of pairs of each dataset per epoch. With it the column
            "row" counts draws, which continue in the next epoch: every dataset is read to its end in a random order,
            and then again in another one, independent of its share. Without it, rows are the numbers of the pairs.
        processor ([`MTRefSegProcessor`], *optional*): Sentences that it refuses (too long, or with a special token)
            are left out.
    """

    def __init__(
        self,
        sources: Sequence[PairSource],
        augmentation: PairAugmentation | None = None,
        sentences_per_pair: int = 0,
        drop_choices: bool = False,
        seed: int = 0,
        epoch_draws: Sequence[int] | None = None,
        processor: MTRefSegProcessor | None = None,
    ) -> None:
        self.sources = sources
        self.augmentation = augmentation
        self.sentences_per_pair = sentences_per_pair
        self.drop_choices = drop_choices
        self.seed = seed
        self.epoch_draws = epoch_draws
        self.processor = processor
        self._unreadable: set[tuple[int, int]] = set()  # Pairs that were already named in a warning.
        # By dataset, the cycle and the order of its pairs in it: drawn once, since it takes time with their number.
        self._orders: dict[int, tuple[int, np.ndarray]] = {}
        # In shared memory, for persistent workers.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, which determines the augmentations and, for infinite datasets, the pairs."""
        self._epoch.fill_(epoch)

    def __call__(self, rows: dict[str, list[int]]) -> dict[str, list[PairSample | None]]:
        """Converts columns "source", "row" and "position" of some rows to a column "sample"."""
        return {"sample": [self.sample(*row) for row in zip(rows["source"], rows["row"], rows["position"])]}

    def sample(self, source: int, row: int, position: int) -> PairSample | None:
        """
        The pair of one row, augmented.

        Raises:
            DataError: If neither it nor the pairs after it can be read.
        """
        epoch = int(self._epoch)
        first = self._number(source, row, epoch)
        for number in range(first, first + _UNREADABLE_IN_A_ROW):
            sample = self._load(source, number)
            if sample is None:
                return None
            sample = self._prepare(sample, source, np.random.default_rng([self.seed, epoch, position]))
            if sample is not None:
                return sample
        raise DataError(
            f"{_UNREADABLE_IN_A_ROW} pairs of {self.sources[source].name} in a row have only sentences that the "
            "processor rejects; the warnings say why."
        )

    def _prepare(self, sample: PairSample, source: int, random: np.random.Generator) -> PairSample | None:
        """The pair, augmented; `None` if no sentence is left."""
        if self.drop_choices:
            sample = without_choices(sample)
        if self.augmentation is not None:
            # Infinite datasets have enough different backgrounds.
            is_infinite = self.sources[source].is_infinite
            other_pair = None if is_infinite else partial(self._pair_like, sample, random)
            sample = self.augmentation(sample, random, other_pair)
        if self.processor is not None and sample.expressions:
            sample = _accepted(sample, self.processor)
            if not sample.expressions:
                return None
        count = len(sample.expressions)
        if 0 < self.sentences_per_pair < count:
            sample = sample.with_sentences(np.sort(random.permutation(count)[: self.sentences_per_pair]).tolist())
        return sample

    def _load(self, source: int, number: int) -> PairSample | None:
        """A pair or, in training, the first one after it that can be read."""
        pairs = self.sources[source]
        number = number if pairs.is_infinite else number % len(pairs)
        for tried in range(1 if self.epoch_draws is None else _UNREADABLE_IN_A_ROW):
            at = number + tried if pairs.is_infinite else (number + tried) % len(pairs)
            try:
                return load_sample(pairs, at)
            except (DataError, UnusableError) as error:
                if (source, at) not in self._unreadable:
                    self._unreadable.add((source, at))
                    logger.warning(f"pair {at} of {pairs.name} is left out: {one_line(error)}")
        if self.epoch_draws is None:
            return None
        raise DataError(
            f"{_UNREADABLE_IN_A_ROW} pairs of {pairs.name} in a row cannot be read, the first of them pair {number}: "
            "repair the data, or remove it from --train_data."
        )

    def _number(self, source: int, draw: int, epoch: int) -> int:
        """The index of the pair for a draw."""
        if self.epoch_draws is None:
            return draw
        pairs, draw = self.sources[source], draw + epoch * self.epoch_draws[source]
        if pairs.is_infinite:
            return draw
        cycle, place = divmod(draw, len(pairs))
        if source not in self._orders or self._orders[source][0] != cycle:
            order = np.random.default_rng([self.seed, source, cycle]).permutation(len(pairs))
            self._orders[source] = cycle, order
        return int(self._orders[source][1][place])

    def _pair_like(self, sample: PairSample, random: np.random.Generator) -> PairSample | None:
        """Another pair of any dataset, of the same domain, if a few draws find one."""
        for _ in range(_OTHER_PAIRS_TRIED):
            source = self.sources[int(random.integers(len(self.sources)))]
            number = int(random.integers(_RANGE_OF_INFINITE if source.is_infinite else len(source)))
            with suppress(DataError, UnusableError):
                other = source[number]
                if other.domain == sample.domain and other.pair_id != sample.pair_id:
                    return decode_pair(other, source)
        return None


def _accepted(sample: PairSample, processor: MTRefSegProcessor) -> PairSample:
    """The pair without the sentences that the processor refuses."""
    encoder = processor.sentence_encoder
    domain = [None if sample.domain is None else SCENES[sample.domain]]
    try:
        encoder.encode([sample.expressions], domain, training=True)
        return sample
    except ValueError:
        kept = []
    for index, text in enumerate(sample.expressions):
        try:
            encoder.encode([[text]], domain, training=True)
            kept.append(index)
        except ValueError as error:
            logger.warning_once(f"a sentence of the pair {sample.pair_id} is left out: {one_line(error)}")
    return sample.with_sentences(kept)


def make_train_dataset(
    arguments: DataArguments,
    augmentation: PairAugmentation,
    is_stage1: bool,
    seed: int,
    run_pairs: int,
    processor: MTRefSegProcessor | None = None,
) -> tuple[Dataset, PairLoader]:
    """
    Opens and mixes the training data.

    Args:
        arguments ([`DataArguments`]): The datasets.
        augmentation ([`PairAugmentation`]): Applied to each pair.
        is_stage1 (`bool`): Whether pairs have the mask of every change instead of sentences.
        seed (`int`): Seed of all random numbers.
        run_pairs (`int`): Number of pairs of the complete run, 0 if unknown; the length of an epoch if one of the
            datasets is infinite.
        processor ([`MTRefSegProcessor`], *optional*): See [`PairLoader`].

    Returns:
        `datasets.Dataset`: One row per pair, with the column "sample".
        [`PairLoader`]: Its transform; call `set_epoch` for each epoch.

    Raises:
        DataError: If a dataset cannot be opened, or the length of an epoch is unknown.
    """
    settings = _scene_settings(arguments) | {
        "noise": arguments.generated_noise,
        "most_expressions": arguments.generated_expressions,
        "plain_share": arguments.generated_plain_share,
        "no_target_share": arguments.generated_no_target_share,
    }
    sources = [
        open_pairs(
            name,
            "train" if is_made(name) else arguments.train_split,
            arguments.setting,
            is_stage1=is_stage1,
            num_pairs=arguments.generated_pairs or None,
            generator=settings,
        )
        for name in arguments.train_data
    ]
    sizes = [_size(source, name) for source, name in zip(sources, arguments.train_data)]
    length = arguments.epoch_pairs or (run_pairs if None in sizes else sum(size or 0 for size in sizes))
    if not length:
        raise DataError("Generated pairs are unlimited: set max_steps, generated_pairs or epoch_pairs.")
    table = mix(sizes, arguments.train_weights, length, seed)
    draws = np.bincount(np.asarray(table["source"]), minlength=len(sources)).tolist()
    loader = PairLoader(
        sources, augmentation, arguments.sentences_per_pair, arguments.drop_choices, seed, draws, processor
    )
    table.set_transform(loader)
    return table, loader


def make_eval_dataset(arguments: DataArguments, is_stage1: bool) -> Dataset | None:
    """
    Opens the data to evaluate on, without augmentation.

    Args:
        arguments ([`DataArguments`]): The datasets.
        is_stage1 (`bool`): See [`make_train_dataset`].

    Returns:
        `datasets.Dataset`: One row per pair, with the column "sample"; `None` without `eval_data`.

    Raises:
        DataError: If a dataset cannot be opened, or is empty.
    """
    try:
        sources = [
            open_pairs(
                name,
                "validation",
                arguments.setting,
                is_stage1=is_stage1,
                num_pairs=arguments.generated_eval_pairs,
                generator=_scene_settings(arguments),
            )
            for name in arguments.eval_data
        ]
    except DataError as error:
        raise DataError(
            f"--eval_data: {one_line(error)} To train without evaluation, add --eval_data none."
        ) from error
    if not sources:
        return None
    _name_apart(sources)
    sizes = [_size(source, name) or 0 for source, name in zip(sources, arguments.eval_data)]
    table = list_all(sizes, arguments.max_eval_pairs)
    table.set_transform(PairLoader(sources))
    return table


def _scene_settings(arguments: DataArguments) -> dict[str, Any]:
    """The settings of the generator that training and evaluation share."""
    return {
        "seed": arguments.generated_seed,
        "size": arguments.generated_size,
        "domains": tuple(arguments.generated_domains),
    }


def _name_apart(sources: Sequence[PairSource]) -> None:
    """Numbers datasets of the same name, such as two folders called "pairs": each one has its own scores."""
    known: Counter[str] = Counter()
    for source in sources:
        known[source.name] += 1
        if known[source.name] > 1:
            source.name = f"{source.name}_{known[source.name]}"


def _size(source: PairSource, name: str) -> int | None:
    """How many pairs a source has, `None` if it is infinite; an empty source raises a [`DataError`]."""
    size = None if source.is_infinite else len(source)
    if size == 0:
        raise DataError(f"{name} holds no usable pairs: name other data, another split or another setting.")
    return size


def mix(sizes: Sequence[int | None], weights: Sequence[float] | None, length: int, seed: int) -> Dataset:
    """
    Determines the order in which pairs of several datasets are read.

    Args:
        sizes (`Sequence[int | None]`): How many pairs each dataset has, `None` if infinite.
        weights (`Sequence[float]`, *optional*): Relative frequency of each dataset. By default proportional to its
            number of pairs.
        length (`int`): Number of rows.
        seed (`int`): Seed of all random numbers.

    Returns:
        `datasets.Dataset`: Columns "source", "row" (index of the draw from that dataset, from 0) and "position" (the
        number of the row).
    """
    shares = np.array([size or length for size in sizes] if weights is None else weights, dtype=np.float64)
    tables = [
        Dataset.from_dict({"source": np.full(length, source), "row": np.arange(length)})
        for source in range(len(sizes))
    ]
    finite = [size for size in sizes if size is not None]
    if weights is None and len(finite) == len(sizes) and sum(finite) == length:
        # Every pair once.
        mixed = concatenate_datasets([table.select(range(size)) for table, size in zip(tables, finite)])
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
        sizes (`Sequence[int]`): How many pairs each dataset has.
        most (`int`, *optional*): Maximum number of each, evenly spaced.

    Returns:
        `datasets.Dataset`: The columns of [`mix`].
    """
    rows: list[dict[str, int]] = []
    for source, size in enumerate(sizes):
        count = size if most is None else min(size, most)
        for index in range(count):
            rows.append({"source": source, "row": index * size // count, "position": len(rows)})
    return Dataset.from_list(rows)
