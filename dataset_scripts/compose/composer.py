# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Composes pairs with sentences and exact masks from real images with instance masks. A pair depends only on its number.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.readers import UnusableError
from dataset_scripts.readers.split_folders import fingerprint
from dataset_scripts.synthesis import Domain, PairGenerator, Split, SyntheticExpression, SyntheticPair
from dataset_scripts.synthesis.generator import SPLIT_SEEDS
from dataset_scripts.synthesis.language.expressions import NO_TARGET_SHARE, with_masks
from dataset_scripts.synthesis.language.observation import Observation
from dataset_scripts.synthesis.language.plain_expressions import PlainExpressionWriter
from dataset_scripts.synthesis.render.camera import sample_camera, take_image
from dataset_scripts.synthesis.scene import TIMES, Rendering, Scene

from .canvas import Box, Canvas, open_canvas
from .editing import Editor, with_colors
from .instances import Instance, SourceImage
from .library import Donor, Library
from .nouns import groups_for, nouns_for, unclear_kinds
from .photo_writer import ABSENT_KINDS, PhotoExpressionWriter


logger = logging.getLogger(__name__)

_STREAM = 0xC0C0  # Distinguishes the random numbers of this source from those of the generator.
_MARGIN = 5  # Pixels of the canvas beyond each side of the images, for the shift
_LARGEST_SHIFT, _LARGEST_TURN = 3.0, 0.6  # Pixels and degrees
_MOST_ENLARGED, _MOST_REDUCED = 1.5, 2.0
_FRAME = 16  # Minimum distance in pixels of the focused thing from the rim
_TRIES = 8  # Images that are tried for a pair with changes
_ATTEMPTS = 12  # Attempts at a pair
_UNCHANGED_SHARE = 0.07
_BACKGROUND_SHARE = 0.25
_HORIZON = 0.46  # Share of the height of a street's image
_STRENGTH = 0.6  # Strength of season, light and camera: photographs already contain some of it.


@dataclass(frozen=True)
class Composer(PairGenerator):
    """
    Composes pairs from single images with instance masks (COCO format): objects are removed, inserted or recoloured at
    one of two times, and everything else differs only in light, season, sharpness, compression and a small shift. The
    same settings, images and index always give the same pair.

    Args:
        folders (`Sequence[str | Path]`): Folders in COCO format; see [`read_instances`].
        domain (`str`): "NS" (things stand on the ground or a table) or "RS" (everything is seen from above).
        seed (`int`, *optional*, defaults to 0): Seed of all random choices.
        size (`int`, *optional*, defaults to 256): Width and height in pixels, 128 to 1024.
        split (`str`, *optional*, defaults to `"train"`): "train", "validation" or "test". An image belongs to one of
            them by its name, also as a source of things that are put into others.
        most_expressions (`int`, *optional*, defaults to 6): Largest number of sentences for a pair.
        plain_share (`float`, *optional*, defaults to 0.0): Share of plain sentences; see [`PlainExpressionWriter`].
        no_target_share (`float`, *optional*, defaults to 0.06): How often to try a no-target sentence, 0 to 1.
        backgrounds (`Sequence[str | Path]`, *optional*): Folders of images without annotations, into which things
            are inserted as well.
        cache_bytes (`int`, *optional*, defaults to 128 MiB): Memory limit for decoded images.

    Raises:
        DataError: If a folder cannot be used or has no images of this split.
        ValueError: If a setting is out of range.

    Example:

    ```python
    >>> composer = Composer(folders=["instances/coco"], domain="NS")
    >>> [expression.text for expression in composer.pair(7).expressions]
    ```
    """

    folders: Sequence[str | Path]
    domain: Domain
    seed: int = 0
    size: int = 256
    split: Split = "train"
    most_expressions: int = 6
    plain_share: float = 0.0
    no_target_share: float = NO_TARGET_SHARE
    backgrounds: Sequence[str | Path] = ()
    cache_bytes: int = 2**27

    label: ClassVar[str] = "composed"
    # Increased whenever the same settings and images give other pairs.
    version: ClassVar[int] = 4

    def __post_init__(self) -> None:
        if isinstance(self.folders, str | Path) or isinstance(self.backgrounds, str | Path):
            raise ValueError("folders and backgrounds are sequences of folders: write [folder] for one.")
        # As text, so that the settings can be recorded.
        object.__setattr__(self, "folders", tuple(str(folder) for folder in self.folders))
        object.__setattr__(self, "backgrounds", tuple(str(folder) for folder in self.backgrounds))
        if not self.folders:
            raise ValueError("folders is empty: name one folder in COCO format or more.")
        if self.domain not in ("NS", "RS"):
            raise ValueError(f"domain is {self.domain!r}, but must be 'NS' or 'RS'.")
        self._check_settings()
        for line in self.library.skipped.lines():
            logger.warning(line)

    @cached_property
    def made_of(self) -> str:
        """A text that changes with the files in its folders."""
        return fingerprint([Path(folder) for folder in (*self.folders, *self.backgrounds)])

    @property
    def made_of_copies(self) -> str:
        """As `made_of`, but the same for copies of the files, whose times of change are others."""
        return fingerprint([Path(folder) for folder in (*self.folders, *self.backgrounds)], with_times=False)

    @cached_property
    def library(self) -> Library:
        """The images of its split."""
        return Library(
            [Path(folder) for folder in self.folders],
            [Path(folder) for folder in self.backgrounds],
            self.domain,
            self.split,
            self.cache_bytes,
        )

    @property
    def domains(self) -> tuple[Domain]:
        """Its domain, as the generator has several."""
        return (self.domain,)

    def pair_id(self, index: int) -> str:
        """The name of the pair of a number."""
        return f"{self.domain}_{self.label}_{self.split}_{self.seed}_{index:07d}"

    def pair(self, index: int) -> SyntheticPair:
        """
        The pair of a number.

        Args:
            index (`int`): 0 or more.

        Returns:
            `SyntheticPair`: The pair. Its source is the name of the folder of the first image.

        Raises:
            DataError: If no pair can be made from the images.
        """
        # OpenCV's threads do not survive forking, and the workers of a data loader use all cores already.
        cv2.setNumThreads(1)
        for attempt in range(_ATTEMPTS):
            seeds = [self.seed, SPLIT_SEEDS[self.split], index, _STREAM, int(self.domain == "RS"), attempt]
            random = np.random.default_rng(seeds)
            made = self._make_canvas(random)
            # For some pairs every description is doubtful, so that there are no sentences.
            if made is not None and (pair := self._finish(index, *made, random)).expressions:
                return pair
        raise DataError(
            f"No pair {index} could be made of {', '.join(map(str, self.folders))} in {_ATTEMPTS} attempts: "
            "its images cannot be decoded, or show nothing that sentences could be about."
        )

    def _report(self, error: UnusableError) -> None:
        """Names an image that cannot be decoded, once."""
        if error.detail not in self.library.damaged:
            self.library.damaged.add(error.detail)
            logger.warning(f"left out an image that cannot be decoded: {error.detail}")

    def _make_canvas(self, random: np.random.Generator) -> tuple[Canvas, str, frozenset[str]] | None:
        """
        An image with its changes, the name of its folder, and the kinds that sentences must not mention; `None` if
        none of the images could be decoded.
        """
        wanted = 0 if random.random() < _UNCHANGED_SHARE else int(random.choice((1, 1, 2, 2, 3, 4)))
        best: tuple[int, Canvas, str, frozenset[str]] | None = None
        for _ in range(_TRIES):
            try:
                editor, folder = self._open(random)
                done = _edit(editor, wanted, random)
            except UnusableError as error:
                self._report(error)
                continue
            if best is None or done > best[0]:
                best = (done, editor.canvas, folder, editor.unnamed)
            if done >= min(wanted, 1):
                break
        return None if best is None else best[1:]

    def _open(self, random: np.random.Generator) -> tuple[Editor, str]:
        """A part of an image, and the name of its folder."""
        images, grounds = self.library.images, self.library.backgrounds
        is_ground = bool(grounds) and random.random() < _BACKGROUND_SHARE
        focus = None
        if is_ground:
            place = len(images) + int(random.integers(len(grounds)))
        elif self.library.focuses:
            place, focus = self._focus(random)
        else:
            place = int(random.integers(len(images)))
        photo = self.library.photo(place)
        side = self.size + 2 * _MARGIN
        window = _window(photo.source, focus, side, random)
        turns = int(random.integers(4)) if self.domain == "RS" else 0
        kinds = self.library.kinds[place] if not is_ground else []
        canvas = open_canvas(photo, kinds, window, side, turns, bool(random.random() < 0.5))
        crowds = frozenset(kind for kind, one in zip(kinds, photo.source.instances) if one.is_crowd)
        unnamed = crowds | unclear_kinds({thing.kind for thing in canvas.things})
        own: dict[str, list[Donor]] = {}
        for donor in self.library.donors_of[place] if not is_ground else ():
            own.setdefault(donor.kind, []).append(donor)
        horizon = None
        if is_ground and self.domain == "NS":
            horizon = (_HORIZON * photo.source.height - window[1]) * canvas.scale
        editor = Editor(canvas, self.library, unnamed, own, horizon, random)
        return editor, Path(photo.source.file).parent.parent.name

    def _focus(self, random: np.random.Generator) -> tuple[int, Instance]:
        """
        Draws an object that may change, and the index of its image. Rare kinds are drawn more often than they occur.
        """
        focuses = self.library.focuses
        kinds = sorted(focuses)
        weights = np.sqrt([len(focuses[kind]) for kind in kinds])
        chosen = focuses[kinds[int(random.choice(len(kinds), p=weights / weights.sum()))]]
        return chosen[int(random.integers(len(chosen)))]

    def _finish(
        self, index: int, canvas: Canvas, folder: str, unnamed: frozenset[str], random: np.random.Generator
    ) -> SyntheticPair:
        scene = Scene(
            domain=self.domain,
            view="aerial" if self.domain == "RS" else "normal",
            size=self.size,
            things=with_colors(canvas),
            unnamed_kinds=unnamed,
        )
        first, second = _taken_apart(canvas, self.size, random)
        observation = Observation(scene, first.numbers, second.numbers)
        images = [_photographed(rendering, random) for rendering in (first, second)]
        return SyntheticPair(
            pair_id=self.pair_id(index),
            domain=self.domain,
            source=f"composed {folder}",
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
        kinds = frozenset(thing.kind for thing in observation.scene.things)
        absent = ABSENT_KINDS[self.domain]
        nouns, groups = nouns_for(kinds | frozenset(absent)), groups_for(kinds)
        writer = PhotoExpressionWriter(observation, random, nouns, groups, lasting=frozenset(), absent_kinds=absent)
        # A pair without changes has only few sentences, all without a target.
        sentences = writer.write(min(wanted - plain, wanted if writer.changed else 1), self.no_target_share)
        if plain or not sentences:
            simple = PlainExpressionWriter(observation, random, nouns, groups, lasting=frozenset())
            sentences += simple.write(max(plain, 1), self.no_target_share)
        return with_masks(sentences, observation)


def _window(source: SourceImage, focus: Instance | None, side: int, random: np.random.Generator) -> Box:
    """A square of an image, of any suitable size, around a thing."""
    shorter = min(source.width, source.height)
    largest = min(shorter, int(_MOST_REDUCED * side))
    smallest = min(largest, max(int(side / _MOST_ENLARGED), round(0.6 * largest)))
    box = focus.box if focus is not None else (0, 0, 0, 0)
    extent = max(box[2] - box[0], box[3] - box[1])
    cut = int(random.integers(min(largest, max(smallest, round(1.3 * extent))), largest + 1))
    corner = []
    for low, high, length in ((box[0], box[2], source.width), (box[1], box[3], source.height)):
        first, last = (max(0, high + _FRAME - cut), min(length - cut, low - _FRAME))
        if focus is None or first > last:
            first, last = 0, length - cut
        corner.append(int(random.integers(first, last + 1)))
    return corner[0], corner[1], corner[0] + cut, corner[1] + cut


def _edit(editor: Editor, wanted: int, random: np.random.Generator) -> int:
    """Makes this many changes, and edits that must not count as changes. Returns the number of changes."""
    # Most places gain or lose things; few do both at once.
    later_share = float(random.choice((0.15, 0.5, 0.85)))
    # Objects that exist at both times come first, so that changes can be placed next to them.
    if random.random() < 0.35:
        editor.paste(TIMES, int(random.integers(1, 4)))
    if random.random() < 0.25:
        editor.remove(TIMES)
    done = 0
    for _ in range(3 * wanted):
        if done >= wanted:
            break
        is_later = random.random() < later_share
        kind = random.random()
        if kind < 0.1:
            done += editor.exchange(1 if is_later else 2)
        elif kind < 0.45:
            # Objects that exist only at t2 were removed from the earlier image.
            done += len(editor.remove((1,) if is_later else (2,)))
        elif kind < (0.94 if editor.from_above else 0.87):
            most = 1 if random.random() < 0.65 else int(random.integers(2, 5))
            done += len(editor.paste((2,) if is_later else (1,), most))
        else:
            done += editor.paint(2 if random.random() < 0.5 else 1) is not None
    for time in TIMES:
        if random.random() < 0.45:
            editor.cover_ground(time)
    return done


def _taken_apart(canvas: Canvas, size: int, random: np.random.Generator) -> tuple[Rendering, Rendering]:
    """The two images cropped to size, one of them slightly shifted."""
    moved = 1 + int(random.integers(3))  # Neither of them in a third of the pairs
    made = []
    for time in TIMES:
        turn, shift_x, shift_y = 0.0, 0.0, 0.0
        if moved == time:
            turn = float(random.uniform(-_LARGEST_TURN, _LARGEST_TURN))
            shift_x, shift_y = random.uniform(-_LARGEST_SHIFT, _LARGEST_SHIFT, 2)
        matrix = cv2.getRotationMatrix2D((canvas.side / 2, canvas.side / 2), turn, 1)
        matrix[:, 2] += np.array((shift_x - _MARGIN, shift_y - _MARGIN))
        image = cv2.warpAffine(
            canvas.images[time], matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        numbers = cv2.warpAffine(canvas.numbers[time], matrix, (size, size), flags=cv2.INTER_NEAREST)
        made.append(Rendering(image, numbers, _vegetation(image)))
    return made[0], made[1]


def _vegetation(image: np.ndarray) -> np.ndarray:
    """How green a pixel is: uint8 (height, width)."""
    red, green, blue = (image[..., channel].astype(np.int16) for channel in range(3))
    return np.clip(4 * (2 * green - red - blue) - 20, 0, 255).astype(np.uint8)


def _photographed(rendering: Rendering, random: np.random.Generator) -> Image.Image:
    camera = sample_camera(random, _STRENGTH)
    camera = replace(
        camera,
        # The generator's colours are brighter than real ones.
        saturation=min(camera.saturation + 0.16, 1.25),
        blur=0.7 * camera.blur,
        noise=0.6 * camera.noise,
        jpeg_quality=int(random.integers(62, 96)),
    )
    return take_image(rendering, camera, random)
