# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A cache of recent results, separate for each visitor and limited in bytes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image
from torch import Tensor

from mtrefseg.io import sha256_of


Kept = TypeVar("Kept")


@dataclass(frozen=True)
class _Entry(Generic[Kept]):
    value: Kept
    size: int
    since: float
    """When the value was put in, by the monotonic clock."""


class PairCache(Generic[Kept]):
    """
    Keeps results for pairs, at most `capacity` bytes for all visitors together. The least recently used one is evicted
    first, and one larger than `capacity` is not kept. Thread-safe.

    Args:
        capacity (`int`): Bytes to keep, as [`bytes_of`] counts them.
        seconds (`float`, *optional*): How long a value is kept, however often it is used.
    """

    def __init__(self, capacity: int, seconds: float | None = None) -> None:
        self.capacity = capacity
        self.seconds = seconds
        self._kept: OrderedDict[tuple[str, Hashable], _Entry[Kept]] = OrderedDict()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """`int`: Bytes in use."""
        with self._lock:
            return self._sum()

    def visitors(self) -> set[str]:
        """Visitors with cached entries."""
        with self._lock:
            return {visitor for visitor, _ in self._kept}

    def get(self, visitor: str, key: Hashable) -> Kept | None:
        """The cached value of a visitor's pair, `None` if there is none."""
        with self._lock:
            kept = self._kept.get((visitor, key))
            if kept is None:
                return None
            self._kept.move_to_end((visitor, key))
            return kept.value

    def put(self, visitor: str, key: Hashable, value: Kept) -> None:
        """Stores or replaces a value, and evicts the oldest entries if the cache is full."""
        size = bytes_of(value)
        with self._lock:
            known = self._kept.get((visitor, key))
            since = known.since if known is not None and known.value is value else time.monotonic()
            self._kept[visitor, key] = _Entry(value, size, since)
            self._kept.move_to_end((visitor, key))
            if size > self.capacity:
                del self._kept[visitor, key]
            while self._sum() > self.capacity:
                self._kept.popitem(last=False)
            self._start_timer()

    def forget(self, visitor: str) -> None:
        """Removes all entries of a visitor."""
        with self._lock:
            for name in [name for name in self._kept if name[0] == visitor]:
                del self._kept[name]

    def _sum(self) -> int:
        return sum(entry.size for entry in self._kept.values())

    def _start_timer(self) -> None:
        """Values become too old also while nobody uses the cache."""
        if self.seconds is None or self._timer is not None or not self._kept:
            return
        oldest = min(entry.since for entry in self._kept.values())
        self._timer = threading.Timer(max(0.0, oldest + self.seconds - time.monotonic()), self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        with self._lock:
            end = time.monotonic() - (self.seconds or 0.0)
            for name in [name for name, entry in self._kept.items() if entry.since <= end]:
                del self._kept[name]
            self._timer = None
            self._start_timer()


def bytes_of(value: Any) -> int:
    """
    The memory of all images, arrays, tensors and texts in a nested value. What several of its parts share counts once.

    Args:
        value: One of them, or a dataclass, mapping, list or tuple of them; anything else counts as 0.

    Returns:
        `int`: Bytes.
    """
    return _new_bytes(value, set())


def _new_bytes(value: Any, counted: set[int]) -> int:
    """Bytes of what is not yet `counted`: addresses of the memory of tensors, and ids of other values."""
    # A tensor may be a view of a larger one, whose memory it keeps.
    memory = value.untyped_storage() if isinstance(value, Tensor) else None
    name = id(value) if memory is None else memory.data_ptr()
    if name in counted:
        return 0
    counted.add(name)
    if memory is not None:
        return memory.nbytes()
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Image.Image):
        return value.width * value.height * len(value.getbands())
    if isinstance(value, str | bytes):
        return len(value)
    parts: list[Any] = []
    if isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, list | tuple):
        parts = list(value)
    elif is_dataclass(value):
        parts = [getattr(value, each.name) for each in fields(value)]
    return sum(_new_bytes(part, counted) for part in parts)


def digest_of(*paths: str | Path) -> str:
    """SHA-256 of the contents of each of some files, in order."""
    return " ".join(sha256_of(Path(path)) for path in paths)
