# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Tiny models with random weights, in folders laid out as those on the Hub are."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from mtrefseg.build.presets import PRESETS, preset_model, tiny_processor


WORDS = ("the", "red", "car", "that", "appeared", "image", "what", "changed", "user", "assistant", "1", "2", ":")
SPECIAL = ("[PAD]", "[UNK]", "[START]", "[END]")
IMAGE_TOKEN = "<image>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }} : {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %} {% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}assistant : {% endif %}"
)
# The project's own model: fields of the tiny preset, with smaller sizes.
TINY: dict[str, Any] = {
    "vision_config": {**PRESETS["tiny"]["vision_config"], "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]},
    "mask_decoder_config": {
        **PRESETS["tiny"]["mask_decoder_config"],
        "hidden_size": 32,
        "num_attention_heads": 2,
        "pixel_decoder_layers": 1,
        "pixel_decoder_intermediate_size": 32,
        "decoder_layers": 1,
        "decoder_intermediate_size": 32,
    },
    "text_config": {
        **PRESETS["tiny"]["text_config"],
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    },
    "seg_head_size": 16,
    "seg_head_attention_heads": 2,
}


def tokenizer(max_length: int, size: int = 64, places: dict[int, str] | None = None) -> PreTrainedTokenizerFast:
    """
    A tokenizer of a few words, which puts [START] before and [END] behind a text.

    Args:
        max_length (`int`): Longest text in tokens.
        size (`int`): Size of the vocabulary.
        places (`dict`): Words at fixed numbers.
    """
    taken = dict(places or {})
    words = [word for word in (*SPECIAL, IMAGE_TOKEN, *WORDS) if word not in taken.values()]
    free = iter(words)
    vocabulary = {taken[index] if index in taken else next(free, f"<{index}>"): index for index in range(size)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[START] $A [END]",
        special_tokens=[("[START]", vocabulary["[START]"]), ("[END]", vocabulary["[END]"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        bos_token="[START]",
        eos_token="[END]",
        model_max_length=max_length,
        extra_special_tokens=[IMAGE_TOKEN],
    )


def save_mtrefseg(folder: Path) -> Path:
    """The project's own model at 64 pixels."""
    processor = tiny_processor(64)
    torch.manual_seed(0)
    preset_model("tiny", processor, **TINY).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def save_clipseg(folder: Path) -> Path:
    """CLIPSeg."""
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = transformers.CLIPSegConfig(
        text_config={**sizes, "vocab_size": 64, "max_position_embeddings": 16, "eos_token_id": 3},
        vision_config={**sizes, "image_size": 32, "patch_size": 8},
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
        conditional_layer=0,
    )
    torch.manual_seed(0)
    transformers.CLIPSegForImageSegmentation(config).save_pretrained(folder)
    images = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})
    transformers.CLIPSegProcessor(images, tokenizer(16)).save_pretrained(folder)
    return folder


def save_owlv2(folder: Path) -> Path:
    """OWLv2."""
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.Owlv2Config(
        text_config={**sizes, "vocab_size": 64, "max_position_embeddings": 16, "eos_token_id": 3},
        vision_config={**sizes, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    torch.manual_seed(0)
    transformers.Owlv2ForObjectDetection(config).save_pretrained(folder)
    images = transformers.Owlv2ImageProcessorPil(size={"height": 32, "width": 32})
    transformers.Owlv2Processor(images, tokenizer(16)).save_pretrained(folder)
    return folder


def save_grounding_dino(folder: Path) -> Path:
    """Grounding DINO. It knows its special tokens by their numbers."""
    config = transformers.GroundingDinoConfig(
        backbone_config={
            "model_type": "swin",
            "image_size": 32,
            "embed_dim": 8,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 2, 2],
            "window_size": 2,
            "out_indices": [2, 3, 4],
        },
        text_config={
            "model_type": "bert",
            "vocab_size": 1100,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 32,
        },
        max_text_len=24,
        d_model=64,  # It is normalised in 32 groups.
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=5,
    )
    torch.manual_seed(0)
    transformers.GroundingDinoForObjectDetection(config).save_pretrained(folder)
    images = transformers.GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    words = tokenizer(24, 1100, {0: "[PAD]", 100: "[UNK]", 101: "[START]", 102: "[END]", 1012: "."})
    transformers.GroundingDinoProcessor(images, words).save_pretrained(folder)
    return folder


def save_sam2(folder: Path) -> Path:
    """SAM 2, as `facebook/sam2.1-hiera-large` is laid out. Needs torchvision."""
    config = transformers.Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": 8,
                "image_size": [64, 64],
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [8, 4, 4, 2],
                "global_attention_blocks": [3],
                "window_positional_embedding_background_size": [4, 4],
            },
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 32,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": 64, "patch_size": 16, "mask_input_channels": 8},
        mask_decoder_config={
            "hidden_size": 32,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    )
    torch.manual_seed(0)
    transformers.Sam2Model(config).save_pretrained(folder)
    images = transformers.Sam2ImageProcessor(size={"height": 64, "width": 64})
    transformers.Sam2Processor(images, target_size=64).save_pretrained(folder)
    return folder


_SAM3_BACKBONE = {
    "model_type": "sam3_vit_model",
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
    "pretrain_image_size": 28,
    "window_size": 2,
    "global_attn_indexes": [1],
}
_SAM3_VISION = {
    "backbone_config": _SAM3_BACKBONE,
    "fpn_hidden_size": 32,
    "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
}
_SAM3_PART = {"hidden_size": 32, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
_SAM3_DETECTOR = {
    "vision_config": _SAM3_VISION,
    "text_config": {
        "model_type": "clip_text_model",
        "vocab_size": 64,
        "hidden_size": 32,
        "intermediate_size": 32,
        "projection_dim": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 32,
        "eos_token_id": 3,
    },
    "geometry_encoder_config": _SAM3_PART,
    "detr_encoder_config": _SAM3_PART,
    "detr_decoder_config": {**_SAM3_PART, "num_queries": 6},
    "mask_decoder_config": {"hidden_size": 32, "num_attention_heads": 2},
}
_SAM3_TRACKER = {
    "vision_config": _SAM3_VISION,
    "prompt_encoder_config": {"hidden_size": 32, "image_size": 56, "patch_size": 14, "mask_input_channels": 8},
    "mask_decoder_config": {
        "hidden_size": 32,
        "mlp_dim": 32,
        "num_attention_heads": 2,
        "iou_head_hidden_dim": 16,
    },
    "image_size": 56,
    "memory_attention_hidden_size": 32,
    "memory_attention_num_layers": 1,
    "memory_attention_num_attention_heads": 1,
    "memory_attention_feed_forward_hidden_size": 32,
    "memory_attention_rope_feat_sizes": [4, 4],
    "memory_encoder_hidden_size": 32,
    "memory_encoder_output_channels": 16,
    "mask_downsampler_embed_dim": 32,
    "memory_fuser_embed_dim": 32,
    "memory_fuser_intermediate_dim": 32,
}


def save_sam3(folder: Path) -> Path:
    """SAM 3, as `facebook/sam3` is laid out: one folder with detector and tracker. Needs torchvision."""
    config = transformers.Sam3VideoConfig(
        detector_config=_SAM3_DETECTOR, tracker_config=_SAM3_TRACKER, low_res_mask_size=16
    )
    torch.manual_seed(0)
    transformers.Sam3VideoModel(config).save_pretrained(folder)
    size = {"height": 56, "width": 56}
    images = transformers.Sam3ImageProcessor(size=size, mask_size={"height": 16, "width": 16})
    films = transformers.Sam2VideoVideoProcessor(size=size)
    transformers.Sam3VideoProcessor(images, films, tokenizer(32), target_size=56).save_pretrained(folder)
    return folder


def save_llava(folder: Path) -> Path:
    """A vision-language model with a chat template. Its images are four tokens each."""
    config = transformers.LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 16,
            "projection_dim": 16,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": 64,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "pad_token_id": 0,
        },
        image_token_index=4,
    )
    torch.manual_seed(0)
    model = transformers.LlavaForConditionalGeneration(config)
    model.generation_config.pad_token_id = 0
    model.save_pretrained(folder)
    side = {"height": 32, "width": 32}
    images = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=side)
    transformers.LlavaProcessor(
        images,
        tokenizer(4096),
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(folder)
    return folder
