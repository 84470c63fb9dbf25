# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
MTRefSeg: two images of a place and a sentence in, the mask of exactly that change out.

Importing the package registers its classes, so that `AutoConfig`, `AutoModel`, `AutoProcessor` and `pipeline` know
them without `trust_remote_code`. Registration needs the classes themselves, so this import loads PyTorch, unlike
`import mtrefseg`.
"""

from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoProcessor
from transformers.pipelines import PIPELINE_REGISTRY

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

AutoConfig.register(MTRefSegConfig.model_type, MTRefSegConfig)
AutoConfig.register(MTRefSegMaskDecoderConfig.model_type, MTRefSegMaskDecoderConfig)
AutoModel.register(MTRefSegConfig, MTRefSegModel)
AutoImageProcessor.register(MTRefSegConfig, image_processor_classes={"pil": MTRefSegImageProcessor})
AutoProcessor.register(MTRefSegConfig, MTRefSegProcessor)
PIPELINE_REGISTRY.register_pipeline(TASK, pipeline_class=MTRefSegPipeline, pt_model=AutoModel, type="multimodal")

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
]
