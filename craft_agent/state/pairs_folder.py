# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A folder of pairs: `A/` holds the earlier pictures, `B/` the later ones, and files of one name belong together."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from dataset_scripts.picture_file import PICTURE_SUFFIXES, PictureFile
from dataset_scripts.reading_report import Reason, UnusableError, printable

from ..errors import CraftError
from ..records import ImagePair


LONGEST_ID = 120
"""Letters of a pair's id; longer names cannot be written back as files with more at their end."""


@dataclass(frozen=True)
class PairFiles:
    """
    The files of one name.

    Args:
        pair_id (`str`): Their name without its ending.
        file_t1, file_t2 (`str`): Where they are within the folder, such as "A/0001.jpg"; "" if there is none.
        problem (`str`, *optional*, defaults to `""`): Why they are no pair.
    """

    pair_id: str
    file_t1: str
    file_t2: str
    problem: str = ""


def list_pairs(folder: Path) -> list[PairFiles]:
    """
    Lists the pairs of a folder. No picture is opened.

    Args:
        folder (`Path`): Holds `A/` and `B/`. Endings may differ between the two. Hidden files are left out.

    Returns:
        `list[PairFiles]`: By name; also those with a problem, so that whatever lies there is accounted for.

    Raises:
        CraftError: If the folder has no `A/` or `B/`, or no picture in them.
    """
    for side in ("A", "B"):
        if not (folder / side).is_dir():
            raise CraftError(f"{folder} has no folder {side}/; put the earlier pictures into A/ and the later into B/")
    earlier, later = _by_stem(folder, "A"), _by_stem(folder, "B")
    if not earlier and not later:
        raise CraftError(f"{folder} has no picture in A/ and B/; endings that are read: {', '.join(PICTURE_SUFFIXES)}")
    return [_match(stem, earlier.get(stem, []), later.get(stem, [])) for stem in sorted({*earlier, *later})]


def hash_pair(folder: Path, files: PairFiles) -> tuple[str, str]:
    """
    The SHA-256 of the content of both files.

    Args:
        folder (`Path`): The folder of pairs.
        files (`PairFiles`): The pair.

    Returns:
        `tuple[str, str]`: In hexadecimal digits; "" for a file that there is not, or that cannot be read.
    """
    return _hash(folder, files.file_t1), _hash(folder, files.file_t2)


def _hash(folder: Path, name: str) -> str:
    if not name:
        return ""
    try:
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except OSError:
        return ""


def load_pair(folder: Path, files: PairFiles, sha256: tuple[str, str]) -> ImagePair:
    """
    Decodes the pictures of a pair.

    Args:
        folder (`Path`): The folder of pairs.
        files (`PairFiles`): The pair.
        sha256 (`tuple[str, str]`): What the files' hashes were when the pair was listed.

    Returns:
        `ImagePair`: Both pictures in RGB, turned as their EXIF data say.

    Raises:
        UnusableError: If one of them is no picture, damaged, too large, gone or another one than it was, or if they
            differ in size.
    """
    images = [_load(folder, name, known) for name, known in zip((files.file_t1, files.file_t2), sha256, strict=True)]
    if images[0].size != images[1].size:
        sizes = [f"{image.width}x{image.height}" for image in images]
        raise UnusableError(Reason.UNEQUAL_SIZES, f"t1 has {sizes[0]} pixels, t2 {sizes[1]}")
    return ImagePair(files.pair_id, images[0], images[1])


def _by_stem(folder: Path, side: str) -> dict[str, list[str]]:
    stems: dict[str, list[str]] = {}
    for path in sorted((folder / side).iterdir()):
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith("."):
            stems.setdefault(path.stem, []).append(f"{side}/{path.name}")
    return stems


def _match(stem: str, earlier: list[str], later: list[str]) -> PairFiles:
    pair_id = printable(stem)
    if pair_id != stem:
        return PairFiles(pair_id, "", "", "its name is not UTF-8: rename its files")
    if len(stem) > LONGEST_ID:
        return PairFiles(pair_id, "", "", f"its name is longer than {LONGEST_ID} letters: rename its files")
    for names in (earlier, later):
        if len(names) > 1:
            return PairFiles(pair_id, "", "", f"{' and '.join(names)} have one name: keep one of them")
    if not earlier or not later:
        lacking = "A" if not earlier else "B"
        return PairFiles(pair_id, "", "", f"{lacking}/ has no file of the name of {(earlier or later)[0]}")
    return PairFiles(pair_id, earlier[0], later[0])


def _load(folder: Path, name: str, sha256: str) -> Image.Image:
    path = folder / name
    # A link may lead to files that nobody meant to hand to a model.
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UnusableError(Reason.PATH_ESCAPE, f"{name} is a link that leads out of the folder of pairs")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableError(Reason.MISSING_PICTURE, f"{name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnusableError(Reason.MISSING_PICTURE, f"{name} is another file than when the run began: put it back")
    PictureFile(name, content).check()
    with Image.open(io.BytesIO(content)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")
