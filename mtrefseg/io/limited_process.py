# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads files of unknown origin in a process of its own, whose memory and time are limited.

Parquet needs it. Its head says how much a file holds, and so does the head of each page, which pyarrow believes and
does not show: a page of some bytes can hold two billion entries of a list, whatever the head of the file says. And
some damage of the head ends the process that opens it, for pyarrow does not catch its own error.
"""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path


MOST_SECONDS = 300
_SLACK = 128 << 20  # bytes, for what reading needs besides the values


def read_limited(function: str, path: str | Path, most_bytes: int) -> None:
    """
    Lets another process read a file, before this one does. On Linux that process ends when it needs more memory;
    elsewhere it only keeps a crash away from this one.

    Args:
        function (`str`): Module and name, "mtrefseg.view.predictions:read_through", of a function that reads the file.
            It takes `path` and `most_bytes` and raises `ValueError` or `OSError`, in which it names the file.
        path (`str` or `Path`): The file.
        most_bytes (`int`): How much memory reading may take.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be read, or needs more than `most_bytes` or `MOST_SECONDS`.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    # The other process has to find the same packages.
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
    """Reads what `read_limited` wants from the standard input; writes what is wrong and returns 1 if something is."""
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
