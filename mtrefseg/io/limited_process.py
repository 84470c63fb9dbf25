# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads files of unknown origin in a separate process with limited memory and time.

Parquet needs it. The file metadata give the amount of data, and so does each page header, which pyarrow trusts and
does not expose: a page of some bytes can contain two billion entries of a list, independent of the file metadata. And
some damage of the metadata crashes the process that opens the file, because pyarrow does not catch its own error.
"""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path


MOST_SECONDS = 300
_SLACK = 128 << 20  # bytes that reading needs in addition to the values


def read_limited(function: str, path: str | Path, most_bytes: int) -> None:
    """
    Lets another process read a file before this one does. On Linux that process ends if it needs more memory;
    elsewhere it only protects this process from a crash.

    Args:
        function (`str`): Module and name, "mtrefseg.view.predictions:read_through", of a function that reads the file.
            It takes `path` and `most_bytes` and raises `ValueError` or `OSError` with the name of the file.
        path (`str` or `Path`): The file.
        most_bytes (`int`): Maximum memory for reading.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be read, or needs more than `most_bytes` or `MOST_SECONDS`.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    # The other process must find the same packages.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", __name__]
    request = json.dumps([function, os.fspath(path), most_bytes]).encode()
    try:
        done = subprocess.run(
            command, input=request, capture_output=True, env=environment, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"{path} takes more than {MOST_SECONDS} seconds to read.") from error
    if done.returncode:
        line = done.stdout.decode("utf-8", "replace")
        raise ValueError(line or f"{path} is damaged: reading it ended another process ({done.returncode}).")


def _limit_memory(most_bytes: int) -> None:
    """Limits the growth of this process."""
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (ImportError, OSError):  # Not Linux.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + most_bytes + _SLACK
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def main() -> int:
    """Reads the request of `read_limited` from the standard input; writes the error and returns 1 if there is one."""
    function, path, most_bytes = json.load(sys.stdin)
    module, name = function.split(":")
    read = getattr(import_module(module), name)
    _limit_memory(most_bytes)
    try:
        read(path, most_bytes)
    except (MemoryError, ValueError, OSError) as error:
        problem = " ".join(str(error).split())
        if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
            problem = f"{path} would need more than {most_bytes >> 20:,} MiB of memory, which is more than is read."
    else:
        return 0
    sys.stdout.buffer.write(problem.encode("utf-8", "replace"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
