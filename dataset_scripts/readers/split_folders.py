# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds the split folders of the raw layout: their splits and domains, and which of them a setting reads."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_scripts.errors import DataError

from .schema import DOMAINS


EXPRESSIONS_FOLDER = "referring_expression"
"""Name of the folder with the JSON files."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
"""Folder names in lower case, and their splits, as in `datasets`."""


@dataclass(frozen=True)
class SplitFolder:
    """
    A folder with `A/` and `B/`.

    Args:
        path (`Path`): The folder.
        name (`str`): Its name.
        split (`str`): One of `schema.SPLITS`; "train" if the name has none.
        domain (`str`, *optional*): One of `schema.DOMAINS`; `None` if the name holds neither, or "TV".
        is_pretrain (`bool`): Whether it is a stage-1 set.
        root (`Path`): The folder, without symbolic links in its path, that no file of the dataset may lie outside of.
    """

    path: Path
    name: str
    split: str
    domain: str | None
    is_pretrain: bool
    root: Path


def find_split_folders(root: str | Path) -> list[SplitFolder]:
    """
    Finds the split folders of a dataset.

    Args:
        root (`str` or `Path`): A split folder, or the folder that holds them.

    Returns:
        `list[SplitFolder]`: Sorted by name.

    Raises:
        DataError: If there is none.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; name the folder of the dataset, or one of its split folders")
    absolute = Path(os.path.abspath(root))
    candidates = [absolute] if _is_split_folder(absolute) else sorted(absolute.iterdir())
    boundary = _boundary(absolute)
    folders = [
        _describe_folder(path, boundary) for path in candidates if not is_hidden(path.name) and _is_split_folder(path)
    ]
    if not folders:
        raise DataError(f"{root} holds no split folder: one that has the folders A (t1) and B (t2) in it is needed")
    return folders


def select_folders(
    folders: Sequence[SplitFolder], setting: str, split: str, is_pretrain: bool
) -> tuple[SplitFolder, ...]:
    """
    The split folders that a benchmark setting reads.

    Args:
        folders (`Sequence[SplitFolder]`): What `find_split_folders` found.
        setting (`str`): One of `schema.SETTINGS`.
        split (`str`): One of `schema.SPLITS`.
        is_pretrain (`bool`): Whether the stage-1 folders are wanted.

    Returns:
        `tuple[SplitFolder, ...]`: For "NS" and "RS" the folders of that domain. For "TV" the folders of no domain if
        there are any (of several stage-1 ones those that are called "clean"), otherwise those of both domains.
    """
    fitting = [folder for folder in folders if folder.split == split and folder.is_pretrain == is_pretrain]
    if setting != "TV":
        return tuple(folder for folder in fitting if folder.domain == setting)
    mixed = [folder for folder in fitting if folder.domain is None]
    if is_pretrain:
        mixed = [folder for folder in mixed if "clean" in _tokens(folder.name)] or mixed
    return tuple(mixed) or tuple(folder for domain in DOMAINS for folder in fitting if folder.domain == domain)


def fingerprint(folders: Sequence[Path]) -> str:
    """
    A hash that changes when a file in the folders changes.

    Args:
        folders (`Sequence[Path]`): The folders.

    Returns:
        `str`: 64 hexadecimal digits of the names, sizes and times of change of all files in them.
    """
    digest = hashlib.sha256()
    for folder in folders:
        digest.update(os.fsencode(folder.name) + b"\0")
        _add_files(digest, str(folder), "")
    return digest.hexdigest()


def _add_files(digest: "hashlib._Hash", folder: str, prefix: str) -> None:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = prefix + entry.name
        # Links to folders are not followed further down, as in the listing of pairs: they may lead in circles.
        if entry.is_dir(follow_symlinks=not prefix):
            _add_files(digest, entry.path, f"{name}/")
        else:
            # A broken link has no status but its own.
            status = entry.stat(follow_symlinks=is_regular(entry))
            digest.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0"))


def is_regular(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a file or leads to one; a link that leads in a circle does not."""
    try:
        return entry.is_file()
    except OSError:
        return False


def is_hidden(name: str) -> bool:
    """Whether a file is hidden or made by an operating system, such as ".DS_Store" and "Thumbs.db"."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _is_split_folder(path: Path) -> bool:
    return (path / "A").is_dir() and (path / "B").is_dir()


def _tokens(name: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", name.lower())


def _describe_folder(path: Path, boundary: Path) -> SplitFolder:
    tokens = _tokens(path.name)
    return SplitFolder(
        path=path,
        name=path.name,
        split=next((SPLIT_NAMES[token] for token in tokens if token in SPLIT_NAMES), "train"),
        domain=next((domain for domain in DOMAINS if domain.lower() in tokens), None),
        is_pretrain="pretrain" in path.name.lower() or not (path / EXPRESSIONS_FOLDER).is_dir(),
        root=boundary,
    )


def _boundary(root: Path) -> Path:
    """The folder that all files must be in: the root, or, in the cache of the Hub, the whole repository, since
    snapshots are links to its blobs."""
    for folder in (root, *root.parents):
        if folder.name == "snapshots" and (folder.parent / "blobs").is_dir():
            return folder.parent.resolve()
    return root.resolve()
