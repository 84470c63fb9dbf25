# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes further sentences about the changes of pairs that have masks from any source."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np

from dataset_scripts.compose.colors import name_colors
from dataset_scripts.compose.instances import Split
from dataset_scripts.compose.nouns import CLOTHES_COLORS, COLORLESS, COMPOSED_GROUPS, nouns_for
from dataset_scripts.compose.photo_writer import ABSENT_KINDS, PhotoExpressionWriter
from dataset_scripts.errors import DataError
from dataset_scripts.readers import PairSource, open_pairs
from dataset_scripts.synthesis import Domain, SyntheticExpression, SyntheticPair
from dataset_scripts.synthesis.language.expressions import ExpressionWriter
from dataset_scripts.synthesis.language.observation import Observation
from dataset_scripts.synthesis.language.plain_expressions import PlainExpressionWriter
from dataset_scripts.synthesis.scene import ChangeType, Scene, State, Thing

from .parts import Part, find_parts, kinds_in


_PLAIN_SHARE = 0.3
_STREAM = 0xDE5C
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


@dataclass(frozen=True)
class Describer:
    """
    Writes further sentences about pairs with masks: about places, ranks, numbers and colours of the objects that
    changed, and about changes that did not happen. The kind of an object is taken from the existing sentences, which
    are kept. For data that have only masks of every change, `thing` and `change` state it.

    Connected components of a mask count as objects, unless a sentence distinguishes parts of them.

    Args:
        data (`str | Path`): A folder that [`open_pairs`] reads.
        domain (`str`): "NS" or "RS".
        seed (`int`, *optional*, defaults to 0): Seed of all random choices.
        split (`str`, *optional*, defaults to `"train"`): The split that is read and written.
        most_expressions (`int`, *optional*, defaults to 12): Largest number of new sentences for a pair.
        no_target_share (`float`, *optional*, defaults to 0.13): How often to try a no-target sentence, 0 to 1.
        thing (`str`, *optional*): The objects in the masks, such as "building", if there are no sentences.
        change (`str`, *optional*, defaults to `"appear"`): Their change, if there are no sentences.

    Raises:
        DataError: If the data cannot be read, or `thing` is not a known noun.
    """

    data: str | Path
    domain: Domain
    seed: int = 0
    split: Split = "train"
    most_expressions: int = 12
    no_target_share: float = 0.13
    thing: str = ""
    change: ChangeType = "appear"

    label: ClassVar[str] = "described"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", str(self.data))
        if self.thing and len(kinds_in(self.thing)) != 1:
            raise DataError(f"no kind of thing is known as {self.thing!r}: name one, such as building, field or car.")

    @cached_property
    def source(self) -> PairSource:
        """The source pairs."""
        return open_pairs(self.data, self.split, is_stage1=bool(self.thing))

    @property
    def domains(self) -> tuple[Domain]:
        """Its domain, as the generator has several."""
        return (self.domain,)

    def __len__(self) -> int:
        return len(self.source)

    def pair_id(self, index: int) -> str:
        """The id of a pair, which is that of the source pair."""
        return self.source[index].pair_id

    def pair(self, index: int) -> SyntheticPair:
        """
        One pair with its original sentences and new ones.

        Args:
            index (`int`): 0 to `len(self) - 1`.

        Raises:
            UnusableError: If an image or a mask cannot be read.
        """
        pair = self.source[index]
        image_t1, image_t2 = pair.load_images()
        read = pair.load_masks(image_t1.size)
        masks: list[tuple[str, ChangeType, np.ndarray]] = [
            (one.text, cast(ChangeType, one.change_type), mask) for one, mask in zip(pair.expressions, read)
        ]
        kept = tuple(SyntheticExpression(text, mask, change) for text, change, mask in masks)
        if self.thing:
            masks = [(self.thing, self.change, pair.load_change_mask(image_t1.size))]
        shape = (image_t1.height, image_t1.width)
        parts = find_parts(masks, shape)
        images = [np.asarray(image) for image in (image_t1, image_t2)]
        scene, numbers = self._scene(parts, images)
        random = np.random.default_rng([self.seed, index, _STREAM])
        new = self._sentences(Observation(scene, *numbers), random) if parts is not None else ()
        known = {one.text for one in kept}
        return SyntheticPair(
            pair_id=pair.pair_id,
            domain=self.domain,
            world=pair.source,
            view=scene.view,
            image_t1=image_t1,
            image_t2=image_t2,
            expressions=(*kept, *(one for one in new if one.text not in known)),
            scene=scene,
            numbers_t1=numbers[0],
            numbers_t2=numbers[1],
        )

    def _scene(
        self, parts: list[Part] | None, images: Sequence[np.ndarray]
    ) -> tuple[Scene, tuple[np.ndarray, np.ndarray]]:
        shape = images[0].shape[:2]
        numbers = (np.zeros(shape, np.int16), np.zeros(shape, np.int16))
        for number, part in enumerate(parts or (), 1):
            for there, state in zip(numbers, _STATES[part.change]):
                if state is not None:
                    there[part.mask] = number
        things = [
            Thing(number=number, kind=part.kind, state_t1=_STATES[part.change][0], state_t2=_STATES[part.change][1])
            for number, part in enumerate(parts or (), 1)
        ]
        if self.domain == "NS":
            _color(things, images, numbers)
        view: Literal["normal", "aerial"] = "aerial" if self.domain == "RS" else "normal"
        return Scene(domain=self.domain, view=view, size=shape[1], things=things), numbers

    def _sentences(self, observation: Observation, random: np.random.Generator) -> list[SyntheticExpression]:
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
            absent_kinds=absent,
            has_landmarks=False,
            may_be_replaced=bool(kinds & _STANDING),
        )
        plain = round(_PLAIN_SHARE * self.most_expressions)
        written = writer.write(self.most_expressions - plain, self.no_target_share)
        if not kinds & _STANDING:
            simple: ExpressionWriter = PlainExpressionWriter(
                observation, random, nouns, COMPOSED_GROUPS, lasting=frozenset()
            )
            written += simple.write(plain, self.no_target_share)
        expressions = []
        for one in {sentence.text: sentence for sentence in written}.values():
            mask = np.zeros(observation.numbers_t1.shape, dtype=bool)
            for number in one.things:
                mask |= observation.mask(number)
            expressions.append(SyntheticExpression(one.text, mask, one.change_type))
        return expressions


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
