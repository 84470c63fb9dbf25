# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Searches for plausible places for an object from another image, with the right scale and ground."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dataset_scripts.synthesis.scene import Thing

from .canvas import Box, Canvas, grown, window_of
from .colors import tone_of
from .library import Donor, Ground, Library
from .nouns import TRAITS, Trait


SCALES = (0.3, 1.7)
"""Smallest and largest scale of a cut-out."""
_CANDIDATES = 48
_LOOKED_AT = 8  # Number of the best candidates that are checked closely.
_EYE_HEIGHT = {"ground": 1.6, "table": 0.55}  # Height of the camera in metres above the supporting surface
_MOST_DIFFERENT = {"NS": 34.0, "RS": 26.0}  # Grey levels; see `_costs`
_OFF_GROUND = 40.0  # Grey levels; penalty for a wrong place, seen from above
_MOST_CONTRAST = 0.2  # Standard deviation of plain ground, as a share of its brightness
_UNSURE = 8.0  # Grey levels; penalty for an empty place
_RIM = 8  # Minimum distance of a place from the rim in pixels
_HIDDEN_SHARE = 0.3  # Share of an object farther away that may be hidden.


@dataclass(frozen=True)
class Place:
    """
    A place for a thing.

    Args:
        donor (`Donor`): The thing.
        scale (`float`): Scale factor.
        degrees (`float`): Rotation angle.
        box (`Box`): Its approximate box; the middle of the lower side is exact.
        cost (`float`): Difference of the ground from its own, in grey levels.
    """

    donor: Donor
    scale: float
    degrees: float
    box: Box
    cost: float


class PlaceFinder:
    """
    Finds places on a canvas.

    Args:
        canvas (`Canvas`): The canvas.
        library (`Library`): The source of things.
        horizon (`float`, *optional*): The row of the horizon, if there is no other information about sizes.
        random (`np.random.Generator`): Random generator.
    """

    def __init__(self, canvas: Canvas, library: Library, horizon: float | None, random: np.random.Generator):
        self.canvas, self.library, self.horizon, self.random = canvas, library, horizon, random
        self.traits = TRAITS[library.domain]
        self.from_above = library.domain == "RS"
        grey, self.squares = cv2.integral2(cv2.cvtColor(canvas.images[1], cv2.COLOR_RGB2GRAY))
        colors = cv2.integral(canvas.images[1])
        self.tone = tone_of(canvas.images[1])
        self.sums = np.concatenate([colors, grey[..., None]], axis=2).astype(np.float64)

    def find(self, donors: Sequence[Donor], most_share: float) -> Place | None:
        """
        The best place for any of some things.

        Args:
            donors (`Sequence[Donor]`): The things.
            most_share (`float`): Largest area of one, as a share of the canvas.

        Returns:
            `Place`: The place, `None` if there is no suitable one.
        """
        best: Place | None = None
        for donor in donors:
            ground = self.library.ground(donor)
            if ground is None:
                continue
            found = self._above(donor, ground) if self.from_above else self._standing(donor, ground)
            if found is None or donor.instance.area * found.scale**2 > most_share * self.canvas.taken.size:
                continue
            if best is None or found.cost < best.cost:
                best = found
        return best

    # Seen from above -------------------------------------------------------------------------------------------------

    def _above(self, donor: Donor, ground: Ground) -> Place | None:
        left, top, right, bottom = donor.instance.box
        scale = self._scale_above(donor)
        degrees = 90.0 * int(self.random.integers(4))
        if self.random.random() < 0.4:
            degrees += float(self.random.uniform(-45, 45))
        angle = np.deg2rad(degrees)
        cosine, sine = abs(float(np.cos(angle))), abs(float(np.sin(angle)))
        width = round(scale * ((right - left) * cosine + (bottom - top) * sine))
        height = round(scale * ((right - left) * sine + (bottom - top) * cosine))
        room = self.canvas.side - 2 * _RIM
        if not SCALES[0] <= scale <= SCALES[1] or max(width, height) >= room:
            return None
        corners = self.random.integers(_RIM, (_RIM + 1 + room - width, _RIM + 1 + room - height), (_CANDIDATES, 2))
        boxes = np.concatenate([corners, corners + np.array((width, height))], axis=1)
        boxes = boxes[self._are_free(boxes, 3)]
        if not len(boxes):
            return None
        return self._cheapest(donor, scale, degrees, boxes, self._costs(boxes, ground))

    def _scale_above(self, donor: Donor) -> float:
        """The scale, from things of the same kind, from things of known size, or from its own image."""
        kind = donor.kind
        alike = [
            np.sqrt(self.canvas.places[one.number][1])
            for one in self.canvas.things
            if one.kind == kind and self.canvas.is_whole[one.number]
        ]
        if alike:
            return float(np.median(alike) / np.sqrt(donor.instance.area) * self.random.uniform(0.85, 1.15))
        metre = self._metre()
        if metre is None:
            return self.canvas.scale * float(self.random.uniform(0.8, 1.25))
        left, top, right, bottom = donor.instance.box
        longest = max(right - left, bottom - top)
        return self.traits[kind].extent * metre / longest * float(self.random.uniform(0.85, 1.2))

    def _metre(self) -> float | None:
        """Pixels per metre, from things of known size; `None` if there are none."""
        found = []
        for thing in self.canvas.things:
            trait = self.traits.get(thing.kind)
            if trait is not None and trait.is_sized and self.canvas.is_whole[thing.number]:
                left, top, right, bottom = self.canvas.places[thing.number][0]
                found.append(max(right - left, bottom - top) / trait.extent)
        return float(np.median(found)) if found else None

    # Standing --------------------------------------------------------------------------------------------------------

    def _standing(self, donor: Donor, ground: Ground) -> Place | None:
        trait, side = self.traits[donor.kind], self.canvas.side
        left, top, right, bottom = donor.instance.box
        seen = self._level(trait)
        if seen is None:
            return None
        metre, lowest, middle, reach, own_ground = seen
        own = bottom - top if trait.support == "ground" else max(right - left, bottom - top)
        scale = trait.extent * metre * float(self.random.uniform(0.92, 1.08)) / own
        width, height = round(scale * (right - left)), round(scale * (bottom - top))
        if not SCALES[0] <= scale <= SCALES[1] or height >= lowest - _RIM or lowest > side - _RIM:
            return None
        low, high = max(_RIM, middle - reach - width / 2), min(side - _RIM - width, middle + reach - width / 2)
        if low >= high:
            return None
        lefts = self.random.uniform(low, high, _CANDIDATES).astype(int)
        boxes = np.stack([lefts, np.full_like(lefts, lowest - height), lefts + width, np.full_like(lefts, lowest)], 1)
        feet = boxes.copy()
        feet[:, 1] = np.maximum(0, boxes[:, 3] - np.maximum(4, round(0.14 * height)))
        feet[:, 3] = np.minimum(side, boxes[:, 3] + max(2, round(0.05 * height)))
        costs = self._costs(feet, ground)
        if own_ground is None:
            # Ground continues below the foot; a wall does not.
            below = np.stack([feet[:, 0], feet[:, 3], feet[:, 2], np.minimum(side, feet[:, 3] + side // 8)], axis=1)
            costs = np.maximum(costs, self._costs(below, ground)) + _UNSURE
        else:
            # It should stand on the same ground as the thing from which its size was derived.
            costs = 0.35 * costs + 0.65 * self._costs(feet, own_ground)
        return self._cheapest(donor, scale, 0.0, boxes, costs)

    def _level(self, trait: Trait) -> tuple[float, int, float, float, Ground | None] | None:
        """
        Pixels per metre, the row at which an object stands, the centre and range of the candidate columns, and the
        ground that they were derived from.
        """
        side = self.canvas.side
        references = [one for one in self.canvas.things if self._is_reference(one, trait)]
        if references:
            reference = references[int(self.random.integers(len(references)))]
            box = self.canvas.places[reference.number][0]
            known = self.traits[reference.kind]
            extent = box[3] - box[1] if trait.support == "ground" else max(box[2] - box[0], box[3] - box[1])
            # The ground rises towards the horizon, which is at the height of the camera.
            lowest = box[3] + round(float(self.random.uniform(-0.03, 0.06)) * side)
            metre = extent / known.extent + (lowest - box[3]) / _EYE_HEIGHT[trait.support]
            reach = 2.5 * max(box[2] - box[0], 0.15 * side)
            return metre, lowest, (box[0] + box[2]) / 2, reach, self._ground_below(box)
        if self.horizon is None or trait.support != "ground":
            return None
        lowest = round(float(self.random.uniform(max(self.horizon + 0.1 * side, 0.4 * side), 0.94 * side)))
        return (lowest - self.horizon) / _EYE_HEIGHT["ground"], lowest, side / 2, side, None

    def supports(self) -> set[str]:
        """The ground of things of known size."""
        return {
            known.support
            for known in self.traits.values()
            if any(self._is_reference(one, known) for one in self.canvas.things)
        }

    def _is_reference(self, thing: Thing, trait: Trait) -> bool:
        """Whether the size of this thing determines the size of things beside it."""
        known = self.traits.get(thing.kind)
        if known is None or known.support != trait.support or not self.canvas.is_whole[thing.number]:
            return False
        left, top, right, bottom = self.canvas.places[thing.number][0]
        return bottom - top >= 16 and (not known.is_slim or bottom - top >= 2.0 * (right - left))

    def _ground_below(self, box: Box) -> Ground | None:
        """The ground beside and below the foot of a thing."""
        height, width = box[3] - box[1], box[2] - box[0]
        foot = (box[0] - width // 3, box[3] - height // 8, box[2] + width // 3, box[3] + max(3, height // 12))
        foot = grown(foot, 0, self.canvas.side)
        window = window_of(foot)
        free = self.canvas.numbers[1][window] == 0
        if int(free.sum()) < 10:
            return None
        return Ground.of(self.canvas.images[1][window][free], self.tone)

    # Places ----------------------------------------------------------------------------------------------------------

    def _are_free(self, boxes: np.ndarray, margin: int) -> np.ndarray:
        """Finds the boxes that, with a margin, contain no annotated object and no edit."""
        return _box_sums(cv2.integral(self.canvas.taken.astype(np.uint8)), _with_margin(boxes, margin)) == 0

    def _is_in_front(self, box: np.ndarray) -> bool:
        """Whether a box only hides parts of things that are farther away."""
        left, top, right, bottom = (int(value) for value in box)
        window = window_of(grown((left, top, right, bottom), 2, self.canvas.side))
        numbers = self.canvas.numbers[1][window]
        unclear = self.canvas.taken[window] & ((numbers == 0) | (numbers != self.canvas.numbers[2][window]))
        if unclear.any():
            return False
        hidden = np.bincount(numbers.ravel())
        for number in np.flatnonzero(hidden)[int(hidden[0] > 0) :]:
            place, area = self.canvas.places[int(number)]
            if place[3] > bottom - 0.03 * self.canvas.side or hidden[number] > _HIDDEN_SHARE * area:
                return False
        return True

    def _costs(self, boxes: np.ndarray, ground: Ground) -> np.ndarray:
        """The difference between the content of boxes and a ground, in colour and texture."""
        counts = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).astype(np.float64)
        means = _box_sums(self.sums, boxes) / counts[:, None]
        squares = _box_sums(self.squares, boxes) / counts
        deviations = np.sqrt(np.maximum(squares - means[:, 3] ** 2, 0))
        costs = np.abs(means[:, :3] - ground.mean).mean(axis=1)
        # Infrared, grey and faded images get no objects of other images.
        costs += 0.4 * float(np.maximum(0, np.abs(self.tone - ground.tone) - 4).sum())
        costs += 10 * np.abs(np.log((deviations + 5) / (ground.deviation + 5)))
        # A strongly textured place probably contains something.
        costs += 0.8 * np.maximum(0, deviations - 1.3 * ground.deviation - 3)
        if self.from_above:
            # Trees, roofs and shores: no new object is placed on them.
            costs += _OFF_GROUND * (deviations > _MOST_CONTRAST * (means[:, 3] + 10))
        if self.from_above and not _is_water(ground.mean[None], np.array((ground.deviation,)))[0]:
            costs += _OFF_GROUND * _is_water(means, deviations)
        return costs

    def _cheapest(
        self, donor: Donor, scale: float, degrees: float, boxes: np.ndarray, costs: np.ndarray
    ) -> Place | None:
        jittered = costs * self.random.uniform(0.85, 1.15, len(costs))
        for index in np.argsort(jittered)[:_LOOKED_AT]:
            if costs[index] > _MOST_DIFFERENT[self.library.domain]:
                break
            if self.from_above or self._is_in_front(boxes[index]):
                left, top, right, bottom = (int(value) for value in boxes[index])
                return Place(donor, scale, degrees, (left, top, right, bottom), float(jittered[index]))
        return None


def _is_water(means: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Whether grounds seen from above may be water: plain, dark and not warm."""
    red, green, blue = means[:, 0], means[:, 1], means[:, 2]
    return (deviations < 9) & (np.maximum(green, blue) > red + 2) & (blue > 0.8 * green) & (red < 80)


def _with_margin(boxes: np.ndarray, margin: int) -> np.ndarray:
    # Minimum distance of boxes from the rim.
    return boxes + np.array((-margin, -margin, margin, margin))


def _box_sums(sums: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Sums over boxes (count, 4) by the integral image."""
    left, top, right, bottom = boxes.T
    return sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
