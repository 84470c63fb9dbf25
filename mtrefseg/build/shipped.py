# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds the default model."""

from pathlib import Path


MODEL_NAME = "mtrefseg-r1"
HUB_MODEL = f"kkk2026/{MODEL_NAME}"
"""The default model on the Hub, used if there is no folder of it."""


def shipped_model() -> str:
    """
    The folder `mtrefseg-r1` next to the package, as in a clone; or the one in the current folder, if the package was
    installed from the clone as a copy (`pip install .`); or else the Hub id of the model.
    """
    for parent in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (parent / MODEL_NAME / "config.json").is_file():
            return str(parent / MODEL_NAME)
    return HUB_MODEL
