# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The vision part of MTRefSeg-R1: backbone, temporal fusion, mask decoder and no-target head."""

import copy
import os
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoBackbone, PreTrainedModel

from .configuration_mtrefseg import MTRefSegConfig, MTRefSegMaskDecoderConfig
from .efficientnet_lite_mtrefseg import EfficientNetLiteBackbone, EfficientNetLiteConfig
from .fusion_mtrefseg import TemporalFusion
from .loss_mtrefseg import mask_losses, match_queries
from .mask_decoder_mtrefseg import ContainerInitialization, MaskDecoder
from .outputs_mtrefseg import MTRefSegOutput, MTRefSegPairEncoding


class MTRefSegPreTrainedModel(ContainerInitialization):
    """Weight initialisation, loading and saving of both models."""

    config: MTRefSegConfig
    config_class = MTRefSegConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values_t1"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    # These modules combine tensors of several submodules, so `device_map` must not split them across devices.
    _no_split_modules = ["MaskDecoder", "TemporalFusion", "SegHead"]

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs: Any) -> None:
        """As in the library, but keys keep the names of the modules (no translation to old Swin names), so a
        training checkpoint can be loaded with `load_state_dict` too."""
        kwargs.setdefault("save_original_format", False)
        super().save_pretrained(save_directory, **kwargs)

    def add_mask_losses(self, output: MTRefSegOutput, layer_masks: Tensor, labels: Tensor) -> None:
        """
        Fills in `loss_mask`, `loss_dice`, `loss_no_target` and their sum; see [`mask_losses`] for the shapes. Masks
        with labels of -1 are unknown and are left out.
        """
        if layer_masks.shape[1] != len(labels):
            raise ValueError(f"labels holds {len(labels)} masks, but the model predicted {layer_masks.shape[1]}.")
        is_known = labels.flatten(1).amin(-1) >= 0
        layer_masks, labels = layer_masks[:, is_known], labels[is_known]
        output.loss_mask, output.loss_dice = mask_losses(layer_masks, labels, self.config, self.training)
        is_empty = (labels.flatten(1).amax(-1) <= 0).float()
        loss_no_target = nn.functional.binary_cross_entropy_with_logits(
            output.no_target_logits[is_known].float(), is_empty, reduction="sum"
        )
        output.loss_no_target = self.config.no_target_weight * loss_no_target / max(len(is_empty), 1)
        output.loss = output.loss_mask + output.loss_dice + output.loss_no_target


def build_backbone(config: MTRefSegConfig) -> PreTrainedModel:
    """The backbone of `config.vision_config`, with random weights."""
    vision_config = copy.deepcopy(config.vision_config)
    if vision_config._attn_implementation == "sdpa":
        # Backbones with attention choose it themselves, and convolutional ones reject it.
        vision_config._attn_implementation = None
    if vision_config.model_type == EfficientNetLiteConfig.model_type:
        # AutoBackbone compares classes, and remote code makes a new class for every file that is loaded.
        return EfficientNetLiteBackbone(cast(EfficientNetLiteConfig, vision_config))
    return AutoBackbone.from_config(vision_config)


def keep_statistics(backbone: nn.Module) -> None:
    """Puts the batch normalisations of a backbone into evaluation mode, so that training does not change their
    statistics."""
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


class MTRefSegVisionModel(MTRefSegPreTrainedModel):
    """
    Stage 1: the vision part alone, which segments every change between two images. It is a part of [`MTRefSegModel`];
    each of the two loads the other's checkpoints.

    Args:
        config ([`MTRefSegConfig`]): Configuration; `text_config` is not used.
    """

    # Keys of the language part in a checkpoint of the complete model, which are ignored.
    _keys_to_ignore_on_load_unexpected = [r"^language_model\.", r"^projector\.", r"^seg_head\."]

    def __init__(self, config: MTRefSegConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        channels = list(self.backbone.channels)
        self.fusion = TemporalFusion(config.fusion_type, channels, config.coordinate_channels)
        decoder_config = cast(MTRefSegMaskDecoderConfig, config.mask_decoder_config)
        self.mask_decoder = MaskDecoder(decoder_config, channels, config.coordinate_channels)
        self.no_target_head = nn.Linear(decoder_config.hidden_size, 1)
        self.post_init()

    def train(self, mode: bool = True) -> "MTRefSegVisionModel":
        """
        As in any module, but batch normalisations of the backbone keep their statistics, as is usual in detection:
        batches are small, and the processes of a distributed run would each have their own.
        """
        super().train(mode)
        keep_statistics(self.backbone)
        return self

    def encode_pair(self, pixel_values_t1: Tensor, pixel_values_t2: Tensor) -> MTRefSegPairEncoding:
        """
        Runs backbone (both images in one batch), fusion and pixel decoder.

        Args:
            pixel_values_t1, pixel_values_t2 (`Tensor` of shape `(batch_size, 3, height, width)`):
                The earlier and the later image, normalised by the processor. They are cast to the model's precision.

        Returns:
            [`MTRefSegPairEncoding`]: Without the entries for the language model, `image_colors` and `change_logits`.

        Raises:
            `ValueError`: An image is missing, or the shapes differ.
        """
        self._check_pixels(pixel_values_t1, pixel_values_t2)
        # The processor returns float32, also for a model in half precision.
        pixel_values = torch.cat([pixel_values_t1, pixel_values_t2]).to(self.dtype)
        return self.encode_features(self.backbone(pixel_values).feature_maps)

    def encode_features(self, feature_maps: Sequence[Tensor]) -> MTRefSegPairEncoding:
        """
        Runs fusion and pixel decoder.

        Args:
            feature_maps (`Sequence` of `Tensor` of shape `(2 * batch_size, channels, height, width)`):
                Feature maps of the backbone at strides 4, 8, 16 and 32, first of all t1, then of all t2.

        Returns:
            [`MTRefSegPairEncoding`]: As from `encode_pair`.
        """
        levels_t1, levels_t2 = zip(*(features.unflatten(0, (2, -1)).unbind() for features in feature_maps))
        fused = self.fusion(levels_t1, levels_t2)
        return MTRefSegPairEncoding(
            features=self.mask_decoder.encode(fused),
            fused_features=fused[-1],
            coarse_features_t1=levels_t1[-1],
            coarse_features_t2=levels_t2[-1],
        )

    def forward(
        self,
        pixel_values_t1: Tensor | None = None,
        pixel_values_t2: Tensor | None = None,
        pair_encoding: MTRefSegPairEncoding | None = None,
        labels: Tensor | None = None,
        output_layer_masks: bool = False,
        output_attentions: bool = False,
    ) -> MTRefSegOutput:
        """
        Args:
            pixel_values_t1, pixel_values_t2 (`Tensor` of shape `(batch_size, 3, height, width)`, *optional*):
                The earlier and the later image; not needed with `pair_encoding`.
            pair_encoding ([`MTRefSegPairEncoding`], *optional*):
                Output of [`~MTRefSegVisionModel.encode_pair`].
            labels (`Tensor` of shape `(batch_size, height, width)`, *optional*):
                1 where anything changed, else 0; -1 everywhere for a pair whose changes are unknown.
            output_layer_masks (`bool`, *optional*, defaults to `False`):
                Whether to return the masks of every layer and query.
            output_attentions (`bool`, *optional*, defaults to `False`): Whether to return cross-attention maps.

        Returns:
            [`MTRefSegOutput`]: The mask of every change of each pair.

        Raises:
            `ValueError`: An image is missing, or shapes differ.
        """
        if pair_encoding is None:
            pair_encoding = self.encode_pair(pixel_values_t1, pixel_values_t2)
        needs_all_queries = output_layer_masks or (labels is not None and self.config.match_queries)
        decoded = self.mask_decoder(
            pair_encoding.features,
            num_masks=None if needs_all_queries else 1,
            output_layer_masks=output_layer_masks or labels is not None,
            output_attentions=output_attentions,
        )
        masks = decoded.mask_logits[:, 0, 0]
        output = MTRefSegOutput(
            mask_logits=masks,
            no_target_logits=self.no_target_head(decoded.query_states[:, 0, 0]).squeeze(-1),
            num_expressions=torch.ones(masks.shape[:1], dtype=torch.long, device=masks.device),
            layer_mask_logits=decoded.layer_mask_logits[:, :, 0] if output_layer_masks else None,
            cross_attentions=tuple(attention[:, 0, 0] for attention in decoded.cross_attentions)
            if output_attentions
            else None,
        )
        if labels is not None:
            layer_masks = decoded.layer_mask_logits[:, :, 0]
            if self.config.match_queries:
                layer_masks = match_queries(layer_masks, labels, self.config, self.training)
            else:
                layer_masks = layer_masks[:, :, 0]
            self.add_mask_losses(output, layer_masks, labels)
        return output

    def _check_pixels(self, pixel_values_t1: Tensor | None, pixel_values_t2: Tensor | None) -> None:
        if pixel_values_t1 is None or pixel_values_t2 is None:
            raise ValueError("Both pixel_values_t1 and pixel_values_t2 are needed, or a pair_encoding.")
        if pixel_values_t1.shape != pixel_values_t2.shape:
            raise ValueError(
                f"pixel_values_t1 has shape {tuple(pixel_values_t1.shape)}, pixel_values_t2 "
                f"{tuple(pixel_values_t2.shape)}; the processor makes both the same size."
            )


__all__ = ["MTRefSegPreTrainedModel", "MTRefSegVisionModel", "build_backbone", "keep_statistics"]
