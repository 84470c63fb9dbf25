# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Names that options of the commands take. Imports nothing, so that help and usage errors are quick."""

from pathlib import Path


RECIPES = Path(__file__).parent / "recipes"
MATRICES = Path(__file__).parent / "ablation"
"""Where the matrices of `ablate.py` are."""
SHIPPED = Path(__file__).resolve().parents[1] / "mtrefseg-r1"
"""The checkpoint that a clone holds; recipes name it `mtrefseg-r1`."""
SETTINGS = ("TV", "NS", "RS")
"""Benchmark settings: all domains, normal scenes, remote sensing."""
SPLITS = ("train", "validation", "test")
PARTS = (
    "backbone",
    "fusion",
    "mask_decoder",
    "no_target_head",
    "language_model",
    "token_embeddings",
    "projector",
    "seg_head",
)
"""The parts of the model that can be frozen."""
BASELINES = ("early_fusion", "change_attention", "single_image", "change_detector", "component_ranking")
"""What `--baseline` takes: the models of `trainer/baselines/models`."""
MODEL_TYPES = ("mtrefseg", *(f"mtrefseg_{name}" for name in BASELINES))
"""`model_type` in the configurations of the checkpoints that are trained here."""
ENGINES = ("any", "single", "ddp", "zero1", "zero2", "zero3")
"""What `expected_engine` can be."""
GENERATED = "generated"
"""The name of the generator where a dataset can be named."""
COMPOSED = "composed:"
"""What comes before folders of images with instance masks, with commas between them, that pairs are composed of."""
NO_TARGET_SHARE = 0.06
"""The generator's own `no_target_share`."""
NO_DATA = "none"
"""What `--eval_data` takes to evaluate on nothing."""
PRETRAINED_BACKBONES = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
"""What `--vision_backbone` takes besides Hub ids and folders: weights that a pip package holds."""
SAME_LANGUAGE = "same"
"""What `--language_preset` takes to train the language part that is there."""
