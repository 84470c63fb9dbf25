# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Atomic writing of folders: they appear complete or not at all."""

import glob
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from .files import INCOMPLETE_SUFFIX


_HAS_LOCKS = find_spec("fcntl") is not None  # On Windows, nothing is locked or removed.
# With the name of the machine: some network file systems keep locks on one machine.
_UNFINISHED = f".writing-{platform.node()}-"


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """
    Creates a temporary folder for files that are moved when they are complete. Such folders of killed processes are
    removed first; those that others are writing to stay.

    Args:
        parent (`Path`): The folder that it is created in.

    Yields:
        `Path`: The temporary folder. It is removed at the end of the block.
    """
    for abandoned in parent.glob(f"{glob.escape(_UNFINISHED)}*"):
        lock = _lock(abandoned)
        if lock is not None:
            shutil.rmtree(abandoned, ignore_errors=True)
            os.close(lock)
    started = Path(tempfile.mkdtemp(prefix=".starting-", dir=parent))
    lock = _lock(started)
    folder = started
    try:
        # It gets the name by which others find it when it is locked.
        folder = started.rename(parent / started.name.replace(".starting-", _UNFINISHED))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """
    Locks a folder until the process ends, or the descriptor that is returned is closed. `None` if another process
    holds it, or there are no locks.
    """
    if not _HAS_LOCKS:
        return None
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


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
