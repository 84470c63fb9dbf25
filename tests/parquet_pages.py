# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Parquet files whose page headers say something else than their pages, or than the head of the file, is true."""

from collections.abc import Callable
from typing import Any


MAGIC = b"PAR1"
Fields = dict[int, tuple[int, Any]]
"""Number, type and value of each field of a Thrift structure in the compact protocol."""
_BOOLEANS, _INTEGERS, _BINARY, _LISTS, _STRUCTURE = (1, 2), (4, 5, 6), 8, (9, 10), 12
HEAD_UNCOMPRESSED, HEAD_COMPRESSED, HEAD_DATA, HEAD_DICTIONARY = 2, 3, 5, 7
"""Fields of a page header."""


class _Reader:
    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content, self.at = content, at

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def integer(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def structure(self) -> Fields:
        fields: Fields = {}
        number = 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.integer()
            kind = head & 15
            fields[number] = (kind, kind == 1 if kind in _BOOLEANS else self.value(kind))
        return fields

    def value(self, kind: int) -> Any:
        if kind in (*_BOOLEANS, 3):
            return self.byte()
        if kind in _INTEGERS:
            return self.integer()
        if kind == 7:
            self.at += 8
            return self.content[self.at - 8 : self.at]
        if kind == _BINARY:
            length = self.varint()
            self.at += length
            return self.content[self.at - length : self.at]
        if kind in _LISTS:
            head = self.byte()
            length = head >> 4 if head >> 4 != 15 else self.varint()
            return head & 15, [self.value(head & 15) for _ in range(length)]
        return self.structure()


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= 128:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def _integer(value: int) -> bytes:
    return _varint((value << 1) ^ (value >> 63))


def _write(fields: Fields) -> bytes:
    written, last = b"", 0
    for number in sorted(fields):
        kind, value = fields[number]
        kind = (1 if value else 2) if kind in _BOOLEANS else kind
        step = number - last
        written += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + _integer(number)
        written += b"" if kind in _BOOLEANS else _value(kind, value)
        last = number
    return written + b"\0"


def _value(kind: int, value: Any) -> bytes:
    if kind in (*_BOOLEANS, 3):
        return bytes([value])
    if kind in _INTEGERS:
        return _integer(value)
    if kind == 7:
        return bytes(value)
    if kind == _BINARY:
        return _varint(len(value)) + value
    if kind in _LISTS:
        inner, values = value
        head = (
            bytes([len(values) << 4 | inner]) if len(values) < 15 else bytes([15 << 4 | inner]) + _varint(len(values))
        )
        return head + b"".join(_value(inner, each) for each in values)
    return _write(value)


def rewrite(content: bytes, change: Callable[[str, Fields, bytes], bytes]) -> bytes:
    """
    Another Parquet file, of whose pages some are changed.

    Args:
        content (`bytes`): A whole Parquet file without indices of pages.
        change (`Callable`): Takes the path of a column ("expression"), the header of a page, which it may change, and
            what follows it; returns what follows it in the new file.

    Returns:
        `bytes`: The new file. Its head holds the right places and lengths of what is stored.
    """
    length = int.from_bytes(content[-8:-4], "little")
    footer = _Reader(content, len(content) - 8 - length).structure()
    body = bytearray(MAGIC)
    for _, group in [(12, group) for group in footer[4][1][1]]:
        for chunk in group[1][1][1]:
            column = chunk[3][1]
            path = ".".join(part.decode() for part in column[3][1][1])
            start = column[11][1] if 11 in column else column[9][1]
            reader = _Reader(content, start)
            first = len(body)
            while reader.at < start + column[7][1]:
                header = reader.structure()
                data = content[reader.at : reader.at + header[HEAD_COMPRESSED][1]]
                reader.at += header[HEAD_COMPRESSED][1]
                place = 11 if HEAD_DICTIONARY in header else 9
                column[place] = (6, len(body))
                data = change(path, header, data)
                body += _write(header) + data
            column[7] = (6, len(body) - first)
            chunk[2] = (6, 0)
            for index in (4, 5, 6, 7):  # Places of page indices.
                chunk.pop(index, None)
        for index in (5, 6):
            group.pop(index, None)
    head = _write(footer)
    return bytes(body) + head + len(head).to_bytes(4, "little") + MAGIC


def level_run(*runs: tuple[int, int]) -> bytes:
    """
    Levels of repetition or definition of a data page, each below 256.

    Args:
        runs (`tuple[int, int]`): Level, and how often it follows itself.

    Returns:
        `bytes`: The runs, behind their length.
    """
    written = b"".join(_varint(count << 1) + bytes([level]) for level, count in runs)
    return len(written).to_bytes(4, "little") + written
