# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A folder of immutable Parquet objects that many machines read and write at once: a shared disk, or a bucket.

An object gets its name when it is complete, and is never changed. It holds rows of the run's tables: a column with the
table's name, and one with the row as JSON.
"""

import json
import uuid
from collections.abc import Iterable
from posixpath import join

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from ..errors import CraftError
from .rows import Row, Tables
from .serialization import dump


SUFFIX = ".parquet"
_SCHEMA = pa.schema([("table", pa.string()), ("row", pa.string())])


class ObjectFolder:
    """
    A folder of objects.

    Args:
        address (`str`): An absolute path, or an address that PyArrow knows, such as "s3://bucket/folder".

    Raises:
        CraftError: If there is no such kind of folder.
    """

    def __init__(self, address: str) -> None:
        try:
            self._files, self._root = fs.FileSystem.from_uri(address)
        except (ValueError, OSError) as error:
            problem = " ".join(str(error).split())
            raise CraftError(f"{address} cannot be a shared folder ({problem}); name an absolute path") from error

    def write(self, name: str, tables: Tables) -> None:
        """
        Writes an object; one that is there already stays as good as it was, for equal names mean equal content.

        Args:
            name (`str`): Its name within the folder, with "/" between parts and without an ending.
            tables (`Tables`): What it holds.
        """
        table = pa.Table.from_pylist(
            [{"table": table, "row": dump(row)} for table, rows in tables.items() for row in rows], schema=_SCHEMA
        )
        path = self._path(name)
        incomplete = f"{path}.{uuid.uuid4().hex}.incomplete"
        self._files.create_dir(path.rpartition("/")[0], recursive=True)
        with self._files.open_output_stream(incomplete) as stream:
            pq.write_table(table, stream)
        self._files.move(incomplete, path)

    def has(self, name: str) -> bool:
        """Whether there is an object of that name."""
        return bool(self._files.get_file_info(self._path(name)).is_file)

    def read(self, name: str) -> dict[str, list[Row]]:
        """The tables of an object; `FileNotFoundError` if there is none of that name."""
        with self._files.open_input_file(self._path(name)) as stream:
            content = pq.read_table(stream).to_pylist()
        tables: dict[str, list[Row]] = {}
        for line in content:
            tables.setdefault(line["table"], []).append(json.loads(line["row"]))
        return tables

    def names(self, folder: str) -> list[str]:
        """The names of the objects right in a folder, sorted, each without the folder's; empty if there is none."""
        selector = fs.FileSelector(join(self._root, folder), allow_not_found=True)
        found = (info.base_name for info in self._files.get_file_info(selector))
        return sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))

    def remove(self, names: Iterable[str]) -> None:
        """Removes objects; those that are gone already are passed over."""
        for name in names:
            try:
                self._files.delete_file(self._path(name))
            except FileNotFoundError:
                continue

    def remove_folder(self, folder: str) -> None:
        """Removes a folder with all objects in it; one that is gone already is passed over."""
        try:
            self._files.delete_dir(join(self._root, folder))
        except FileNotFoundError:
            return

    def _path(self, name: str) -> str:
        return f"{join(self._root, name)}{SUFFIX}"
