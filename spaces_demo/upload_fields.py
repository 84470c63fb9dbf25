# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Upload fields that give the path of the uploaded file."""

from contextlib import suppress
from pathlib import Path

import gradio as gr
from gradio.data_classes import FileData, ImageData, ListFiles

from .limits import InputError, check_image, forget_upload, refusal


SCENE_ENDINGS = (".tif", ".tiff", ".jpg", ".jpeg", ".png", ".webp")


class ImageInput(gr.Image):
    """
    An image component that hands over the path of a file which was checked, but not decoded: gradio's own would decode
    whatever it gets, or leave it unchecked. Its label names the image in messages.
    """

    is_template = True  # The browser shows it as it shows the class above.

    def preprocess(self, payload: ImageData | None) -> str | None:
        """
        Checks what was uploaded.

        Args:
            payload (`ImageData`, *optional*): What the browser or the client sent.

        Returns:
            `str`, *optional*: The path of the file.

        Raises:
            gradio.Error: If the file may not be used; it is deleted.
        """
        if payload is None:
            return None
        name = str(self.label)
        if payload.path is None:
            raise refusal(f"{name} must be uploaded as a file.")
        try:
            check_image(payload.path, name)
        except InputError as error:
            forget_upload(payload.path)
            raise refusal(str(error)) from error
        return payload.path


class ReportInput(gr.File):
    """A component for one file. gradio's own leaves an empty file behind every time it returns a path."""

    is_template = True

    def preprocess(self, payload: ListFiles | FileData | None) -> str | None:
        """
        Takes what was uploaded.

        Args:
            payload (`FileData`, *optional*): What the browser or the client sent.

        Returns:
            `str`, *optional*: The path of the file.

        Raises:
            gradio.Error: If it is a list of files.
        """
        return _only_path(payload)


class SceneInput(gr.File):
    """A component for an image that browsers may not be able to show: the path of a file which was checked."""

    is_template = True  # As its direct base class alone, which the browser must know.

    def preprocess(self, payload: ListFiles | FileData | None) -> str | None:
        """
        Checks what was uploaded.

        Args:
            payload (`FileData`, *optional*): What the browser or the client sent.

        Returns:
            `str`, *optional*: The path of the file.

        Raises:
            gradio.Error: If the file may not be used; it is deleted.
        """
        path = _only_path(payload)
        if path is None:
            return None
        name = str(self.label)
        try:
            # Endings decide how a file is read: some formats of GDAL name other files.
            if not is_scene_file(path):
                raise InputError(f"{name} must be a {', '.join(SCENE_ENDINGS[:-1])} or {SCENE_ENDINGS[-1]} file.")
            check_image(path, name)
        except InputError as error:
            forget_upload(path)
            raise refusal(str(error)) from error
        return path


def is_scene_file(path: str | Path) -> bool:
    """Whether the ending is one of `SCENE_ENDINGS`."""
    return Path(path).suffix.lower() in SCENE_ENDINGS


def _only_path(payload: ListFiles | FileData | None) -> str | None:
    if isinstance(payload, ListFiles):
        raise refusal("Only one file at a time can be shown.")
    return None if payload is None else payload.path


# gradio writes a stub of component classes beside their file; here it is of no use to anybody. On a read-only file
# system, there is none and nothing can be deleted.
with suppress(OSError):
    Path(__file__).with_suffix(".pyi").unlink(missing_ok=True)
