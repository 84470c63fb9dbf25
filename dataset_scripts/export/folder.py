# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The folder of an export, from the first file to the finished dataset."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dataset_scripts.errors import DataError
from mtrefseg.io import INCOMPLETE_SUFFIX, read_json, write_json, write_text


_WORK = ".export"
_CARD = "README.md"
_RECORD = "export.json"
_DATA = "data"
_STATE = "state.json"
_LOCK = "lock"
# The mark of an export that is being removed.
_DISCARDED = {"discarded": True}


class Progress(Enum):
    """The state of the export in a folder."""

    NEW = "new"
    BEGUN = "begun"
    FINISHED = "finished"


class ExportFolder:
    """
    The folder of an export. Until the export is finished, all files are in the hidden folder `.export`, which
    `load_dataset` ignores.

    Args:
        path (`Path`): The folder; it does not have to exist.
        identity (`dict`): Everything that determines the export, as JSON values: the raw folders' fingerprint, the
            options and the versions. Only an export with the same identity can be continued.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self.identity = identity
        self.work = path / _WORK

    @property
    def is_moved(self) -> bool:
        """Whether all Parquet files are complete and in their final place."""
        return (self.path / _DATA).exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """
        Prevents a second export from using the folder at the same time.

        Raises:
            DataError: If one is running.
        """
        self.work.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.work / _LOCK, timeout=0):
                yield
        except Timeout as error:
            raise DataError(
                f"another export into {self.path} is running; wait for it, or name another folder"
            ) from error

    def progress(self) -> Progress:
        """
        The state of the export.

        Raises:
            DataError: If the folder contains something else, or an export of other data or with other options.
        """
        if not self.path.exists():
            return Progress.NEW
        if not self.path.is_dir():
            raise DataError(f"{self.path} is a file; name a folder for the export")
        record, state = self._record(), _read_json(self.work / _STATE)
        if record is None and state is None:
            if {entry.name for entry in self.path.iterdir()} <= {_WORK}:
                return Progress.NEW
            raise DataError(f"{self.path} is not empty and holds no export; name a new folder")
        is_finished = record is not None and (self.path / _CARD).is_file()
        found = record["identity"] if is_finished and record is not None else state
        if found != self.identity:
            differing = sorted(key for key, value in self.identity.items() if (found or {}).get(key) != value)
            raise DataError(
                f"{self.path} holds an export of other data or with other options (other: {', '.join(differing)}); "
                "name a new folder, or replace it with --overwrite"
            )
        return Progress.FINISHED if is_finished else Progress.BEGUN

    def is_replaceable(self) -> bool:
        """Whether --overwrite may replace the content of the folder: any export except an unfinished one with the same
        identity."""
        if self._record() is not None:
            return True
        return _read_json(self.work / _STATE) not in (None, self.identity)

    def begin(self) -> None:
        """Marks the folder as used by this export, and deletes leftovers of killed processes."""
        if _read_json(self.work / _STATE) in (None, _DISCARDED):
            self._empty_work()
            write_json(self.work / _STATE, self.identity)
        for path in self.work.rglob(f"*{INCOMPLETE_SUFFIX}"):
            path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Removes an export and no other files. The data are removed in one step and the card last, so that a partly
        removed export does not load."""
        write_json(self.work / _STATE, _DISCARDED)
        self._empty_work()
        if self.is_moved:
            (self.path / _DATA).rename(self.work / _DATA)
        (self.path / _RECORD).unlink(missing_ok=True)
        (self.path / _CARD).unlink(missing_ok=True)
        self._empty_work()

    def _empty_work(self) -> None:
        for path in self.work.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in (_LOCK, _STATE):
                path.unlink()

    def publish(self, record: dict[str, Any], card: str) -> None:
        """
        Moves the files into place: first the data, then the card, which `load_dataset` needs, and last the record,
        which `load_dataset` would read as data without a card.

        Args:
            record (`dict`): Content of `export.json` in addition to the identity, as JSON values.
            card (`str`): The content of `README.md`.
        """
        final = self.path / _DATA
        if not self.is_moved:
            (self.work / _DATA).rename(final)
        write_json(self.work / _RECORD, {"identity": self.identity, **record})
        write_text(self.work / _CARD, card)
        (self.work / _CARD).replace(self.path / _CARD)
        (self.work / _RECORD).replace(self.path / _RECORD)
        self.tidy()

    def tidy(self) -> None:
        """Removes the working folder of a finished export."""
        shutil.rmtree(self.work, ignore_errors=True)

    def read_record(self) -> dict[str, Any]:
        """
        The content of `export.json` of a finished export.

        Raises:
            DataError: If one of its files is missing or has another size.
        """
        record = self._record()
        if record is None or not _holds_sizes(record["configs"]):
            raise DataError(f"{self.path / _RECORD} is missing or damaged; export it again with --overwrite")
        for name, file in record["files"].items():
            path = self.path / _DATA / name
            size = file.get("bytes") if isinstance(file, dict) else None
            if not path.is_file() or path.stat().st_size != size:
                raise DataError(f"{path} is missing or damaged; export it again with --overwrite")
        return record

    def _record(self) -> dict[str, Any] | None:
        """The content of `export.json`, or `None` if it is missing or was not written by an export."""
        record = _read_json(self.path / _RECORD) or {}
        needed = ("identity", "files", "configs", "report")
        return record if all(isinstance(record.get(name), dict) for name in needed) else None


def _holds_sizes(configs: dict[str, Any]) -> bool:
    """Whether the record of an export contains the sizes of configurations and their splits."""
    splits = [split for config in configs.values() if isinstance(config, dict) for split in config.values()]
    return (
        len(configs) > 0
        and all(isinstance(config, dict) and config for config in configs.values())
        and all(isinstance(split, dict) for split in splits)
        and all(type(split.get(name)) is int for split in splits for name in ("rows", "pairs", "file_bytes"))
    )


def _read_json(path: Path) -> dict[str, Any] | None:
    """The content, or `None` if the file is missing or was not written by an export."""
    if not path.is_file():
        return None
    try:
        content = read_json(path)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
