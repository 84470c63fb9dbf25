# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The usual models, and what models are called in the data's provenance. Nothing is loaded."""

from pathlib import Path


CLIPSEG_MODEL = "CIDAS/clipseg-rd64-refined"
MTREFSEG_MODEL = "mtrefseg-r1"
SAM3_MODEL = "facebook/sam3"
SAM2_MODEL = "facebook/sam2.1-hiera-large"
DETECTOR_MODEL = "IDEA-Research/grounding-dino-base"
OFFLINE = "offline-2"
"""Both backends without weights; the number grows when their answers change."""


def model_name(kind: str, *models: str) -> str:
    """
    The name by which a backend is remembered.

    Args:
        kind (`str`): Kind of backend, such as "sam3".
        *models (`str`): Hub ids or folders. Of a folder only the last part is told.

    Returns:
        `str`: Such as "sam3:facebook/sam3"; several models are joined by "+".
    """
    told = [Path(model).resolve().name if Path(model).is_dir() else model for model in models]
    return f"{kind}:{'+'.join(told)}"
