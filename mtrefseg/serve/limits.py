# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Checks images and sentences from visitors and programs before anything is decoded."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from mtrefseg.errors import UserError
from mtrefseg.io import ImageError, UnsupportedImageError, decoding, is_blank, read_images, read_size


MAX_PIXELS = 4096 * 4096
MAX_SIDE = 16_384  # Browsers cannot show images with a longer side, and results have the size of the images.
MAX_SENTENCE_LENGTH = 300
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF")


class InputError(UserError, ValueError):
    """Unusable input. The message is shown to the client."""


def check_image(file: Path | bytes, name: str) -> None:
    """
    Checks only the header of an image.

    Args:
        file (`Path` or `bytes`): The file or its content.
        name (`str`): Its name in messages.

    Raises:
        FileNotFoundError: If there is no such file.
        [`InputError`]: If it is empty, is not an image of one of `FORMATS`, or has more than `MAX_PIXELS` pixels or a
            side of more than `MAX_SIDE`.
    """
    if (len(file) if isinstance(file, bytes) else file.stat().st_size) == 0:
        raise InputError(f"{name} is an empty file: choose another one.")
    try:
        with decoding(name):
            width, height = read_size(file, FORMATS)
    except UnsupportedImageError as error:
        raise InputError(f"{name} cannot be read: {error.problem}.") from error
    except ImageError as error:
        if error.is_too_large:
            problem = f"has too many pixels: shrink it to at most {MAX_PIXELS:,}."
            raise InputError(f"{name} {problem}") from error
        raise InputError(
            f"{name} is not an image: choose a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file."
        ) from error
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name} has {width} x {height} pixels: at most {MAX_PIXELS:,} are allowed, so shrink or crop it."
        )
    if max(width, height) > MAX_SIDE:
        raise InputError(
            f"{name} has {width} x {height} pixels: no side may have more than {MAX_SIDE:,}, so crop the image."
        )


def decode_pair(
    files: Sequence[bytes], names: Sequence[str], align: str
) -> tuple[tuple[Image.Image, Image.Image], list[str]]:
    """
    Decodes the two images of a pair that passed [`check_image`].

    Args:
        files (`Sequence[bytes]`): Contents of the files of t1 and t2.
        names (`Sequence[str]`): Their names in messages.
        align (`str`): `"error"` or `"resize"`, whether a t2 of another size is rejected or resized.

    Returns:
        `tuple[PIL.Image.Image, PIL.Image.Image]`: Both in mode "RGB", each at its own size.
        `list[str]`: Notes about them: dropped bands, a stretch, an image that is nearly black.

    Raises:
        [`InputError`]: If a file is damaged, or the sizes differ and `align` is `"error"`.
    """
    try:
        (image_t1, image_t2), notes = read_images(list(files), names)
    except UnsupportedImageError as error:
        raise InputError(f"{error.name} cannot be read: {error.problem}.") from error
    except ImageError as error:
        raise InputError(f"{error.name} is damaged ({error.problem}): save it again.") from error
    if align == "error" and image_t1.size != image_t2.size:
        raise InputError(
            f"{names[0]} has {image_t1.width} x {image_t1.height} pixels and {names[1]} {image_t2.width} x "
            f'{image_t2.height}: if both show the same area, set align to "resize".'
        )
    return (image_t1, image_t2), notes


def check_sentence(sentence: str, number: int, special_tokens: Sequence[str]) -> None:
    """
    Checks one sentence.

    Args:
        sentence (`str`): The sentence.
        number (`int`): Its number from 1, for the message.
        special_tokens (`Sequence[str]`): Words with a special meaning for the model, which a sentence must not
            contain.

    Raises:
        [`InputError`]: If it is empty, too long, not valid Unicode, or contains a special token.
    """
    if is_blank(sentence):
        raise InputError(f"Sentence {number} is empty: leave it out, or write what changed.")
    if len(sentence) > MAX_SENTENCE_LENGTH:
        raise InputError(
            f"Sentence {number} has {len(sentence)} characters: shorten it to {MAX_SENTENCE_LENGTH} at most."
        )
    try:
        sentence.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"Sentence {number} contains an incomplete character: send it in UTF-8.") from error
    if any(token in sentence for token in special_tokens):
        raise InputError(f"Sentence {number} contains a word that is reserved for the model: remove the brackets.")
