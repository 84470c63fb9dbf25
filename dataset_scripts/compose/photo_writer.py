# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes sentences about photographs, whose content is only partly known."""

from collections.abc import Mapping
from dataclasses import dataclass

from dataset_scripts.synthesis.language.expressions import (
    ABSENT_KIND_SHARE,
    Description,
    ExpressionWriter,
    WrittenExpression,
)
from dataset_scripts.synthesis.language.observation import Sighting

from .nouns import unclear_kinds


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
    Writes sentences about a pair of photographs; see [`ExpressionWriter`].

    Args:
        has_landmarks (`bool`, *optional*, defaults to `True`): Whether all things are known, so that a sentence may
            use another thing as landmark.
        may_be_replaced (`bool`, *optional*, defaults to `False`): Whether a thing that appeared may be in the place of
            another one of its kind, so that no sentence is about the opposite change.
    """

    has_landmarks: bool = True
    may_be_replaced: bool = False

    def _narrow_by_relation(self, description: Description, target: Sighting) -> Description:
        return super()._narrow_by_relation(description, target) if self.has_landmarks else description

    def _write_absent(self) -> WrittenExpression | None:
        if self.may_be_replaced and self.absent_kinds:
            is_elsewhere = self.random.random() > ABSENT_KIND_SHARE
            return self._write_misplaced() if is_elsewhere else self._write_absent_kind()
        return super()._write_absent()

    def _is_clear(self, kind: str, changed: frozenset[str]) -> bool:
        return super()._is_clear(kind, changed) and not unclear_kinds(changed | {kind})

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
