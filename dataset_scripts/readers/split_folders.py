# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds the split folders of the raw layout: their splits and domains, and which of them a setting reads.

Datasets for stage 1 have several layouts, which are all supported: the two images in `A` and `B`, `Image1` and
`Image2`, `im1` and `im2`, `T1` and `T2`, or `time1` and `time2`; the masks in `masks`, `mask`, `label`, `labels` or
`gt`; the splits as folders around them (`train/A`), as folders in them (`A/train`), or as lists of names
(`list/train.txt`). Upper and lower case are equivalent.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from dataset_scripts.errors import DataError
from mtrefseg.io import PLAIN_SUFFIXES

from .schema import DOMAINS


EXPRESSIONS_FOLDER = "referring_expression"
"""Name of the folder with the JSON files."""

IMAGE_FOLDERS = (("A", "B"), ("Image1", "Image2"), ("im1", "im2"), ("T1", "T2"), ("time1", "time2"))
"""Names of the folders of t1 and t2, which may be in upper or lower case."""
MASK_FOLDERS = ("masks", "mask", "label", "labels", "gt")
"""Names of the folder of masks, which may be in upper or lower case."""
LISTS_FOLDER = "list"
"""Name of the folder with a text file per split, with the name of one image in each line; in upper or lower case."""
_METADATA = "metadata"  # Names of files that some libraries read begin with it.
_MOST_ENTRIES = 10_000  # Maximum number of entries that are checked for an image in a folder.

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
    A folder with `A/` and `B/`, or with others of [`IMAGE_FOLDERS`]; or the part of one that belongs to a split.

    Args:
        path (`Path`): The folder.
        name (`str`): Its name; for a part, followed by that of the split's folder or list.
        split (`str`): One of `schema.SPLITS`; "train" if the name has none.
        domain (`str`, *optional*): One of `schema.DOMAINS`; `None` if the name contains neither, or "TV".
        is_pretrain (`bool`): Whether it is a stage-1 set.
        root (`Path`): The folder, without symbolic links in its path, which must contain all files of the dataset.
        places (`tuple[str, str, str]`, *optional*, defaults to `("A", "B", "masks")`): Locations of t1, t2 and the
            masks in it.
        list_file (`Path`, *optional*): The list of the names that belong to it; by default all do.
        other_lists (`tuple[Path, ...]`, *optional*): The lists of the other splits, where this part has to report
            what no list names.
        ignored (`tuple[tuple[str, str, str], ...]`, *optional*): Folders with images that are not read, if this part
            has to report it: name of the folder, name in it, and why.
    """

    path: Path
    name: str
    split: str
    domain: str | None
    is_pretrain: bool
    root: Path
    places: tuple[str, str, str] = ("A", "B", "masks")
    list_file: Path | None = None
    other_lists: tuple[Path, ...] | None = None
    ignored: tuple[tuple[str, str, str], ...] = ()


def find_split_folders(root: str | Path) -> list[SplitFolder]:
    """
    Finds the split folders of a dataset.

    Args:
        root (`str` or `Path`): A split folder, or the folder that contains them.

    Returns:
        `list[SplitFolder]`: Sorted by name.

    Raises:
        DataError: If there is none.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; name the folder of the dataset, or one of its split folders")
    absolute = Path(os.path.abspath(root))
    candidates = [absolute] if _places(absolute) else sorted(absolute.iterdir())
    boundary = _boundary(absolute)
    parts = {path: _describe_folder(path, boundary) for path in candidates if not is_hidden(path.name)}
    folders = [part for described in parts.values() for part in described]
    if not folders:
        others = ", ".join(f"{one}/{other}" for one, other in IMAGE_FOLDERS[1:])
        raise DataError(
            f"{root} holds no split folder: one that has the folders A (t1) and B (t2) in it is needed, or {others}"
        )
    if candidates != [absolute]:
        left = [path for path in candidates if not parts.get(path)]
        why = "it does not have the folders of both images"
        ignored = tuple((absolute.name, path.name, why) for path in left if _holds_images(path))
        folders[0] = replace(folders[0], ignored=(*ignored, *folders[0].ignored))
    return folders


def select_folders(
    folders: Sequence[SplitFolder], setting: str, split: str, is_pretrain: bool
) -> tuple[SplitFolder, ...]:
    """
    The split folders that a benchmark setting reads.

    Args:
        folders (`Sequence[SplitFolder]`): Result of `find_split_folders`.
        setting (`str`): One of `schema.SETTINGS`.
        split (`str`): One of `schema.SPLITS`.
        is_pretrain (`bool`): Whether to select the stage-1 folders.

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


def fingerprint(folders: Sequence[Path], with_times: bool = True) -> str:
    """
    A hash that changes when a file in the folders changes.

    Args:
        folders (`Sequence[Path]`): The folders.
        with_times (`bool`, *optional*, defaults to `True`): Whether the times of change count, which differ in copies.

    Returns:
        `str`: 64 hexadecimal digits of the names, sizes and times of change of all files in them.
    """
    digest = hashlib.sha256()
    for folder in folders:
        digest.update(os.fsencode(folder.name) + b"\0")
        _add_files(digest, str(folder), "", with_times)
    return digest.hexdigest()


def _add_files(digest: "hashlib._Hash", folder: str, prefix: str, with_times: bool) -> None:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = prefix + entry.name
        # Links to folders are not followed further down, as in the listing of pairs: they may lead in circles.
        if entry.is_dir(follow_symlinks=not prefix):
            _add_files(digest, entry.path, f"{name}/", with_times)
        else:
            # A broken link has no target to check.
            status = entry.stat(follow_symlinks=is_regular(entry))
            time = f"{status.st_mtime_ns}\0" if with_times else ""
            digest.update(os.fsencode(f"{name}\0{status.st_size}\0{time}"))


def is_regular(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a file or leads to one; a link that leads in a circle does not."""
    try:
        return entry.is_file()
    except OSError:
        return False


def is_hidden(name: str) -> bool:
    """Whether a file is hidden or made by an operating system, such as ".DS_Store" and "Thumbs.db"."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _places(path: Path) -> tuple[str, str, str] | None:
    """The folders of t1, t2 and the masks, as they are spelled in a folder; `None` if it has not both images."""
    if not path.is_dir():
        return None
    # Sorted, so that the choice between two that differ only in case is deterministic.
    names = sorted((entry.name for entry in os.scandir(path) if entry.is_dir()), reverse=True)
    found = {name.lower(): name for name in names}
    for one, other in IMAGE_FOLDERS:
        if one.lower() in found and other.lower() in found:
            masks = next((found[name] for name in MASK_FOLDERS if name in found), MASK_FOLDERS[0])
            return found[one.lower()], found[other.lower()], masks
    return None


def _tokens(name: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", name.lower())


def _describe_folder(path: Path, boundary: Path) -> list[SplitFolder]:
    """The folder, or one part for each split in it; nothing if it contains no pairs."""
    places = _places(path)
    if places is None:
        return []
    tokens = _tokens(path.name)
    whole = SplitFolder(
        path=path,
        name=path.name,
        split=next((_split_of(token) or "" for token in tokens if _split_of(token)), "train"),
        domain=next((domain for domain in DOMAINS if domain.lower() in tokens), None),
        is_pretrain="pretrain" in path.name.lower() or not (path / EXPRESSIONS_FOLDER).is_dir(),
        root=boundary,
        places=places,
    )
    described = (_parts_by_list(whole) or _parts_by_folder(whole) or [whole]) if whole.is_pretrain else [whole]
    used = {*places, EXPRESSIONS_FOLDER}
    others = [entry for entry in sorted(path.iterdir()) if entry.name not in used and _holds_images(entry)]
    ignored = tuple((whole.name, entry.name, f"it is not in {', '.join(places)}") for entry in others)
    described[0] = replace(described[0], ignored=(*ignored, *described[0].ignored))
    return described


def _split_of(token: str) -> str | None:
    """The split that a word names, perhaps with a number: "test2"."""
    return SPLIT_NAMES.get(token.rstrip("0123456789"))


def _holds_images(path: Path) -> bool:
    """Whether a folder has an image somewhere, or a file is one, or a list of pairs that other libraries read."""
    if is_hidden(path.name):
        return False
    if not path.is_dir():
        return path.name.lower().endswith(PLAIN_SUFFIXES) or path.name.lower().split(".")[0] == _METADATA
    names = (name for _, _, files in os.walk(path) for name in files)
    return any(name.lower().endswith(PLAIN_SUFFIXES) for name in islice(names, _MOST_ENTRIES))


def _parts_by_list(whole: SplitFolder) -> list[SplitFolder]:
    """One part for each list of a split. The first one has to report what none of them names."""
    folders = [entry for entry in sorted(whole.path.iterdir()) if entry.name.lower() == LISTS_FOLDER]
    files = sorted(folders[0].iterdir()) if folders and folders[0].is_dir() else []
    files = [file for file in files if file.suffix.lower() == ".txt" and file.is_file()]
    splits = {file: {_split_of(token) for token in _tokens(file.stem)} - {None} for file in files}
    lists = [file for file in files if len(splits[file]) == 1]
    ignored = tuple(
        (whole.name, f"{file.parent.name}/{file.name}", "its name matches no split, or several")
        for file in files
        if file not in lists
    )
    return [
        replace(
            whole,
            name=f"{whole.name}/{file.stem}",
            split=str(*splits[file]),
            list_file=file,
            other_lists=tuple(lists[1:]) if number == 0 else None,
            ignored=ignored if number == 0 else (),
        )
        for number, file in enumerate(lists)
    ]


def _parts_by_folder(whole: SplitFolder) -> list[SplitFolder]:
    """One part for each folder of a split in the folders of t1 and t2. The first one has to report what else is in
    them."""
    found: dict[str, list[str]] = {}  # By the name of a split's folder: where it is in each place.
    ignored = []
    for number, place in enumerate(whole.places):
        folder = whole.path / place
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.is_dir() and entry.name.lower() in SPLIT_NAMES:
                known = found.setdefault(entry.name.lower(), [f"{each}/{entry.name}" for each in whole.places])
                known[number] = f"{place}/{entry.name}"
            elif not is_hidden(entry.name):
                ignored.append((whole.name, f"{place}/{entry.name}", "it is not in the folder of a split"))
    return [
        replace(
            whole,
            name=f"{whole.name}/{name}",
            split=SPLIT_NAMES[name],
            places=(places[0], places[1], places[2]),
            ignored=tuple(ignored) if number == 0 else (),
        )
        for number, (name, places) in enumerate(sorted(found.items()))
    ]


def _boundary(root: Path) -> Path:
    """The folder that all files must be in: the root, or, in the cache of the Hub, the complete repository, because
    snapshots are links to its blobs."""
    for folder in (root, *root.parents):
        if folder.name == "snapshots" and (folder.parent / "blobs").is_dir():
            return folder.parent.resolve()
    return root.resolve()
