# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Converts weights of the reference implementation of MTRefSeg-R1 into a folder for `AutoModel` and `AutoProcessor`:

    mtrefseg convert WEIGHTS OUT --original-config config.json --tokenizer TOKENIZER_FOLDER

Every key is translated, dropped for a stated reason, or an error.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoTokenizer

from modeling_mtrefseg.configuration_mtrefseg import MTRefSegConfig
from modeling_mtrefseg.image_processing_mtrefseg import MTRefSegImageProcessor
from modeling_mtrefseg.modeling_mtrefseg import MTRefSegModel
from modeling_mtrefseg.processing_mtrefseg import MTRefSegProcessor
from mtrefseg.io import read_json

from .loading import check_files, load_errors


SWIN, SWIN_BLOCK = "vision_model.backbone.swin.", r"^model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)\."
FUSION, FUSION_BLOCK = "vision_model.fusion.blocks.", r"^change_feature_fusion\.blocks\.res(\d)\."
PIXEL, PIXEL_LAYER = (
    "vision_model.mask_decoder.pixel_decoder.",
    r"^pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.",
)
DECODER = "vision_model.mask_decoder.transformer_module."
LANGUAGE = "language_model."

# Pattern of the reference's key -> our key.
RENAMES: tuple[tuple[str, str], ...] = (
    (r"^model\.vision_tower\.patch_embed\.proj\.(\w+)$", SWIN + r"embeddings.patch_embeddings.projection.\1"),
    (r"^model\.vision_tower\.patch_embed\.norm\.(\w+)$", SWIN + r"embeddings.norm.\1"),
    (SWIN_BLOCK + r"norm1\.(\w+)$", SWIN + r"encoder.layers.\1.blocks.\2.layernorm_before.\3"),
    (SWIN_BLOCK + r"norm2\.(\w+)$", SWIN + r"encoder.layers.\1.blocks.\2.layernorm_after.\3"),
    (SWIN_BLOCK + r"attn\.proj\.(\w+)$", SWIN + r"encoder.layers.\1.blocks.\2.attention.o_proj.\3"),
    (
        SWIN_BLOCK + r"attn\.relative_position_bias_table$",
        SWIN + r"encoder.layers.\1.blocks.\2.attention.relative_position_bias.relative_position_bias_table",
    ),
    (SWIN_BLOCK + r"mlp\.(fc[12]\.\w+)$", SWIN + r"encoder.layers.\1.blocks.\2.mlp.\3"),
    (r"^model\.vision_tower\.layers\.(\d+)\.downsample\.(.+)$", SWIN + r"encoder.layers.\1.downsample.\2"),
    (FUSION_BLOCK + r"t([12])_proj\.0\.weight$", FUSION + r"\1.projection_t\2.convolution.weight"),
    (FUSION_BLOCK + r"t([12])_proj\.1\.(\w+)$", FUSION + r"\1.projection_t\2.normalization.\3"),
    (FUSION_BLOCK + r"diff_encoder\.(\d)\.0\.weight$", FUSION + r"\1.difference.\2.convolution.weight"),
    (FUSION_BLOCK + r"diff_encoder\.(\d)\.1\.(\w+)$", FUSION + r"\1.difference.\2.normalization.\3"),
    (FUSION_BLOCK + r"fuse\.(\d)\.0\.weight$", FUSION + r"\1.mixture.\2.convolution.weight"),
    (FUSION_BLOCK + r"fuse\.(\d)\.1\.(\w+)$", FUSION + r"\1.mixture.\2.normalization.\3"),
    (FUSION_BLOCK + r"gate\.1\.weight$", FUSION + r"\1.gate_squeeze.weight"),
    (FUSION_BLOCK + r"gate\.3\.(\w+)$", FUSION + r"\1.gate_expand.\2"),
    (FUSION_BLOCK + r"out_norm\.(\w+)$", FUSION + r"\1.output_normalization.\2"),
    (r"^pixel_decoder\.input_proj\.(.+)$", PIXEL + r"input_projections.\1"),
    (r"^pixel_decoder\.transformer\.level_embed$", PIXEL + "level_embed"),
    (PIXEL_LAYER + r"self_attn\.(.+)$", PIXEL + r"encoder.layers.\1.self_attn.\2"),
    (PIXEL_LAYER + r"norm1\.(\w+)$", PIXEL + r"encoder.layers.\1.self_attn_layer_norm.\2"),
    (PIXEL_LAYER + r"norm2\.(\w+)$", PIXEL + r"encoder.layers.\1.final_layer_norm.\2"),
    (PIXEL_LAYER + r"linear([12])\.(\w+)$", PIXEL + r"encoder.layers.\1.fc\2.\3"),
    (r"^pixel_decoder\.((?:adapter|layer)_1\..+)$", PIXEL + r"\1"),
    (r"^pixel_decoder\.mask_features\.(\w+)$", PIXEL + r"mask_projection.\1"),
    (
        r"^predictor\.transformer_cross_attention_layers\.(\d+)\.multihead_attn\.(.+)$",
        DECODER + r"decoder.layers.\1.cross_attn.\2",
    ),
    (
        r"^predictor\.transformer_cross_attention_layers\.(\d+)\.norm\.(\w+)$",
        DECODER + r"decoder.layers.\1.cross_attn_layer_norm.\2",
    ),
    (
        r"^predictor\.transformer_self_attention_layers\.(\d+)\.self_attn\.out_proj\.(\w+)$",
        DECODER + r"decoder.layers.\1.self_attn.out_proj.\2",
    ),
    (
        r"^predictor\.transformer_self_attention_layers\.(\d+)\.norm\.(\w+)$",
        DECODER + r"decoder.layers.\1.self_attn_layer_norm.\2",
    ),
    (r"^predictor\.transformer_ffn_layers\.(\d+)\.linear([12])\.(\w+)$", DECODER + r"decoder.layers.\1.fc\2.\3"),
    (r"^predictor\.transformer_ffn_layers\.(\d+)\.norm\.(\w+)$", DECODER + r"decoder.layers.\1.final_layer_norm.\2"),
    (r"^predictor\.decoder_norm\.(\w+)$", DECODER + r"decoder.layernorm.\1"),
    (
        r"^predictor\.mask_embed\.layers\.(\d)\.(\w+)$",
        DECODER + r"decoder.mask_predictor.mask_embedder.\1.0.\2",
    ),
    (r"^predictor\.level_embed\.weight$", DECODER + "level_embed.weight"),
    (r"^predictor\.query_feat\.weight$", DECODER + "queries_features.weight"),
    (r"^predictor\.query_embed\.weight$", DECODER + "queries_embedder.weight"),
    (r"^model\.(embed_tokens\.weight|final_layernorm\.\w+)$", LANGUAGE + r"model.\1"),
    (r"^model\.(layers\.\d+\.(?:input_layernorm|mlp\.fc[12]|self_attn\.\w+)\.\w+)$", LANGUAGE + r"model.\1"),
    (r"^lm_head\.weight$", LANGUAGE + "lm_head.weight"),
    (r"^model\.mm_projector\.proj([12])\.(\w+)$", r"projector.convolution_\1.\2"),
    (r"^model\.mm_projector\.norm([12])\.(\w+)$", r"projector.normalization_\1.\2"),
    (r"^model\.mm_projector\.fc\.(\w+)$", r"projector.linear.\1"),
    (r"^origin_SEG_token_projector\.(\w+)$", r"seg_head.pooled_projection.\1"),
    (r"^text_projector\.(\w+)$", r"seg_head.query_projection.\1"),
    (r"^local_project\.(\w+)$", r"seg_head.vision_projection.\1"),
    (r"^d_layers\.layers\.0\.0\.norm_media\.(\w+)$", r"seg_head.vision_normalization.\1"),
    (r"^d_layers\.layers\.0\.0\.norm_latents\.(\w+)$", r"seg_head.query_normalization.\1"),
    (r"^d_layers\.layers\.0\.0\.to_q\.weight$", "seg_head.to_query.weight"),
    (r"^d_layers\.layers\.0\.0\.to_kv\.weight$", "seg_head.to_key_value.weight"),
    (r"^d_layers\.layers\.0\.0\.to_out\.weight$", "seg_head.to_output.weight"),
    (r"^d_layers\.layers\.0\.1\.([013])\.(\w+)$", r"seg_head.feed_forward.\1.\2"),
    (r"^d_layers\.norm\.(\w+)$", r"seg_head.output_normalization.\1"),
    (r"^SEG_token_projector\.(\w+)$", r"seg_head.output_projection.\1"),
)

# Fused projections: pattern -> our key with {} for q, k, v.
STACKED: tuple[tuple[str, str], ...] = (
    (SWIN_BLOCK + r"attn\.qkv\.(\w+)$", SWIN + r"encoder.layers.\1.blocks.\2.attention.{}_proj.\3"),
    (
        r"^predictor\.transformer_self_attention_layers\.(\d+)\.self_attn\.in_proj_(\w+)$",
        DECODER + r"decoder.layers.\1.self_attn.{}_proj.\2",
    ),
)
INTERLEAVED = (
    r"^model\.layers\.(\d+)\.self_attn\.query_key_value\.(\w+)$",
    LANGUAGE + r"model.layers.\1.self_attn.{}_proj.\2",
)

DROPPED: tuple[tuple[str, str], ...] = (
    (r"attn\.relative_position_index$", "a constant"),
    (r"^seg_query$", "never read by the reference"),
    (r"^predictor\.(SEG_query_embed|new_query_embed|SEG_proj|CLASS_proj)\.", "never read by the reference"),
)

# Parameters that only our model has, and their initial values.
NEW: tuple[tuple[str, str], ...] = (
    (r"^vision_model\.no_target_head\.", "zero: the reference has no no-target score"),
    (r"^language_model\.lm_head\.bias$", "zero: the reference dropped Phi's"),
    (r"^vision_model\.backbone\.swin\.layernorm\.", "left as initialised: never read"),
)


@dataclass
class ConversionReport:
    """
    Result for every key: keys of the reference are `converted` or `dropped` (with the reason); keys of our model may
    be `new`.
    """

    converted: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        dropped = sorted({f"{_first_words(key)} ({reason})" for key, reason in self.dropped.items()})
        new = sorted({f"{key} ({reason})" for key, reason in self.new.items()})
        return "\n".join(
            (
                f"{len(self.converted)} tensors converted",
                f"{len(self.dropped)} dropped: {'; '.join(dropped) or 'none'}",
                f"{len(self.new)} new: {'; '.join(new) or 'none'}",
            )
        )


def convert_original(
    weights: str | Path, out: str | Path, original_config: str | Path, tokenizer: str | Path
) -> ConversionReport:
    """
    Converts the reference's weights and saves model and processor.

    Args:
        weights (`str`): A `.safetensors` or torch file, or a folder of such files.
        out (`str`): Folder to write.
        original_config (`str`): JSON file of the reference's hyper-parameters.
        tokenizer (`str`): Folder with the reference's tokenizer (it contains `[PAD]` and `[SEG]`).

    Raises:
        `FileNotFoundError`, `ValueError`: A file is missing or unreadable, a key is unknown, missing or of the wrong
            shape; the message names it. In this case nothing is written.
    """
    original = read_json(original_config)
    try:
        config = build_config(original)
        processor = build_processor(original, tokenizer)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{original_config} is not a configuration of the reference: {error!r}.") from error
    if processor.seg_token_id != config.seg_token_id:
        raise ValueError(
            f"{tokenizer}: [SEG] has id {processor.seg_token_id}, but {original_config} says {config.seg_token_id}."
        )
    config.image_t1_token_id = processor.image_t1_token_id
    config.image_t2_token_id = processor.image_t2_token_id
    model = MTRefSegModel(config).eval()
    state_dict, report = convert_state_dict(load_weights(weights), config)
    _complete(model, state_dict, report)
    model.load_state_dict(state_dict)
    model.save_pretrained(out)
    processor.save_pretrained(out)
    return report


def build_config(original: dict[str, Any]) -> MTRefSegConfig:
    """Our configuration from the reference's hyper-parameters (a `dict` as in its JSON)."""
    _refuse_other_architectures(original)
    pixel_decoder, decoder = original["pixel_decoder"], original["transformer_decoder"]
    head, loss = original["seg_head"], original["loss"]
    return MTRefSegConfig(
        vision_config=_vision_config(original),
        text_config=_text_config(original),
        mask_decoder_config={
            "hidden_size": pixel_decoder["conv_dim"],
            "num_attention_heads": pixel_decoder["nheads"],
            "pixel_decoder_layers": pixel_decoder["encoder_layers"],
            "pixel_decoder_intermediate_size": pixel_decoder["ffn"],
            "decoder_layers": decoder["layers"],
            "decoder_intermediate_size": decoder["ffn"],
            "num_queries": decoder["num_queries"],
            "lateral_bias_and_activation": True,
        },
        image_size=original["image_size"],
        fusion_type=original["fusion"]["type"],
        seg_head_size=head["additional_dim"],
        seg_head_attention_heads=head["d_projector"]["heads"],
        seg_token_id=original["seg_token_id"],
        # Placeholder values until the tokenizer is known.
        image_t1_token_id=original["vocab_size"],
        image_t2_token_id=original["vocab_size"] + 1,
        mask_weight=loss["mask_weight"],
        dice_weight=loss["dice_weight"],
        no_target_weight=0.0,
        num_points=loss["num_points"],
        oversample_ratio=loss["oversample_ratio"],
        importance_sample_ratio=loss["importance_sample_ratio"],
        match_queries=True,
    )


def _refuse_other_architectures(original: dict[str, Any]) -> None:
    swin, pixel_decoder, decoder = original["swin"], original["pixel_decoder"], original["transformer_decoder"]
    fixed = {
        "swin.ape": (swin["ape"], False),
        "swin.patch_norm": (swin["patch_norm"], True),
        "pixel_decoder.n_points": (pixel_decoder["n_points"], 4),
        "pixel_decoder.n_levels": (pixel_decoder["n_levels"], 3),
        "transformer_decoder.pre_norm": (decoder["pre_norm"], False),
        "mm_projector.type": (original["mm_projector"]["type"], "SparseConv_1"),
        "seg_head.d_projector.depth": (original["seg_head"]["d_projector"]["depth"], 1),
        "transformer_decoder.hidden_dim": (decoder["hidden_dim"], pixel_decoder["conv_dim"]),
        "transformer_decoder.mask_dim": (decoder["mask_dim"], pixel_decoder["conv_dim"]),
        "transformer_decoder.nheads": (decoder["nheads"], pixel_decoder["nheads"]),
    }
    wrong = [f"{name}={value} (only {wanted})" for name, (value, wanted) in fixed.items() if value != wanted]
    if wrong:
        raise ValueError(
            f"The original config has settings that this architecture does not support: {', '.join(wrong)}."
        )


def _vision_config(original: dict[str, Any]) -> dict[str, Any]:
    names = (
        "embed_dim",
        "depths",
        "num_heads",
        "window_size",
        "patch_size",
        "mlp_ratio",
        "qkv_bias",
        "drop_path_rate",
    )
    return {
        "model_type": "swin",
        "image_size": original["image_size"],
        "layer_norm_eps": original["swin"]["layer_norm_eps"],
        **{name: original["swin"][name] for name in names},
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    }


def _text_config(original: dict[str, Any]) -> dict[str, Any]:
    rope = {name: original["phi"][name] for name in ("rope_theta", "partial_rotary_factor")}
    return {
        "model_type": "phi",
        **{name: value for name, value in original["phi"].items() if name not in rope},
        "rope_parameters": {"rope_type": "default", **rope},
        "vocab_size": original["vocab_size"],
        "pad_token_id": original["pad_token_id"],
        "eos_token_id": original["eos_token_id"],
        "bos_token_id": original["eos_token_id"],
    }


def build_processor(original: dict[str, Any], tokenizer: str | Path) -> MTRefSegProcessor:
    """The reference's preprocessing and prompt, around its tokenizer."""
    if not Path(tokenizer).is_dir():
        raise FileNotFoundError(f"No tokenizer folder {tokenizer}.")
    check_files(tokenizer)
    image_processor = MTRefSegImageProcessor(
        size=original["image_size"],
        antialias=False,
        image_mean=[value / 255 for value in original["pixel_mean"]],
        image_std=[value / 255 for value in original["pixel_std"]],
    )
    with load_errors(str(tokenizer)):
        loaded = AutoTokenizer.from_pretrained(tokenizer)
    return MTRefSegProcessor.from_tokenizer(loaded, image_processor=image_processor, prompt_template="reference")


def load_weights(weights: str | Path) -> dict[str, Tensor]:
    """State dict of a file, or of all weight files of a folder; torch files are read with `weights_only=True`."""
    path = Path(weights)
    check_files(path)
    if path.is_dir():
        files = sorted(path.glob("*.safetensors")) or sorted(path.glob("pytorch_model*.bin"))
        if not files:
            raise FileNotFoundError(f"{path} holds no .safetensors and no pytorch_model*.bin file.")
    elif path.is_file():
        files = [path]
    else:
        raise FileNotFoundError(f"No weights at {path}.")
    state_dict: dict[str, Tensor] = {}
    for file in files:
        try:
            if file.suffix == ".safetensors":
                shard = load_file(file)
            else:
                shard = torch.load(file, map_location="cpu", weights_only=True)
        # Errors that both kinds of readers raise for damaged files.
        except (
            *(OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError),
            *(SafetensorError, UnpicklingError),
        ) as error:
            raise ValueError(f"Cannot read weights from {file}: {error!r}.") from error
        if not isinstance(shard, dict) or not all(isinstance(tensor, Tensor) for tensor in shard.values()):
            raise ValueError(f"{file} is not a plain state dict of tensors by name.")
        if repeated := state_dict.keys() & shard.keys():
            raise ValueError(f"{file} repeats tensors of another file: {sorted(repeated)[:5]}.")
        state_dict |= shard
    return state_dict


def convert_state_dict(
    original: dict[str, Tensor], config: MTRefSegConfig
) -> tuple[dict[str, Tensor], ConversionReport]:
    """
    Translates the reference's state dict.

    Raises:
        `ValueError`: A key matches no rule; all such keys are named.
    """
    state_dict: dict[str, Tensor] = {}
    report = ConversionReport()
    unknown = []
    for key, tensor in original.items():
        translated = _translate(key, tensor.float() if tensor.is_floating_point() else tensor, config)
        reason = next((reason for pattern, reason in DROPPED if re.search(pattern, key)), None)
        if translated:
            state_dict |= translated
            report.converted.append(key)
        elif reason:
            report.dropped[key] = reason
        else:
            unknown.append(key)
    if unknown:
        raise ValueError(f"{len(unknown)} keys of the original weights have no place in this model: {unknown}")
    return state_dict, report


def _translate(key: str, tensor: Tensor, config: MTRefSegConfig) -> dict[str, Tensor]:
    """Our keys and tensors for one key of the reference; empty if no rule matches."""
    # The reference counts levels as res2 to res5, and output norms as norm0 to norm3; lists start at 0, stages at 1.
    key = re.sub(r"^(change_feature_fusion\.blocks\.res)(\d)", lambda found: found[1] + str(int(found[2]) - 2), key)
    if norm := re.match(r"^model\.vision_tower\.norm(\d)\.(\w+)$", key):
        return {f"vision_model.backbone.hidden_states_norms.stage{int(norm[1]) + 1}.{norm[2]}": tensor}
    for pattern, target in STACKED:
        if re.match(pattern, key):
            name = re.sub(pattern, target, key)
            return {name.format(part): rows.contiguous() for part, rows in zip("qkv", tensor.chunk(3))}
    pattern, target = INTERLEAVED
    if re.match(pattern, key):
        heads = config.text_config.num_attention_heads
        name = re.sub(pattern, target, key)
        # rows are (head, q or k or v, head_size)
        parts = tensor.unflatten(0, (heads, 3, -1)).unbind(1)
        return {name.format(part): rows.flatten(0, 1).contiguous() for part, rows in zip("qkv", parts)}
    for pattern, target in RENAMES:
        if re.match(pattern, key):
            return {re.sub(pattern, target, key): tensor}
    return {}


def _complete(model: MTRefSegModel, state_dict: dict[str, Tensor], report: ConversionReport) -> None:
    """Adds the parameters that the reference lacks, and checks that keys and shapes are exactly the model's."""
    own = model.state_dict()
    missing = []
    for key in own.keys() - state_dict.keys():
        reason = next((reason for pattern, reason in NEW if re.search(pattern, key)), None)
        if reason is None:
            missing.append(key)
            continue
        state_dict[key] = torch.zeros_like(own[key]) if reason.startswith("zero") else own[key]
        report.new[key] = reason
    if missing:
        raise ValueError(f"The original weights lack {len(missing)} tensors, for: {sorted(missing)}")
    extra = sorted(state_dict.keys() - own.keys())
    if extra:
        raise ValueError(f"The original weights hold {len(extra)} tensors that do not fit the config: {extra}")
    wrong = [
        f"{key} is {tuple(tensor.shape)}, the config asks for {tuple(own[key].shape)}"
        for key, tensor in state_dict.items()
        if tensor.shape != own[key].shape
    ]
    if wrong:
        raise ValueError(f"{len(wrong)} tensors have another shape than the config says: {'; '.join(wrong)}")


def _first_words(key: str) -> str:
    return ".".join(key.split(".")[:2]) if "relative_position_index" not in key else "relative_position_index"
