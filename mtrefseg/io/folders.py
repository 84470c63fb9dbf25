# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Atomic writing of folders: they appear complete or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .files import INCOMPLETE_SUFFIX


@contextmanager
def folder_written_whole(path: Path, unfinished: Path | None = None) -> Iterator[Path]:
    """
    Creates a folder that gets its final name when it is complete.

    Args:
        path (`Path`): Its final name. A folder of this name is replaced.
        unfinished (`Path`, *optional*): Its name in the block, on the same disk; by default the final one with
            `INCOMPLETE_SUFFIX`. What a killed process left there is removed.

    Yields:
        `Path`: The unfinished folder, empty. It is removed if the block raises an error.
    """
    if path.is_symlink():  # The folder that it leads to is replaced, not the link.
        path = path.resolve()
    if unfinished is None:
        unfinished = path.with_name(f"{path.name}{INCOMPLETE_SUFFIX}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        replace_folder(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def replace_folder(finished: Path, path: Path) -> None:
    """
    Renames a folder. Another one of this name is moved away first and then removed, because removing takes longer.

    Args:
        finished (`Path`): The folder, on the same disk. The other one is moved next to it.
        path (`Path`): Its new name.
    """
    old = finished.with_name(f"{finished.name}.replaced")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    finished.rename(path)
    shutil.rmtree(old, ignore_errors=True)
