# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Edits that make the two times of an image differ, and edits that must not count as a change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from dataset_scripts.synthesis import Domain
from dataset_scripts.synthesis.scene import TIMES, State, Thing, Time

from .canvas import Canvas, disk, window_of
from .colors import PAINTS, ROOF_PAINTS, name_colors, repaint
from .filling import find_fill
from .library import Donor, Library
from .nouns import CLOTHES_COLORS, COLORLESS, PAINTED, ROOTED, STREET_KINDS, TRAITS, unclear_kinds
from .pasting import (
    MARGIN,
    CutOut,
    Shadow,
    box_at,
    cast_shadow,
    contact_shadow,
    cut_out,
    edge_sharpness,
    fit_light,
    put,
    ring_mean,
)
from .placing import SCALES, Place, PlaceFinder
from .removing import carried_by, hole_of


_SMALLEST, _LARGEST = 56 / 256**2, 0.10  # Area of a change, as a share of the canvas
_SMALLEST_FLAT = 320 / 256**2  # Sports grounds are recognised by their lines.
_LARGEST_PAINTED = 0.2
_RIM = 8  # Changes keep this distance from the border, in pixels.
_LARGEST_OF_SEVERAL = 0.025
_LEAST_CONTRAST = 16.0  # Minimum difference in grey levels of a thing from its background to be visible
_GREY = 1.5  # Less colourful images count as greyscale.
_REMOVAL_TRIES = 5
_DONORS = 8  # Objects that are tried for each inserted one
_OWN_SHARE = 0.25  # Probability of copying an object seen from above from the same image, where many look alike
_RAISED_SHARE = 0.6  # How often no flat thing is inserted: new sports grounds are rarer than new buildings.
_SEEN_TOGETHER = 0.05  # A kind suits another one if it occurs in this share of the images with that kind, …
_SAME_KIND = 1.5  # … and the same kind suits this many times better than one that occurs in all of them.


@dataclass
class Editor:
    """
    Changes a canvas.

    Args:
        canvas (`Canvas`): The canvas, which is changed in place.
        library (`Library`): The source of inserted things.
        unnamed (`frozenset[str]`): Kinds that are not changed.
        own_donors (`Mapping[str, list[Donor]]`): The things of the image itself that can be cut out, by kind.
        horizon (`float`, *optional*): For images of streets without annotations: the row of the horizon.
        random (`np.random.Generator`): Random generator.
    """

    canvas: Canvas
    library: Library
    unnamed: frozenset[str]
    own_donors: Mapping[str, list[Donor]]
    horizon: float | None
    random: np.random.Generator
    domain: Domain = field(init=False)
    shadow: Shadow = field(init=False)
    places: PlaceFinder = field(init=False)

    def __post_init__(self) -> None:
        angle = self.random.uniform(0, 2 * np.pi)
        self.shadow = Shadow(
            direction=(float(np.cos(angle)), float(np.sin(angle))),
            strength=float(self.random.uniform(0.3, 0.55)),
            slant=float(self.random.uniform(0.5, 1.1)),
        )
        self.domain = self.library.domain
        self.from_above = self.domain == "RS"
        self._used: set[Donor] = set()
        self.sharpness = max(0.08, edge_sharpness(self.canvas.images[1].astype(np.float32).mean(axis=2)))
        self.places = PlaceFinder(self.canvas, self.library, self.horizon, self.random)

    # Removing --------------------------------------------------------------------------------------------------------

    def remove(self, times: Sequence[Time]) -> list[Thing]:
        """
        Removes one of the objects that exist at both times, with all things on it.

        Args:
            times (`Sequence[Time]`): When it is removed.

        Returns:
            `list[Thing]`: The removed things.
        """
        things = [one for one in self._changeable(_LARGEST) if one.kind not in ROOTED]
        for index in self.random.permutation(len(things))[:_REMOVAL_TRIES]:
            carried = carried_by(self.canvas, things[index].number, self.from_above)
            if carried is None:
                continue
            numbers = {things[index].number, *carried}
            group = [one for one in self.canvas.things if one.number in numbers]
            if any(one.kind in self.unnamed or one.change is not None for one in group):
                continue
            if self._cover(group, times) is not None:
                for thing in group:
                    self._take(thing, times)
                return group
        return []

    def exchange(self, time: Time) -> int:
        """
        Replaces an object by another one of the same kind, at one time.

        Args:
            time (`int`): 1 or 2.

        Returns:
            `int`: Number of changes: two if successful, one if no other thing fits in its place, zero if none could be
                removed.
        """
        things = [one for one in self._changeable(_LARGEST) if one.kind in self.library.donors]
        alone = [one for one in things if carried_by(self.canvas, one.number, self.from_above) == []]
        if not alone:
            return 0
        old = alone[int(self.random.integers(len(alone)))]
        hole = self._cover([old], [time])
        if hole is None:
            return 0
        self._take(old, [time])
        box, area = self.canvas.places[old.number]
        for donor in (self._donor(old.kind) for _ in range(_DONORS)):
            if donor is None:
                continue
            left, top, right, bottom = donor.instance.box
            # From above, scaled by area; otherwise by height, because they stand in the same place.
            scale = (
                float(np.sqrt(area / donor.instance.area)) if self.from_above else (box[3] - box[1]) / (bottom - top)
            )
            place = Place(donor, scale * float(self.random.uniform(0.92, 1.08)), 0.0, box, 0.0)
            if SCALES[0] <= place.scale <= SCALES[1] and self._paste_at(place, [time], hole) is not None:
                self._used.add(donor)
                return 2
        return 1

    def _cover(self, group: Sequence[Thing], times: Sequence[Time]) -> np.ndarray | None:
        """Replaces objects by ground, if a suitable texture is found. Returns the replaced pixels."""
        numbers = [one.number for one in group]
        mask = np.isin(self.canvas.numbers[1], numbers)
        if (mask != np.isin(self.canvas.numbers[2], numbers)).any():
            return None  # Another object occludes them.
        others = self.canvas.taken & ~mask
        boxes = np.array([self.canvas.places[number][0] for number in numbers])
        left, top = boxes[:, :2].min(axis=0)
        right, bottom = boxes[:, 2:].max(axis=0)
        box = (int(left), int(top), int(right), int(bottom))
        hole = hole_of(self.canvas.images[1], mask, others, box, self.from_above)
        fill = None
        if hole is not None:
            fill = find_fill(self.canvas.images[1], hole, self.canvas.taken, self.from_above)
        if hole is None or fill is None:
            return None
        visible = mask[window_of(fill.box)]
        if float(np.abs(fill.pixels - self.canvas.images[1][window_of(fill.box)])[visible].mean()) < _LEAST_CONTRAST:
            return None
        for time in times:
            fill.put(self.canvas.images[time])
            self.canvas.numbers[time][mask] = 0
        self.canvas.taken |= hole
        return hole

    def _take(self, thing: Thing, times: Sequence[Time]) -> None:
        if len(times) == 2:
            self.canvas.things.remove(thing)
        elif times[0] == 1:
            thing.state_t1 = None
        else:
            thing.state_t2 = None

    def cover_ground(self, time: Time) -> bool:
        """
        Replaces a piece of plain ground by another one at one time. This is not a change, but leaves the same
        artefacts.
        """
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

    def paint(self, time: Time) -> Thing | None:
        """Recolours an object with a clear colour at one time. Returns it, or `None` if there is none."""
        things = [one for one in self._changeable(_LARGEST_PAINTED) if one.kind in PAINTED]
        if not things:
            return None
        count = self.canvas.last_number + 1
        names = name_colors(self.canvas.images[1], self.canvas.numbers[1], count)
        things = [one for one in things if names[one.number] not in (None, "black")]
        for index in self.random.permutation(len(things))[:3]:
            thing = things[index]
            old = names[thing.number]
            paints = ROOF_PAINTS if self.from_above else tuple(PAINTS)
            new = str(self.random.choice([name for name in paints if name != old]))
            mask = self.canvas.numbers[time] == thing.number
            # Masks are slightly too small, so the old colour would remain visible at the edge.
            soft = cv2.GaussianBlur(cv2.dilate(mask.astype(np.float32), disk(1)), (0, 0), 0.7)
            painted = repaint(self.canvas.images[time], soft, new)
            if name_colors(painted, np.where(mask, 1, 0).astype(np.int16), 2)[1] != new:
                continue
            self.canvas.images[time] = painted
            states = [State(old, "as it was"), State(new, "painted")]
            thing.state_t1, thing.state_t2 = states if time == 2 else states[::-1]
            return thing
        return None

    # Putting in ------------------------------------------------------------------------------------------------------

    def paste(self, times: Sequence[Time], most: int) -> list[Thing]:
        """
        Inserts objects of one kind.

        Args:
            times (`Sequence[Time]`): When they exist.
            most (`int`): Maximum number; fewer if there is no room.

        Returns:
            `list[Thing]`: The inserted things.
        """
        added: list[Thing] = []
        kinds = self._kinds_to_paste()
        share = _LARGEST if most == 1 else _LARGEST_OF_SEVERAL
        if self.from_above and self.random.random() < _RAISED_SHARE:
            kinds = [kind for kind in kinds if not self._is_flat(kind)]
        while kinds and len(added) < (1 if added and self._is_flat(kinds[0]) else most):
            # Among several candidates, the object with the most suitable place is inserted.
            donors = [self._donor(kinds[int(self.random.integers(len(kinds)))]) for _ in range(_DONORS)]
            place = self.places.find([donor for donor in donors if donor is not None], share)
            thing = self._paste_at(place, times) if place is not None else None
            if place is None or thing is None:
                break
            added.append(thing)
            self._used.add(place.donor)
            kinds = [place.donor.kind]
        return added

    def _kinds_to_paste(self) -> list[str]:
        """Kinds that suit the existing objects. Better suited kinds occur more often in the list."""
        donors = self.library.donors.keys() - self.unnamed
        there = {one.kind for one in self.canvas.things}
        if there:
            kinds: dict[str, float] = dict.fromkeys(there & donors, _SAME_KIND)
            for kind in there:
                images = self.library.together[kind][kind]
                for other in donors:
                    share = self.library.together[kind][other] / images
                    if other != kind and share >= _SEEN_TOGETHER and not self._is_flat(other):
                        kinds[other] = kinds.get(other, 0.0) + share
            if not self.from_above:
                supports = self.places.supports()
                kinds = {kind: share for kind, share in kinds.items() if TRAITS[self.domain][kind].support in supports}
        else:
            known = donors & STREET_KINDS if self.horizon is not None else donors if self.from_above else set()
            kinds = {kind: float(np.sqrt(len(self.library.donors[kind]))) for kind in known}
        suited = [kind for kind in sorted(kinds) if kind not in unclear_kinds(there | {kind})]
        if not suited:
            return []
        weights = np.array([kinds[kind] for kind in suited])
        return [str(kind) for kind in self.random.choice(suited, _DONORS, p=weights / weights.sum())]

    def _is_flat(self, kind: str) -> bool:
        return TRAITS[self.domain][kind].support == "flat"

    def _donor(self, kind: str) -> Donor | None:
        donors = self.library.donors[kind]
        own = self.own_donors.get(kind)
        if own and self.from_above and self.random.random() < _OWN_SHARE:
            donors = own
        donor = donors[int(self.random.integers(len(donors)))]
        if not self.from_above and donor in self._used:
            return None  # A person cannot be in two places.
        return donor

    def _paste_at(self, place: Place, times: Sequence[Time], free: np.ndarray | None = None) -> Thing | None:
        """Inserts an object at a place, if possible. The pixels `free` were edited already, but may be covered."""
        donor, side = place.donor, self.canvas.side
        thing = self._cut(place)
        if thing is None:
            return None
        height, width = thing.opacity.shape
        left = (place.box[0] + place.box[2] - width) // 2
        top = place.box[3] + MARGIN - height
        if self.from_above:
            top = (place.box[1] + place.box[3] - height) // 2
        if left < 0 or top < 0 or left + width > side or top + height > side:
            return None
        area = int(thing.mask.sum())
        window = (slice(top, top + height), slice(left, left + width))
        # Edited regions must not overlap, because masks and artefacts of two changes would mix.
        unclear = self.canvas.taken[window] & ((self.canvas.numbers[times[0]][window] == 0) | self.from_above)
        if free is not None:
            unclear = self.canvas.taken[window] & ~free[window]
        smallest = _SMALLEST_FLAT if self._is_flat(donor.kind) else _SMALLEST
        if not smallest <= area / self.canvas.taken.size <= _LARGEST or (unclear & (thing.opacity > 0.02)).any():
            return None
        trait = TRAITS[self.domain][donor.kind]
        if self.places.tone[2] < _GREY:
            thing = replace(thing, pixels=np.repeat(thing.pixels.mean(axis=2, keepdims=True), 3, axis=2))
        pixels = fit_light(thing, ring_mean(self.canvas.images[times[0]], thing.opacity, (left, top)))
        darkness = None
        if self.from_above and trait.support != "flat":
            # The extent of the thing, which gives its height, is that of a square of the same area.
            darkness = cast_shadow(thing.opacity, trait.height * float(np.sqrt(area)), self.shadow)
        elif not self.from_above:
            darkness = contact_shadow(thing.opacity, 0.45)
        seen = self.canvas.images[times[0]][window][thing.mask]
        if float(np.abs(pixels[thing.mask] - seen).mean()) < _LEAST_CONTRAST:
            return None
        added = self.canvas.add(donor.kind, times, (box_at(thing.opacity, (left, top), side), area))
        for time in times:
            put(self.canvas.images[time], pixels, thing.opacity, (left, top), darkness)
            self.canvas.numbers[time][window][thing.mask] = added.number
        touched = thing.opacity > 0.02 if darkness is None else (thing.opacity > 0.02) | (darkness > 0.02)
        self.canvas.taken[window] |= touched
        return added

    def _cut(self, place: Place) -> CutOut | None:
        is_mirrored = bool(self.random.random() < 0.5)
        photo = self.library.photo(place.donor.place)
        return cut_out(photo, place.donor.number, place.scale, place.degrees, is_mirrored, self.sharpness)

    def _changeable(self, largest: float) -> list[Thing]:
        """Things that exist unchanged at both times, are completely visible, and are neither too small nor too
        large."""
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
    The objects of a canvas with the names of their colours. A kind gets colours only if those of all its objects are
    clear: with "the red car", the colours of the other cars must be known. Recoloured objects have their colours
    already.
    """
    count = canvas.last_number + 1
    names = [name_colors(canvas.images[time], canvas.numbers[time], count) for time in TIMES]
    colors: dict[int, str | None] = {}
    for thing in canvas.things:
        there = [of[thing.number] for of, state in zip(names, (thing.state_t1, thing.state_t2)) if state is not None]
        name = there[0] if len(set(there)) == 1 and thing.kind not in COLORLESS else None
        colors[thing.number] = None if thing.kind == "person" and name not in CLOTHES_COLORS else name
    unclear = {one.kind for one in canvas.things if colors[one.number] is None and one.change != "state_change"}
    things = []
    for thing in canvas.things:
        if thing.change == "state_change":
            things.append(thing)
            continue
        state = State(None if thing.kind in unclear else colors[thing.number])
        things.append(replace(thing, state_t1=thing.state_t1 and state, state_t2=thing.state_t2 and state))
    return things


def _is_plain(image: np.ndarray, where: np.ndarray) -> bool:
    """Whether a region shows only ground."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[where].astype(np.float32)
    low, middle, high = np.percentile(grey, (2, 50, 98))
    return float(max(high - middle, middle - low)) < 34
