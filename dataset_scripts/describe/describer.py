# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes further sentences about the changes of pairs that have masks from any source."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np

from dataset_scripts.compose.colors import name_colors
from dataset_scripts.compose.nouns import CLOTHES_COLORS, COLORLESS, COMPOSED_GROUPS, nouns_for
from dataset_scripts.compose.photo_writer import ABSENT_KINDS, PhotoExpressionWriter
from dataset_scripts.errors import DataError
from dataset_scripts.readers import Pair, PairSource, Reason, UnusableError, open_pairs
from dataset_scripts.synthesis import Domain, Split, SyntheticExpression, SyntheticPair
from dataset_scripts.synthesis.language.expressions import ExpressionWriter, with_masks
from dataset_scripts.synthesis.language.observation import Observation
from dataset_scripts.synthesis.language.plain_expressions import PlainExpressionWriter
from dataset_scripts.synthesis.scene import ChangeType, Scene, State, Thing
from mtrefseg.io import fold

from .mosaics import Place, make_mosaic
from .parts import Part, change_in, find_parts, kinds_in


_PLAIN_SHARE = 0.3
_STREAM, _MOSAIC_STREAM = 0xDE5C, 0x305A
_STATES: dict[ChangeType, tuple[State | None, State | None]] = {
    "appear": (None, State()),
    "disappear": (State(), None),
    "state_change": (State(condition="green"), State(condition="bare")),
}
# Kinds that often change without being in the masks of a dataset, or that its sentences may call by another name. That
# no sentence is about them does not mean that none has changed.
_OFTEN_UNLABELED = {
    *("car", "truck", "bus", "motorcycle", "bicycle", "building", "greenhouse"),
    *("tree", "plant", "pool", "pond", "field"),
}
_STANDING = frozenset(("building", "field", "road", "forest"))  # What may replace another thing of its kind
# Characters that a file name cannot contain on some system, and a first dot, which hides the file.
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^\.')
_LONGEST_NAME, _KEPT = 200, 40  # Bytes, so that suffixes fit into 255; characters of a longer name that are kept


@dataclass(frozen=True)
class Describer:
    """
    Writes further sentences about pairs with masks: about places, ranks, numbers and colours of the objects that
    changed, and about changes that did not happen. The kind of an object is taken from the existing sentences, which
    are kept. For data that have only masks of every change, `thing` and `change` state it.

    Connected components of a mask count as objects, unless a sentence distinguishes parts of them. A pair gets no new
    sentences if the kind or the change of something in it is unknown, or if some of its sentences are noisy or were
    skipped. No new sentence is about everything that changed: the data may label changes of one kind only.

    Args:
        data (`str | Path`): A folder that [`open_pairs`] reads.
        domain (`str`): "NS" or "RS". Pairs of the other domain are left out.
        seed (`int`, *optional*, defaults to 0): Seed of all random choices.
        split (`str`, *optional*, defaults to `"train"`): The split that is read and written.
        most_expressions (`int`, *optional*, defaults to 12): Largest number of new sentences for a pair.
        no_target_share (`float`, *optional*, defaults to 0.13): How often to try a no-target sentence, 0 to 1.
        thing (`str`, *optional*): The objects in the masks, such as "building"; only for data without sentences.
        change (`str`, *optional*, defaults to `"appear"`): Their change.
        mosaics (`int`, *optional*, defaults to 0): Describe this many mosaics of pieces of the pairs (see
            [`make_mosaic`]) instead of the pairs. They have new sentences only.

    Raises:
        DataError: If the data cannot be read or have no pair of the domain, `thing` is not a known noun or the data
            have sentences, or a setting is out of range.
    """

    data: str | Path
    domain: Domain
    seed: int = 0
    split: Split = "train"
    most_expressions: int = 12
    no_target_share: float = 0.13
    thing: str = ""
    change: ChangeType = "appear"
    mosaics: int = 0

    label: ClassVar[str] = "described"
    version: ClassVar[int] = 6

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", str(self.data))
        if min(self.seed, self.mosaics) < 0 or self.most_expressions < 1 or not 0 <= self.no_target_share <= 1:
            raise DataError(
                f"seed is {self.seed}, mosaics {self.mosaics}, most_expressions {self.most_expressions} and "
                f"no_target_share {self.no_target_share}, but they must be at least 0, 0, 1, and from 0 to 1."
            )
        if self.thing and len(kinds_in(self.thing)) != 1:
            raise DataError(f"no kind of thing is known as {self.thing!r}: name one, such as building, field or car.")

    @cached_property
    def source(self) -> PairSource:
        """The source pairs, of both domains."""
        source = open_pairs(self.data, self.split, is_stage1=bool(self.thing))
        if source.is_infinite:
            raise DataError(f"{self.data} is unlimited and has sentences: name a folder with pairs and masks.")
        if self.thing and len(source) and source[0].expressions:
            raise DataError(f"{self.data} already has sentences that name the objects: leave out `thing` (--thing).")
        return source

    @property
    def made_of(self) -> str:
        """A text that changes with the source pairs."""
        return self.source.identity

    @cached_property
    def _chosen(self) -> list[tuple[int, str]]:
        """Index in the source and id of each pair of the domain."""
        listed = [(index, domain, name) for name, of in self.source.positions.items() for domain, index in of]
        fitting = sorted((index, name) for index, domain, name in listed if domain in (None, self.domain))
        if not fitting:
            raise DataError(
                f"{self.data} has no pair of {self.domain} in split {self.split!r}: choose another --domain."
            )
        names = [_NOT_IN_NAMES.sub("_", name) for _, name in fitting]
        times = Counter(map(fold, names))
        # An id becomes the name of files: it must not be too long, nor that of another pair.
        usable = [times[fold(name)] == 1 and 0 < len(name.encode()) <= _LONGEST_NAME for name in names]
        return [
            (index, name if is_usable else f"{name[:_KEPT]}_{index:07d}")
            for (index, _), name, is_usable in zip(fitting, names, usable)
        ]

    @property
    def num_of_other_domain(self) -> int:
        """Number of pairs of the source that are left out, because they are of the other domain."""
        return len(self.source) - len(self._chosen)

    @property
    def domains(self) -> tuple[Domain]:
        """Its domain, as the generator has several."""
        return (self.domain,)

    def __len__(self) -> int:
        number = len(self._chosen)  # Before anything is written: an error if there is none.
        return self.mosaics or number

    def pair_id(self, index: int) -> str:
        """The id of a pair: that of the source pair, if files can have this name and no other pair has it."""
        return f"mosaic_{index:06d}" if self.mosaics else self._chosen[index][1]

    def pair(self, index: int) -> SyntheticPair:
        """
        One pair with its original sentences and new ones.

        Args:
            index (`int`): 0 to `len(self) - 1`.

        Raises:
            UnusableError: If an image or a mask cannot be read, or no mosaic was found.
        """
        place, kept, skipped = (self._mosaic(index), (), 0) if self.mosaics else self._read(self._chosen[index][0])
        scene, numbers = self._scene(place.parts, [np.asarray(image) for image in place.images])
        random = np.random.default_rng([self.seed, index, _STREAM])
        new = self._sentences(Observation(scene, *numbers), random) if place.parts else ()
        known = {one.text for one in kept}
        return SyntheticPair(
            pair_id=self.pair_id(index),
            domain=self.domain,
            source=place.source,
            view=scene.view if place.view == "unknown" else cast(Literal["normal", "aerial", "satellite"], place.view),
            image_t1=place.images[0],
            image_t2=place.images[1],
            expressions=(*kept, *(one for one in new if one.text not in known)),
            scene=scene,
            numbers_t1=numbers[0],
            numbers_t2=numbers[1],
            skipped_sentences=skipped,
        )

    def _read(self, number: int) -> tuple[Place, tuple[SyntheticExpression, ...], int]:
        """A pair of the source, its sentences, and how many were skipped. It has no objects if they are not known."""
        pair = self.source[number]
        image_t1, image_t2 = pair.load_images()
        if image_t1.size != image_t2.size:
            detail = f"t1 has {image_t1.width}x{image_t1.height} pixels, t2 {image_t2.width}x{image_t2.height}"
            raise UnusableError(Reason.UNEQUAL_SIZES, detail)
        kept = tuple(
            SyntheticExpression(one.text, mask, cast(ChangeType, one.change_type), one.noisy)
            for one, mask in zip(pair.expressions, pair.load_masks(image_t1.size))
        )
        parts = self._parts(pair, kept, image_t1.size) or ()
        return Place((image_t1, image_t2), parts, pair.source, pair.view), kept, pair.skipped_sentences

    def _mosaic(self, index: int) -> Place:
        random = np.random.default_rng([self.seed, index, _MOSAIC_STREAM])

        def draw() -> Place | None:
            try:
                place, *_ = self._read(self._chosen[int(random.integers(len(self._chosen)))][0])
            except UnusableError:  # Counted where the pairs themselves are read; a mosaic takes another one.
                return None
            return place if place.parts else None

        mosaic = make_mosaic(draw, random)
        if mosaic is None:
            raise UnusableError(Reason.NO_EXPRESSION_LEFT, "the objects of no pair are known")
        return mosaic

    def _parts(self, pair: Pair, kept: Sequence[SyntheticExpression], size: tuple[int, int]) -> list[Part] | None:
        """The objects that changed; `None` if they are not known."""
        if not pair.knows_every_change or any(one.noisy for one in kept):
            return None
        masks = [
            (one.text, one.change_type if one.change_type in _STATES else change_in(one.text, self.domain), one.mask)
            for one in kept
        ]
        if self.thing:
            masks = [(self.thing, self.change, pair.load_change_mask(size))]
        return find_parts(masks, (size[1], size[0]))

    def _scene(
        self, parts: Sequence[Part], images: Sequence[np.ndarray]
    ) -> tuple[Scene, tuple[np.ndarray, np.ndarray]]:
        shape = images[0].shape[:2]
        numbers = (np.zeros(shape, np.int16), np.zeros(shape, np.int16))
        for number, part in enumerate(parts, 1):
            for there, state in zip(numbers, _STATES[part.change]):
                if state is not None:
                    there[part.mask] = number
        things = [
            Thing(number=number, kind=part.kind, state_t1=_STATES[part.change][0], state_t2=_STATES[part.change][1])
            for number, part in enumerate(parts, 1)
        ]
        if self.domain == "NS":
            _color(things, images, numbers)
        view: Literal["normal", "aerial"] = "aerial" if self.domain == "RS" else "normal"
        return Scene(domain=self.domain, view=view, size=shape[1], things=things), numbers

    def _sentences(self, observation: Observation, random: np.random.Generator) -> tuple[SyntheticExpression, ...]:
        kinds = frozenset(thing.kind for thing in observation.scene.things)
        absent = tuple(kind for kind in ABSENT_KINDS[self.domain] if kind not in _OFTEN_UNLABELED)
        nouns = nouns_for(kinds | frozenset(absent))
        if "building" in kinds:
            nouns["building"] = (("building", "buildings"), ("house", "houses"))
        writer = PhotoExpressionWriter(
            observation,
            random,
            nouns,
            COMPOSED_GROUPS,
            lasting=frozenset(),
            knows_every_change=False,
            absent_kinds=absent,
            has_landmarks=False,
            may_be_replaced=bool(kinds & _STANDING),
        )
        plain = round(_PLAIN_SHARE * self.most_expressions)
        written = writer.write(self.most_expressions - plain, self.no_target_share)
        if not kinds & _STANDING:
            simple: ExpressionWriter = PlainExpressionWriter(
                observation, random, nouns, COMPOSED_GROUPS, lasting=frozenset(), knows_every_change=False
            )
            written += simple.write(plain, self.no_target_share)
        return with_masks(written, observation)


def _color(things: list[Thing], images: Sequence[np.ndarray], numbers: Sequence[np.ndarray]) -> None:
    """Assigns colours to objects, for kinds in which the colours of all objects are clear."""
    count = len(things) + 1
    names = [name_colors(image, of, count) for image, of in zip(images, numbers)]
    colors: dict[int, str | None] = {}
    for thing in things:
        name = names[1 if thing.state_t1 is None else 0][thing.number]
        usable = thing.kind not in COLORLESS and (thing.kind != "person" or name in CLOTHES_COLORS)
        colors[thing.number] = name if usable else None
    unclear = {thing.kind for thing in things if colors[thing.number] is None}
    for thing in things:
        if thing.kind not in unclear and thing.change != "state_change":
            state = State(colors[thing.number])
            thing.state_t1 = thing.state_t1 and state
            thing.state_t2 = thing.state_t2 and state
