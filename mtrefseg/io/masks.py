# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The writer of masks."""

import io

import numpy as np
from PIL import Image


def encode_mask(mask: np.ndarray) -> bytes:
    """
    Writes a mask.

    Args:
        mask (`np.ndarray`): Booleans of shape `(height, width)`.

    Returns:
        `bytes`: A PNG of mode "L", 0 or 255.
    """
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return buffer.getvalue()
