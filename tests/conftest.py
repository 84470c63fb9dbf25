# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Tiny random models and generated images; nothing is read from the network."""

import os
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import BatchFeature

from modeling_mtrefseg import MTRefSegConfig, MTRefSegModel, MTRefSegProcessor
from mtrefseg.build.presets import STAGES, tiny_processor


IMAGE_SIZE = 128
# One thread for each process, also for those that tests start: several that share few cores would wait for each other.
torch.set_num_threads(1)
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"


@pytest.fixture(scope="session")
def processor() -> MTRefSegProcessor:
    """The tiny preset's processor at 128 pixels; not to be changed by a test."""
    return tiny_processor(image_size=IMAGE_SIZE)


@pytest.fixture(scope="session")
def make_config(processor: MTRefSegProcessor) -> Callable[..., MTRefSegConfig]:
    """A function from changed fields to a tiny configuration of the paper's kind (Swin and Phi)."""

    def make(**overrides) -> MTRefSegConfig:
        fields = {
            "vision_config": {
                "model_type": "swin",
                "embed_dim": 16,
                "depths": [1, 1, 2, 1],
                "num_heads": [1, 2, 2, 4],
                "window_size": 3,
                "drop_path_rate": 0.0,
                "out_features": STAGES,
            },
            "text_config": {
                "model_type": "phi",
                "vocab_size": len(processor.tokenizer),
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "eos_token_id": processor.tokenizer.eos_token_id,
                "pad_token_id": processor.tokenizer.pad_token_id,
            },
            "mask_decoder_config": {
                "hidden_size": 32,
                "num_attention_heads": 4,
                "pixel_decoder_layers": 2,
                "pixel_decoder_intermediate_size": 64,
                "decoder_layers": 4,
                "decoder_intermediate_size": 64,
                "num_queries": 3,
            },
            "image_size": IMAGE_SIZE,
            "seg_head_size": 32,
            "seg_head_attention_heads": 1,
            "num_points": 64,
            "seg_token_id": processor.seg_token_id,
            "image_t1_token_id": processor.image_t1_token_id,
            "image_t2_token_id": processor.image_t2_token_id,
        }
        return MTRefSegConfig(**{**fields, **overrides})

    return make


@pytest.fixture(scope="session")
def make_model(make_config: Callable[..., MTRefSegConfig]) -> Callable[..., MTRefSegModel]:
    """A function from changed fields to a model in evaluation mode, always the same for the same fields. Noise on top
    of the initialisation lets every part, biases and norms too, show in the output."""

    def make(attn_implementation: str | None = None, **overrides) -> MTRefSegModel:
        torch.manual_seed(0)
        model = MTRefSegModel._from_config(make_config(**overrides), attn_implementation=attn_implementation)
        for parameter in model.parameters():
            parameter.data.add_(torch.randn_like(parameter), alpha=0.08)
        return model.eval()

    return make


@pytest.fixture(scope="session")
def model(make_model: Callable[..., MTRefSegModel]) -> MTRefSegModel:
    """One such model; not to be changed by a test."""
    return make_model()


@pytest.fixture(scope="session")
def make_image() -> Callable[..., Image.Image]:
    """A function from a size and a seed to a smooth random image."""

    def make(height: int = 96, width: int = 128, seed: int = 0) -> Image.Image:
        noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)

    return make


@pytest.fixture(scope="session")
def ragged_inputs(processor: MTRefSegProcessor, make_image: Callable[..., Image.Image]) -> BatchFeature:
    """Three pairs with two, no and three sentences."""
    return processor(
        images_t1=[make_image(seed=seed) for seed in (0, 1, 2)],
        images_t2=[make_image(seed=seed) for seed in (3, 4, 5)],
        text=[
            ["the new house", "the red car that left the road"],
            [],
            ["a tree", "the pond in the upper left corner that dried up", "it"],
        ],
    )
