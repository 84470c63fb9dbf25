# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The default models, and the names of backends. Nothing is loaded here."""

from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from mtrefseg.build.shipped import shipped_model


CLIPSEG_MODEL = "CIDAS/clipseg-rd64-refined"
MTREFSEG_MODEL = "mtrefseg-r1"
SAM3_MODEL = "facebook/sam3"
SAM2_MODEL = "facebook/sam2.1-hiera-large"
DETECTOR_MODEL = "IDEA-Research/grounding-dino-base"
DIFFERENCE = "offline-3"
"""Name of both backends without weights; the number is raised when their answers change."""
OFFLINE_MODEL = "offline-5"
"""The same for both backends with a model of this project."""


def offline_name(model: str) -> str:
    """Names both offline backends with a model of this project."""
    return model_name(OFFLINE_MODEL, model)


def offline_model() -> str | None:
    """The default model, if its weights are here: beside the package, or in the cache of the Hub; else `None`."""
    model = shipped_model()
    if Path(model).is_dir():
        return model if (Path(model) / "model.safetensors").is_file() else None
    return model if isinstance(try_to_load_from_cache(model, "model.safetensors"), str) else None


def model_name(kind: str, *models: str) -> str:
    """
    Names a backend, for the provenance of the data.

    Args:
        kind (`str`): Kind of backend, such as "sam3".
        *models (`str`): Hub ids or folders. Only the last part of a folder's path is used.

    Returns:
        `str`: Such as "sam3:facebook/sam3"; several models are joined by "+".
    """
    names = [Path(model).resolve().name if Path(model).is_dir() else model for model in models]
    return f"{kind}:{'+'.join(names)}"
