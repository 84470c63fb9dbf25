# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Files of exported folders, the names of the graphs' inputs and outputs, and the formats. Imports nothing.
"""

PACKAGES: dict[str, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("onnx", "onnxscript", "openvino"),
    "torch-export": (),
}
"""The formats, and what exporting to each needs besides PyTorch and transformers."""

SETTINGS = "export.json"
"""Settings that belong to a folder's graphs: format, thresholds, and how images and sentences are prepared."""
TOKENIZER = "tokenizer.json"
WEIGHTS = "weights.bin"
"""The larger weights of all ONNX graphs of a folder, each stored once."""

ENCODE, ANSWER, CHANGES = "encode", "answer", "changes"
"""The graphs: encode a pair; segment sentences with an encoding; the mask of every change, without a sentence."""

PAIR = ("pixel_values_t1", "pixel_values_t2")
PROMPT = ("prompt_input_ids", "prompt_attention_mask")
FEATURES = (
    "mask_features",
    "features_32",
    "features_16",
    "features_8",
    "attention_features_32",
    "attention_features_16",
    "attention_features_8",
)
TEXT_ENCODING = ("fused_features", "prompt_keys", "prompt_values")
SENTENCES = ("input_ids", "attention_mask", "query_mask")
ANSWERS = ("mask_logits", "no_target_logits")
