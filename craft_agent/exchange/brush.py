# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The run-length encoding of Label Studio's brush.

A stream of bits: 32 for the number of values, 5 for the bits of a value less one, four times 4 for the bits of a
run's length less one. Then runs: 1 bit says whether one value is repeated, 2 bits which of the four lengths is used,
then the length less one, then the value or the values. The values are the bytes of RGBA pixels in raster order.
"""

import numpy as np

from ..records import BoolMask


_WORD = 8
_LENGTHS = (3, 4, 8, 16)
_CHANNELS = 4
_LONGEST = 1 << _LENGTHS[-1]


def encode_brush(mask: BoolMask) -> list[int]:
    """The bytes, 0 to 255, of a mask `(height, width)`; all four channels of a marked pixel are 255."""
    values = mask.ravel()
    borders = np.flatnonzero(values[1:] != values[:-1]) + 1
    starts = np.concatenate(([0], borders))
    runs = np.diff(np.concatenate((starts, [values.size]))) * _CHANNELS
    bits = [f"{_CHANNELS * values.size:032b}{_WORD - 1:05b}", *(f"{length - 1:04b}" for length in _LENGTHS)]
    for value, run in zip(values[starts].tolist(), runs.tolist(), strict=True):
        while run:
            length = min(run, _LONGEST)
            choice = next(number for number, each in enumerate(_LENGTHS) if length <= 1 << each)
            bits.append(f"1{choice:02b}{length - 1:0{_LENGTHS[choice]}b}{255 * value:08b}")
            run -= length
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[start : start + 8], 2) for start in range(0, len(text), 8)]


def decode_brush(code: list[int], size: tuple[int, int]) -> BoolMask:
    """
    Decodes a brush.

    Args:
        code (`list[int]`): The bytes.
        size (`tuple[int, int]`): Width and height of the image.

    Returns:
        `np.ndarray`: Booleans `(height, width)`: where the last channel is above 127.

    Raises:
        ValueError: If the code is damaged or belongs to an image of another size.
    """
    if not all(isinstance(each, int) and 0 <= each <= 255 for each in code):
        raise ValueError("its brush contains values that are not bytes")
    bits = _Bits(bytes(code))
    total, word = bits.take(32), bits.take(5) + 1
    lengths = [bits.take(4) + 1 for _ in range(4)]
    if total != size[0] * size[1] * _CHANNELS:
        raise ValueError(f"its brush has {total} values and not the {_CHANNELS} x {size[0]} x {size[1]} of the image")
    if word != _WORD:
        raise ValueError(f"its brush has values of {word} bits and not of {_WORD}")
    values = np.zeros(total, dtype=np.uint8)
    at = 0
    while at < total:
        is_repeated = bits.take(1)
        end = at + 1 + bits.take(lengths[bits.take(2)])
        if end > total:
            raise ValueError("its brush is longer than the image")
        if is_repeated:
            values[at:end] = bits.take(_WORD)
        else:
            values[at:end] = [bits.take(_WORD) for _ in range(end - at)]
        at = end
    return values.reshape(size[1], size[0], _CHANNELS)[..., _CHANNELS - 1] > 127


class _Bits:
    """Reads numbers from a stream of bits, highest bit first."""

    def __init__(self, content: bytes) -> None:
        self._text = "".join(f"{byte:08b}" for byte in content)
        self._at = 0

    def take(self, count: int) -> int:
        """The next number of so many bits."""
        end = self._at + count
        if end > len(self._text):
            raise ValueError("its brush is cut off")
        number = int(self._text[self._at : end], 2)
        self._at = end
        return number
