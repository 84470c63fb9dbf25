# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""LoRA on the language model, with all other parts trained in full, and its merging into a plain checkpoint."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from peft import LoraConfig, NoMatchingPeftModuleError, PeftModel
from torch import nn
from transformers import PreTrainedModel
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from trainer.errors import TrainingError

from .models import VISION_PARTS


FULLY_TRAINED = (*VISION_PARTS, "projector", "seg_head")
"""The parts without adapters, which are trained and saved in full."""


def make_lora_config(
    model: PreTrainedModel, model_config: ModelConfig, frozen: Sequence[str] = ()
) -> LoraConfig | None:
    """
    Creates the LoRA configuration from `--use_peft` and the `--lora_...` arguments.

    Args:
        model (`PreTrainedModel`): The model; only [`MTRefSegModel`] can have adapters.
        model_config (`ModelConfig`): Rank and so on. Without `lora_target_modules` every linear layer of the language
            model's body gets an adapter; without `lora_modules_to_save` all other parts are trained in full.
        frozen (`Sequence[str]`, *optional*): Parts that are not trained; peft would train them.

    Returns:
        `LoraConfig` or `None`: `None` without `--use_peft`. Only the token embedding of `[SEG]` is trained, and
        none if the output layer shares them, or if they are frozen.

    Raises:
        TrainingError: If the language model is frozen, the model is a vision part or a baseline, or it has no part of
            a name in `lora_modules_to_save`.
    """
    if not model_config.use_peft:
        return None
    if not isinstance(model, MTRefSegModel):
        raise TrainingError(
            f"--use_peft trains adapters in stage 2 of our model, but this is a {type(model).__name__}: leave it out."
        )
    if "language_model" in frozen:
        raise TrainingError("freeze names language_model, which --use_peft would train; leave out one of the two.")
    whole = model_config.lora_modules_to_save or FULLY_TRAINED
    _check_parts(model, whole)
    return LoraConfig(
        r=model_config.lora_r,
        lora_alpha=model_config.lora_alpha,
        lora_dropout=model_config.lora_dropout,
        target_modules=_target_modules(model, model_config.lora_target_modules),
        modules_to_save=[part for part in whole if part not in frozen],
        trainable_token_indices=None if "token_embeddings" in frozen else _trained_tokens(model),
        use_rslora=model_config.use_rslora,
        use_dora=model_config.use_dora,
        bias="none",
        # With a task type, peft would call methods that only text generators have.
        task_type=None,
    )


def _target_modules(model: MTRefSegModel, given: str | list[str] | None) -> str | list[str]:
    """The layers that get adapters: by default all linear layers of the language model's body."""
    if given is None:
        layers = {
            name.rsplit(".", 1)[-1]
            for name, module in model.language_model.get_decoder().named_modules()
            if isinstance(module, nn.Linear)
        }
        # A pattern, because the backbone may have layers with the same names.
        return rf"language_model\..*\.({'|'.join(map(re.escape, sorted(layers)))})"
    # trl makes a string of a list of one, and peft would take it as a pattern of full names.
    return [given] if isinstance(given, str) and re.fullmatch(r"[\w.]+", given) else given


def _trained_tokens(model: MTRefSegModel) -> dict[str, list[int]] | None:
    """The row of `[SEG]` in the token embedding; `None` if the output layer shares them: peft would only train that of
    the input embeddings, so that tied weights could not be merged."""
    embeddings = model.get_input_embeddings()
    if model.get_output_embeddings().weight is embeddings.weight:
        return None
    name = next(name for name, module in model.named_modules() if module is embeddings)
    return {name.rsplit(".", 1)[-1]: [model.config.seg_token_id]}


def _check_parts(model: nn.Module, parts: Sequence[str]) -> None:
    """Refuses a name that no module's ends with: peft would ignore it, and nothing of what it means be trained."""
    ends = [f".{name}" for name, _ in model.named_modules()]
    for part in parts:
        if not any(end.endswith(f".{part}") for end in ends):
            parts_here = ", ".join(FULLY_TRAINED)
            raise TrainingError(f"--lora_modules_to_save {part}: there is no such part; the parts are {parts_here}.")


@contextmanager
def lora_errors(model_config: ModelConfig) -> Iterator[None]:
    """
    Converts peft's error about layers that the model lacks, while adapters are added in the block.

    Args:
        model_config (`ModelConfig`): `lora_target_modules`, for the message.

    Raises:
        TrainingError: If it names no layer.
    """
    try:
        yield
    except NoMatchingPeftModuleError as error:
        raise TrainingError(
            f"--lora_target_modules {model_config.lora_target_modules} names no layer of the language model: leave it "
            "out for all of its linear layers, or name some of them, such as q_proj."
        ) from error


def save_merged(model: PeftModel, processor: MTRefSegProcessor, folder: str | Path) -> MTRefSegModel:
    """
    Merges the adapters into the weights and saves a plain checkpoint, which `AutoModel` loads without peft.

    Args:
        model (`PeftModel`): The trained model; it is merged in place and can no longer be trained.
        processor ([`MTRefSegProcessor`]): Saved with it.
        folder (`str` or `Path`): The output folder.

    Returns:
        [`MTRefSegModel`]: The merged model.
    """
    merged: MTRefSegModel = model.merge_and_unload()
    merged.save_pretrained(folder)
    processor.save_pretrained(folder)
    return merged
