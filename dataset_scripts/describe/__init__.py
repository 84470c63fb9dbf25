# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Further sentences about pairs that have masks: referring data from any change detection dataset."""

from .describer import Describer


__all__ = ["Describer"]
