# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What models are called in the data's provenance."""

from pathlib import Path


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
