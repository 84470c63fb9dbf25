# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the offline perceiver and the offline segmenter share: the comparisons of the last few pairs."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from ...records import ImagePair
from ..model_names import DIFFERENCE, offline_name
from .difference import Comparison, compare


REMEMBERED_PAIRS = 8


class Comparisons:
    """
    The comparisons of the last few pairs. It may be used from several threads.

    Args:
        compare (`Callable[[ImagePair], Comparison]`): Compares the images of a pair.
        name (`str`): What compares, for the provenance of the data.
    """

    def __init__(self, compare: Callable[[ImagePair], Comparison], name: str) -> None:
        self.name = name
        self._compare = compare
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Comparison] = OrderedDict()

    def get(self, pair: ImagePair) -> Comparison:
        """The comparison of a pair."""
        digest = hashlib.sha256(str(pair.size).encode())
        for image in (pair.image_t1, pair.image_t2):
            digest.update(image.tobytes())
        key = digest.hexdigest()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        # Threads work on different pairs, so the lock is not held here.
        comparison = self._compare(pair)
        with self._lock:
            self._known[key] = comparison
            while len(self._known) > REMEMBERED_PAIRS:
                self._known.popitem(last=False)
        return comparison


DIFFERENCES = Comparisons(compare, DIFFERENCE)
"""Image differencing, without weights."""


@lru_cache(maxsize=2)
def model_comparisons(model: str, device: str | None, domain: str | None = None) -> Comparisons:
    """
    The comparisons of a model's every-change mask; a model is loaded once.

    Args:
        model (`str`): Folder or Hub id of a checkpoint of this project.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        domain (`str`, *optional*): "NS" or "RS", see [`EveryChange`].

    Raises:
        PermanentError: If the model cannot be loaded.
    """
    from .every_change import EveryChange  # Here, because PyTorch takes a while to import.

    return Comparisons(EveryChange(model, device, domain).compare, offline_name(model))
