# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The reader of images and the reader of masks. They are defined with the image processor, because a checkpoint on the
Hub must contain all the code that it needs.
"""

from modeling_mtrefseg import load_image, load_images, load_mask
from modeling_mtrefseg.image_bands_mtrefseg import (
    Stretch,
    apply_limits,
    known_depth,
    percentile_limits,
    unsaid_nodata,
)
from modeling_mtrefseg.image_files_mtrefseg import (
    DEEP_MODES,
    ImageError,
    UnsupportedImageError,
    decoding,
    depth_of,
    open_image,
    read_size,
)
from modeling_mtrefseg.image_places_mtrefseg import check_same_place
from modeling_mtrefseg.image_reading_mtrefseg import describe_dullness, read_images
from modeling_mtrefseg.mask_reading_mtrefseg import AmbiguousMaskError, read_mask
from modeling_mtrefseg.tiff_tags_mtrefseg import OTHER_PAGES, read_tags


__all__ = [
    "DEEP_MODES",
    "OTHER_PAGES",
    "AmbiguousMaskError",
    "ImageError",
    "Stretch",
    "UnsupportedImageError",
    "apply_limits",
    "check_same_place",
    "decoding",
    "depth_of",
    "describe_dullness",
    "known_depth",
    "load_image",
    "load_images",
    "load_mask",
    "open_image",
    "percentile_limits",
    "read_images",
    "read_mask",
    "read_size",
    "read_tags",
    "unsaid_nodata",
]
