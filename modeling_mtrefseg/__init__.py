# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
MTRefSeg: segments the change that a sentence describes between two images of a place.

Importing the package is fast. The first use of a model, configuration or processor class loads PyTorch, and registers
the classes, so that `AutoConfig`, `AutoModel`, `AutoProcessor` and `pipeline` know them without `trust_remote_code`.
If transformers is already imported, importing the package registers them immediately (if PyTorch is installed);
otherwise [`register`] does it.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from .configuration_mtrefseg import TASK, MTRefSegConfig, MTRefSegMaskDecoderConfig
    from .image_processing_mtrefseg import MTRefSegImageProcessor
    from .image_reading_mtrefseg import load_image, load_images
    from .mask_reading_mtrefseg import load_mask
    from .modeling_mtrefseg import MTRefSegModel
    from .outputs_mtrefseg import MTRefSegOutput, MTRefSegPairEncoding
    from .pipeline_mtrefseg import MTRefSegPipeline
    from .processing_mtrefseg import MTRefSegProcessor
    from .vision_model_mtrefseg import MTRefSegVisionModel


__version__ = "0.1.0"

_HOMES = {
    "TASK": "configuration_mtrefseg",
    "MTRefSegConfig": "configuration_mtrefseg",
    "MTRefSegImageProcessor": "image_processing_mtrefseg",
    "MTRefSegMaskDecoderConfig": "configuration_mtrefseg",
    "MTRefSegModel": "modeling_mtrefseg",
    "MTRefSegOutput": "outputs_mtrefseg",
    "MTRefSegPairEncoding": "outputs_mtrefseg",
    "MTRefSegPipeline": "pipeline_mtrefseg",
    "MTRefSegProcessor": "processing_mtrefseg",
    "MTRefSegVisionModel": "vision_model_mtrefseg",
    "load_image": "image_reading_mtrefseg",
    "load_images": "image_reading_mtrefseg",
    "load_mask": "mask_reading_mtrefseg",
}
_NEED_NO_MODEL = ("load_image", "load_images", "load_mask")
_is_registered = False

__all__ = [
    "TASK",
    "MTRefSegConfig",
    "MTRefSegImageProcessor",
    "MTRefSegMaskDecoderConfig",
    "MTRefSegModel",
    "MTRefSegOutput",
    "MTRefSegPairEncoding",
    "MTRefSegPipeline",
    "MTRefSegProcessor",
    "MTRefSegVisionModel",
    "load_image",
    "load_images",
    "load_mask",
    "register",
]


def register() -> None:
    """Registers the classes with transformers. May be called again."""
    global _is_registered
    if _is_registered:
        return
    _is_registered = True  # First, since the imports below use names of this package.

    from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoProcessor
    from transformers.pipelines import PIPELINE_REGISTRY

    from .configuration_mtrefseg import TASK, MTRefSegConfig, MTRefSegMaskDecoderConfig
    from .image_processing_mtrefseg import MTRefSegImageProcessor
    from .modeling_mtrefseg import MTRefSegModel
    from .pipeline_mtrefseg import MTRefSegPipeline
    from .processing_mtrefseg import MTRefSegProcessor

    AutoConfig.register(MTRefSegConfig.model_type, MTRefSegConfig)
    AutoConfig.register(MTRefSegMaskDecoderConfig.model_type, MTRefSegMaskDecoderConfig)
    AutoModel.register(MTRefSegConfig, MTRefSegModel)
    AutoImageProcessor.register(MTRefSegConfig, image_processor_classes={"pil": MTRefSegImageProcessor})
    AutoProcessor.register(MTRefSegConfig, MTRefSegProcessor)
    PIPELINE_REGISTRY.register_pipeline(TASK, pipeline_class=MTRefSegPipeline, pt_model=AutoModel, type="multimodal")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _NEED_NO_MODEL:
        register()
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


if "transformers" in sys.modules and find_spec("torch") is not None:
    register()
