# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Baselines that are trained here, with the backbone, the language model, the data and the trainer of our model.

Importing this package registers them, so that `AutoModel.from_pretrained` loads their checkpoints.
"""

from transformers import AutoConfig, AutoModel

from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.build.presets import preset_model

from .baseline import BaselineModel
from .change_attention import ChangeAttentionModel
from .change_detector import ChangeDetectorModel
from .component_ranking import ComponentRankingModel
from .early_fusion import EarlyFusionModel
from .single_image import SingleImageModel


BASELINES: dict[str, type[BaselineModel]] = {
    "early_fusion": EarlyFusionModel,
    "change_attention": ChangeAttentionModel,
    "single_image": SingleImageModel,
    "change_detector": ChangeDetectorModel,
    "component_ranking": ComponentRankingModel,
}
"""By the values of `--baseline`."""

for _model_class in BASELINES.values():
    AutoConfig.register(_model_class.config_class.model_type, _model_class.config_class, exist_ok=True)
    AutoModel.register(_model_class.config_class, _model_class, exist_ok=True)


def baseline_model(name: str, preset: str, processor: MTRefSegProcessor, **overrides: object) -> BaselineModel:
    """
    A baseline with random weights that matches a processor.

    Args:
        name (`str`): A key of `BASELINES`.
        preset, processor, overrides: See [`preset_model`].
    """
    return preset_model(preset, processor, model_class=BASELINES[name], **overrides)


__all__ = ["BASELINES", "BaselineModel", "baseline_model"]
