# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Annotations for other tools and from them: COCO, Label Studio and CVAT.

One module a format writes and reads its file; `exporting.export_annotations` and `importing.import_annotations` do the
rest, which is the same for all.
"""

from .formats import FORMATS, SHAPES


__all__ = ["FORMATS", "SHAPES"]
