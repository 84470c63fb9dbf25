# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The reader of images and the reader of masks. They are defined beside the image processor, since a checkpoint on the
Hub has to hold all the code that it needs.
"""

from modeling_mtrefseg import load_image, load_mask


__all__ = ["load_image", "load_mask"]
