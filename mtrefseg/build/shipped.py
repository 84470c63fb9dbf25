# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds the default model."""

from pathlib import Path


MODEL_NAME = "mtrefseg-r1"
HUB_MODEL = f"kkk2026/{MODEL_NAME}"
"""The default model on the Hub, used if there is no folder next to the package."""


def shipped_model() -> str:
    """The folder `mtrefseg-r1` next to the package, which exists in a clone, or else the Hub id of the model."""
    folder = Path(__file__).resolve().parents[2] / MODEL_NAME
    return str(folder) if (folder / "config.json").is_file() else HUB_MODEL
