# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Builds models around pretrained parts from the Hub or local folders."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoBackbone,
    AutoConfig,
    AutoModelForCausalLM,
    Mask2FormerModel,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging

from modeling_mtrefseg.configuration_mtrefseg import MTRefSegConfig
from modeling_mtrefseg.modeling_mtrefseg import MTRefSegModel
from modeling_mtrefseg.vision_model_mtrefseg import MTRefSegVisionModel


logger = logging.get_logger(__name__)


@dataclass
class BackboneReport:
    """
    Which tensors of a model came from pretrained checkpoints.

    Args:
        taken (`dict[str, str]`): Our key, and the checkpoint of the tensor.
        new (`list[str]`): Keys that were initialised randomly and must be trained.
        unused (`dict[str, str]`): Keys of the checkpoints that were not used, and why.
    """

    taken: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{len(self.taken)} tensors taken from {', '.join(sorted(set(self.taken.values()))) or 'nowhere'}"]
        lines += [f"  {part}" for part in _parts(self.taken)]
        lines += [f"{len(self.new)} tensors new, to be trained:", *(f"  {part}" for part in _parts(self.new))]
        lines += [f"{len(self.unused)} tensors of the checkpoints not used:"]
        lines += [f"  {key} ({reason})" for key, reason in self.unused.items()]
        return "\n".join(lines)


def from_backbones(vision: str | os.PathLike, text: str | os.PathLike, **overrides: Any) -> MTRefSegModel:
    """
    Builds the full model from pretrained parts, and logs which weights were used and which are new;
    [`build_from_backbones`], which this calls, also returns that report.

    Args:
        vision (`str`): Hub id or folder of a Mask2Former checkpoint, or of any four-stage backbone.
        text (`str`): Hub id or folder of a causal language model.
        overrides: Fields of [`MTRefSegConfig`], and `vocab_size` to resize the token embeddings;
            `**processor.config_overrides` contains those that must match the processor.

    Returns:
        [`MTRefSegModel`]: The model in evaluation mode.
    """
    model, _ = build_from_backbones(vision, text, **overrides)
    return model


def build_from_backbones(
    vision: str | os.PathLike,
    text: str | os.PathLike,
    vocab_size: int | None = None,
    dtype: torch.dtype = torch.float32,
    **overrides: Any,
) -> tuple[MTRefSegModel, BackboneReport]:
    """
    Makes a model whose backbone, pixel decoder, masked-attention decoder and language model start from pretrained
    weights, and logs (level "warning", like the library's own load report) which were used and which are new.

    Args:
        vision (`str`): Hub id or folder of a Mask2Former checkpoint (backbone and both decoders are used), or of any
            backbone with four stages.
        text (`str`): Hub id or folder of a causal language model.
        vocab_size (`int`, *optional*): Required number of token embeddings, `len(processor.tokenizer)`. Rows are
            added if the checkpoint has fewer; it may have more.
        dtype (`torch.dtype`, *optional*, defaults to `torch.float32`): Precision of all parts, independent of the
            precision of the checkpoints.
        overrides: Fields of [`MTRefSegConfig`], such as `**processor.config_overrides`; a `mask_decoder_config`
            (`dict`) is merged into the checkpoint's.

    Returns:
        The model in evaluation mode, and a [`BackboneReport`].

    Raises:
        `ValueError`: The backbone does not have four stages.
        `OSError`: A checkpoint cannot be found.
    """
    vision, text = os.fspath(vision), os.fspath(text)
    vision_config, decoder_fields, parts = _load_vision(vision, dtype)
    language_model, info = AutoModelForCausalLM.from_pretrained(text, dtype=dtype, output_loading_info=True)
    num_rows = language_model.get_input_embeddings().num_embeddings
    num_needed = max(vocab_size or 0, num_rows)
    if num_needed > num_rows:
        language_model.resize_token_embeddings(num_needed)

    config = _config(vision_config, language_model.config, decoder_fields, overrides)
    model = MTRefSegModel._from_config(config, dtype=dtype).eval()
    model.language_model.generation_config = language_model.generation_config
    report = _fill(model, [*parts, _Part("language_model", language_model, text, info)])
    if num_needed > num_rows:
        report.new.append(f"language_model token embeddings, rows {num_rows} to {num_needed - 1}")
    logger.warning("MTRefSegModel from %s and %s:\n%s", vision, text, report)
    return model, report


def build_vision_from_backbones(
    vision: str | os.PathLike,
    text: str | os.PathLike,
    vocab_size: int | None = None,
    dtype: torch.dtype = torch.float32,
    **overrides: Any,
) -> tuple[MTRefSegVisionModel, BackboneReport]:
    """
    Builds the vision part of the model that [`build_from_backbones`] makes, with the same configuration. For the
    language model, only the configuration is read.

    Args:
        vision, text, vocab_size, dtype, overrides: See [`build_from_backbones`].

    Returns:
        The vision part in evaluation mode, and a [`BackboneReport`].

    Raises:
        ValueError, OSError: See [`build_from_backbones`].
    """
    vision, text = os.fspath(vision), os.fspath(text)
    vision_config, decoder_fields, parts = _load_vision(vision, dtype)
    text_config = AutoConfig.from_pretrained(text)
    text_config.vocab_size = max(vocab_size or 0, text_config.vocab_size)
    config = _config(vision_config, text_config, decoder_fields, overrides)
    model = MTRefSegVisionModel._from_config(config, dtype=dtype).eval()
    report = _fill(model, [replace(part, name=part.name.removeprefix("vision_model.")) for part in parts])
    logger.warning("MTRefSegVisionModel from %s:\n%s", vision, report)
    return model, report


def replace_backbone(model: MTRefSegModel, backbone: PreTrainedModel) -> MTRefSegModel:
    """
    The same model with another backbone. Everything keeps its weights, except the layers next to the backbone whose
    sizes change with it: they are new and must be trained (the log names them).

    Args:
        model ([`MTRefSegModel`]): A trained model.
        backbone (`PreTrainedModel`): A backbone with four stages, such as
            [`~mtrefseg.build.pretrained.pretrained_backbone`] returns.

    Returns:
        [`MTRefSegModel`]: A new model in evaluation mode.
    """
    config = MTRefSegConfig.from_dict({**model.config.to_dict(), "vision_config": backbone.config.to_dict()})
    replaced = type(model)._from_config(config, dtype=model.dtype).eval()
    own = replaced.state_dict()
    given = {f"vision_model.backbone.{key}": tensor for key, tensor in backbone.state_dict().items()}
    given |= {
        key: tensor for key, tensor in model.state_dict().items() if not key.startswith("vision_model.backbone.")
    }
    taken = {key: tensor for key, tensor in given.items() if key in own and own[key].shape == tensor.shape}
    replaced.load_state_dict(taken, strict=False)
    new = [key for key in own if key not in taken]
    logger.warning("%d tensors are new, to be trained:\n%s", len(new), "\n".join(_parts(new)))
    return replaced


def _config(
    vision: PreTrainedConfig, text: PreTrainedConfig, decoder_fields: dict[str, Any], overrides: dict[str, Any]
) -> MTRefSegConfig:
    decoder_fields |= overrides.pop("mask_decoder_config", {})
    return MTRefSegConfig(vision_config=vision, text_config=text, mask_decoder_config=decoder_fields, **overrides)


def _fill(model: nn.Module, parts: "list[_Part]") -> BackboneReport:
    """Copies the parts into a model and reports which tensors are new."""
    report = BackboneReport()
    for part in parts:
        part.give_to(model, report)
    report.new = [key for key in model.state_dict() if key not in report.taken]
    return report


def _load_vision(vision: str, dtype: torch.dtype) -> tuple[PreTrainedConfig, dict[str, Any], "list[_Part]"]:
    """Configuration of the backbone, sizes of the decoders, and the pretrained parts."""
    config = AutoConfig.from_pretrained(vision)
    if config.model_type == "mask2former":
        mask2former, info = Mask2FormerModel.from_pretrained(vision, dtype=dtype, output_loading_info=True)
        parts = [
            _Part(name, mask2former.get_submodule(prefix), vision, info, prefix + ".")
            for name, prefix in (
                ("vision_model.backbone", "pixel_level_module.encoder"),
                ("vision_model.mask_decoder.pixel_decoder", "pixel_level_module.decoder"),
                ("vision_model.mask_decoder.transformer_module", "transformer_module"),
            )
        ]
        return mask2former.config.backbone_config, _decoder_fields(mask2former.config), parts
    config = AutoConfig.from_pretrained(vision, out_features=_four_stages(config, vision))
    # AutoBackbone.from_pretrained asks the Hub first and rejects folders, so only its choice of class is used.
    with torch.device("meta"):
        backbone_class = type(AutoBackbone.from_config(config))
    backbone, info = backbone_class.from_pretrained(vision, config=config, dtype=dtype, output_loading_info=True)
    return config, {}, [_Part("vision_model.backbone", backbone, vision, info)]


@dataclass
class _Part:
    """
    A pretrained part: its name in our model, the module, its source, the library's report of the
    loading, and the prefix of the part's keys in that report.
    """

    name: str
    module: nn.Module
    origin: str
    loading_info: dict[str, Any]
    prefix: str = ""

    def give_to(self, model: nn.Module, report: BackboneReport) -> None:
        """Copies the checkpoint's tensors where name and shape match, and records which were used."""
        target = model.get_submodule(self.name)
        own = target.state_dict()
        taken: dict[str, Tensor] = {}
        for key, tensor in self.module.state_dict().items():
            if self.prefix + key in self.loading_info["missing_keys"]:
                continue
            if key not in own:
                report.unused[f"{self.origin}: {key}"] = "no such tensor in this model"
            elif own[key].shape != tensor.shape:
                report.unused[f"{self.origin}: {key}"] = f"shape {tuple(tensor.shape)}, here {tuple(own[key].shape)}"
            else:
                taken[key] = tensor
                report.taken[f"{self.name}.{key}"] = self.origin
        target.load_state_dict(taken, strict=False)
        for key in self.loading_info["unexpected_keys"]:
            report.unused[f"{self.origin}: {key}"] = "no such tensor in this model"


def _four_stages(config: PreTrainedConfig, name: str) -> list[str]:
    """The last four stages, strides 4 to 32, of a backbone's configuration."""
    stages = [stage for stage in config.to_dict().get("stage_names", []) if stage != "stem"]
    if len(stages) != 4:
        raise ValueError(
            f"{name} ({config.model_type}) has stages {stages}; a backbone with four (strides 4, 8, 16, 32) is needed."
        )
    return stages


def _decoder_fields(config: PreTrainedConfig) -> dict[str, Any]:
    """Fields of [`MTRefSegMaskDecoderConfig`] from those of a `Mask2FormerConfig`."""
    return {
        "hidden_size": config.hidden_dim,
        "num_attention_heads": config.num_attention_heads,
        "pixel_decoder_layers": config.encoder_layers,
        "pixel_decoder_intermediate_size": config.encoder_feedforward_dim,
        "decoder_layers": config.decoder_layers - 1,
        "decoder_intermediate_size": config.dim_feedforward,
        "num_queries": config.num_queries,
    }


def _parts(keys: Iterable[str]) -> list[str]:
    """Counts of keys by the first two levels of their names."""
    counts: dict[str, int] = {}
    for key in keys:
        part = ".".join(key.split(".")[:2])
        counts[part] = counts.get(part, 0) + 1
    return [f"{part}: {count}" for part, count in counts.items()]
