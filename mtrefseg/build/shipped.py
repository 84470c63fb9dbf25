# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Where the model is that is meant if none is named."""

from pathlib import Path


MODEL_NAME = "mtrefseg-r1"
HUB_MODEL = f"kkk2026/{MODEL_NAME}"
"""Where the default model is downloaded from if it does not lie beside the package."""


def shipped_model() -> str:
    """The folder `mtrefseg-r1` beside the package, which a clone has, or else the id of the one on the Hub."""
    folder = Path(__file__).resolve().parents[2] / MODEL_NAME
    return str(folder) if (folder / "config.json").is_file() else HUB_MODEL
