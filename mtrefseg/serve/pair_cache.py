# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A cache of recent results, separate for each visitor and limited in bytes."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image
from torch import Tensor

from mtrefseg.io import sha256_of


Kept = TypeVar("Kept")


class PairCache(Generic[Kept]):
    """
    Keeps results for pairs, at most `capacity` bytes for all visitors together. The least recently used one is evicted
    first, and one larger than `capacity` is not kept. Thread-safe.

    Args:
        capacity (`int`): Bytes to keep, as [`bytes_of`] counts them.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._kept: OrderedDict[tuple[str, Hashable], tuple[Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

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
            return kept[0]

    def put(self, visitor: str, key: Hashable, value: Kept) -> None:
        """Stores or replaces a value, and evicts the oldest entries if the cache is full."""
        size = bytes_of(value)
        with self._lock:
            self._kept[visitor, key] = (value, size)
            self._kept.move_to_end((visitor, key))
            if size > self.capacity:
                del self._kept[visitor, key]
            while self._sum() > self.capacity:
                self._kept.popitem(last=False)

    def forget(self, visitor: str) -> None:
        """Removes all entries of a visitor."""
        with self._lock:
            for name in [name for name in self._kept if name[0] == visitor]:
                del self._kept[name]

    def _sum(self) -> int:
        return sum(size for _, size in self._kept.values())


def bytes_of(value: Any) -> int:
    """
    The memory of all images, arrays, tensors and texts in a nested value.

    Args:
        value: One of them, or a dataclass, mapping, list or tuple of them; anything else counts as 0.

    Returns:
        `int`: Bytes.
    """
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Image.Image):
        return value.width * value.height * len(value.getbands())
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(bytes_of, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(bytes_of, value))
    if is_dataclass(value):
        return sum(bytes_of(getattr(value, each.name)) for each in fields(value))
    return 0


def digest_of(*paths: str | Path) -> str:
    """SHA-256 of the contents of each of some files, in order."""
    return " ".join(sha256_of(Path(path)) for path in paths)
