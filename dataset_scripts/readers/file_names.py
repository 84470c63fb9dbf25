# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""File names in datasets: those that lead out of a folder, and those that differ only in case or Unicode form."""

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from mtrefseg.io import fold


LONGEST_NAME = 1000
"""Longest id or path in a dataset, in characters; no file system supports more."""


def leads_out(name: str) -> bool:
    """Whether a name of a file, with slashes or backslashes, leads out of its folder, or cannot be one."""
    name = name.replace("\\", "/")
    return "\0" in name or ".." in name.split("/") or name.startswith("/") or bool(PureWindowsPath(name).drive)


class FolderListing:
    """Finds files by similar names; every folder is listed once."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}

    def find(self, folder: Path, parts: Sequence[str]) -> Path | None:
        """
        Finds a file.

        Args:
            folder (`Path`): The start folder.
            parts (`Sequence[str]`): The names of the folders below it and of the file.

        Returns:
            `Path` or `None`: The file of this name, or else the only one whose name differs only in case or Unicode
            form; `None` if there is none, or several.
        """
        path = folder
        for part in parts:
            names = self._list(path).get(fold(part), [])
            if part not in names and len(names) != 1:
                return None
            path = path / (part if part in names else names[0])
        return path if path.is_file() else None

    def _list(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._names:
            names: dict[str, list[str]] = {}
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                names.setdefault(fold(path.name), []).append(path.name)
            self._names[folder] = names
        return self._names[folder]
