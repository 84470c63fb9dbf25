# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Atomic writing of files, and their hashes."""

import codecs
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


INCOMPLETE_SUFFIX = ".incomplete"
"""Ending of files that are being written."""

# The mark of UTF-32 begins with that of UTF-16.
_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

MOST_VALUES = 1_000_000
"""Values that a YAML file may hold when every reference to an earlier one counts."""


class RepeatedNameError(ValueError):
    """An object in JSON gives a name two different values. Readers differ in which of them they take."""


def open_regular(path: str | Path) -> IO[bytes]:
    """
    Opens a file for reading, and nothing but a file: a named pipe would wait for a writer for ever, and a device such
    as /dev/zero never ends.

    Args:
        path (`str` or `Path`): The file, or a link to one.

    Returns:
        `IO[bytes]`: The open file.

    Raises:
        OSError: If there is no such file, or if it is not a regular file or cannot be read.
    """
    # Opening a pipe waits for its other end unless the system is told not to; Windows has to be told not to convert
    # line ends.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_regular(path: str | Path) -> bytes:
    """The content of a file; see [`open_regular`]."""
    with open_regular(path) as file:
        return file.read()


def to_utf8(content: bytes) -> bytes:
    """
    The bytes of a text file in UTF-8, without a byte order mark. Some editors and shells of Windows save UTF-16.

    Args:
        content (`bytes`): Text in UTF-8, or in what its byte order mark says: UTF-16 or UTF-32.

    Returns:
        `bytes`: The text in UTF-8. What has no mark of another encoding is returned unchecked.

    Raises:
        UnicodeDecodeError: If the bytes do not fit the byte order mark.
    """
    for mark, encoding in _ENCODINGS:
        if content.startswith(mark):
            return content.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
    return content.removeprefix(codecs.BOM_UTF8)


def parse_json(content: bytes) -> Any:
    """
    Reads JSON.

    Args:
        content (`bytes`): In UTF-8, with or without a byte order mark.

    Returns:
        What it holds; the caller checks its type.

    Raises:
        ValueError: If it is not JSON, not UTF-8, nested too deeply, or ambiguous: an object gives a name two values.
    """
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_to_object)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RepeatedNameError):
        raise
    except ValueError as error:  # Python's own advice is to change a setting of Python.
        raise ValueError("it holds a number of thousands of digits") from error


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. A name may be repeated, but only with the same value."""
    content = dict(pairs)
    if len(content) < len(pairs):
        for name, value in pairs:
            # Unlike `==`, this tells 1 from true, and finds a NaN the same as itself.
            if repr(value) != repr(content[name]):
                raise RepeatedNameError(f"it gives {name[:80]!r} two different values; remove one of them")
    return content


def read_json(path: str | Path) -> Any:
    """
    Reads a JSON file.

    Args:
        path (`str` or `Path`): The file, in UTF-8, or UTF-16 or UTF-32 with a byte order mark.

    Returns:
        What it holds; the caller checks its type.

    Raises:
        OSError: See [`open_regular`].
        ValueError: See [`to_utf8`] and [`parse_json`].
    """
    return parse_json(to_utf8(read_regular(path)))


def read_yaml(path: str | Path) -> Any:
    """Reads a YAML file; arguments, result and errors as in [`read_json`]."""
    import yaml  # Most of those who read and write files need no YAML.

    try:
        content = yaml.safe_load(to_utf8(read_regular(path)).decode())
        check_expansion(content)
        return content
    # The constructors of YAML's types fail with any of the others on values that are none.
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ArithmeticError) as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def check_expansion(content: Any) -> None:
    """
    Refuses what a few lines of YAML can mean: since each may refer several times to the one before, they stand for
    more values than fit in any memory, which whoever copies or shows them would fill.

    Args:
        content: What a YAML file holds.

    Raises:
        ValueError: If it has more than `MOST_VALUES` values when every reference counts.
        RecursionError: If it refers to itself, or is nested too deeply.
    """
    sizes: dict[int, int] = {}

    def size_of(value: Any) -> int:
        if not isinstance(value, dict | list | tuple | set):
            return 1
        if id(value) not in sizes:
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(map(size_of, parts))
        return sizes[id(value)]

    if size_of(content) > MOST_VALUES:
        raise ValueError(f"its references to other lines stand for more than {MOST_VALUES:,} values; write them out")


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
    with open_regular(path) as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
