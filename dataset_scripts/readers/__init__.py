# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads pairs of images with sentences and masks. [`open_pairs`] opens pairs in any storage format by name; all code
that reads pairs uses it. This package also defines the columns and labels of all datasets.
"""

from typing import TYPE_CHECKING, Any

from .file_names import FolderListing, leads_out
from .image_file import ImageFile, MaskRule
from .image_folder import is_image_folder
from .opening import COMPOSED, GENERATED, is_made, open_pairs
from .pair import Expression, Pair, check_pair, check_pairs
from .pair_source import GeneratedPairs, PairMaker, PairSource, TablePairs
from .raw_layout import list_pairs, list_setting, report_shared_ids
from .reading_report import EXPLANATIONS, Finding, ReadingReport, Reason, UnusableError, printable, printable_line
from .rows import PairContent, make_rows, read_content
from .schema import (
    CHANGE_TYPES,
    CITATION,
    DOMAINS,
    FEATURES,
    PAIRS_SUFFIX,
    PUBLISHED_COUNTS,
    SETTINGS,
    SKIPPED_SENTENCES,
    SPLITS,
    VIEWS,
    pair_features,
    pretrain_features,
    referring_features,
)
from .split_folders import SplitFolder, find_split_folders, fingerprint, select_folders


if TYPE_CHECKING:
    from .raw_builder import RawBuilder, RawConfig


__all__ = [
    "CHANGE_TYPES",
    "CITATION",
    "COMPOSED",
    "DOMAINS",
    "EXPLANATIONS",
    "FEATURES",
    "GENERATED",
    "PAIRS_SUFFIX",
    "PUBLISHED_COUNTS",
    "SETTINGS",
    "SKIPPED_SENTENCES",
    "SPLITS",
    "VIEWS",
    "Expression",
    "Finding",
    "FolderListing",
    "GeneratedPairs",
    "ImageFile",
    "MaskRule",
    "Pair",
    "PairContent",
    "PairMaker",
    "PairSource",
    "RawBuilder",
    "RawConfig",
    "ReadingReport",
    "Reason",
    "SplitFolder",
    "TablePairs",
    "UnusableError",
    "check_pair",
    "check_pairs",
    "find_split_folders",
    "fingerprint",
    "is_image_folder",
    "is_made",
    "leads_out",
    "list_pairs",
    "list_setting",
    "make_rows",
    "open_pairs",
    "pair_features",
    "pretrain_features",
    "printable",
    "printable_line",
    "read_content",
    "referring_features",
    "report_shared_ids",
    "select_folders",
]


def __getattr__(name: str) -> Any:
    # They are subclasses of classes of `datasets`, which is slow to import.
    if name in ("RawBuilder", "RawConfig"):
        from . import raw_builder

        return getattr(raw_builder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
