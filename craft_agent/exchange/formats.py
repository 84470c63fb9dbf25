# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The formats by name. Nothing that takes time is imported here."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast


if TYPE_CHECKING:
    from .annotations import AnnotatedPair


FORMATS = {"coco": "coco", "label-studio": "label_studio", "cvat": "cvat"}
"""The names of the formats, and their modules."""
SHAPES = ("masks", "polygons")
"""How regions are written: pixels as run lengths, or outlines."""


class Format(Protocol):
    """
    What the module of a format holds.

    Attributes:
        FILE_NAME (`str`): Name of the file of annotations.
    """

    FILE_NAME: str

    def write(self, pairs: Iterable["AnnotatedPair"], as_polygons: bool) -> dict[str, str]:
        """The text files of an export by name; each pair is taken once."""
        ...

    def read(self, path: Path) -> Iterable["AnnotatedPair"]:
        """The pairs of a file; raises `CraftError` that names the entry that is wrong. A pair may come in parts."""
        ...


def find_format(name: str) -> Format:
    """The module of a format in `FORMATS`."""
    return cast(Format, import_module(f".{FORMATS[name]}", __package__))
