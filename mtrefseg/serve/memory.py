# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Keeps the memory of a server constant."""

import ctypes
import platform


_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8  # Options of `mallopt`, see malloc.h.
_TRIM_BYTES, _MAX_ARENAS = 1 << 26, 2


def give_back_freed_memory() -> None:
    """
    Makes this process return freed memory to the system. By default glibc keeps up to eight heaps per core, one for
    each thread that answers requests, and each stays as large as needed for the largest request that it has served.
    Does nothing with other C libraries. Call it before the first request, because existing heaps stay.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, _MAX_ARENAS)
        library.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
