# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""One image or mask, in a file or in memory, read when it is needed, and the errors that reading it can give."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from .reading_report import Reason, UnusableError


IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")
"""Suffixes of the files that are read, in lower case."""

# What PIL's plugins raise for damaged files, besides DecompressionBombError.
_PIL_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    NotImplementedError,
    MemoryError,
    struct.error,
    zlib.error,
)
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_ORIENTATIONS_THAT_SWAP_SIDES = (5, 6, 7, 8)
_ASPECT_TOLERANCE = 0.01


@dataclass(frozen=True)
class ImageFile:
    """
    An image or mask that is decoded when it is asked for.

    Args:
        name (`str`): Its name in messages, for instance "RS_train/A/0001.jpg".
        source (`Path`, `bytes`, `PIL.Image.Image` or `np.ndarray`): The file or its content; or, for generated pairs,
            the RGB image or the mask (bool, `(height, width)`) itself.
    """

    name: str
    source: Path | bytes | Image.Image | np.ndarray = field(repr=False)

    def read_bytes(self) -> bytes:
        """The content of the file as it is; of an image or mask in memory, its pixels."""
        if isinstance(self.source, bytes):
            return self.source
        return self.source.read_bytes() if isinstance(self.source, Path) else self.source.tobytes()

    @property
    def num_bytes(self) -> int:
        """The size of the file in bytes."""
        return self.source.stat().st_size if isinstance(self.source, Path) else len(self.read_bytes())

    @property
    def size(self) -> tuple[int, int]:
        """
        Width and height in pixels after EXIF orientation, from the file's header alone.

        Raises:
            UnusableError: If it is no image or larger than PIL's limit.
        """
        with self._open(Reason.UNREADABLE_IMAGE) as image:
            # PIL reports the size of a TIFF file as it will be after loading, though the tag is still there.
            swaps = image.format != "TIFF" and _orientation(image) in _ORIENTATIONS_THAT_SWAP_SIDES
            return (image.height, image.width) if swaps else image.size

    @property
    def mode(self) -> str:
        """How the file keeps its colours, as PIL calls it: "RGB", "L", "P"…; raises as `size`."""
        with self._open(Reason.UNREADABLE_IMAGE) as image:
            return image.mode

    def check(self) -> tuple[int, int]:
        """
        Decodes the whole image.

        Returns:
            `tuple[int, int]`: Width and height in pixels, after EXIF orientation.

        Raises:
            UnusableError: If it is no image, damaged, cut short, larger than PIL's limit, or has more than 8 bits.
        """
        with self._open(Reason.UNREADABLE_IMAGE) as image:
            if image.mode in _DEEP_MODES:
                raise UnusableError(
                    Reason.UNREADABLE_IMAGE,
                    f'{self.name} holds values of mode "{image.mode}"; save it as RGB of 8 bits',
                )
            image.load()
            swaps = _orientation(image) in _ORIENTATIONS_THAT_SWAP_SIDES
            return (image.height, image.width) if swaps else image.size

    def load(self) -> Image.Image:
        """
        Decodes the image with [`mtrefseg.io.load_image`].

        Returns:
            `PIL.Image.Image`: RGB, after EXIF orientation.

        Raises:
            UnusableError: If it is no image, damaged, cut short or larger than PIL's limit.
        """
        if isinstance(self.source, Image.Image):
            return self.source
        from mtrefseg.io import load_image  # Listing and checking do without it.

        with self._open(Reason.UNREADABLE_IMAGE) as image:
            return load_image(image)

    def read_mask(self, size: tuple[int, int]) -> tuple[np.ndarray, list[tuple[Reason, str]]]:
        """
        Reads a mask of a dataset and repairs what it can: a mask of another size is resized, of a coloured one the
        highest channel counts, and of any other values those above 127 are foreground.

        Args:
            size (`tuple[int, int]`): Width and height of the images, in pixels.

        Returns:
            `np.ndarray`: Booleans of shape `(height, width)`, true in the described region.
            `list[tuple[Reason, str]]`: What was repaired, and how.

        Raises:
            UnusableError: If it is no image, damaged, cut short, too large, or of another aspect ratio than `size`.
        """
        if isinstance(self.source, np.ndarray):
            return self.source, []
        # `mtrefseg.io.load_mask` reads plain masks alike, but cannot be the core of this: it turns coloured ones grey,
        # which refuses a red mask; it refuses values of which none is above 127; and it imports PyTorch.
        with self._open(Reason.UNREADABLE_MASK) as image:
            values, repairs = self._mask_values(ImageOps.exif_transpose(image))
        mask = values > 127
        highest = values.max()
        if highest == 1:
            mask = values == 1
            repairs.append((Reason.MASK_OF_ONES, f"{self.name} holds 0 and 1"))
        elif ((values != 0) & (values != 255)).any():
            repairs.append((Reason.MASK_NOT_BINARY, f"{self.name} holds {len(np.unique(values))} values"))
        height, width = mask.shape
        if (width, height) != size:
            detail = f"{self.name} has {width}x{height} pixels, its images {size[0]}x{size[1]}"
            if abs(width * size[1] / (height * size[0]) - 1) > _ASPECT_TOLERANCE:
                raise UnusableError(Reason.MASK_OF_OTHER_SHAPE, detail)
            mask = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
            repairs.append((Reason.MASK_RESIZED, detail))
        return mask, repairs

    def _mask_values(self, image: Image.Image) -> tuple[np.ndarray, list[tuple[Reason, str]]]:
        """Values of shape `(height, width)`; those of a 1-bit mask are 0 and 255."""
        if image.mode in ("1", "L"):
            return np.asarray(image.convert("L")), []
        if image.mode in _DEEP_MODES:
            return np.asarray(image), []
        values = np.asarray(image.convert("RGB")).max(axis=-1)
        return values, [(Reason.MASK_IN_COLOUR, f'{self.name} is of mode "{image.mode}"')]

    @contextmanager
    def _open(self, reason: Reason) -> Iterator[Image.Image]:
        """The image, not decoded yet; whatever PIL raises in the block becomes an `UnusableError` of this reason."""
        if isinstance(self.source, Image.Image | np.ndarray):
            yield self.source if isinstance(self.source, Image.Image) else Image.fromarray(self.source)
            return
        limit = Image.MAX_IMAGE_PIXELS
        too_large = f"{self.name} has more pixels than PIL's limit of {limit:,} (PIL.Image.MAX_IMAGE_PIXELS)"
        try:
            with Image.open(io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source) as image:
                if limit is not None and image.width * image.height > limit:
                    raise UnusableError(Reason.IMAGE_TOO_LARGE, too_large)
                yield image
        except UnusableError:
            raise
        except Image.DecompressionBombError:
            raise UnusableError(Reason.IMAGE_TOO_LARGE, too_large) from None
        except _PIL_ERRORS as error:
            raise UnusableError(reason, f"{self.name}: {_describe(error)}") from error


def _describe(error: Exception) -> str:
    """What went wrong, without the path of the file, which some messages hold."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image that PIL can read"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _orientation(image: Image.Image) -> int | None:
    value = image.getexif().get(ExifTags.Base.Orientation)
    return value if isinstance(value, int) else None
