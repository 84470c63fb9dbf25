# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Parameter groups of the optimizer."""

from typing import Any

from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel
from transformers.trainer_pt_utils import get_parameter_names

from trainer.building.models import named_parts
from trainer.errors import TrainingError
from trainer.training_config import MTRefSegTrainingConfig


def parameter_groups(model: PreTrainedModel | PeftModel, arguments: MTRefSegTrainingConfig) -> list[dict[str, Any]]:
    """
    Groups the trainable parameters by learning rate and weight decay. Biases and normalisations have no weight decay.

    Args:
        model (`PreTrainedModel` or `PeftModel`): The model, not wrapped for distribution.
        arguments ([`MTRefSegTrainingConfig`]): The learning rates.

    Returns:
        `list[dict]`: Groups for an optimizer of PyTorch; none is empty, and each parameter is in one.

    Raises:
        TrainingError: If every part is frozen.
    """
    parts = named_parts(model.get_base_model() if isinstance(model, PeftModel) else model)
    rates = {
        id(parameter): rate
        for part, rate in (
            ("backbone", arguments.backbone_learning_rate),
            ("language_model", arguments.language_learning_rate),
        )
        if part in parts and rate is not None
        for parameter in parts[part].parameters()
    }
    weights = set(get_parameter_names(model, [nn.LayerNorm, nn.GroupNorm]))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decay = arguments.weight_decay if name in weights and parameter.ndim > 1 else 0.0
            rate = rates.get(id(parameter), arguments.learning_rate)
            groups.setdefault((rate, decay), []).append(parameter)
    if not groups:
        raise TrainingError(f"Nothing is left to train: freeze={arguments.freeze} names every part; leave one out.")
    # The library logs the rate of the first group.
    order = sorted(groups, key=lambda group: group[0] != arguments.learning_rate)
    return [{"params": groups[rate, decay], "lr": rate, "weight_decay": decay} for rate, decay in order]
