# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Builds the model and its processor: from a checkpoint, from pretrained parts, or new, with weights of stage 1."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn
from transformers import AutoModel, PreTrainedModel, TrainingArguments
from transformers.integrations.deepspeed import unset_hf_deepspeed_config
from transformers.utils import logging
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegImageProcessor, MTRefSegModel, MTRefSegProcessor, MTRefSegVisionModel
from mtrefseg.build.backbones import build_vision_from_backbones, from_backbones, replace_backbone
from mtrefseg.build.loading import check_complete, load_errors, load_processor
from mtrefseg.build.presets import PRESETS, preset_config, preset_model, tiny_processor
from trainer.arguments import ModelArguments
from trainer.baselines.models import baseline_model
from trainer.errors import TrainingError
from trainer.names import PARTS

from .pretrained_parts import SMALL, backbone_fields, fill_backbone, fill_words, given_backbone, small_processor


PAPER_TEXT_BACKBONE = "microsoft/phi-1_5"
"""The `paper` preset uses its tokenizer."""
VISION_PARTS = ("backbone", "fusion", "mask_decoder", "no_target_head")


def build_stage1(
    model_arguments: ModelArguments, model_config: ModelConfig, training: TrainingArguments
) -> tuple[MTRefSegVisionModel, MTRefSegProcessor]:
    """
    Builds the vision part for stage 1. The language model is neither built nor loaded.

    Args:
        model_arguments ([`ModelArguments`]): The source of the model.
        model_config (`ModelConfig`): `model_name_or_path` and `attn_implementation`.
        training (`TrainingArguments`): Used to find out whether DeepSpeed partitions weights.

    Returns:
        The vision part, and the processor of the complete model.

    Raises:
        TrainingError: If options contradict each other, or parts of a checkpoint do not fit the model.
        CheckpointError: If a checkpoint cannot be loaded.
    """
    with unpartitioned(training):
        if model_config.model_name_or_path is not None:
            path = model_config.model_name_or_path
            with load_errors(path):
                model, info = MTRefSegVisionModel.from_pretrained(path, **_loading(model_arguments, model_config))
                check_complete(model, info["missing_keys"])
            _refuse_for_checkpoint(model_arguments, path, model.config.fusion_type)
            return model, _load_processor(path, model_config.model_revision, model_arguments.image_size)
        for name in ("stage1", "baseline"):
            if getattr(model_arguments, name) is not None:
                raise TrainingError(f"{name} is for stage 2: leave it out. --parts_from takes parts of a checkpoint.")
        processor = _new_processor(model_arguments)
        if model_arguments.text_backbone is not None:
            model, _ = build_vision_from_backbones(**_backbones(model_arguments, processor))
        else:
            fields = processor.config_overrides | overridden_fields(model_arguments)
            fields.pop("vocab_size")
            config = preset_config(model_arguments.preset, **fields)
            model = MTRefSegVisionModel(config)
            fill_backbone(model.backbone, model_arguments)
        _set_attention(model, model_config)
        if model_arguments.parts_from is not None:
            take_parts(model, model_arguments.parts_from, model_arguments.parts)
        return model, processor


def build_stage2(
    model_arguments: ModelArguments, model_config: ModelConfig, training: TrainingArguments
) -> tuple[MTRefSegModel, MTRefSegProcessor]:
    """
    Builds the complete model for stage 2.

    Args:
        model_arguments, model_config, training: See [`build_stage1`].

    Returns:
        The model, its vision part from `model_arguments.stage1` if given, and its processor.

    Raises:
        TrainingError, CheckpointError: See [`build_stage1`].
    """
    with unpartitioned(training):
        if model_config.model_name_or_path is not None:
            path = model_config.model_name_or_path
            processor = _load_processor(path, model_config.model_revision, model_arguments.image_size)
            with load_errors(path):
                model, info = AutoModel.from_pretrained(path, **_loading(model_arguments, model_config))
                check_complete(model, info["missing_keys"])
                processor.check_fits(model.config)
            backbone = given_backbone(model_arguments)
            _refuse_for_checkpoint(model_arguments, path, model.config.fusion_type, backbone is not None)
            if backbone is not None:
                model = replace_backbone(model, backbone)
                if model_arguments.parts_from is not None:
                    take_parts(model, model_arguments.parts_from, model_arguments.parts)
            return model, processor
        processor = _new_processor(model_arguments)
        if model_arguments.text_backbone is not None:
            model = from_backbones(**_backbones(model_arguments, processor))
        else:
            model = _new_model(model_arguments, processor)
            own = named_parts(model)
            fill_backbone(own["backbone"], model_arguments)
            fill_words(own.get("token_embeddings"), processor, model_arguments)
        _set_attention(model, model_config)
        if model_arguments.parts_from is not None:
            take_parts(model, model_arguments.parts_from, model_arguments.parts)
        if model_arguments.stage1 is not None:
            own = named_parts(model)
            take_parts(model, model_arguments.stage1, [part for part in VISION_PARTS if part in own])
        return model, processor


def take_parts(model: MTRefSegModel | MTRefSegVisionModel, checkpoint: str, parts: Sequence[str]) -> None:
    """
    Copies the weights of parts into a model.

    Args:
        model ([`MTRefSegModel`] or [`MTRefSegVisionModel`]): The model.
        checkpoint (`str`): Hub id or folder of a checkpoint that has at least these parts.
        parts (`Sequence[str]`): Some of `PARTS`.

    Raises:
        TrainingError: If the model or the checkpoint has no such part, or if the part of the checkpoint has other
            sizes or another fusion type.
    """
    # Parts of a baseline come from a checkpoint of our model.
    is_visual = isinstance(model, MTRefSegVisionModel) or not {*parts} - {*VISION_PARTS}
    model_class = MTRefSegVisionModel if is_visual else MTRefSegModel
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # The library would list the other parts of the checkpoint as unexpected.
    try:
        with load_errors(checkpoint):
            trained, info = model_class.from_pretrained(
                checkpoint, dtype="float32", use_safetensors=True, output_loading_info=True
            )
    finally:
        logging.set_verbosity(verbosity)
    taken = _modules_of(model, parts, "parts")
    for part, module in taken.items():
        given = named_parts(trained)[part]
        names = {id(tensor) for tensor in given.parameters()}
        missing = sum(
            id(tensor) in names and name in info["missing_keys"] for name, tensor in trained.named_parameters()
        )
        if missing:
            raise TrainingError(f"{checkpoint} lacks {missing} tensors of {part}: name a checkpoint that holds it.")
        own, other = module.state_dict(), given.state_dict()
        unequal = list(own.keys() ^ other.keys())
        unequal += [key for key in own.keys() & other.keys() if own[key].shape != other[key].shape]
        if unequal:
            raise TrainingError(
                f"{checkpoint} does not fit the model: {len(unequal)} tensors of {part} differ, for example "
                f"{sorted(unequal)[0]}; use the same preset, fusion_type and config_overrides in both."
            )
        module.load_state_dict(other)


def freeze_parts(model: PreTrainedModel, parts: Sequence[str]) -> None:
    """
    Freezes parts.

    Args:
        model ([`MTRefSegModel`] or [`MTRefSegVisionModel`]): The model.
        parts (`Sequence[str]`): Some of `PARTS`.

    Raises:
        TrainingError: If the model has no such part.
    """
    for module in _modules_of(model, parts, "freeze").values():
        module.requires_grad_(False)


def named_parts(model: nn.Module) -> dict[str, nn.Module]:
    """The parts that a model has, by the names of `PARTS`; in stage 1 only the visual ones."""
    modules = dict(model.named_modules())
    # Attribute paths in our models and in the baselines.
    places = [(part, prefix + part) for part in PARTS for prefix in ("", "vision_model.")]
    parts = {part: modules[place] for part, place in places if place in modules}
    if "language_model" in parts:
        parts["token_embeddings"] = parts["language_model"].get_input_embeddings()
    return parts


def _modules_of(model: nn.Module, parts: Sequence[str], argument: str) -> dict[str, nn.Module]:
    modules = named_parts(model)
    for part in parts:
        if part not in modules:
            raise TrainingError(
                f"{argument} names {part}, but this stage trains only {', '.join(modules)}; leave it out."
            )
    return {part: modules[part] for part in parts}


@contextmanager
def unpartitioned(training: TrainingArguments) -> Iterator[None]:
    """Keeps ZeRO-3 from partitioning the models that are built in the block, so that weights of several checkpoints
    can be combined. DeepSpeed partitions them at the start of training."""
    plugin = training.deepspeed_plugin
    if plugin is None:
        yield
        return
    unset_hf_deepspeed_config()
    try:
        yield
    finally:
        plugin.set_deepspeed_weakref()


@contextmanager
def gathered_parameters(model: nn.Module, training: TrainingArguments) -> Iterator[None]:
    """Gathers all parameters of a model that ZeRO-3 has partitioned, on every process, for the time of the block.
    Changes made in the block are lost. All processes must enter it."""
    plugin = training.deepspeed_plugin
    if plugin is None or plugin.zero_stage != 3:
        yield
        return
    import deepspeed

    with unpartitioned(training), deepspeed.zero.GatheredParameters(list(model.parameters())):
        yield


def _new_model(arguments: ModelArguments, processor: MTRefSegProcessor) -> PreTrainedModel:
    """Our model or a baseline, with random weights."""
    overrides = overridden_fields(arguments)
    if arguments.baseline is None:
        return preset_model(arguments.preset, processor, **overrides)
    return baseline_model(arguments.baseline, arguments.preset, processor, **overrides)


def _new_processor(arguments: ModelArguments) -> MTRefSegProcessor:
    size = arguments.image_size or PRESETS[arguments.preset].get("image_size", 1024)
    if arguments.text_backbone is None and arguments.preset == SMALL:
        return small_processor(size)
    if arguments.text_backbone is None and arguments.preset == "tiny":
        return tiny_processor(size)
    return MTRefSegProcessor.from_tokenizer(arguments.text_backbone or PAPER_TEXT_BACKBONE, image_size=size)


def overridden_fields(arguments: ModelArguments) -> dict[str, Any]:
    """The fields of [`MTRefSegConfig`] in which a new model differs from its preset or backbones."""
    overrides = backbone_fields(arguments) | arguments.config_fields()
    if arguments.fusion_type is not None:
        overrides["fusion_type"] = arguments.fusion_type
    return overrides


def _backbones(arguments: ModelArguments, processor: MTRefSegProcessor) -> dict[str, Any]:
    names = {"vision": arguments.vision_backbone, "text": arguments.text_backbone}
    return names | processor.config_overrides | overridden_fields(arguments)


def _refuse_for_checkpoint(
    arguments: ModelArguments, path: str, fusion_type: str, replaces_backbone: bool = False
) -> None:
    fresh, given = ModelArguments(fusion_type=fusion_type, image_size=arguments.image_size), vars(arguments)
    fitting = ("vision_backbone", "parts_from", "parts") if replaces_backbone else ()
    ignored = [name for name, value in vars(fresh).items() if given[name] not in (None, value) and name not in fitting]
    if ignored:
        raise TrainingError(
            f"{path} is a complete model with the fusion {fusion_type!r}, which {', '.join(ignored)} cannot change. "
            f"To build a new model with parts of this one, use --parts_from {path} instead of --model_name_or_path."
        )


def _loading(arguments: ModelArguments, model_config: ModelConfig) -> dict[str, Any]:
    # Trained weights are kept in float32; --bf16 computes in bfloat16.
    canvas = {} if arguments.image_size is None else {"image_size": arguments.image_size}
    return {
        "dtype": "float32",
        "use_safetensors": True,
        "output_loading_info": True,
        "revision": model_config.model_revision,
        "attn_implementation": model_config.attn_implementation,
        **canvas,
    }


def _load_processor(path: str, revision: str, image_size: int | None) -> MTRefSegProcessor:
    """The processor of a checkpoint, optionally for a canvas of another size."""
    processor = load_processor(path, revision=revision)
    if image_size is None:
        return processor
    with load_errors(path):
        image_processor = MTRefSegImageProcessor.from_pretrained(path, revision=revision, size=image_size)
    # The number of image tokens follows from the size.
    return processor.with_other(image_processor=image_processor, num_image_tokens=None)


def _set_attention(model: PreTrainedModel, model_config: ModelConfig) -> None:
    if model_config.attn_implementation is not None:
        model.set_attn_implementation(model_config.attn_implementation)
