# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reports the engine that trains, and refuses to run with another engine than the expected one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import nn
from tqdm.auto import tqdm
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments, set_seed
from transformers.utils import logging

from modeling_mtrefseg import MTRefSegModel
from mtrefseg.build.memory import keep_freed_memory
from trainer.errors import TrainingError
from trainer.training_config import MTRefSegTrainingConfig


logger = logging.get_logger(__name__)


def engine_of(accelerator: Accelerator) -> str:
    """One of `names.ENGINES`, or the name of another kind of distribution in lower case."""
    kind = accelerator.distributed_type
    if kind == DistributedType.DEEPSPEED:
        return f"zero{accelerator.state.deepspeed_plugin.zero_stage}"
    if kind == DistributedType.NO:
        return "single"
    return "ddp" if kind.value.startswith("MULTI_") else kind.value.lower()


def use_all_cores(arguments: TrainingArguments) -> None:
    """
    Lets a single process on the CPU use every core that it may run on. `accelerate launch` without a configuration
    gives it one thread.

    Args:
        arguments (`TrainingArguments`): Device and number of processes.
    """
    is_launched = "ACCELERATE_MIXED_PRECISION" in os.environ
    is_alone = arguments.device.type == "cpu" and arguments.world_size == 1
    if is_launched and is_alone and os.environ.get("OMP_NUM_THREADS") == "1":
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
        torch.set_num_threads(cores or 1)


def prepare_plain_training(arguments: TrainingArguments, label_names: Sequence[str]) -> None:
    """
    Prepares a run with transformers' own `Trainer`: the columns that the collator needs, the device and the seed.

    Args:
        arguments (`TrainingArguments`): Changed in place.
        label_names (`Sequence[str]`): The inputs that are scored; transformers guesses them from the signature.
    """
    arguments.remove_unused_columns = False
    arguments.label_names = list(label_names)
    arguments.use_cpu = not torch.accelerator.is_available()
    use_all_cores(arguments)
    keep_freed_memory(arguments.device)
    set_seed(arguments.seed)


def use_fast_attention(model: nn.Module, arguments: TrainingArguments) -> None:
    """
    Lets a language model that is trained in bfloat16 on the CPU compute attention from plain products. The gradients
    of PyTorch's fused attention take about four times as long there.

    Args:
        model (`nn.Module`): The model; one without a language model is left as it is.
        arguments (`TrainingArguments`): Device and precision.
    """
    if isinstance(model, MTRefSegModel) and arguments.device.type == "cpu" and arguments.bf16:
        model.language_model.set_attn_implementation("eager")


def check_engine(arguments: MTRefSegTrainingConfig, accelerator: Accelerator) -> None:
    """
    Rejects a run on another engine than the expected one: `accelerate launch --cpu`, for instance, starts one process
    without DeepSpeed, independent of the configuration.

    Args:
        arguments ([`MTRefSegTrainingConfig`]): The expected engine.
        accelerator (`Accelerator`): The engine in use.

    Raises:
        TrainingError: If the engine or the number of processes differs.
    """
    engine, processes = engine_of(accelerator), accelerator.num_processes
    if arguments.n_gpu > 1:
        raise TrainingError(
            f"One process sees {arguments.n_gpu} GPUs. PyTorch would split its batches between them and separate "
            "sentences from their pairs: start with `accelerate launch --config_file trainer/accelerate/ddp.yaml "
            f"--num_processes {arguments.n_gpu}`, or make one GPU visible with CUDA_VISIBLE_DEVICES=0."
        )
    wants_deepspeed = (
        arguments.deepspeed is not None or os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true"
    )
    if wants_deepspeed and arguments.should_log:
        _warn_of_locks()
    if wants_deepspeed and not engine.startswith("zero"):
        raise TrainingError(
            f"DeepSpeed was requested, but the engine is {engine!r}: start with `accelerate launch --config_file "
            "trainer/accelerate/zero2.yaml` and without --cpu."
        )
    if arguments.expected_engine not in ("any", engine):
        raise TrainingError(
            f"expected_engine is {arguments.expected_engine!r}, but the engine is {engine!r}: choose the "
            "configuration in trainer/accelerate that fits."
        )
    if arguments.expected_processes not in (None, processes):
        raise TrainingError(
            f"expected_processes is {arguments.expected_processes}, but {processes} are running: set num_processes in "
            "the accelerate configuration, and leave out --cpu, which starts only one."
        )


def _warn_of_locks() -> None:
    """Names locks of operators that are being compiled: DeepSpeed would wait for that of a killed process forever."""
    from torch.utils.cpp_extension import get_default_build_root  # Here, because it looks for compilers.

    root = Path(os.environ.get("TORCH_EXTENSIONS_DIR") or get_default_build_root())
    for lock in sorted({*root.glob("*/lock"), *root.glob("*/*/lock")}):
        logger.warning(
            f"{lock}: an operator is being compiled, or a killed process left this lock: if training does not start, "
            "delete this file."
        )


def check_precision(arguments: TrainingArguments, accelerator: Accelerator, model: nn.Module) -> None:
    """
    Rejects a run that would fail at its first step: in half precision DeepSpeed casts the weights, but not the
    statistics of batch normalisations.

    Args:
        arguments (`TrainingArguments`): The arguments.
        accelerator (`Accelerator`): The engine in use.
        model (`nn.Module`): The model to train.

    Raises:
        TrainingError: If a model with batch normalisations would be trained in this way.
    """
    is_cast = engine_of(accelerator).startswith("zero") and (arguments.bf16 or arguments.fp16)
    if is_cast and any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        raise TrainingError(
            "The backbone has batch normalisations, which DeepSpeed leaves in float32 while it casts the weights: "
            "leave out --bf16 and --fp16, or train without DeepSpeed."
        )


class EngineReport(TrainerCallback):
    """
    Prints the engine that wraps the model at the start of training.

    Args:
        trainer (`Trainer`): The trainer.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.line = ""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Writes one line.

        Raises:
            TrainingError: If DeepSpeed is configured but does not wrap the model.
        """
        accelerator = self.trainer.accelerator
        engine, wrapper = engine_of(accelerator), type(self.trainer.model_wrapped).__name__
        if engine.startswith("zero") and wrapper != "DeepSpeedEngine":
            raise TrainingError(f"DeepSpeed is configured, but {wrapper} trains the model: use accelerate launch.")
        backend = f", {accelerator.state.backend}" if accelerator.num_processes > 1 else ""
        precision = "bf16" if args.bf16 else "fp16" if args.fp16 else "fp32"
        self.line = (
            f"{wrapper} ({engine}), {accelerator.num_processes} process{'es' * (accelerator.num_processes > 1)}"
            f"{backend}, {accelerator.device.type}, {precision}"
        )
        if accelerator.is_main_process:
            tqdm.write(f"Engine: {self.line}")
