# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A folder of pairs: `A/` holds the earlier images, `B/` the later ones; files with the same name form a pair."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from dataset_scripts.readers import ImageFile, Reason, UnusableError, printable
from mtrefseg.io import PLAIN_SUFFIXES, fold, read_regular, sha256_bytes, sha256_of

from ..errors import CraftError
from ..records import ImagePair


LONGEST_ID, MOST_ID_BYTES = 120, 200
"""Maximum length of a pair's id in characters and in bytes of UTF-8: the export appends to it, and file systems limit
names to about 255 bytes."""


@dataclass(frozen=True)
class PairFiles:
    """
    The two files with one name.

    Args:
        pair_id (`str`): The name without its suffix.
        file_t1, file_t2 (`str`): Paths relative to the folder, such as "A/0001.jpg"; "" if there is none.
        problem (`str`, *optional*, defaults to `""`): Why they are not a pair.
    """

    pair_id: str
    file_t1: str
    file_t2: str
    problem: str = ""


def list_pairs(folder: Path) -> list[PairFiles]:
    """
    Lists the pairs of a folder. No image is opened.

    Args:
        folder (`Path`): Holds `A/` and `B/`. The suffixes of t1 and t2 may differ. Hidden files are ignored.

    Returns:
        `list[PairFiles]`: Sorted by name. Names with a problem are included, so that every image is accounted for.

    Raises:
        CraftError: If the folder has no `A/` or `B/`, or no image in them.
    """
    for side in ("A", "B"):
        if not (folder / side).is_dir():
            raise CraftError(f"{folder} has no folder {side}/; put the earlier images into A/ and the later into B/")
    earlier, later = _by_stem(folder, "A"), _by_stem(folder, "B")
    if not earlier and not later:
        raise CraftError(f"{folder} has no image in A/ and B/; supported suffixes: {', '.join(PLAIN_SUFFIXES)}")
    similar: dict[str, list[str]] = {}
    for names in (*earlier.values(), *later.values()):
        similar.setdefault(_fold(names[0]), []).append(names[0])
    return [_match(stem, earlier.get(stem, []), later.get(stem, []), similar) for stem in sorted({*earlier, *later})]


def unused_files(folder: Path) -> list[str]:
    """The files in `A/` and `B/` that are not read because of their suffix, and the folders, sorted; hidden ones are
    left out."""
    return [
        f"{side}/{path.name}{'/' if path.is_dir() else ''}"
        for side in ("A", "B")
        for path in sorted((folder / side).iterdir())
        if not path.name.startswith(".") and not _is_image(path)
    ]


def hash_pair(folder: Path, files: PairFiles) -> tuple[str, str]:
    """
    Hashes both files.

    Args:
        folder (`Path`): The folder of pairs.
        files (`PairFiles`): The pair.

    Returns:
        `tuple[str, str]`: SHA-256 in hexadecimal; "" for a file that is missing or cannot be read.
    """
    return _hash(folder, files.file_t1), _hash(folder, files.file_t2)


def read_pair(folder: Path, files: PairFiles, sha256: tuple[str, str]) -> tuple[bytes, bytes]:
    """
    Reads the files of a pair.

    Args:
        folder (`Path`): The folder of pairs.
        files (`PairFiles`): The pair.
        sha256 (`tuple[str, str]`): The hashes of the files when the pair was listed.

    Returns:
        `tuple[bytes, bytes]`: The content of both files, t1 first.

    Raises:
        UnusableError: If one of them is missing, has changed, could not be read when the pair was listed, or is a
            link that leads out of the folder.
    """
    return _read(folder, files.file_t1, sha256[0]), _read(folder, files.file_t2, sha256[1])


def decode_pair(files: PairFiles, contents: tuple[bytes, bytes]) -> ImagePair:
    """
    Decodes the images of a pair.

    Args:
        files (`PairFiles`): The pair.
        contents (`tuple[bytes, bytes]`): From `read_pair`.

    Returns:
        `ImagePair`: Both images in RGB, rotated as their EXIF data say.

    Raises:
        UnusableError: If one of them is not an image, damaged or too large, or if their sizes differ.
    """
    images = [_decode(name, content) for name, content in zip((files.file_t1, files.file_t2), contents, strict=True)]
    if images[0].size != images[1].size:
        sizes = [f"{image.width}x{image.height}" for image in images]
        raise UnusableError(Reason.UNEQUAL_SIZES, f"t1 has {sizes[0]} pixels, t2 {sizes[1]}")
    return ImagePair(files.pair_id, images[0], images[1])


def load_pair(folder: Path, files: PairFiles, sha256: tuple[str, str]) -> ImagePair:
    """Reads and decodes the images of a pair; arguments and errors as in `read_pair` and `decode_pair`."""
    return decode_pair(files, read_pair(folder, files, sha256))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in PLAIN_SUFFIXES and not path.is_dir()


def _by_stem(folder: Path, side: str) -> dict[str, list[str]]:
    stems: dict[str, list[str]] = {}
    for path in sorted((folder / side).iterdir()):
        if _is_image(path) and not path.name.startswith("."):
            stems.setdefault(path.stem, []).append(f"{side}/{path.name}")
    return stems


def _match(stem: str, earlier: list[str], later: list[str], similar: dict[str, list[str]]) -> PairFiles:
    """The files of one name as a pair; `similar` holds all files whose names are equal but for case, suffix and
    Unicode form."""
    pair_id = printable(stem)
    if pair_id != stem:
        return PairFiles(pair_id, "", "", "its name is not UTF-8: rename its files")
    if len(stem) > LONGEST_ID or len(stem.encode()) > MOST_ID_BYTES:
        limits = f"{LONGEST_ID} characters or {MOST_ID_BYTES} bytes"
        return PairFiles(pair_id, "", "", f"its name is longer than {limits}: rename its files")
    for names in (earlier, later):
        if len(names) > 1:
            return PairFiles(pair_id, "", "", f"{' and '.join(names)} have the same name: keep one of them")
    if not earlier or not later:
        [name] = earlier or later
        missing = "B" if earlier else "A"
        problem = f"{missing}/ has no file that matches {name}"
        others = [other for other in similar[_fold(name)] if other.startswith(missing)]
        if others:
            problem += f"; {others[0]} differs only in case or Unicode form: rename one of them"
        return PairFiles(pair_id, "", "", problem)
    return PairFiles(pair_id, earlier[0], later[0])


def _fold(name: str) -> str:
    return fold(Path(name).stem)


def _hash(folder: Path, name: str) -> str:
    path = folder / name
    try:
        return sha256_of(path) if name else ""
    except OSError:
        return ""


def _read(folder: Path, name: str, sha256: str) -> bytes:
    path = folder / name
    # A link may lead to files that nobody meant to show to a model.
    try:
        is_inside = path.resolve().is_relative_to(folder.resolve())
    except RuntimeError as error:
        raise UnusableError(Reason.UNREADABLE_IMAGE, f"{name} is a link that leads in a circle") from error
    if not is_inside:
        raise UnusableError(Reason.PATH_ESCAPE, f"{name} is a link that leads out of the folder of pairs")
    if path.exists() and not path.is_file():
        raise UnusableError(Reason.UNREADABLE_IMAGE, f"{name} is not a regular file")
    # A file without a hash cannot be put back as it was; its pair is skipped until it is listed with one.
    reason = Reason.MISSING_IMAGE if sha256 else Reason.UNREADABLE_IMAGE
    try:
        content = read_regular(path)
    except OSError as error:
        raise UnusableError(reason, f"{name} cannot be read: {error.strerror}") from error
    if not sha256:
        raise UnusableError(reason, f"{name} could not be read when it was listed: run the same command again")
    if sha256_bytes(content) != sha256:
        raise UnusableError(Reason.MISSING_IMAGE, f"{name} has changed since the run started: restore it")
    return content


def _decode(name: str, content: bytes) -> Image.Image:
    file = ImageFile(name, content)
    file.check()
    return file.load()
