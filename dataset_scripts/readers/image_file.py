# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""One image or mask, in a file or in memory, which is read lazily; and the errors of reading it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from mtrefseg.io import read_regular

from .reading_report import Reason, UnusableError


_ORIENTATIONS_THAT_SWAP_SIDES = (5, 6, 7, 8)
_ASPECT_TOLERANCE = 0.01
_REPAIRS = {
    "ones": Reason.MASK_OF_ONES,
    "values": Reason.MASK_NOT_BINARY,
    "colour": Reason.MASK_IN_COLOUR,
    "alpha": Reason.MASK_IN_ALPHA,
}


@dataclass(frozen=True)
class MaskRule:
    """
    The meaning of mask values that are ambiguous. By default, ambiguous masks are rejected.

    Args:
        values (`tuple[int, ...]`, *optional*, defaults to `()`): These values (for a palette: entries) are foreground.
        threshold (`float`, *optional*): Values above it are foreground. Only one of both is given.
    """

    values: tuple[int, ...] = ()
    threshold: float | None = None


@dataclass(frozen=True)
class ImageFile:
    """
    An image or mask that is decoded on demand.

    Args:
        name (`str`): Its name in messages, for instance "RS_train/A/0001.jpg".
        source (`Path`, `bytes`, `PIL.Image.Image` or `np.ndarray`): The file or its content; or, for generated pairs,
            the RGB image or the mask (bool, `(height, width)`) itself.
        mask_rule (`MaskRule`, *optional*): User-defined meaning of the values of a mask.
    """

    name: str
    source: Path | bytes | Image.Image | np.ndarray = field(repr=False)
    mask_rule: MaskRule = MaskRule()

    def read_bytes(self) -> bytes:
        """The unchanged content of the file; for an image or mask in memory, its pixels."""
        if isinstance(self.source, bytes):
            return self.source
        return read_regular(self.source) if isinstance(self.source, Path) else self.source.tobytes()

    @property
    def num_bytes(self) -> int:
        """The size of the file in bytes."""
        return self.source.stat().st_size if isinstance(self.source, Path) else len(self.read_bytes())

    @property
    def size(self) -> tuple[int, int]:
        """
        Width and height in pixels after EXIF orientation, only from the file's header.

        Raises:
            UnusableError: If it is not an image or exceeds PIL's limit.
        """
        with self._open() as image:
            return _upright_size(image)

    @property
    def mode(self) -> str:
        """Colour mode of the file in PIL: "RGB", "L", "P"…; raises as `size`."""
        with self._open() as image:
            return image.mode

    def check(self) -> tuple[int, int]:
        """
        Decodes the complete image with PIL, like users of the dataset.

        Returns:
            `tuple[int, int]`: Width and height in pixels, after EXIF orientation.

        Raises:
            UnusableError: If it is not an image, is damaged or truncated, exceeds PIL's limit, has more than 8 bits,
                or is of a kind that PIL alone cannot decode.
        """
        problem = self._foreign_kind()
        if problem:
            raise UnusableError(Reason.UNREADABLE_IMAGE, f"{self.name} {problem}; save it as 8-bit RGB")
        with self._open() as image:
            size, image_format = _upright_size(image), image.format
            image.load()
        if image_format == "HEIF":
            detail = f"{self.name} is HEIC, which PIL cannot decode by itself; save it as JPEG or PNG"
            raise UnusableError(Reason.UNREADABLE_IMAGE, detail)
        return size

    @property
    def extra_bands(self) -> int:
        """Number of bands of a TIFF in addition to red, green and blue, or grey; they are not read. Raises as
        `size`."""
        from mtrefseg.io import read_tags  # Imports PyTorch, which listing does not need.

        if not isinstance(self.source, Path | bytes):
            return 0
        with self._reading():
            tags = read_tags(self.source)
        return 0 if tags is None or not tags.has_extra_bands else tags.samples - (3 if tags.samples > 3 else 1)

    def load(self) -> Image.Image:
        """
        Decodes the image as [`mtrefseg.io.load_image`] does.

        Returns:
            `PIL.Image.Image`: RGB, after EXIF orientation.

        Raises:
            UnusableError: If it is not an image, is damaged or truncated, or exceeds PIL's limit.
        """
        return load_together(self)[0]

    def read_mask(self, size: tuple[int, int]) -> tuple[np.ndarray, list[tuple[Reason, str]]]:
        """
        Reads a mask as [`mtrefseg.io.load_mask`] does, and resizes it if its size differs.

        Args:
            size (`tuple[int, int]`): Width and height of the images, in pixels.

        Returns:
            `np.ndarray`: Booleans of shape `(height, width)`, true in the described region.
            `list[tuple[Reason, str]]`: Deviations, and how they were interpreted.

        Raises:
            UnusableError: If it is not an image, is damaged, truncated or too large, has another aspect ratio than
                `size`, or contains ambiguous values.
        """
        if isinstance(self.source, np.ndarray):
            return self.source, []
        from mtrefseg.io import read_mask

        with _unusable(Reason.UNREADABLE_MASK):
            reading = read_mask(self.source, self.name, self.mask_rule.values or None, self.mask_rule.threshold)
        mask = reading.mask
        repairs = [(_REPAIRS[kind], f"{self.name} {detail}") for kind, detail in reading.repairs]
        height, width = mask.shape
        if (width, height) != size:
            detail = f"{self.name} has {width}x{height} pixels, its images {size[0]}x{size[1]}"
            if abs(width * size[1] / (height * size[0]) - 1) > _ASPECT_TOLERANCE:
                raise UnusableError(Reason.MASK_OF_OTHER_SHAPE, detail)
            mask = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
            repairs.append((Reason.MASK_RESIZED, detail))
        return mask, repairs

    def _foreign_kind(self) -> str:
        """The reason why PIL would decode a different image, or fail; "" if it would not."""
        from mtrefseg.io import DEEP_MODES, depth_of, read_tags

        if not isinstance(self.source, Path | bytes):
            return f'holds values of mode "{self.mode}"' if self.mode in DEEP_MODES else ""
        with self._reading():
            tags, depth = read_tags(self.source), depth_of(self.source)
        if tags is not None and tags.has_other_pages:
            return "has several pages of its size"
        if tags is not None and tags.has_narrow_palette:
            return "is a TIFF with a palette of 8 bits"
        if tags is not None and (tags.is_deep or (tags.has_extra_bands and tags.photometric < 2)):
            return f"is {tags}"
        return f"has {depth} bits per sample" if depth > 8 else ""

    @contextmanager
    def _open(self) -> Iterator[Image.Image]:
        """Opens the image without decoding it; any error in the block becomes an `UnusableError`."""
        if isinstance(self.source, Image.Image | np.ndarray):
            yield self.source if isinstance(self.source, Image.Image) else Image.fromarray(self.source)
            return
        from mtrefseg.io import open_image

        with self._reading(), open_image(self.source) as image:
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and image.width * image.height > limit:
                raise Image.DecompressionBombError
            yield image

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Converts any error of a decoder in the block to an `UnusableError`."""
        from mtrefseg.io import decoding

        with _unusable(Reason.UNREADABLE_IMAGE), decoding(self.name):
            yield


@contextmanager
def _unusable(reason: Reason) -> Iterator[None]:
    """Converts errors of the readers of images and masks to an `UnusableError`, with this reason if no other
    applies."""
    from mtrefseg.io import AmbiguousMaskError, ImageError

    try:
        yield
    except FileNotFoundError as error:
        raise UnusableError(reason, str(error)) from error
    except AmbiguousMaskError as error:
        raise UnusableError(Reason.MASK_AMBIGUOUS, f"{error.name}: {error.problem}") from error
    except ImageError as error:
        if error.is_too_large:
            limit = f"{Image.MAX_IMAGE_PIXELS:,} pixels, the most that are read"
            detail = f"{error.name} has more than {limit}; shrink or cut it"
            raise UnusableError(Reason.IMAGE_TOO_LARGE, detail) from None
        raise UnusableError(reason, f"{error.name}: {error.problem}") from error


def load_together(*files: ImageFile) -> list[Image.Image]:
    """
    Decodes images that belong together, such as t1 and t2, as [`mtrefseg.io.load_images`] does: they get the same
    stretch. Notes about them are logged.

    Args:
        files (`ImageFile`): The images.

    Returns:
        `list[PIL.Image.Image]`: RGB, after EXIF orientation.

    Raises:
        UnusableError: If one of them is not an image, is damaged or truncated, or exceeds PIL's limit.
    """
    in_memory = [file.source for file in files if isinstance(file.source, Image.Image)]
    if len(in_memory) == len(files):
        return in_memory
    from mtrefseg.io import read_images  # Imports PyTorch, which listing does not need.

    with _unusable(Reason.UNREADABLE_IMAGE):
        images, notes = read_images([file.source for file in files], [file.name for file in files])
    for note in notes:
        _say(note)
    return images


@lru_cache(maxsize=1 << 16)
def _say(note: str) -> None:
    """Logs a note once, even if the image is read several times."""
    from datasets import logging  # Imported here, so that commands start quickly.

    logging.get_logger(__name__).warning(note)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    value = image.getexif().get(ExifTags.Base.Orientation)
    # PIL reports the size of a TIFF file as it will be after loading, though the tag is still there; but as it is
    # stored if its XMP alone has an orientation, which PIL follows, too.
    is_reported = image.format == "TIFF" and ExifTags.Base.Orientation in getattr(image, "tag_v2", {})
    swaps = value in _ORIENTATIONS_THAT_SWAP_SIDES and not is_reported
    return (image.height, image.width) if swaps else image.size
