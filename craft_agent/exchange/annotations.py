# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What all formats hold: pairs, their regions, and the checks of what a file says about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mtrefseg.errors import readable
from mtrefseg.io import is_blank, parse_json, read_regular, to_utf8
from mtrs_iou import decode_rle, encode_rle

from ..errors import CraftError
from ..records import BoolMask, ChangeType


Read = TypeVar("Read")

LABELS = tuple(kind.value for kind in ChangeType)
"""One label per change type."""
MOST_PIXELS = 2**28
"""Pixels of the largest image that is read."""
FARTHEST = 10**9
"""Largest coordinate, in pixels, that is read."""


@dataclass(frozen=True)
class Region:
    """
    A region of a pair with its sentences. The mask is kept encoded: all regions of a file are in memory at once.

    Args:
        sample_id (`str`): The sample of the run that it is; "" for one that somebody added.
        expressions (`tuple[str, ...]`): The sentence, then its paraphrases.
        change_type (`ChangeType`): What happened to the thing.
        rle (`dict`): The mask, COCO run lengths with the size of the images; not empty.
        entry (`str`, *optional*): What the file calls it, for messages.
    """

    sample_id: str
    expressions: tuple[str, ...]
    change_type: ChangeType
    rle: dict[str, Any] = field(repr=False)
    entry: str = field(default="", compare=False)

    @property
    def mask(self) -> BoolMask:
        """Booleans `(height, width)`, decoded anew each time."""
        return decode_rle(self.rle)

    @property
    def is_seen_at_t1(self) -> bool:
        """Whether it is drawn on the earlier image: what disappeared can be seen nowhere else."""
        return self.change_type is ChangeType.DISAPPEAR


@dataclass(frozen=True)
class AnnotatedPair:
    """
    A pair with its regions.

    Args:
        pair_id (`str`): The name of its files without suffix.
        file_t1, file_t2 (`str`): Such as "A/0001.jpg" and "B/0001.jpg"; "" where a file does not say.
        size (`tuple[int, int]`): Width and height in pixels.
        regions (`tuple[Region, ...]`): What changed.
        entry (`str`, *optional*): What the file calls it, for messages.
    """

    pair_id: str
    file_t1: str
    file_t2: str
    size: tuple[int, int]
    regions: tuple[Region, ...]
    entry: str = field(default="", compare=False)


class AnnotationFile:
    """
    Checks what a file of annotations says.

    Args:
        path (`Path`): The file, which all messages name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def error(self, entry: str, problem: str) -> CraftError:
        """The error about an entry; `problem` says what is wrong and, after a colon, the fix."""
        return CraftError(" ".join(f"{self.path}, {entry}: {problem}".split()))

    def content(self) -> bytes:
        """The content of the file; raises `CraftError` if it cannot be read."""
        try:
            return read_regular(self.path)
        except OSError as error:
            raise CraftError(f"{self.path} cannot be read ({error.strerror}): name the exported file") from error

    def json(self) -> Any:
        """The content of the file, which is JSON; raises `CraftError` if it cannot be read."""
        try:
            return parse_json(to_utf8(self.content()))
        except ValueError as error:
            raise self.error("the file", f"it is not JSON ({error}): export it again as JSON") from error

    def value(self, entry: str, found: Any, key: str, kind: type[Read]) -> Read:
        """The value of a key, if it has the type; raises `CraftError` otherwise."""
        if not isinstance(found, dict):
            raise self.error(entry, f"{_shown(found)} is not a JSON object: export the file again")
        if key not in found:
            raise self.error(entry, f'"{key}" is missing: add it, or export the file again')
        value = found[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.error(entry, f'"{key}" is {_shown(value)}: it must be of the JSON type of {kind.__name__}')
        return value

    def size(self, entry: str, width: Any, height: Any) -> tuple[int, int]:
        """Width and height of an image."""
        try:
            size = (int(width), int(height))
            if any(isinstance(side, float) and not side.is_integer() for side in (width, height)):
                size = (0, 0)
        except (TypeError, ValueError, OverflowError):
            size = (0, 0)
        if min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
            raise self.error(
                entry, f"width {_shown(width)} and height {_shown(height)} are not a valid image size: correct them"
            )
        return size

    def pair_id(self, entry: str, name: str) -> str:
        """The pair of an image's name or URL, which ends in the name of the file."""
        pair_id = Path(name.replace("\\", "/")).stem
        if not pair_id:
            raise self.error(entry, f"{_shown(name)} is not the name of an image: write one, such as B/0001.jpg")
        return pair_id

    def numbers(self, entry: str, values: Any) -> list[float]:
        """Finite numbers; booleans are none."""
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise self.error(entry, f"{_shown(values)} is not a list of numbers: draw the region again")
        # JSON may hold integers that no float holds.
        if not all(
            isinstance(each, int | float) and not isinstance(each, bool) and abs(each) <= FARTHEST for each in values
        ):
            raise self.error(
                entry, f"a coordinate is not a number of up to {FARTHEST:,} pixels: draw the region again"
            )
        return [float(each) for each in values]

    def run_lengths(self, entry: str, code: Any, size: tuple[int, int]) -> BoolMask:
        """The mask of a COCO run-length encoding, which must have the size of the image."""
        if not isinstance(code, dict) or code.get("size") not in ([size[1], size[0]], (size[1], size[0])):
            raise self.error(
                entry, f"its mask does not have the {size[0]} x {size[1]} pixels of the image: draw it again"
            )
        return self.damaged(entry, lambda: decode_rle(code))

    def damaged(self, entry: str, decode: Callable[[], Read]) -> Read:
        """What `decode` returns; `CraftError` if it raises `ValueError`."""
        try:
            return decode()
        except ValueError as error:
            raise self.error(entry, f"{error}: draw the region again") from error

    def region(self, entry: str, sample_id: str, sentences: Sequence[Any], label: Any, mask: BoolMask) -> Region:
        """A checked region."""
        if label not in LABELS:
            raise self.error(entry, f"the label is {_shown(label)}: it must be one of {', '.join(LABELS)}")
        if not all(isinstance(text, str) for text in sentences):
            raise self.error(entry, "a sentence is not text: write it again")
        texts = tuple(text for text in (" ".join(each.split()) for each in sentences) if not is_blank(text))
        if not texts:
            raise self.error(entry, "it has no sentence: write what changed there")
        unreadable = next((text for text in texts if readable(text) != text), None)
        if unreadable is not None:
            raise self.error(entry, f"the sentence {_shown(unreadable)} is not valid Unicode: write it again")
        if not mask.any():
            raise self.error(entry, "it covers no pixel: draw it again, or delete it")
        return Region(sample_id, texts, ChangeType(label), encode_rle(mask), readable(entry))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
