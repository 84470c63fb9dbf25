# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes sentences about photographs, whose content is only partly known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_scripts.synthesis.language.expressions import Description, ExpressionWriter, WrittenExpression
from dataset_scripts.synthesis.language.lexicon import general_meanings
from dataset_scripts.synthesis.language.observation import Sighting
from dataset_scripts.synthesis.scene import ChangeType

from .nouns import KNOWN_KINDS, unclear_kinds


_ABSENT_SHARE = 0.6  # Share of the no-target sentences that are about unchanged kinds
_PLACED_SHARE = 0.25
ABSENT_KINDS: Mapping[str, tuple[str, ...]] = {
    "RS": (
        *("pool", "tennis court", "ship", "airplane", "storage tank", "bridge", "car", "basketball court"),
        *("baseball diamond", "pond", "building", "tree", "truck", "greenhouse", "field"),
    ),
    "NS": (
        *("car", "person", "bicycle", "dog", "bus", "truck", "motorcycle", "chair", "bottle", "bench", "cat", "horse"),
        *(
            "suitcase",
            "backpack",
            "tree",
            "plant",
            "umbrella",
            "boat",
            "laptop",
            "cup",
            "couch",
            "sign",
            "box",
            "lamp",
        ),
    ),
}
"""Domain -> kinds for sentences, whether or not they are among the changes."""


@dataclass
class PhotoExpressionWriter(ExpressionWriter):
    """
    Writes sentences about a pair of photographs; see [`ExpressionWriter`]. More of its no-target sentences are about
    kinds that have not changed at all.

    Args:
        absent_kinds (`Sequence[str]`, *optional*): Kinds for such sentences. Those among the changes are excluded. If
            a kind among the changes is unknown, there are no such sentences: it may be called by the same noun.
        has_landmarks (`bool`, *optional*, defaults to `True`): Whether all things are known, so that a sentence may
            use another thing as landmark.
        may_be_replaced (`bool`, *optional*, defaults to `False`): Whether a thing that appeared may be in the place of
            another one of its kind, so that no sentence is about the opposite change.
    """

    absent_kinds: Sequence[str] = ()
    has_landmarks: bool = True
    may_be_replaced: bool = False

    def _narrow_by_relation(self, description: Description, target: Sighting) -> Description:
        return super()._narrow_by_relation(description, target) if self.has_landmarks else description

    def _write_absent(self) -> WrittenExpression | None:
        changed = {one.kind for one in self.sightings if one.change is not None}
        usable = self.absent_kinds and changed <= KNOWN_KINDS
        if not usable or (not self.may_be_replaced and self.random.random() > _ABSENT_SHARE):
            return super()._write_absent()
        if self.may_be_replaced and self.random.random() > _ABSENT_SHARE:
            return self._write_misplaced()
        kind = self._one_of(self.absent_kinds)
        if kind in changed or unclear_kinds(changed | {kind}) or kind in self.observation.scene.unnamed_kinds:
            return None
        noun = self._one_of(tuple(self.nouns[kind]))
        change: ChangeType = self._one_of(("appear", "appear", "disappear"))
        description = self._start(noun, frozenset((kind,)), self._one_of(general_meanings(change, frozenset((kind,)))))
        if self.random.random() < _PLACED_SHARE:
            part = self._one_of(self._positions())
            description = description.narrowed(part.holds, position=part.text)
        if description.fitting() != []:
            return None
        count = 1 + int(self.random.random() < 0.5)
        return WrittenExpression(self._say(description, count), (), change)

    def _write_misplaced(self) -> WrittenExpression | None:
        """Writes a no-target sentence about a change that has happened, but elsewhere."""
        if not self.changed:
            return None
        description = self._begin(self._one_of(self.changed))
        if description is None:
            return None
        part = self._one_of(self._positions())
        description = description.narrowed(part.holds, position=part.text)
        if description.fitting() != []:
            return None
        return WrittenExpression(self._say(description, 1), (), description.meaning.change)
