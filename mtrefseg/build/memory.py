# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
What a process does with freed memory: commands that end keep it, servers return it. Both settings apply to the whole
process, so only programs call them. They do nothing with C libraries other than glibc.
"""

import ctypes
import platform
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import torch

# Options of `mallopt`, see malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_TRIM_BYTES, _MAX_ARENAS = 1 << 26, 2


def keep_freed_memory(device: "torch.device") -> None:
    """
    Makes a process that computes on the CPU keep freed memory. By default glibc returns the memory of each large
    tensor to the system, and the memory of the next tensor is requested and cleared again, page by page, which takes
    about a sixth of a training step and a quarter of encoding eight windows.

    Args:
        device (`torch.device`): The device that computes.
    """
    if device.type == "cpu":
        _set({_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1})


def give_back_freed_memory() -> None:
    """
    Makes this process return freed memory to the system. By default glibc keeps up to eight heaps per core, one for
    each thread that answers requests, and each stays as large as needed for the largest request that it has served.
    Call it before the first request, because existing heaps stay.
    """
    _set({_M_ARENA_MAX: _MAX_ARENAS, _M_TRIM_THRESHOLD: _TRIM_BYTES})


def _set(options: dict[int, int]) -> None:
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for option, value in options.items():
            library.mallopt(option, value)
