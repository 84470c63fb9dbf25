# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Ensures that only one run at a time writes into an output folder."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from transformers import TrainingArguments

from mtrefseg.io import read_json, write_json
from trainer.errors import TrainingError


LOCK = "_lock"
"""Name of the lock file in the output folder. The system always releases it at the end of the process. Files that
begin with `_` are not pushed to the Hub."""
RUNNING = "_running.json"
"""Name of a second file with the process that holds the lock."""
_WAIT_SECONDS = 5.0  # The reading processes of a killed run need a moment to end.


@contextmanager
def locked_folder(arguments: TrainingArguments) -> Iterator[None]:
    """
    Holds the output folder while the block lasts.

    Args:
        arguments (`TrainingArguments`): The output folder, and whether this process writes into it.

    Raises:
        TrainingError: If another run is writing into the folder, or it cannot be written into.
    """
    if not arguments.should_save:
        yield
        return
    folder = Path(str(arguments.output_dir))
    is_new = not folder.exists()
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_WAIT_SECONDS)
    except Timeout as error:
        raise TrainingError(
            f"{folder} is in use by another run{_holder(folder)}: wait until it has ended, stop it, or choose another "
            "--output_dir."
        ) from error
    except OSError as error:
        raise TrainingError(f"--output_dir {folder} is not writable: {error.strerror or error}.") from error
    try:
        write_json(folder / RUNNING, {"process": os.getpid(), "host": socket.gethostname()})
        yield
    finally:
        for name in (RUNNING, LOCK):
            (folder / name).unlink(missing_ok=True)
        lock.release()
        if is_new and not any(folder.iterdir()):
            folder.rmdir()  # The run ended before it wrote any file.


def _holder(folder: Path) -> str:
    """The process that holds the lock, if it is recorded."""
    try:
        running = read_json(folder / RUNNING)
        return f" (process {running['process']} on {running['host']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
