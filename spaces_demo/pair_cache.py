# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The few pairs that were asked about last, each kept for the visitor who brought it."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import Generic, TypeVar


Kept = TypeVar("Kept")


class PairCache(Generic[Kept]):
    """
    Keeps what was computed of a pair, at most `capacity` pairs of all visitors together; the one not used for longest
    goes first. Safe to use from several threads.

    Args:
        capacity (`int`): Pairs to keep.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._kept: OrderedDict[tuple[str, Hashable], Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, visitor: str, key: Hashable) -> Kept | None:
        """What was kept of a visitor's pair, `None` if nothing is."""
        with self._lock:
            kept = self._kept.get((visitor, key))
            if kept is not None:
                self._kept.move_to_end((visitor, key))
            return kept

    def put(self, visitor: str, key: Hashable, value: Kept) -> None:
        """Keeps something of a visitor's pair, and drops what is too much."""
        with self._lock:
            self._kept[visitor, key] = value
            self._kept.move_to_end((visitor, key))
            while len(self._kept) > self.capacity:
                self._kept.popitem(last=False)

    def forget(self, visitor: str) -> None:
        """Drops all that is kept of a visitor."""
        with self._lock:
            for name in [name for name in self._kept if name[0] == visitor]:
                del self._kept[name]


def digest_of(*paths: str | Path) -> str:
    """SHA-256 of the contents of each of some files, in order."""
    return " ".join(hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths)
