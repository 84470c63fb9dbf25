# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads the pairs of a table or of two folders. An error in one pair does not affect the others."""

import csv
import io
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

import pyarrow
import pyarrow.parquet

from mtrefseg.errors import UserError, one_line, readable
from mtrefseg.io import IMAGE_SUFFIXES, fold, is_blank, parse_json, read_limited, read_regular, to_utf8


COLUMNS = ("t1", "t2", "sentences", "id")
LONGEST_ID = 200
"""Bytes of the longest id: folders are named after it."""
_SENTENCE = "sentence"  # Another name for the third column.
_ID = re.compile(r"[\w][\w.\-]*")
_MOST_BYTES = 1 << 30
_ROWS_AT_ONCE = 1024
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_NAMED = 3
_LONGEST_NAMES = 200  # Letters of the names of columns in a message.


@dataclass(frozen=True)
class ManifestRow:
    """
    One pair of a manifest.

    Args:
        id (`str`): Its name, which is also that of its folder.
        t1, t2 (`str`): The images; empty if there is none.
        sentences (`tuple[str, ...]`): What to segment; empty for every change.
        problem (`str`, *optional*, defaults to `""`): The reason why it cannot be segmented.
    """

    id: str
    t1: str
    t2: str
    sentences: tuple[str, ...]
    problem: str = ""


def read_manifest(
    sources: Sequence[str | Path], texts: Sequence[str], say: Callable[[str], None] | None = None
) -> list[ManifestRow]:
    """
    Reads a manifest.

    Args:
        sources (`Sequence`): One table (.csv, .tsv, .txt or .parquet) with the columns t1, t2 and, optionally,
            sentences (as text separated by "|" or as a JSON list, in Parquet as a list, too) and id; or two folders,
            whose images are paired by name. The separator (comma, semicolon or tab) is detected in the first
            line. Paths in a table are relative to it.
        texts (`Sequence[str]`): The sentences for pairs without their own.
        say (`Callable`, *optional*): Called with notes for the user.

    Returns:
        `list[ManifestRow]`: The pairs, at least one. An error in one of them is in its `problem`.

    Raises:
        [`UserError`]: If the table cannot be read, lacks a column or is empty.
    """
    if len(sources) == 2:
        rows = list(_rows_of_folders(Path(sources[0]), Path(sources[1]), texts, say))
    else:
        rows = list(_rows_of_table(Path(sources[0]), texts, say))
    if not rows:
        raise UserError(f"there is no pair in {' and '.join(map(str, sources))}")
    return _named(rows)


def _named(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """The rows; rows without an id get their number as id."""
    given = Counter(row.id for row in rows if row.id)
    named: list[ManifestRow] = []
    seen: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        name, problem = row.id, row.problem
        if not name:
            name = f"{number:06d}"
            while name in given:
                name += "_"
        elif not _ID.fullmatch(name) or len(name.encode("utf-8", "replace")) > LONGEST_ID:
            problem = (
                f"the id {name[:LONGEST_ID]!r} cannot be a folder name: use up to {LONGEST_ID} letters, digits, "
                "dots, dashes and _"
            )
        elif (earlier := seen.get(fold(name))) is not None:
            # Some file systems do not distinguish the case of letters, and results may be copied to one.
            other = "" if earlier == name else f" (as {earlier}, which differs only in case or Unicode form)"
            problem = f"the id {name} is already used by an earlier pair{other}: give each pair its own"
        seen.setdefault(fold(name), name)
        named.append(replace(row, id=name, problem=problem))
    return named


# --- tables ---


def _rows_of_table(path: Path, texts: Sequence[str], say: Callable[[str], None] | None) -> Iterator[ManifestRow]:
    kind = path.suffix.lower()
    if kind not in (".parquet", *_TEXT_SUFFIXES):
        raise UserError(f"a manifest is a {', '.join(_TEXT_SUFFIXES)} or .parquet file or two folders, not {path}")
    try:
        columns, records = _read_parquet(path) if kind == ".parquet" else _read_text(path)
    except UnicodeDecodeError as error:
        raise UserError(f"cannot read {path}: {one_line(error)}; save it as UTF-8") from error
    except csv.Error as error:
        raise UserError(f"cannot read {path}: {error}; is a quote missing?") from error
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"cannot read {path}: {one_line(error)}") from error
    except ValueError as error:  # From the other process; it names the file.
        raise UserError(one_line(error)) from error
    if say is not None:
        _say_unused(path, columns, say)
    for record in records:
        try:
            yield _row(path, record, texts)
        except ValueError as error:
            named = {name: str(record.get(name) or "")[:LONGEST_ID] for name in ("t1", "t2")}
            yield ManifestRow(_id(record.get("id")), named["t1"], named["t2"], tuple(texts), str(error))


def _say_unused(path: Path, columns: Sequence[str], say: Callable[[str], None]) -> None:
    """Names the columns that are not read: the sentences could be among them, under another name."""
    unused = [name for name in columns if name and name not in COLUMNS]
    if unused:
        more = ", …" if unused[_NAMED:] else ""
        named = ", ".join(unused[:_NAMED])[:_LONGEST_NAMES]
        say(f"{path}: columns other than {', '.join(COLUMNS)} are ignored ({named}{more})")


def _read_text(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """The columns and rows of a text file."""
    stream = io.StringIO(to_utf8(read_regular(path)).decode(), newline="")
    head = stream.readline()
    if re.fullmatch(r"sep=.\s*", head):  # Written and read by Excel.
        head = stream.readline()
    heads = {mark: [_column(name) for name in next(csv.reader([head], delimiter=mark), [])] for mark in ",;\t"}
    mark = max(heads, key=lambda mark: len({*COLUMNS} & {*heads[mark]}))
    columns = heads[mark]
    _check_columns(path, columns)
    records = []
    # Strict, because an unclosed quote would make the following rows part of its cell.
    for cells in csv.reader(stream, delimiter=mark, strict=True, skipinitialspace=True):
        if any(map(str.strip, cells)):
            record: dict[str, Any] = dict(zip(columns, map(str.strip, cells)))
            if any(map(str.strip, cells[len(columns) :])):
                record["problem"] = (
                    f"its row has {len(cells)} cells for {len(columns)} columns: put cells that contain {mark!r} in "
                    "quotes"
                )
            records.append(record)
    return columns, records


def _read_parquet(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """The columns and rows of a Parquet file."""
    read_limited(f"{__name__}:{read_through.__name__}", path, _MOST_BYTES)
    with pyarrow.parquet.ParquetFile(path) as file:
        names = file.schema_arrow.names
        columns = [_column(name) for name in names]
        _check_columns(path, columns)
        wanted = [name for name, column in zip(names, columns) if column in COLUMNS]
        rows = file.read(columns=wanted).to_pylist()
    return columns, [{_column(name): value for name, value in row.items()} for row in rows]


def read_through(path: str | Path, most_bytes: int) -> None:
    """Reads a Parquet file and discards the content; raises `ValueError` if it is damaged."""
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for _ in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
                pass
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} is not a complete Parquet file: {one_line(error)}") from error


def _column(name: str) -> str:
    """The column with a usual name."""
    name = name.strip().lower()
    return "sentences" if name == _SENTENCE else name


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise UserError(f"{path} has {columns.count(name)} columns {name}: keep one")
    for name in ("t1", "t2"):
        if name not in columns:
            named = ", ".join(columns)[:_LONGEST_NAMES]
            raise UserError(f"{path} has no column {name}: name {', '.join(COLUMNS)} in its first line, not {named!r}")


def _row(path: Path, record: Mapping[str, Any], texts: Sequence[str]) -> ManifestRow:
    """A row; raises `ValueError` if it is invalid."""
    if record.get("problem"):
        raise ValueError(record["problem"])
    images = []
    for name in ("t1", "t2"):
        image = record.get(name)
        if image is None or image == "":
            raise ValueError(f"its row has no {name}: name an image")
        if not isinstance(image, str):
            raise ValueError(f"{name} is of the type {type(image).__name__}: name the path of an image")
        images.append(_beside(path, image))
    return ManifestRow(_id(record.get("id")), images[0], images[1], _sentences(record.get("sentences")) or (*texts,))


def _id(value: Any) -> str:
    """An id. Pandas converts integers to floats if one of them is missing."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sentences(cell: Any) -> tuple[str, ...]:
    """The sentences of a cell; empty ones are dropped."""
    if isinstance(cell, str):
        listed = cell.strip()
        if listed.startswith("[") and listed.endswith("]"):
            try:
                cell = parse_json(listed.encode("utf-8", "surrogatepass"))
            except ValueError as error:
                raise ValueError(
                    f'its sentences begin like a list, but are not JSON ({error}): write ["…", "…"]'
                ) from error
        else:
            cell = cell.split("|")
    if cell is None or cell != cell:
        return ()
    if not isinstance(cell, list) or not all(text is None or isinstance(text, str) for text in cell):
        raise ValueError(f"its sentences are not strings, but {str(cell)[:80]}")
    if any(text is not None and readable(text) != text for text in cell):
        raise ValueError(
            f"its sentences contain incomplete characters, as in {readable(str(cell))[:80]}: save them as UTF-8"
        )
    return tuple(text.strip() for text in cell if text is not None and not is_blank(text))


def _beside(table: Path, image: str) -> str:
    """A path of a table; URLs and paths of GDAL stay as they are."""
    if re.match(r"[\w+.-]+://|/", image) or PureWindowsPath(image).drive:
        return image
    path = table.parent / image
    return str(table.parent / image.replace("\\", "/")) if "\\" in image and not path.exists() else str(path)


# --- folders ---


def _rows_of_folders(
    earlier: Path, later: Path, texts: Sequence[str], say: Callable[[str], None] | None
) -> Iterator[ManifestRow]:
    """Pairs images with the same name, or else the only two whose names differ only in case or Unicode form."""
    folders = [_images_of(folder, say) for folder in (earlier, later)]
    partners = dict(_similar(*folders))
    taken = set(partners.values())
    names = [name for name in sorted({*folders[0], *folders[1]}) if name in folders[0] or name not in taken]
    ids = _ids_of(names)
    for name in names:
        found = [folders[0].get(name, []), folders[1].get(partners.get(name, name), [])]
        doubled = next((files for files in found if files[1:]), None)
        problem = f"{' and '.join(doubled)} have the same name: keep one of them" if doubled else ""
        if not all(found):
            problem = problem or f"{(found[0] or found[1])[0]} has no counterpart with the same name"
        image_t1, image_t2 = (files[0] if files else "" for files in found)
        yield ManifestRow(ids[name], image_t1, image_t2, (*texts,), problem)


def _ids_of(names: Sequence[str]) -> dict[str, str]:
    """
    An id for each name of an image: the name itself, or a similar one, if an id cannot be written like this or differs
    from another one only in the case of letters.
    """
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names, key=lambda name: _as_id(name) != name):
        named = _as_id(name)
        tries = itertools.chain([named], (f"{named}_{number}" for number in itertools.count(2)))
        ids[name] = next(one for one in tries if fold(one) not in taken)
        taken.add(fold(ids[name]))
    return ids


def _as_id(name: str) -> str:
    """A name with the characters that an id may contain."""
    named = re.sub(r"[^\w.\-]", "_", unicodedata.normalize("NFC", name))
    return named if _ID.match(named) else f"_{named}"


def _images_of(folder: Path, say: Callable[[str], None] | None) -> dict[str, list[str]]:
    """The images of a folder by their stems."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: name two folders of images, or one table")
    found: dict[str, list[str]] = {}
    others = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
            found.setdefault(path.stem, []).append(str(path))
        else:
            others.append(path.name)
    if others and say is not None:
        more = ", …" if others[_NAMED:] else ""
        say(f"{folder}: {len(others)} files are not images and are ignored ({', '.join(others[:_NAMED])}{more})")
    return found


def _similar(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of `earlier` without a partner, and the only ones of `later` that differ only in case or Unicode form."""
    alone = [[name for name in one if name not in other] for one, other in ((earlier, later), (later, earlier))]
    counts = [Counter(map(fold, names)) for names in alone]
    by_fold = {fold(name): name for name in alone[1]}
    for name in alone[0]:
        if counts[0][fold(name)] == counts[1][fold(name)] == 1:
            yield name, by_fold[fold(name)]
