# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads Parquet files of unknown origin in a process of its own, whose memory and time are limited.

The head of a Parquet file says how much it holds, and so does the head of each page, which pyarrow believes and does
not show: a page of some bytes can hold two billion entries of a list, whatever the head of the file says. So what such
a file needs is known only when it is read.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


MOST_SECONDS = 300
_SLACK = 128 << 20  # bytes, for what pyarrow needs besides the values
_TOO_MUCH = "it would need more than {} MiB of memory"


def check_parquet(
    path: str | Path,
    most_bytes: int,
    rows_at_once: Sequence[int] | int,
    columns: Sequence[str] | None = None,
    whole: Sequence[str] = (),
) -> None:
    """
    Reads a file once as it is going to be read, in another process. On Linux that process ends when it needs more
    memory; elsewhere it only keeps a crash of pyarrow away from this one.

    Args:
        path (`str` or `Path`): The file.
        most_bytes (`int`): How much memory reading may take.
        rows_at_once (`Sequence[int]` or `int`): How many rows are read together; one number for each group of rows, or
            the same for all.
        columns (`Sequence[str]`, *optional*): The columns that are read; by default all.
        whole (`Sequence[str]`, *optional*): Columns that are also read at once.

    Raises:
        ValueError: If the file is damaged, or needs more than `most_bytes` or `MOST_SECONDS`.
    """
    request = {
        "path": os.fspath(path),
        "most_bytes": most_bytes,
        "rows_at_once": rows_at_once if isinstance(rows_at_once, int) else list(rows_at_once),
        "columns": None if columns is None else list(columns),
        "whole": list(whole),
    }
    # The other process has to find the same packages.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            env=environment,
            timeout=MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"it takes more than {MOST_SECONDS} seconds to read") from error
    if done.returncode:
        lines = done.stdout.decode("utf-8", "replace").split("\n")
        raise ValueError(lines[0] or f"pyarrow ended with {done.returncode} while reading it")


def _read(request: dict[str, Any]) -> None:
    """Reads the file, and keeps nothing."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(request["path"]) as file:
        for group in range(file.metadata.num_row_groups):
            rows = request["rows_at_once"]
            rows = rows if isinstance(rows, int) else rows[group]
            options = {"row_groups": [group], "columns": request["columns"], "use_threads": False}
            for _ in file.iter_batches(rows, **options):
                pass
        if request["whole"]:
            file.read(columns=request["whole"], use_threads=False)


def _limit_memory(most_bytes: int) -> None:
    """Lets this process grow by no more than this."""
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (ImportError, OSError):  # Not Linux.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + most_bytes + _SLACK
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def main() -> int:
    """Reads a request from the standard input; writes what is wrong and returns 1 if something is."""
    import pyarrow.parquet

    request = json.load(sys.stdin)
    _limit_memory(request["most_bytes"])
    try:
        _read(request)
    except MemoryError:
        problem = _TOO_MUCH.format(f"{request['most_bytes'] >> 20:,}")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
    else:
        return 0
    sys.stdout.write(problem)
    return 1


if __name__ == "__main__":
    sys.exit(main())
