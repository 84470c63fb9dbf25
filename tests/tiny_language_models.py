# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Tiny language models that see, with random weights, in folders laid out as those on the Hub are. Most need
torchvision."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast


def tokenizer(specials: Mapping[str, str], more: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    """
    A tokenizer of bytes without merges: it writes anything.

    Args:
        specials (`Mapping[str, str]`): Special tokens by the name of the attribute, such as "image_token".
        more (`tuple[str, ...]`): Further special tokens.
    """
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokens = ["[PAD]", "[START]", "[END]", *specials.values(), *more]
    made.train_from_iterator([], trainers.BpeTrainer(vocab_size=1, initial_alphabet=alphabet, special_tokens=tokens))
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        bos_token="[START]",
        eos_token="[END]",
        extra_special_tokens=dict(specials),
    )


def chat_template(image: str) -> str:
    """A chat template in which an image is written as given."""
    return (
        "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}"
        + image
        + "{% else %}{{ part['text'] }}{% endif %}{% endfor %}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )


def _text_config(model_type: str, words: PreTrainedTokenizerFast, **fields: Any) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "vocab_size": len(words),
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 8192,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
        **fields,
    }


_QWEN_SPECIALS = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
}


def _qwen_parts(patch_size: int) -> tuple[PreTrainedTokenizerFast, Any, dict[str, int], str]:
    """Tokenizer, image processor, numbers of tokens and chat template."""
    words = tokenizer(_QWEN_SPECIALS)
    side = 2 * patch_size
    size = {"shortest_edge": side * side, "longest_edge": 16 * side * side}
    images = transformers.Qwen2VLImageProcessorPil(patch_size=patch_size, size=size)
    numbers = {f"{name}_id": words.convert_tokens_to_ids(token) for name, token in _QWEN_SPECIALS.items()}
    return words, images, numbers, chat_template("<|vision_start|><|image_pad|><|vision_end|>")


def save_qwen2_5_vl(folder: Path) -> Path:
    """Qwen2.5-VL; images have at most 16 tokens."""
    words, images, numbers, template = _qwen_parts(14)
    config = transformers.Qwen2_5_VLConfig(
        text_config=_text_config(
            "qwen2_5_vl_text", words, rope_parameters={"rope_type": "default", "mrope_section": [2, 1, 1]}
        ),
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
            "patch_size": 14,
            "window_size": 56,
            "fullatt_block_indexes": [0],
        },
        **numbers,
    )
    torch.manual_seed(0)
    transformers.Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    videos = transformers.Qwen2VLVideoProcessor()
    transformers.Qwen2_5_VLProcessor(images, words, videos, chat_template=template).save_pretrained(folder)
    return folder


def save_qwen3_vl(folder: Path) -> Path:
    """Qwen3-VL; images have at most 16 tokens."""
    words, images, numbers, template = _qwen_parts(16)
    config = transformers.Qwen3VLConfig(
        text_config=_text_config(
            "qwen3_vl_text",
            words,
            head_dim=8,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]},
        ),
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
            "patch_size": 16,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        **numbers,
    )
    torch.manual_seed(0)
    transformers.Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    videos = transformers.Qwen3VLVideoProcessor()
    transformers.Qwen3VLProcessor(images, words, videos, chat_template=template).save_pretrained(folder)
    return folder


def save_internvl(folder: Path) -> Path:
    """InternVL; an image has four tokens a tile."""
    specials = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    words = tokenizer(specials)
    config = transformers.InternVLConfig(
        text_config=_text_config("qwen2", words),
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": [32, 32],
            "patch_size": [8, 8],
        },
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    torch.manual_seed(0)
    transformers.InternVLForConditionalGeneration(config).save_pretrained(folder)
    side = {"height": 32, "width": 32}
    images = transformers.GotOcr2ImageProcessorPil(size=side, crop_to_patches=True, max_patches=3)
    videos = transformers.InternVLVideoProcessor(size=side)
    transformers.InternVLProcessor(
        images, words, videos, image_seq_length=4, chat_template=chat_template("<IMG_CONTEXT>\n")
    ).save_pretrained(folder)
    return folder


def save_paligemma(folder: Path) -> Path:
    """PaliGemma; an image has sixteen tokens."""
    words = tokenizer({"image_token": "<image>"})
    images = transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    images.image_seq_length = 16
    # The processor adds the tokens of boxes and masks.
    processor = transformers.PaliGemmaProcessor(images, words)
    config = transformers.PaliGemmaConfig(
        text_config=_text_config("gemma", words, head_dim=8),
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
            "projection_dim": 16,
        },
        image_token_id=words.convert_tokens_to_ids("<image>"),
        projection_dim=16,
    )
    torch.manual_seed(0)
    transformers.PaliGemmaForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def save_florence2(folder: Path) -> Path:
    """Florence-2."""
    words = tokenizer({"image_token": "<image>"}, tuple(f"<loc_{place}>" for place in range(1000)))
    config = transformers.Florence2Config(
        text_config={
            "model_type": "bart",
            "vocab_size": len(words),
            "d_model": 16,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 16,
            "decoder_ffn_dim": 16,
            "max_position_embeddings": 1100,
            "pad_token_id": words.pad_token_id,
            "bos_token_id": words.bos_token_id,
            "eos_token_id": words.eos_token_id,
            "decoder_start_token_id": words.eos_token_id,
        },
        vision_config={
            "embed_dim": [8, 8, 8, 16],
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 1, 2],
            "num_groups": [1, 1, 1, 2],
            "patch_size": [7, 3, 3, 3],
            "window_size": 2,
            "projection_dim": 16,
        },
        image_token_id=words.convert_tokens_to_ids("<image>"),
    )
    torch.manual_seed(0)
    transformers.Florence2ForConditionalGeneration(config).save_pretrained(folder)
    side = {"height": 64, "width": 64}
    images = transformers.CLIPImageProcessorPil(size=side, crop_size=side, do_center_crop=False)
    # 64 pixels give 2 x 2 places, and one for their mean.
    images.image_seq_length = 5
    transformers.Florence2Processor(images, words, post_processor_config={"polygons": {}}).save_pretrained(folder)
    return folder
