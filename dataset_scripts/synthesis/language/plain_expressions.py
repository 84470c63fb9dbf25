# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Writes plain sentences, a simple subset of the grammar in `docs/synthetic_language.md`, for the start of training.

Examples: "everything that appeared", "the two cars that left", "the house with a red roof that was built". They have
one or two predicates, no relations and no superlatives. [`ExpressionWriter`] adds words until a single thing is
described; plain sentences refer to all things that match. So a pair gets several that differ in one word only.
"""

from dataset_scripts.synthesis.scene import ChangeType

from .expressions import (
    EVERYTHING_VERBS,
    NO_TARGET_SHARE,
    Description,
    ExpressionWriter,
    WrittenExpression,
)
from .lexicon import general_meanings
from .observation import Sighting


_TRIES = 60
_EVERYTHING_SHARE = 0.3
_REPEATED_SHARE = 0.3


class PlainExpressionWriter(ExpressionWriter):
    """Writes plain sentences about one pair; see [`ExpressionWriter`]."""

    def write(self, count: int, no_target_share: float = NO_TARGET_SHARE) -> list[WrittenExpression]:
        """
        Writes different plain sentences about the pair.

        Args:
            count (`int`): Number of sentences; fewer may be returned.
            no_target_share (`float`, *optional*): Largest share of no-target sentences, 0 to 1. One is always allowed.

        Returns:
            `list[WrittenExpression]`: Sentences in random order.
        """
        most_empty = max(1, round(count * no_target_share))
        everything = [self.about_everything(change) for change in EVERYTHING_VERBS]
        candidates = [written for written in everything if written is not None]
        written: dict[str, WrittenExpression] = {}
        for _ in range(_TRIES):
            if len(written) >= count:
                break
            if candidates and self.random.random() < _EVERYTHING_SHARE:
                expression = candidates.pop(int(self.random.integers(len(candidates))))
            else:
                named = self._write_named()
                if named is None:
                    continue
                expression = named
            others = written.values()
            if not expression.things:
                if sum(not other.things for other in others) >= most_empty:
                    continue
            # Further sentences about the same things are kept less often than sentences about other things.
            elif self.random.random() >= _REPEATED_SHARE and any(expression.things == one.things for one in others):
                continue
            written.setdefault(expression.text, expression)
        return list(written.values())

    def about_everything(self, change: ChangeType) -> WrittenExpression | None:
        """
        Writes a sentence about all changes of one type. There may be no such change.

        Args:
            change (`ChangeType`): The type of change.

        Returns:
            `WrittenExpression`, *optional*: The sentence, or `None` if its mask would be doubtful.
        """
        if not self.knows_every_change:
            return None
        every = [one for one in self.sightings if one.change is not None]
        if any(one.area < self.smallest for one in every) or self.is_doubtful(change):
            return None
        same = tuple(one.number for one in every if one.change == change)
        return WrittenExpression(f"everything that {EVERYTHING_VERBS[change]}", same, change)

    def _write_named(self) -> WrittenExpression | None:
        """Writes a sentence with a noun, a change and sometimes a colour or a position."""
        if not self.nameable:
            return None
        target = self._one_of(self.changed if self.changed and self.random.random() < 0.8 else self.nameable)
        description = self._begin(target) if self.random.random() < 0.8 else self._begin_generally(target)
        if description is None:
            return None
        chance = self.random.random()
        if chance < 0.25:
            description = self._narrow_by_color(description, target)
        elif chance < 0.5:
            description = self._narrow_by_position(description, target)
        fitting = description.fitting()
        if fitting is None or (not fitting and self._may_seem_true(description)):
            return None
        return WrittenExpression(
            self._say(description, max(len(fitting), 1)), tuple(fitting), description.meaning.change
        )

    def _begin_generally(self, target: Sighting) -> Description | None:
        """Chooses a noun that is true of the target and an appearance or disappearance that need not be."""
        if target.kind in self.lasting:
            return None
        noun, kinds = self._noun_of(target)
        change: ChangeType = self._one_of(("appear", "disappear"))
        return self._start(noun, kinds, self._one_of(general_meanings(change, kinds)))

    def _may_seem_true(self, description: Description) -> bool:
        """Whether a no-target sentence could be true: "the road that was built" may fit a paved road."""
        return any(one.change == "state_change" and one.kind in description.kinds for one in self.sightings)
