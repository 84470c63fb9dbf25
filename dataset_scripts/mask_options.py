# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Options that define the meaning of the values of masks."""

import argparse
import math

from dataset_scripts.readers import MaskRule
from mtrefseg.option_values import whole_numbers


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """
    Declares `--mask-values` and `--mask-threshold`, of which only one may be given.

    Args:
        parser (`argparse.ArgumentParser`): The parser of a command that reads masks.
    """
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument(
        "--mask-values",
        metavar="N,N",
        type=whole_numbers,
        default=(),
        help="mask values (or palette entries) that are foreground, such as 2; without this option, ambiguous masks "
        "are skipped",
    )
    rule.add_argument("--mask-threshold", metavar="X", type=_finite, help="mask values above this are foreground")


def _finite(text: str) -> float:
    """A number. No value is above "nan", so that every mask would be empty."""
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def chosen_rule(arguments: argparse.Namespace) -> MaskRule | None:
    """The rule of [`add_mask_options`], `None` if neither option is given."""
    if not arguments.mask_values and arguments.mask_threshold is None:
        return None
    return MaskRule(arguments.mask_values, arguments.mask_threshold)
