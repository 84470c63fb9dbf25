# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Plain sentences: a small part of the grammar of `docs/synthetic_language.md`, for a model that begins to read.

"Everything that appeared", "the two cars that left", "the house with a red roof that was built": one predicate or two,
no relations, no superlatives. Unlike the sentences of [`ExpressionWriter`], which take as many words as one thing
needs to stand out, these are asked of whatever they fit, so that a pair gets many of them that differ in one word.
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
        Sentences, all different.

        Args:
            count (`int`): How many are wanted; there may be fewer.
            no_target_share (`float`, *optional*): Largest share of sentences that nothing fits, one in any case.

        Returns:
            `list[WrittenExpression]`: In random order.
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
            # Another way to say the same is welcome, but less than something new.
            elif self.random.random() >= _REPEATED_SHARE and any(expression.things == one.things for one in others):
                continue
            written.setdefault(expression.text, expression)
        return list(written.values())

    def about_everything(self, change: ChangeType) -> WrittenExpression | None:
        """
        A sentence about all changes of one type, of which there may be none.

        Args:
            change (`ChangeType`): The type.

        Returns:
            `WrittenExpression`: The sentence, or `None` if it is doubtful what it refers to.
        """
        every = [one for one in self.sightings if one.change is not None]
        if any(one.area < self.smallest for one in every) or self.is_doubtful(change):
            return None
        same = tuple(one.number for one in every if one.change == change)
        return WrittenExpression(f"everything that {EVERYTHING_VERBS[change]}", same, change)

    def _write_named(self) -> WrittenExpression | None:
        """A noun and a change, and by chance a colour or a place."""
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
        """A noun that fits the target, and an appearance or disappearance that need not."""
        if target.kind in self.lasting:
            return None
        noun, kinds = self._noun_of(target)
        change: ChangeType = self._one_of(("appear", "disappear"))
        return self._start(noun, kinds, self._one_of(general_meanings(change, kinds)))

    def _may_seem_true(self, description: Description) -> bool:
        """ "The road that was built", where one was paved, is not plainly false."""
        return any(one.change == "state_change" and one.kind in description.kinds for one in self.sightings)
