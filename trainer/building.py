# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Makes the model and its processor: from a checkpoint, from pretrained parts, or new, with weights of stage 1."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn
from transformers import AutoModel, AutoProcessor, PreTrainedModel, TrainingArguments
from transformers.integrations.deepspeed import unset_hf_deepspeed_config
from transformers.utils import logging
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor, MTRefSegVisionModel
from modeling_mtrefseg.presets_mtrefseg import PRESETS, preset_config, preset_model, tiny_processor

from .arguments import PARTS, ModelArguments
from .errors import TrainingError


PAPER_TEXT_BACKBONE = "microsoft/phi-1_5"
"""Whose tokenizer the `paper` preset uses."""
VISION_PARTS = ("backbone", "fusion", "mask_decoder", "no_target_head")


def build_stage1(
    model_arguments: ModelArguments, model_config: ModelConfig, training: TrainingArguments
) -> tuple[MTRefSegVisionModel, MTRefSegProcessor]:
    """
    Makes the visual half for stage 1. The language model is neither built nor loaded.

    Args:
        model_arguments ([`ModelArguments`]): Where it comes from.
        model_config (`ModelConfig`): `model_name_or_path` and `attn_implementation`.
        training (`TrainingArguments`): Tells whether DeepSpeed partitions weights.

    Returns:
        The visual half, and the processor of the whole model.
    """
    with unpartitioned(training):
        if model_config.model_name_or_path is not None:
            path = model_config.model_name_or_path
            model = MTRefSegVisionModel.from_pretrained(path, **_loading(model_config))
            return model, AutoProcessor.from_pretrained(path)
        processor = _new_processor(model_arguments)
        if model_arguments.vision_backbone is not None:
            whole = _from_backbones(model_arguments, processor)
            return whole.vision_model, processor
        fields = processor.config_overrides | _overrides(model_arguments)
        fields.pop("vocab_size")
        config = preset_config(model_arguments.preset, **fields)
        return MTRefSegVisionModel._from_config(config, **_attention(model_config)), processor


def build_stage2(
    model_arguments: ModelArguments, model_config: ModelConfig, training: TrainingArguments
) -> tuple[MTRefSegModel, MTRefSegProcessor]:
    """
    Makes the whole model for stage 2.

    Args:
        model_arguments, model_config, training: See [`build_stage1`].

    Returns:
        The model, its visual half from `model_arguments.stage1` if given, and its processor.
    """
    with unpartitioned(training):
        if model_config.model_name_or_path is not None:
            path = model_config.model_name_or_path
            model = AutoModel.from_pretrained(path, **_loading(model_config))
            processor = AutoProcessor.from_pretrained(path)
        else:
            processor = _new_processor(model_arguments)
            if model_arguments.vision_backbone is not None:
                model = _from_backbones(model_arguments, processor)
            else:
                model = preset_model(model_arguments.preset, processor, **_overrides(model_arguments))
                if model_config.attn_implementation is not None:
                    model.set_attn_implementation(model_config.attn_implementation)
        if model_arguments.stage1 is not None:
            take_visual_half(model, model_arguments.stage1)
        return model, processor


def take_visual_half(model: MTRefSegModel, stage1: str) -> None:
    """
    Copies the weights of a visual half into a model.

    Args:
        model ([`MTRefSegModel`]): The model.
        stage1 (`str`): Hub id or folder of a checkpoint of stage 1, or of a whole model.

    Raises:
        TrainingError: If the checkpoint has other sizes or another kind of fusion.
    """
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # A whole checkpoint has more tensors, which would be listed as unexpected.
    trained, info = MTRefSegVisionModel.from_pretrained(stage1, dtype="float32", output_loading_info=True)
    logging.set_verbosity(verbosity)
    if info["missing_keys"]:
        raise TrainingError(
            f"{stage1} lacks {len(info['missing_keys'])} tensors of a visual half; is it a stage-1 model?"
        )
    own, given = model.vision_model.state_dict(), trained.state_dict()
    unequal = [key for key in own.keys() | given.keys() if key not in own or key not in given]
    unequal += [key for key in own.keys() & given.keys() if own[key].shape != given[key].shape]
    if unequal:
        raise TrainingError(
            f"{stage1} does not fit the model: {len(unequal)} tensors differ, for example {sorted(unequal)[0]}; use "
            "the same preset, fusion_type and config_overrides in both stages."
        )
    model.vision_model.load_state_dict(given)


def freeze_parts(model: PreTrainedModel, parts: Sequence[str]) -> None:
    """
    Stops the training of parts.

    Args:
        model ([`MTRefSegModel`] or [`MTRefSegVisionModel`]): The model.
        parts (`Sequence[str]`): Some of `PARTS`.

    Raises:
        TrainingError: If the model has no such part.
    """
    modules = named_parts(model)
    for part in parts:
        if part not in modules:
            raise TrainingError(f"freeze names {part}, but this stage trains only {', '.join(modules)}.")
        modules[part].requires_grad_(False)


def named_parts(model: nn.Module) -> dict[str, nn.Module]:
    """The parts of a model by the names of `PARTS`; stage 1 has the visual ones alone."""
    vision = model.get_submodule("vision_model") if isinstance(model, MTRefSegModel) else model
    return {
        part: (vision if part in VISION_PARTS else model).get_submodule(part)
        for part in PARTS
        if part in VISION_PARTS or isinstance(model, MTRefSegModel)
    }


@contextmanager
def unpartitioned(training: TrainingArguments) -> Iterator[None]:
    """Models built in the block are whole on every process, although ZeRO-3 would partition them at once: weights of
    several checkpoints can then be put together. DeepSpeed partitions them when training begins."""
    plugin = training.deepspeed_plugin
    if plugin is None:
        yield
        return
    unset_hf_deepspeed_config()
    try:
        yield
    finally:
        plugin.set_deepspeed_weakref()


def _new_processor(arguments: ModelArguments) -> MTRefSegProcessor:
    size = arguments.image_size or PRESETS[arguments.preset].get("image_size", 1024)
    if arguments.text_backbone is None and arguments.preset == "tiny":
        return tiny_processor(size, arguments.prompt_template)
    text = arguments.text_backbone or PAPER_TEXT_BACKBONE
    return MTRefSegProcessor.from_tokenizer(text, image_size=size, prompt_template=arguments.prompt_template)


def _overrides(arguments: ModelArguments) -> dict[str, Any]:
    overrides = dict(arguments.config_overrides or {})
    if arguments.fusion_type is not None:
        overrides["fusion_type"] = arguments.fusion_type
    return overrides


def _from_backbones(arguments: ModelArguments, processor: MTRefSegProcessor) -> MTRefSegModel:
    return MTRefSegModel.from_backbones(
        str(arguments.vision_backbone),
        str(arguments.text_backbone),
        **processor.config_overrides,
        **_overrides(arguments),
    )


def _loading(model_config: ModelConfig) -> dict[str, Any]:
    # Weights that are trained are kept in float32; --bf16 computes in bfloat16.
    return {"dtype": "float32", "revision": model_config.model_revision, **_attention(model_config)}


def _attention(model_config: ModelConfig) -> dict[str, Any]:
    implementation = model_config.attn_implementation
    return {} if implementation is None else {"attn_implementation": implementation}
