# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Atomic writing of files, and their hashes."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


INCOMPLETE_SUFFIX = ".incomplete"
"""Ending of files that are being written."""


@contextmanager
def written_whole(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """
    Opens a file that gets its name when it is complete.

    Args:
        path (`Path`): Its final name. A file of this name is replaced.
        durable (`bool`, *optional*, defaults to `True`): Waits until the content is on the disk, so that it survives a
            power failure too. Thousands of small files are written much faster without.

    Yields:
        `IO[bytes]`: The file, under a temporary name that holds the number of the process: what a killed process left
        behind is not taken for another one's.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}{INCOMPLETE_SUFFIX}")
    try:
        with unfinished.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Writes a file atomically; see [`written_whole`]."""
    with written_whole(path, durable) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file, atomically."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def sha256_bytes(content: bytes) -> str:
    """The SHA-256 hash of bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_of(path: Path) -> str:
    """The SHA-256 hash of the content of a file, hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
