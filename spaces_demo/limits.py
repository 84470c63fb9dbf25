# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Checks of uploaded files and sentences, made before anything is decoded."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from mtrefseg.io import ImageError, UnsupportedImageError, is_blank, read_images
from mtrefseg.looks import MASK_COLORS
from mtrefseg.serve import limits
from mtrefseg.serve.limits import MAX_PIXELS, MAX_SENTENCE_LENGTH, InputError, check_sentence


MAX_FILE_SIZE = "20mb"
# In seconds. Everything of a visitor is deleted after an hour, and all of it when the server stops.
DELETE_EVERY, DELETE_AFTER = 300, 3600
MAX_SENTENCES = len(MASK_COLORS)  # Each has a colour of its own.

__all__ = [
    "DELETE_AFTER",
    "DELETE_EVERY",
    "MAX_FILE_SIZE",
    "MAX_PIXELS",
    "MAX_SENTENCES",
    "MAX_SENTENCE_LENGTH",
    "InputError",
    "check_image",
    "check_sentences",
    "forget_upload",
    "read_pair",
    "refusal",
]


def refusal(message: str) -> gr.Error:
    """A gradio error that stays visible until it is closed; API clients get it too."""
    return gr.Error(message, duration=None, print_exception=False, title="Error")


def check_image(path: str | Path, name: str) -> None:
    """
    Reads no more of an uploaded file than its header.

    Args:
        path (`str` or `Path`): The file.
        name (`str`): What the message calls it.

    Raises:
        [`InputError`]: If it is gone, or [`mtrefseg.serve.limits.check_image`] refuses it.
    """
    try:
        limits.check_image(Path(path), name)
    except FileNotFoundError as error:
        raise InputError(f"{name} has been deleted, as all uploads are after an hour: upload it again.") from error


def read_pair(paths: Sequence[str | Path], names: Sequence[str]) -> tuple[Image.Image, Image.Image]:
    """
    Decodes two images that [`check_image`] let through, and tells the visitor what has to be said about them: bands
    that are left out, a stretch, an image that is nearly black or flat.

    Args:
        paths (`Sequence[str | Path]`): The files of t1 and t2.
        names (`Sequence[str]`): What messages call them.

    Returns:
        `tuple[PIL.Image.Image, PIL.Image.Image]`: Both in mode "RGB".

    Raises:
        [`InputError`]: If a file is gone, or damaged; a damaged one is deleted.
    """
    for path, name in zip(paths, names, strict=True):
        check_image(path, name)
    try:
        (image_t1, image_t2), notes = read_images([Path(path) for path in paths], names)
    except UnsupportedImageError as error:
        raise InputError(f"{error.name} cannot be read: {error.problem}.") from error
    except ImageError as error:
        for path in paths[names.index(error.name) :][:1] if error.name in names else ():
            forget_upload(path)
        raise InputError(f"{error.name} is damaged and ends too early: save it again, or choose another.") from error
    for note in notes:
        gr.Warning(note)
    return image_t1, image_t2


def check_sentences(text: str | None, special_tokens: Sequence[str]) -> list[str]:
    """
    Splits and checks what was typed.

    Args:
        text (`str`, *optional*): Sentences, one a line. Empty lines and repetitions are left out.
        special_tokens (`Sequence[str]`): Words that mean something to the model and may not stand in a sentence.

    Returns:
        `list[str]`: 1 to `MAX_SENTENCES` sentences.

    Raises:
        [`InputError`]: If there are none or too many, or one is too long or holds a special token.
    """
    sentences = list(dict.fromkeys(" ".join(line.split()) for line in (text or "").splitlines() if not is_blank(line)))
    if not sentences:
        raise InputError('Write what changed, one sentence per line, or press "Every change".')
    if len(sentences) > MAX_SENTENCES:
        raise InputError(f"{len(sentences)} sentences are too many: ask at most {MAX_SENTENCES} at once.")
    for number, sentence in enumerate(sentences, start=1):
        check_sentence(sentence, number, special_tokens)
    return sentences


def forget_upload(path: str | Path) -> None:
    """Deletes a file and, if empty, its folder. Files that are not uploads are left alone."""
    folder = Path(path).resolve().parent
    if folder.parent == Path(get_upload_folder()).resolve():
        Path(path).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
