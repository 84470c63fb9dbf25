# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Generates image pairs with sentences and exact masks. A pair depends only on the settings and its index."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from PIL import Image

from dataset_scripts.synthesis.language.expressions import NO_TARGET_SHARE, ExpressionWriter, with_masks
from dataset_scripts.synthesis.language.observation import Observation
from dataset_scripts.synthesis.language.plain_expressions import PlainExpressionWriter
from dataset_scripts.synthesis.render.camera import sample_camera, shifted, take_image
from dataset_scripts.synthesis.render.light import Light, sample_light
from dataset_scripts.synthesis.worlds.highway import paint_highway, sample_highway
from dataset_scripts.synthesis.worlds.remote_sensing import sample_remote_sensing
from dataset_scripts.synthesis.worlds.remote_sensing_painting import paint_remote_sensing
from dataset_scripts.synthesis.worlds.room import paint_room, sample_room
from dataset_scripts.synthesis.worlds.street import paint_street, sample_street

from .corruption import corrupt
from .scene import TIMES, Rendering, Scene, SyntheticExpression, Time


Domain: TypeAlias = Literal["NS", "RS"]
Split: TypeAlias = Literal["train", "validation", "test"]

SMALLEST_SIZE, LARGEST_SIZE = 128, 1024
# The splits draw from different seeds, so that no scene is in two of them.
SPLIT_SEEDS: dict[Split, int] = {"train": 0, "validation": 1, "test": 2}
_SHIFTED_SHARE, _LARGEST_SHIFT = 0.5, 0.02


@dataclass(frozen=True)
class World:
    """
    One kind of scene.

    Args:
        domain (`"NS"` or `"RS"`): Domain that the scenes belong to.
        sample (`Callable`): `sample(random, size)` returns a scene.
        paint (`Callable`): `paint(scene, time, light)` returns one of its two images.
        share (`float`): Sampling weight relative to the other worlds of the domain.
    """

    domain: Domain
    sample: Callable[[np.random.Generator, int], Scene]
    paint: Callable[[Any, Time, Light], Rendering]
    share: float = 1.0


WORLDS: dict[str, World] = {
    "above": World("RS", sample_remote_sensing, paint_remote_sensing),
    "street": World("NS", sample_street, paint_street),
    "highway": World("NS", sample_highway, paint_highway, share=1.5),
    "room": World("NS", sample_room, paint_room),
}


@dataclass(frozen=True)
class SyntheticPair:
    """
    A pair of images with its sentences.

    Args:
        pair_id (`str`): Identifier, built from domain, split, seed and index.
        domain (`str`): "NS" or "RS".
        source (`str`): Where the images are from, as in the column `source`: "synthetic street", "composed coco", ….
        view (`str`): "normal", "aerial" or "satellite".
        image_t1, image_t2 (`PIL.Image.Image`): RGB, square; the earlier and the later image.
        expressions (`tuple[SyntheticExpression, ...]`): Sentences with masks, at least one.
        scene (`Scene`): The scene that both images show.
        numbers_t1, numbers_t2 (`np.ndarray`): int16 (height, width), number of the thing visible at each pixel, 0 for
            background.
        skipped_sentences (`int`, *optional*, defaults to 0): As in [`Pair`]; only for pairs made of other data.
    """

    pair_id: str
    domain: Domain
    source: str
    view: str
    image_t1: Image.Image
    image_t2: Image.Image
    expressions: tuple[SyntheticExpression, ...]
    scene: Scene
    numbers_t1: np.ndarray
    numbers_t2: np.ndarray
    skipped_sentences: int = 0

    @property
    def change_mask(self) -> np.ndarray:
        """Mask of all changes, bool (height, width): the target of stage 1."""
        observation = Observation(self.scene, self.numbers_t1, self.numbers_t2)
        return observation.mask(*(one.number for one in observation.sightings if one.change is not None))


class PairGenerator:
    """Base of the generator and the composer: the settings that both have, and pairs that are made from an index."""

    seed: int
    size: int
    split: Split
    most_expressions: int
    plain_share: float
    no_target_share: float

    def pair(self, index: int) -> SyntheticPair:
        """The pair with an index."""
        raise NotImplementedError

    def pairs(self, stop: int | None = None) -> Iterator[SyntheticPair]:
        """
        Makes pairs one at a time, from the first.

        Args:
            stop (`int`, *optional*): Number of pairs; infinite by default.

        Yields:
            `SyntheticPair`: The next pair.
        """
        for index in itertools.count() if stop is None else range(stop):
            yield self.pair(index)

    def _check_settings(self, *shares: str) -> None:
        """Raises a `ValueError` if a setting is out of range; `shares` names further ones that are from 0 to 1."""
        if not SMALLEST_SIZE <= self.size <= LARGEST_SIZE:
            raise ValueError(f"size is {self.size}, but must be from {SMALLEST_SIZE} to {LARGEST_SIZE} pixels.")
        if self.split not in SPLIT_SEEDS:
            raise ValueError(f"split is {self.split!r}, but must be one of {', '.join(SPLIT_SEEDS)}.")
        for name, least in (("seed", 0), ("most_expressions", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be at least {least}.")
        for name in (*shares, "plain_share", "no_target_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be from 0 to 1.")

    def _sample_counts(self, random: np.random.Generator) -> tuple[int, int]:
        """The number of sentences for a pair, and how many of them are plain."""
        wanted = int(random.integers(min(2, self.most_expressions), self.most_expressions + 1))
        return wanted, int(random.binomial(wanted, self.plain_share)) if self.plain_share else 0


@dataclass(frozen=True)
class Generator(PairGenerator):
    """
    Generates pairs. The same settings and index always give the same pair.

    Args:
        seed (`int`, *optional*, defaults to 0): Seed of all random choices.
        size (`int`, *optional*, defaults to 256): Width and height in pixels, 128 to 1024.
        domains (`Sequence[str]`, *optional*, defaults to `("NS", "RS")`): Domains; the pairs alternate between them.
        split (`str`, *optional*, defaults to `"train"`): "train", "validation" or "test". Splits share no scene.
        noise (`float`, *optional*, defaults to 0.0): Share of sentences with a corrupted mask or text, 0 to 1.
        strength (`float`, *optional*, defaults to 1.0): How much season and camera differ between the images, 0 to 1.
        most_expressions (`int`, *optional*, defaults to 6): Largest number of sentences per pair.
        plain_share (`float`, *optional*, defaults to 0.0): Share of simple sentences for the start of training, 0 to
            1; see [`PlainExpressionWriter`].
        no_target_share (`float`, *optional*, defaults to 0.06): Share of attempts to write a no-target sentence, 0 to
            1. These attempts succeed more often than others, so the share among the sentences is higher.

    Raises:
        ValueError: If a setting is out of range.

    Example:

    ```python
    >>> pair = Generator(seed=0, size=256).pair(7)
    >>> [expression.text for expression in pair.expressions]
    ```
    """

    seed: int = 0
    size: int = 256
    domains: Sequence[Domain] = ("NS", "RS")
    split: Split = "train"
    noise: float = 0.0
    strength: float = 1.0
    most_expressions: int = 6
    plain_share: float = 0.0
    no_target_share: float = NO_TARGET_SHARE

    label: ClassVar[str] = "synthetic"
    # Increased whenever the same seed gives other images or sentences.
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not self.domains or set(self.domains) - {"NS", "RS"}:
            raise ValueError(f"domains is {self.domains!r}, but must hold 'NS', 'RS' or both.")
        self._check_settings("noise", "strength")

    def domain(self, index: int) -> Domain:
        """Domain ("NS" or "RS") of the pair with this index."""
        return self.domains[index % len(self.domains)]

    def pair_id(self, index: int) -> str:
        """Identifier of the pair with this index, such as "RS_train_0_0000007"."""
        return f"{self.domain(index)}_{self.split}_{self.seed}_{index:07d}"

    def pair(self, index: int) -> SyntheticPair:
        """
        Generates one pair.

        Args:
            index (`int`): Index of the pair, 0 or more.

        Returns:
            `SyntheticPair`: The pair.
        """
        random = np.random.default_rng([self.seed, SPLIT_SEEDS[self.split], index])
        domain = self.domain(index)
        name, world = _choose_world(random, domain)
        scene = world.sample(random, self.size)
        first, second = (world.paint(scene, time, sample_light(random)) for time in TIMES)
        if random.random() < _SHIFTED_SHARE * self.strength:
            second = shifted(second, random, _LARGEST_SHIFT * self.strength)
        images = [take_image(rendering, sample_camera(random, self.strength), random) for rendering in (first, second)]
        observation = Observation(scene, first.numbers, second.numbers)
        return SyntheticPair(
            pair_id=self.pair_id(index),
            domain=domain,
            source=f"synthetic {name}",
            view=scene.view,
            image_t1=images[0],
            image_t2=images[1],
            expressions=self._expressions(random, observation),
            scene=scene,
            numbers_t1=first.numbers,
            numbers_t2=second.numbers,
        )

    def _expressions(self, random: np.random.Generator, observation: Observation) -> tuple[SyntheticExpression, ...]:
        wanted, plain = self._sample_counts(random)
        writer = ExpressionWriter(observation, random)
        # A pair without changes only allows no-target sentences, so one is enough.
        sentences = writer.write(min(wanted - plain, wanted if writer.changed else 1), self.no_target_share)
        if plain:
            sentences += PlainExpressionWriter(observation, random).write(plain, self.no_target_share)
        expressions = with_masks(sentences, observation)
        return corrupt(expressions, random, self.noise) if self.noise else expressions

    @property
    def made_of(self) -> str:
        """Its pairs are made of no files."""
        return ""

    made_of_copies = made_of


def _choose_world(random: np.random.Generator, domain: Domain) -> tuple[str, World]:
    names = [name for name, world in WORLDS.items() if world.domain == domain]
    shares = np.array([WORLDS[name].share for name in names])
    name = names[int(random.choice(len(names), p=shares / shares.sum()))]
    return name, WORLDS[name]
