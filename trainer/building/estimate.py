# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Estimates memory and hours of a training before it begins, with the formulas of `docs/reproduce.md`. No weights are
loaded or created: the model is built on PyTorch's meta device, where tensors have shapes but no values.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from peft import get_peft_model
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModel
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegVisionModel
from mtrefseg.build.loading import load_errors
from mtrefseg.build.presets import preset_fields
from trainer.arguments import DataArguments, ModelArguments
from trainer.baselines.models import BASELINES
from trainer.training_config import MTRefSegTrainingConfig

from .adapters import lora_errors, make_lora_config
from .models import freeze_parts, named_parts, overridden_fields


SENTENCES, SENTENCE_TOKENS, PROMPT_TOKENS = 4, 25, 30
"""Sentences per pair; tokens of a sentence with its answer; tokens of the prompt without the images."""
NUMBERS = 17
"""A transformer layer stores this many numbers per channel and token (https://huggingface.co/papers/2205.05198,
without attention maps), and a fusion block about as many per channel and position."""
PAPER_PAIRS = {True: 20_000, False: 5_646}
"""Training pairs of MTRefSeg-21K, stage 1 and stage 2: an epoch, unless a recipe defines it."""
ENGINES = ("ddp", "zero2", "zero3")
GPU_FLOPS = 0.3 * 312e12
"""Operations per second of one GPU: 30 % of the peak of an A100 in bfloat16."""
CPU_FLOPS = 30e9
"""Operations per second of one CPU core in float32."""


@dataclass(frozen=True)
class Costs:
    """
    Cost of training a model.

    Args:
        parameters, trained (`int`): All parameters, and those that are trained.
        operations (`float`): Floating-point operations of a forward pass of one pair.
        activations (`float`): Numbers that the forward pass of one pair stores for the backward pass.
    """

    parameters: int
    trained: int
    operations: float
    activations: float

    def memory(self, pairs: int, devices: int, engine: str, is_bf16: bool, is_checkpointed: bool) -> float:
        """
        Bytes on each device.

        Args:
            pairs (`int`): Pairs of a batch on each device.
            devices (`int`): Number of devices.
            engine (`str`): One of `ENGINES` of `trainer/names.py`; tensors that it partitions are divided by the
                devices.
            is_bf16 (`bool`): Whether activations are bfloat16.
            is_checkpointed (`bool`): Whether most activations are computed again in the backward pass.
        """
        weights, gradients, moments = 4.0 * self.parameters, 4.0 * self.trained, 8.0 * self.trained
        if engine in ("zero1", "zero2", "zero3"):
            moments /= devices
        if engine in ("zero2", "zero3"):
            gradients /= devices
        if engine == "zero3":
            weights /= devices
        copies = 2 * self.parameters if is_bf16 else 0
        kept = self.activations * pairs * (2 if is_bf16 else 4) * (0.2 if is_checkpointed else 1)
        return weights + gradients + moments + copies + kept

    def hours(self, pairs: float, speed: float, is_checkpointed: bool) -> float:
        """
        Hours for a number of pairs, at a speed in operations per second. A backward pass costs two forward passes, and
        one more with checkpointing.
        """
        return pairs * self.operations * (4 if is_checkpointed else 3) / speed / 3600


def estimate(
    model_arguments: ModelArguments,
    data_arguments: DataArguments,
    training: MTRefSegTrainingConfig,
    model_config: ModelConfig,
    is_stage1: bool,
) -> str:
    """
    The estimate of a run for one CPU core and 1, 4 and 8 GPUs, as a table.

    Args:
        model_arguments, data_arguments, training, model_config: The arguments of the run.
        is_stage1 (`bool`): Whether the vision part alone is trained.

    Raises:
        TrainingError: If the model has no part of the name that is to be frozen, or a checkpoint cannot be read.
    """
    model: Any = _model_on_meta(model_arguments, model_config, is_stage1)
    costs = count(model, training.freeze)
    adapters = make_lora_config(model, model_config, training.freeze)
    if adapters is not None:
        with lora_errors(model_config):
            costs = replace(costs, trained=_trained(get_peft_model(model, adapters)))
    batch, accumulated = training.per_device_train_batch_size, training.gradient_accumulation_steps
    if training.max_steps > 0:
        pairs: float = training.max_steps * batch * accumulated * (training.expected_processes or 1)
    else:
        pairs = training.num_train_epochs * (data_arguments.epoch_pairs or PAPER_PAIRS[is_stage1])
    is_bf16, is_checkpointed = bool(training.bf16), bool(training.gradient_checkpointing)
    lines = [
        f"{costs.parameters / 1e6:,.1f} million parameters, {costs.trained / 1e6:,.1f} million of them trained",
        f"{costs.operations / 1e9:,.1f} billion operations per forward pass of a pair; {pairs:,.0f} pairs in all",
        f"{'devices':<12}  {'hours':>9}  GiB on each, {' '.join(f'{name:>9}' for name in ENGINES)}",
    ]
    for devices, name, speed in ((1, "1 CPU core", CPU_FLOPS), *((n, f"{n} GPU", n * GPU_FLOPS) for n in (1, 4, 8))):
        sizes = [costs.memory(batch, devices, engine, is_bf16, is_checkpointed) / 2**30 for engine in ENGINES]
        hours = costs.hours(pairs, speed, is_checkpointed)
        lines.append(f"{name:<12}  {hours:>9,.2f}  {'':>12} {' '.join(f'{size:>9,.1f}' for size in sizes)}")
    return "\n".join([*lines, "docs/reproduce.md gives the formulas, and says how far they were checked."])


@torch.no_grad()
def count(model: nn.Module, frozen: list[str]) -> Costs:
    """
    Counts the cost of one pair for a model on the meta device.

    Args:
        model ([`MTRefSegModel`], [`MTRefSegVisionModel`] or a baseline): The model.
        frozen (`list[str]`): Parts that are not trained; they are frozen in the model.

    Raises:
        TrainingError: If the model has no such part.
    """
    freeze_parts(model, frozen)
    parts: dict[str, Any] = named_parts(model)
    config: Any = model.config
    size = config.image_size
    images = torch.zeros(2, 3, size, size, device="meta")
    kept = 0

    def keep(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal kept
        kept += output.numel() if isinstance(output, Tensor) else 0

    model.eval()
    handles = [
        module.register_forward_hook(keep) for module in parts["backbone"].modules() if not list(module.children())
    ]
    with FlopCounterMode(display=False) as counter:
        levels = parts["backbone"](images).feature_maps
    for handle in handles:
        handle.remove()
    operations, activations = float(counter.get_total_flops()), float(kept)
    if "fusion" in parts:
        for block, level in zip(parts["fusion"].blocks, levels):
            operations += 2 * _size(block) * level[0, 0].numel()
            activations += NUMBERS * level[0].numel()
    if "mask_decoder" in parts:
        decoder, positions = config.mask_decoder_config, size * size * (1 / 64 + 1 / 256 + 1 / 1024)
        operations += 2 * _size(parts["mask_decoder"]) * positions
        activations += NUMBERS * decoder.pixel_decoder_layers * decoder.hidden_size * positions
    if "language_model" in parts:
        text, image_tokens = config.text_config, math.ceil(size / 128) ** 2
        tokens = SENTENCES * SENTENCE_TOKENS + (PROMPT_TOKENS + 2 * image_tokens if "projector" in parts else 0)
        body = _size(parts["language_model"]) - _size(parts["token_embeddings"])
        operations += 2 * body * tokens
        activations += NUMBERS * text.num_hidden_layers * text.hidden_size * tokens
    return Costs(_size(model), _trained(model), operations, activations)


def _model_on_meta(model_arguments: ModelArguments, model_config: ModelConfig, is_stage1: bool) -> nn.Module:
    """The model of a run, without values. Pretrained parts from the Hub are assumed to have the sizes of those in the
    paper."""
    name, baseline = model_config.model_name_or_path, model_arguments.baseline
    canvas = {} if model_arguments.image_size is None else {"image_size": model_arguments.image_size}
    model_class: Any = MTRefSegVisionModel if is_stage1 else MTRefSegModel
    if name is not None:
        with load_errors(name):
            config = AutoConfig.from_pretrained(name, revision=model_config.model_revision, **canvas)
        with torch.device("meta"):
            return model_class(config) if is_stage1 else AutoModel.from_config(config)
    if baseline is not None:
        model_class = BASELINES[baseline]
    preset = model_arguments.preset if model_arguments.text_backbone is None else "paper"
    fields = {**overridden_fields(model_arguments), **canvas}
    with torch.device("meta"):
        return model_class(model_class.config_class(**{**preset_fields(preset), **fields}))


def _trained(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def _size(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())
