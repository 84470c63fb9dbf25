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
"""Suffix of files while they are written."""

# The byte order mark of UTF-32 begins with that of UTF-16.
_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

MOST_VALUES = 1_000_000
"""Maximum number of values in a YAML file, with all references expanded."""


class RepeatedNameError(ValueError):
    """A JSON object has two different values for a name. Readers differ in which one they use."""


def open_regular(path: str | Path) -> IO[bytes]:
    """
    Opens a regular file for reading. A named pipe would wait for a writer forever, and a device such
    as /dev/zero never ends.

    Args:
        path (`str` or `Path`): The file, or a link to one.

    Returns:
        `IO[bytes]`: The open file.

    Raises:
        OSError: If there is no such file, or if it is not a regular file or cannot be read.
    """
    # Without O_NONBLOCK, opening a pipe waits for its other end; without O_BINARY, Windows converts
    # line endings.
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
        content (`bytes`): Text in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

    Returns:
        `bytes`: The text in UTF-8. Without a mark of another encoding it is returned unchecked.

    Raises:
        UnicodeDecodeError: If the bytes do not match the byte order mark.
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
        Its content; the caller checks its type.

    Raises:
        ValueError: If it is not JSON, not UTF-8, nested too deeply, or ambiguous: an object has two values for a name.
    """
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_to_object)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RepeatedNameError):
        raise
    except ValueError as error:  # Python's own message recommends changing a setting of Python.
        raise ValueError("it contains a number with thousands of digits") from error


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. A name may be repeated, but only with the same value."""
    content = dict(pairs)
    if len(content) < len(pairs):
        for name, value in pairs:
            # Unlike `==`, this distinguishes 1 from true, and a NaN equals itself.
            if repr(value) != repr(content[name]):
                raise RepeatedNameError(f"it gives {name[:80]!r} two different values; remove one of them")
    return content


def read_json(path: str | Path) -> Any:
    """
    Reads a JSON file.

    Args:
        path (`str` or `Path`): The file, in UTF-8, or UTF-16 or UTF-32 with a byte order mark.

    Returns:
        Its content; the caller checks its type.

    Raises:
        OSError: See [`open_regular`].
        ValueError: See [`to_utf8`] and [`parse_json`].
    """
    return parse_json(to_utf8(read_regular(path)))


def read_yaml(path: str | Path) -> Any:
    """Reads a YAML file; arguments, result and errors as in [`read_json`]."""
    import yaml  # Most callers need no YAML.

    try:
        content = yaml.safe_load(to_utf8(read_regular(path)).decode())
        check_expansion(content)
        return content
    # The constructors of YAML's types raise any of the other exceptions for invalid values.
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ArithmeticError) as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def check_expansion(content: Any) -> None:
    """
    Rejects YAML whose references expand too much: if each of a few lines refers several times to the one before, they
    have more values than fit in memory when they are copied or printed.

    Args:
        content: Content of a YAML file.

    Raises:
        ValueError: If it has more than `MOST_VALUES` values with all references expanded.
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
        raise ValueError(f"its references to other lines expand to more than {MOST_VALUES:,} values; write them out")


@contextmanager
def written_whole(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """
    Opens a file that gets its final name when it is complete.

    Args:
        path (`Path`): Its final name. A file of this name is replaced.
        durable (`bool`, *optional*, defaults to `True`): Wait until the content is on the disk, so that it survives a
            power failure. Thousands of small files are written much faster without this.

    Yields:
        `IO[bytes]`: The file, under a temporary name with the process id: files left by a killed process
        are not mistaken for those of another one.
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
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    # Names of files that are not UTF-8 contain lone surrogates; their escapes are those of JSON.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


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
