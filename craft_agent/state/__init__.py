# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The state of a run: one SQLite file in its folder, written by the process that the user starts and by nobody else.

`Store` opens it, `Claims` hands out pairs and stores their results, `PairFiles` and the functions beside it read a
folder of pairs, and `MemoryJournal` replaces the file where single steps are used without a run.
"""

from .claims import ClaimedPair, Claims
from .database import open_database
from .journal import Exchange, FailedRequest, Journal, MemoryJournal
from .pairs_folder import PairFiles, hash_pair, list_pairs, load_pair
from .rows import StepResult
from .settings import RunSettings
from .store import Store
from .workers import Worker


__all__ = [
    "ClaimedPair",
    "Claims",
    "Exchange",
    "FailedRequest",
    "Journal",
    "MemoryJournal",
    "PairFiles",
    "RunSettings",
    "StepResult",
    "Store",
    "Worker",
    "hash_pair",
    "list_pairs",
    "load_pair",
    "open_database",
]
