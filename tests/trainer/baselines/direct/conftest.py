# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Tiny random models, each made once when it is first asked for."""

import importlib
from collections.abc import Callable

import pytest

from tests import tiny_language_models, tiny_models


def need_torchvision() -> None:
    """Skips a test where torchvision does not import."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as error:
        pytest.skip(
            f"transformers prepares images for this model with torchvision, which does not import here: {error}"
        )


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Gives the folder of a tiny model by its name."""
    root = tmp_path_factory.mktemp("models")

    def folder(kind: str) -> str:
        if kind in ("sam2", "sam3", "qwen2_5_vl", "qwen3_vl", "internvl"):
            need_torchvision()
        place = root / kind
        if not place.exists():
            module = tiny_models if hasattr(tiny_models, f"save_{kind}") else tiny_language_models
            getattr(module, f"save_{kind}")(place)
        return str(place)

    return folder
