# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What is done to an image so that its two times differ, and what is done that must not count as a change."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from ..synthesis.generator import Domain
from ..synthesis.scene import State, Thing
from .canvas import Canvas, disk, grown, window_of
from .colors import PAINTS, name_colors, repaint
from .library import Donor, Library
from .nouns import ALIKE, PAINTED, ROOTED, TRAITS, Trait
from .pasting import (
    CutOut,
    Shadow,
    box_at,
    cast_shadow,
    contact_shadow,
    cut_out,
    fit_light,
    put,
    ring_mean,
)
from .removing import find_fill, hole_of


_SMALLEST, _LARGEST = 56 / 256**2, 0.10  # Area of what is changed, as a share of the canvas
_LARGEST_PAINTED = 0.2
_RIM = 8  # What is changed lies so many pixels inside.
_SCALES = (0.3, 1.7)  # Of cut-outs
_CANDIDATES = 40
_EYE_HEIGHT = {"ground": 1.6, "table": 0.55}  # Metres of the camera above what things stand on


@dataclass
class Editor:
    """
    Changes a canvas.

    Args:
        canvas (`Canvas`): What is changed, in place.
        library (`Library`): Where things are taken from.
        domain (`str`): "NS" or "RS".
        unnamed (`frozenset[str]`): Kinds that are not touched.
        random (`np.random.Generator`): Source of all choices.
    """

    canvas: Canvas
    library: Library
    domain: Domain
    unnamed: frozenset[str]
    random: np.random.Generator
    shadow: Shadow = field(init=False)

    def __post_init__(self) -> None:
        angle = self.random.uniform(0, 2 * np.pi)
        self.shadow = Shadow(
            direction=(float(np.cos(angle)), float(np.sin(angle))),
            strength=float(self.random.uniform(0.3, 0.55)),
            slant=float(self.random.uniform(0.5, 1.1)),
        )
        self.from_above = self.domain == "RS"
        self._sums = _sums(self.canvas.images[0])

    # Removing --------------------------------------------------------------------------------------------------------

    def remove(self, times: Sequence[int], kind: str | None = None) -> Thing | None:
        """
        Takes away one of the things that are there at both times.

        Args:
            times (`Sequence[int]`): At which it is taken away: 0 for t1, 1 for t2, or both.
            kind (`str`, *optional*): Of this kind only.

        Returns:
            `Thing`: What is taken away, `None` if nothing can be.
        """
        things = [one for one in self._changeable(_LARGEST) if one.kind not in ROOTED and kind in (None, one.kind)]
        for index in self.random.permutation(len(things))[:4]:
            thing = things[index]
            box, _ = self.canvas.places[thing.number]
            mask = self.canvas.numbers[0] == thing.number
            others = self.canvas.taken & ~mask
            hole = hole_of(self.canvas.images[0], mask, others, box, self.from_above)
            if hole is None:
                continue
            fill = find_fill(self.canvas.images[0], hole, self.canvas.taken, self.from_above)
            if fill is None:
                continue
            for time in times:
                fill.put(self.canvas.images[time])
                self.canvas.numbers[time][mask] = 0
            self.canvas.taken |= hole
            if len(times) == 2:
                self.canvas.things.remove(thing)
            elif times[0] == 0:
                thing.state_t1 = None
            else:
                thing.state_t2 = None
            return thing
        return None

    def cover_ground(self, time: int) -> bool:
        """Covers a piece of plain ground with another one at one time: no change, though it leaves the same traces."""
        things = [one for one in self.canvas.things if self.canvas.is_whole[one.number]]
        if not things:
            return False
        thing = things[int(self.random.integers(len(things)))]
        box, area = self.canvas.places[thing.number]
        if not _SMALLEST * 0.5 <= area / self.canvas.taken.size <= _LARGEST:
            return False
        shape = self.canvas.numbers[time][window_of(box)] == thing.number
        height, width = shape.shape
        side = self.canvas.side
        if not shape.any() or height + 2 * _RIM >= side or width + 2 * _RIM >= side:
            return False
        for _ in range(6):
            left = int(self.random.integers(_RIM, side - _RIM - width))
            top = int(self.random.integers(_RIM, side - _RIM - height))
            hole = np.zeros_like(self.canvas.taken)
            hole[top : top + height, left : left + width] = shape
            hole = cv2.dilate(hole.astype(np.uint8), disk(3)) > 0
            if (hole & self.canvas.taken).any() or not _is_plain(self.canvas.images[time], hole):
                continue
            fill = find_fill(self.canvas.images[time], hole, self.canvas.taken | hole, self.from_above)
            if fill is None or fill.difference > 12:
                continue
            fill.put(self.canvas.images[time])
            self.canvas.taken |= hole
            return True
        return False

    # Painting --------------------------------------------------------------------------------------------------------

    def paint(self, time: int) -> Thing | None:
        """Gives a thing of one clear colour another one at one time. Returns it, `None` if there is none."""
        things = [one for one in self._changeable(_LARGEST_PAINTED) if one.kind in PAINTED]
        if not things:
            return None
        count = self.canvas.last_number + 1
        names = name_colors(self.canvas.images[0], self.canvas.numbers[0], count)
        things = [one for one in things if names[one.number] not in (None, "black")]
        for index in self.random.permutation(len(things))[:3]:
            thing = things[index]
            old = names[thing.number]
            new = str(self.random.choice([name for name in PAINTS if name != old]))
            mask = self.canvas.numbers[0] == thing.number
            soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)
            painted = repaint(self.canvas.images[time], soft, new)
            if name_colors(painted, np.where(mask, 1, 0).astype(np.int16), 2)[1] != new:
                continue
            self.canvas.images[time] = painted
            states = [State(old, "as it was"), State(new, "painted")]
            thing.state_t1, thing.state_t2 = states if time == 1 else states[::-1]
            return thing
        return None

    # Putting in ------------------------------------------------------------------------------------------------------

    def paste(self, times: Sequence[int], most: int) -> list[Thing]:
        """
        Puts things of one kind in.

        Args:
            times (`Sequence[int]`): At which they are there: 0 for t1, 1 for t2, or both.
            most (`int`): So many, or fewer where there is no room.

        Returns:
            `list[Thing]`: What was put in.
        """
        kind = self._kind_to_paste()
        added: list[Thing] = []
        if kind is None:
            return added
        for _ in range(2 * most + 2):
            if len(added) == most:
                break
            thing = self._paste_one(kind, times)
            if thing is not None:
                added.append(thing)
        return added

    def _kind_to_paste(self) -> str | None:
        """A kind that suits what is there already."""
        traits = TRAITS[self.domain]
        there = [one.kind for one in self.canvas.things if one.kind in traits]
        donors = [kind for kind in self.library.donors if kind not in self.unnamed]
        if not donors:
            return None
        if there and self.random.random() < 0.7:
            kind = there[int(self.random.integers(len(there)))]
        else:
            supports = {traits[kind].support for kind in there} or {"ground", "raised", "flat"}
            suited = [kind for kind in donors if traits[kind].support in supports or self.from_above]
            if not suited:
                return None
            weights = np.sqrt([len(self.library.donors[kind]) for kind in suited])
            kind = suited[int(self.random.choice(len(suited), p=weights / weights.sum()))]
        others = {one.kind for one in self.canvas.things} - {kind}
        unclear = any(kind in alike and others & alike for alike in ALIKE)
        return None if unclear or kind not in donors else kind

    def _paste_one(self, kind: str, times: Sequence[int]) -> Thing | None:
        donors = self.library.donors[kind]
        donor = donors[int(self.random.integers(len(donors)))]
        trait = TRAITS[self.domain][kind]
        placed = self._place_from_above(kind, donor, trait) if self.from_above else self._place_standing(donor, trait)
        if placed is None:
            return None
        thing, corner = placed
        mask = thing.mask
        area = int(mask.sum())
        if not _SMALLEST <= area / self.canvas.taken.size <= _LARGEST:
            return None
        height, width = mask.shape
        window = (slice(corner[1], corner[1] + height), slice(corner[0], corner[0] + width))
        ground = ring_mean(self.canvas.images[times[0]], thing.opacity, corner)
        pixels = fit_light(thing, ground)
        darkness: np.ndarray | None
        if self.from_above:
            # The extent of the thing, by which its height is known, is that of a square of the same area.
            darkness = cast_shadow(thing.opacity, trait.height * float(np.sqrt(area)), self.shadow)
        else:
            darkness = contact_shadow(thing.opacity, 0.45)
        if trait.support == "flat":
            darkness = None
        added = self.canvas.add(kind, times, None, (box_at(thing.opacity, corner, self.canvas.side), area))
        for time in times:
            put(self.canvas.images[time], pixels, thing.opacity, corner, darkness)
            self.canvas.numbers[time][window][mask] = added.number
        self.canvas.taken[window] |= cv2.dilate(mask.astype(np.uint8), disk(2)) > 0
        return added

    def _place_from_above(self, kind: str, donor: Donor, trait: Trait) -> tuple[CutOut, tuple[int, int]] | None:
        own = float(np.sqrt(donor.instance.area))
        alike = [
            np.sqrt(area)
            for number, (_, area) in self.canvas.places.items()
            if self._kind(number) == kind and self.canvas.is_whole[number]
        ]
        if alike:
            scale = float(np.median(alike)) / own * self.random.uniform(0.85, 1.15)
        else:
            metre = self._metre()
            left, top, right, bottom = donor.instance.box
            natural = self.canvas.scale * self.random.uniform(0.8, 1.25)
            scale = trait.extent * metre / max(right - left, bottom - top) if metre else natural
        degrees = float(self.random.uniform(0, 360)) if self.random.random() < 0.5 else 0.0
        thing = self._cut(donor, scale, degrees + 90.0 * int(self.random.integers(4)))
        if thing is None:
            return None
        side = self.canvas.side
        height, width = thing.opacity.shape
        if height >= side or width >= side:
            return None
        lefts = self.random.integers(0, side - width, _CANDIDATES)
        tops = self.random.integers(0, side - height, _CANDIDATES)
        corners = [(int(left), int(top)) for left, top in zip(lefts, tops)]
        return self._best(thing, corners, 0.0)

    def _metre(self) -> float | None:
        """Pixels for one metre, by things of known size; `None` if there are none."""
        found = []
        for thing in self.canvas.things:
            trait = TRAITS[self.domain].get(thing.kind)
            if trait is not None and thing.kind != "building" and self.canvas.is_whole[thing.number]:
                left, top, right, bottom = self.canvas.places[thing.number][0]
                found.append(max(right - left, bottom - top) / trait.extent)
        return float(np.median(found)) if found else None

    def _place_standing(self, donor: Donor, trait: Trait) -> tuple[CutOut, tuple[int, int]] | None:
        side = self.canvas.side
        left, top, right, bottom = donor.instance.box
        own = bottom - top if trait.support == "ground" else max(right - left, bottom - top)
        references = [one for one in self.canvas.things if self._is_reference(one, trait)]
        if references:
            reference = references[int(self.random.integers(len(references)))]
            box = self.canvas.places[reference.number][0]
            known = TRAITS[self.domain][reference.kind]
            extent = box[3] - box[1] if trait.support == "ground" else max(box[2] - box[0], box[3] - box[1])
            metre, level = extent / known.extent, float(box[3])
            lowest = level + self.random.uniform(-0.04, 0.07) * side
            metre += (lowest - level) / _EYE_HEIGHT[trait.support]
            reach = 3.0 * max(box[2] - box[0], 0.15 * side)
            middle = (box[0] + box[2]) / 2
        elif trait.support == "ground" and not self.canvas.things:
            lowest = self.random.uniform(0.58, 0.95) * side
            metre = (lowest - self.random.uniform(0.42, 0.5) * side) / _EYE_HEIGHT["ground"]
            reach, middle = 2.0 * side, 0.5 * side
        else:
            return None
        scale = trait.extent * metre * self.random.uniform(0.92, 1.08) / own
        thing = self._cut(donor, scale, 0.0)
        if thing is None:
            return None
        height, width = thing.opacity.shape
        down = round(lowest) - height + _RIM
        if width >= side or not 0 <= down < side - height:
            return None
        lefts = self.random.uniform(max(0, middle - reach - width / 2), min(side - width, middle + reach), _CANDIDATES)
        return self._best(thing, [(min(max(int(one), 0), side - width), down) for one in lefts], 0.5)

    def _is_reference(self, thing: Thing, trait: Trait) -> bool:
        """Whether the size of a thing tells how large others are beside it."""
        known = TRAITS[self.domain].get(thing.kind)
        if known is None or known.support != trait.support or not self.canvas.is_whole[thing.number]:
            return False
        left, top, right, bottom = self.canvas.places[thing.number][0]
        return bottom - top >= 16 and (not known.is_slim or bottom - top >= 2.0 * (right - left))

    def _kind(self, number: int) -> str | None:
        return next((one.kind for one in self.canvas.things if one.number == number), None)

    def _cut(self, donor: Donor, scale: float, degrees: float) -> CutOut | None:
        if not _SCALES[0] <= scale <= _SCALES[1]:
            return None
        share = donor.instance.area * scale * scale / self.canvas.taken.size
        if not 0.8 * _SMALLEST <= share <= 1.2 * _LARGEST:
            return None
        enlarged = max(self.canvas.scale, 1.0) / max(scale, 1.0)
        blur = 0.45 * float(np.sqrt(max(0.0, enlarged * enlarged - 1)))
        is_mirrored = bool(self.random.random() < 0.5)
        return cut_out(self.library.photo(donor.place), donor.number, scale, degrees, is_mirrored, min(blur, 1.2))

    def _best(
        self, thing: CutOut, corners: Sequence[tuple[int, int]], foot: float
    ) -> tuple[CutOut, tuple[int, int]] | None:
        """The free place whose ground looks most like that around the thing in its own image."""
        height, width = thing.opacity.shape
        best, lowest = None, 60.0
        for corner in corners:
            box = box_at(thing.opacity, corner, self.canvas.side)
            if self.canvas.taken[window_of(grown(box, 2, self.canvas.side))].any():
                continue
            if foot:
                box = (box[0], box[3] - max(4, round(foot * (box[3] - box[1]))), box[2], box[3])
            mean, deviation = _ground_at(self._sums, box)
            cost = float(np.abs(mean - thing.surroundings).mean()) * self.random.uniform(0.8, 1.2)
            cost += 12 * abs(float(np.log((deviation + 6) / (thing.roughness + 6))))
            if cost < lowest:
                best, lowest = corner, cost
        return None if best is None else (thing, best)

    def _changeable(self, largest: float) -> list[Thing]:
        """Things that are there at both times unchanged, seen in full, and neither too small nor too large."""
        side = self.canvas.side
        found = []
        for thing in self.canvas.things:
            box, area = self.canvas.places[thing.number]
            inside = min(box[0], box[1], side - box[2], side - box[3]) >= _RIM
            unchanged = thing.state_t1 is not None and thing.state_t2 is not None and thing.change is None
            share = area / self.canvas.taken.size
            if (
                inside
                and unchanged
                and self.canvas.is_whole[thing.number]
                and _SMALLEST <= share <= largest
                and thing.kind not in self.unnamed
            ):
                found.append(thing)
        return found


def with_colors(canvas: Canvas) -> list[Thing]:
    """
    The things of a canvas with the names of their colours.

    A kind has colours only where those of all its things are clear: "the red car" must not leave open what another car
    is. What was painted has its colours already.
    """
    count = canvas.last_number + 1
    names = [name_colors(image, numbers, count) for image, numbers in zip(canvas.images, canvas.numbers)]
    colors: dict[int, str | None] = {}
    for thing in canvas.things:
        there = [of[thing.number] for of, state in zip(names, (thing.state_t1, thing.state_t2)) if state is not None]
        colors[thing.number] = there[0] if len(set(there)) == 1 else None
    unclear = {one.kind for one in canvas.things if colors[one.number] is None and one.change != "state_change"}
    things = []
    for thing in canvas.things:
        if thing.change == "state_change":
            things.append(thing)
            continue
        state = State(None if thing.kind in unclear else colors[thing.number])
        things.append(replace(thing, state_t1=thing.state_t1 and state, state_t2=thing.state_t2 and state))
    return things


def _sums(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over rectangles from the corner: of RGB, and of the squares of the grey levels."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    total, squares = cv2.integral2(grey)
    return np.concatenate([cv2.integral(image), total[..., None]], axis=2).astype(np.float64), squares


def _ground_at(sums: tuple[np.ndarray, np.ndarray], box: tuple[int, int, int, int]) -> tuple[np.ndarray, float]:
    """Mean RGB and standard deviation of the grey levels in a box."""
    left, top, right, bottom = box
    count = (right - left) * (bottom - top)
    total, squares = (of[bottom, right] - of[top, right] - of[bottom, left] + of[top, left] for of in sums)
    mean = total / count
    return mean[:3], float(np.sqrt(max(0.0, float(squares) / count - float(mean[3]) ** 2)))


def _is_plain(image: np.ndarray, where: np.ndarray) -> bool:
    """Whether nothing stands out from the ground somewhere."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[where].astype(np.float32)
    low, middle, high = np.percentile(grey, (2, 50, 98))
    return float(max(high - middle, middle - low)) < 34
