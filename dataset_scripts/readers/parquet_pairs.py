# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads exported Parquet: the files that the `README.md` of a folder lists, and their rows as pairs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path, PureWindowsPath
from reprlib import Repr
from typing import Any

import pyarrow
import pyarrow.parquet
from yaml import YAMLError

from dataset_scripts.errors import DataError
from mtrefseg.io import check_expansion, read_limited

from .pair import Pair
from .pair_source import IMAGE_COLUMNS, PairSource, Part
from .reading_report import ReadingReport, Reason, UnusableError, printable_line
from .rows import keep_usable, make_pair
from .schema import DOMAINS, FEATURES, PAIRS_SUFFIX, SKIPPED_SENTENCES, SPLITS


CARD = "README.md"
ROWS_AT_ONCE = 4
MOST_BYTES = 4 << 30
"""Memory limit for the rows that are read together, and for all ids of pairs, when a file is checked."""

_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 100, 100


@dataclass(frozen=True)
class ParquetFiles:
    """
    One split of a configuration.

    Args:
        name (`str`): Configuration and split, for messages, and `folder` of the pairs.
        split (`str`): One of `schema.SPLITS`.
        layout (`str`): A key of `schema.FEATURES`.
        pair_count (`int`): Number of pairs.
        paths (`tuple[Path, ...]`): Its files in order.
    """

    name: str
    split: str
    layout: str
    pair_count: int
    paths: tuple[Path, ...]


def find_parquet_files(folder: Path) -> list[ParquetFiles]:
    """
    Finds the files that together contain every pair once: those with one row per pair if there are any, otherwise
    those with one row per sentence. Files that belong to several configurations are used once.

    Args:
        folder (`Path`): A folder with `README.md`, whose YAML block lists configurations and their files.

    Returns:
        `list[ParquetFiles]`: Sorted by configuration; empty if there is no such `README.md`.

    Raises:
        [`DataError`]: If a file is missing, damaged or not Parquet, has other columns, or needs too much memory.
    """
    taken: set[Path] = set()
    found: list[ParquetFiles] = []
    listed = sorted(listed_files(folder), key=lambda entry: entry[:2])
    check_parquet_files(path for _, _, paths in listed for path in paths)
    with_pairs = {(config, split) for config, split, _ in listed if config.endswith(PAIRS_SUFFIX)}
    for config, split, paths in listed:
        new = tuple(path for path in paths if path not in taken)
        if new and (config + PAIRS_SUFFIX, split) not in with_pairs:
            taken.update(new)
            layout = _layout(new[0])
            found.append(ParquetFiles(f"{config}/{split}", split, layout, _count_pairs(new, layout), new))
    return found


def check_parquet_files(paths: Iterable[str | Path]) -> None:
    """
    Reads files once in another process with limited memory: a few kilobytes of Parquet can expand to gigabytes,
    independent of the header.

    Args:
        paths (`Iterable[str]` or `Iterable[Path]`): The files. Each is read once.

    Raises:
        [`DataError`]: If a file is damaged, or needs too much memory.
    """
    for path in dict.fromkeys(paths):
        try:
            read_limited(f"{__name__}:{read_through.__name__}", path, MOST_BYTES)
        except ValueError as error:
            raise DataError(str(error)) from error


def read_through(path: str | Path, most_bytes: int) -> None:
    """Reads a file as [`ParquetPairs`] does and discards the content; raises [`DataError`] if it is damaged."""
    path = Path(path)
    with _opened(path) as file:
        for _ in file.iter_batches(ROWS_AT_ONCE, use_threads=False):
            pass
        names = [name for name in ("pair_id", "domain") if name in file.schema_arrow.names]
        file.read(columns=names, use_threads=False)


class ParquetPairs(PairSource):
    """
    The pairs of an export, read in place. Iterating reads a few rows at a time. Looking up a single pair reads its row
    group; the last row group is cached.

    Args:
        name (`str`): Its name.
        files (`Sequence[ParquetFiles]`): From [`find_parquet_files`].
        report (`ReadingReport`): Collects skipped items while all pairs are read.
    """

    kind = "Parquet"

    def __init__(self, name: str, files: Sequence[ParquetFiles], report: ReadingReport) -> None:
        super().__init__(name, report=report)
        self.files = files
        self.parts = tuple(Part(part.name, part.split, part.pair_count) for part in files)
        self._last: tuple[Path, int, pyarrow.Table] | None = None

    def __len__(self) -> int:
        return sum(part.pair_count for part in self.parts)

    def __getitem__(self, index: int) -> Pair:
        part, path, rows, _ = self._places[index]
        found = [self._row(path, group, row) for group, row in rows]
        return _pair(part, found[0] if part.layout != "referring" else _paired(found))

    def __iter__(self) -> Iterator[Pair]:
        """
        All pairs in order; unusable ones are skipped and reported.

        Raises:
            [`DataError`]: If a file is damaged.
        """
        for part in self.files:
            yield from self._list(part)

    @cached_property
    def positions(self) -> Mapping[str, Sequence[tuple[str | None, int]]]:
        """Domains and indices of the pairs of each id."""
        found: Mapping[str, list[tuple[str | None, int]]] = defaultdict(list)
        for index, (_, _, _, row) in enumerate(self._places):
            domain = row["domain"]
            if isinstance(domain, int):
                domain = DOMAINS[domain] if 0 <= domain < len(DOMAINS) else None
            found[row["pair_id"]].append((domain, index))
        return found

    @cached_property
    def _places(self) -> list[tuple[ParquetFiles, Path, list[tuple[int, int]], Mapping[str, Any]]]:
        """For each pair: its file, the row groups and rows in it, and its id and domain."""
        places: list[tuple[ParquetFiles, Path, list[tuple[int, int]], Mapping[str, Any]]] = []
        for part in self.files:
            for path in part.paths:
                named = list(_named_rows(path))
                if part.layout == "referring":
                    runs = [list(run) for _, run in groupby(named, key=lambda entry: _key(entry[1]))]
                else:
                    runs = [[entry] for entry in named]
                places += [(part, path, [place for place, _ in run], run[0][1]) for run in runs]
        return places

    def _list(self, part: ParquetFiles) -> Iterator[Pair]:
        seen: set[tuple[str | None, str]] = set()
        for path in part.paths:
            for number, row in enumerate(_pair_rows(path, part.layout)):
                try:
                    pair, lost = keep_usable(_pair(part, row))
                    if (pair.domain, pair.pair_id) in seen:
                        raise UnusableError(Reason.DUPLICATE_ID, f'an earlier pair has the id "{pair.pair_id}"')
                except UnusableError as error:
                    self.report.skip(error.reason, part.name, f"{path.name}, pair {number}", error.detail)
                    continue
                for reason, sample, detail in lost:
                    self.report.skip(reason, part.name, sample, detail)
                seen.add((pair.domain, pair.pair_id))
                yield pair

    def _row(self, path: Path, group: int, row: int) -> dict[str, Any]:
        if self._last is None or self._last[:2] != (path, group):
            with _opened(path) as file:
                self._last = (path, group, file.read_row_group(group))
        (found,) = self._last[2].slice(row, 1).to_pylist()
        return found


def listed_files(folder: Path) -> list[tuple[str, str, list[Path]]]:
    """
    The files in the card of a folder.

    Args:
        folder (`Path`): A folder with `README.md`, or without.

    Returns:
        `list[tuple[str, str, list[Path]]]`: Configuration, one of `schema.SPLITS`, and its files.

    Raises:
        [`DataError`]: If the card lists something else, or a missing file.
    """
    card = folder / CARD
    if not card.is_file():
        return []
    listed = []
    for config in read_configs(card):
        name, data_files = config.get("config_name", "default"), config.get("data_files")
        if not isinstance(name, str):
            raise DataError(f"{card}: the config_name {_shown(name)} is not text; put it in quotes.")
        if not isinstance(data_files, list) or not all(isinstance(entry, dict) for entry in data_files):
            raise DataError(f'{card}: data_files of "{printable_line(name)}" is not a list of split and path.')
        for entry in data_files:
            split, patterns = entry.get("split"), entry.get("path")
            if split not in SPLITS:
                raise DataError(f"{card} names the split {_shown(split)}; known are {', '.join(SPLITS)}.")
            patterns = patterns if isinstance(patterns, list) else [patterns]
            if not all(isinstance(pattern, str) for pattern in patterns):
                raise DataError(
                    f"{card}: the path {_shown(entry.get('path'))} of {printable_line(name)}, {split} is not text."
                )
            listed.append((name, str(split), _expand(folder, patterns)))
    return listed


def read_configs(card: Path) -> list[dict[str, Any]]:
    """The configurations in the YAML block of a card; raises [`DataError`] if its content is invalid."""
    from huggingface_hub import metadata_load  # Imported here, so that commands start quickly.

    try:
        content = metadata_load(card)
        check_expansion(content)
    # YAML's constructors raise any of the other exceptions for invalid values.
    except (OSError, ValueError, YAMLError, RecursionError, AttributeError, LookupError, TypeError) as error:
        detail = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"The YAML block of {card} cannot be read: {detail}; repair it.") from error
    configs = (content or {}).get("configs") or []
    if not isinstance(configs, list) or not all(isinstance(config, dict) for config in configs):
        raise DataError(f"{card}: configs is not a list of configurations, but {_shown(configs)}; repair it.")
    return configs


def _shown(value: Any) -> str:
    """A value of a card for an error message, on one line of moderate length."""
    try:
        text = printable_line(_SHORT.repr(value))
    except ValueError:  # Python does not print integers with thousands of digits.
        text = f"a very long {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:80]}..."


def _expand(folder: Path, patterns: list[str]) -> list[Path]:
    """The files that match patterns; none may be outside of the folder."""
    paths: list[Path] = []
    for pattern in patterns:
        if ".." in pattern.split("/") or pattern.startswith("/") or PureWindowsPath(pattern).drive:
            raise DataError(
                f"{folder / CARD} names {_shown(pattern)}, which leads out of the folder; name a file in it."
            )
        try:
            matches = sorted(path for path in folder.glob(pattern) if not path.is_dir())
        except (ValueError, IndexError, NotImplementedError, OSError) as error:
            raise DataError(f"{folder / CARD} names {_shown(pattern)}, which is not a file pattern.") from error
        if not matches:
            raise DataError(f"{folder / CARD} names {_shown(pattern)}, but no file matches it; export it again.")
        for path in matches:
            if not path.is_file():
                raise DataError(f"{path} is not a regular file; export it again.")
        paths += matches
    return paths


@contextmanager
def _opened(path: Path) -> Iterator[pyarrow.parquet.ParquetFile]:
    """An open file. Converts errors of pyarrow about a damaged file to a [`DataError`] with its name."""
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file
    except DataError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise DataError(f"{path} is not a complete Parquet file: {detail}; export it again.") from error


def _layout(path: Path) -> str:
    """The layout of a file."""
    from datasets import Features  # Imported here, so that commands start quickly.

    with _opened(path) as file:
        schema = file.schema_arrow
        features = Features.from_arrow_schema(schema)
    for layout, make_features in FEATURES.items():
        columns = make_features()
        if SKIPPED_SENTENCES not in schema.names:
            columns.pop(SKIPPED_SENTENCES, None)
        if features == columns:
            return layout
        others = columns.arrow_schema
        if set(schema.names) == set(others.names):
            # Programs that rewrite the file keep the values, but not all types.
            kinds = {name: (schema.field(name).type, others.field(name).type) for name in schema.names}
            different = [name for name, (found, wanted) in kinds.items() if not _is_alike(found, wanted)]
            if not different:
                return layout
            found, wanted = kinds[different[0]]
            raise DataError(f"{path}: {different[0]} is of type {found}, in exports {wanted}; export it again.")
    raise DataError(f"{path} has other columns than exports have ({', '.join(features)}); export it again.")


def _is_alike(found: pyarrow.DataType, wanted: pyarrow.DataType) -> bool:
    """Whether both types read as the same values."""
    types = pyarrow.types
    if types.is_dictionary(found):
        return _is_alike(found.value_type, wanted)
    if types.is_list(wanted):
        return (types.is_list(found) or types.is_large_list(found)) and _is_alike(found.value_type, wanted.value_type)
    if types.is_struct(wanted):
        names = {field.name for field in wanted}
        return (
            types.is_struct(found)
            and {field.name for field in found} == names
            and all(_is_alike(found.field(name).type, wanted.field(name).type) for name in names)
        )
    is_text = types.is_string(found) or types.is_large_string(found) or types.is_string_view(found)
    if types.is_string(wanted):
        return is_text
    if types.is_binary(wanted):
        return types.is_binary(found) or types.is_large_binary(found) or types.is_binary_view(found)
    # Labels are numbers, or their names.
    return found == wanted or (types.is_integer(wanted) and (types.is_integer(found) or is_text))


def _count_pairs(paths: tuple[Path, ...], layout: str) -> int:
    """Number of pairs in files."""
    count = 0
    for path in paths:
        with _opened(path) as file:
            if layout == "referring":
                rows = file.read(columns=["pair_id", "domain"]).to_pylist()
                count += sum(1 for _ in groupby(rows, key=_key))
            else:
                count += file.metadata.num_rows
    return count


def _named_rows(path: Path) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Group and row of each row, and its id and domain."""
    with _opened(path) as file:
        for group in range(file.metadata.num_row_groups):
            for row, entry in enumerate(file.read_row_group(group, columns=["pair_id", "domain"]).to_pylist()):
                yield (group, row), entry


def _pair_rows(path: Path, layout: str) -> Iterator[Mapping[str, Any]]:
    """One row per pair. Consecutive sentences with the same `pair_id` and domain are one pair."""
    rows = _rows(path)
    if layout != "referring":
        yield from rows
        return
    for _, group in groupby(rows, key=_key):
        yield _paired(list(group))


def _key(row: Mapping[str, Any]) -> tuple[Any, Any]:
    """What the rows of a pair have in common: ids are unique in each domain."""
    return row["domain"], row["pair_id"]


def _paired(sentences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of one sentence each as one row of a pair; see [`make_pair`]."""
    columns = {
        "expressions": "expression",
        "masks": "mask",
        "change_types": "change_type",
        "noisy": "noisy",
        "sample_ids": "sample_id",
    }
    lists = {name: [sentence[column] for sentence in sentences] for name, column in columns.items()}
    contents = {name: {(sentence[name] or {}).get("bytes") for sentence in sentences} for name in IMAGE_COLUMNS}
    other_images = next((name for name, found in contents.items() if len(found - {None}) > 1), "")
    return {**sentences[0], **lists, "other_images": other_images}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The unchanged rows of a file."""
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from batch.to_pylist()


def _pair(files: ParquetFiles, row: Mapping[str, Any]) -> Pair:
    return make_pair(row, files.split, files.name, prefix=f"{files.name}/")
