# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Values of the commands' options. Imports nothing, so that help and usage errors are fast."""

from pathlib import Path


RECIPES = Path(__file__).parent / "recipes"
MATRICES = Path(__file__).parent / "ablation"
"""Folder of the matrices of `ablate.py`."""
REPORT, PREDICTIONS = "report.json", "predictions.parquet"
"""Files of an evaluation."""
SHIPPED = Path(__file__).resolve().parents[1] / "mtrefseg-r1"
"""The checkpoint in a clone; recipes call it `mtrefseg-r1`."""
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
"""Values of `--baseline`: the models of `trainer/baselines/models`."""
MODEL_TYPES = ("mtrefseg", *(f"mtrefseg_{name}" for name in BASELINES))
"""`model_type` in the configurations of the checkpoints that are trained here."""
ENGINES = ("any", "single", "ddp", "zero1", "zero2", "zero3")
"""Values of `expected_engine`."""
GENERATED = "generated"
"""The name of the generator as a dataset."""
DATA_HELP = "Hub id, folder (Parquet export, raw layout or image folder) or 'generated' (default)"
SETTING_HELP = "TV: all pairs (default), NS: normal scenes, RS: remote sensing"
"""Help of `--data` and `--setting`."""
COMPOSED = "composed:"
"""Prefix of comma-separated folders of images with instance masks, from which pairs are composed."""
NO_TARGET_SHARE = 0.06
"""The generator's own `no_target_share`."""
NO_DATA = "none"
"""Value of `--eval_data` for no evaluation."""
PRETRAINED_BACKBONES = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
"""Values of `--vision_backbone` in addition to Hub ids and folders: weights from pip packages."""
SAME_LANGUAGE = "same"
"""Value of `--language_preset` to train the existing language part."""
LORA_OPTIONS = (
    "lora_r",
    "lora_alpha",
    "lora_dropout",
    "lora_target_modules",
    "lora_modules_to_save",
    "use_rslora",
    "use_dora",
)
"""trl's options of adapters that are read, beside `use_peft`."""
