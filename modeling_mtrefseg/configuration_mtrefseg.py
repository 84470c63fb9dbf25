# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Configuration of MTRefSeg-R1: one vision backbone, one mask decoder, one causal language model."""

from typing import Any, Literal

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, Mask2FormerConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .efficientnet_lite_mtrefseg import EfficientNetLiteConfig


TASK = "multi-temporal-referring-segmentation"


@strict
class MTRefSegMaskDecoderConfig(PreTrainedConfig):
    r"""
    Sizes of the pixel decoder (multi-scale deformable attention) and of the masked-attention decoder, both from
    [Mask2Former](https://huggingface.co/papers/2112.01527). `hidden_size` is shared by the two, as in every published
    checkpoint.

    Args:
        hidden_size (`int`, *optional*, defaults to 256):
            Channels of the pixel decoder, of the mask features and of the queries. A multiple of 32 (group norm).
        num_attention_heads (`int`, *optional*, defaults to 8):
            Heads of the deformable attention and of the masked attention.
        pixel_decoder_layers (`int`, *optional*, defaults to 6):
            Deformable encoder layers over strides 32, 16 and 8.
        pixel_decoder_intermediate_size (`int`, *optional*, defaults to 1024):
            Width of their feed-forward networks.
        decoder_layers (`int`, *optional*, defaults to 9):
            Masked-attention layers. Layer `i` looks at stride `(32, 16, 8)[i % 3]`.
        decoder_intermediate_size (`int`, *optional*, defaults to 2048):
            Width of their feed-forward networks.
        num_queries (`int`, *optional*, defaults to 1):
            Learned queries of stage 1, which attend to one another. Query 0 answers "every change".
        lateral_bias_and_activation (`bool`, *optional*, defaults to `False`):
            Whether the stride-4 convolutions of the pixel decoder have biases and the lateral one a ReLU. The
            reference implementation of MTRefSeg has them, Mask2Former and its pretrained checkpoints do not.
        refinement_size (`int`, *optional*, defaults to 0):
            Hidden channels of [`MaskRefinement`], which corrects the mask of each query; 0 for none, as in the
            reference.
        initializer_range (`float`, *optional*, defaults to 0.02):
            Standard deviation of the convolutions and linear layers without a specific initialisation.
    """

    model_type = "mtrefseg_mask_decoder"
    base_config_key = "mask_decoder_config"

    hidden_size: int = 256
    num_attention_heads: int = 8
    pixel_decoder_layers: int = 6
    pixel_decoder_intermediate_size: int = 1024
    decoder_layers: int = 9
    decoder_intermediate_size: int = 2048
    num_queries: int = 1
    lateral_bias_and_activation: bool = False
    refinement_size: int = 0
    initializer_range: float = 0.02

    def validate_architecture(self) -> None:
        """Raises a `ValueError` that names the field if the sizes are inconsistent."""
        if self.hidden_size % 32 or self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"mask_decoder_config.hidden_size={self.hidden_size} must be a multiple of 32 and of "
                f"num_attention_heads={self.num_attention_heads}."
            )
        _require_positive(
            self,
            "num_attention_heads",
            "pixel_decoder_layers",
            "pixel_decoder_intermediate_size",
            "decoder_layers",
            "decoder_intermediate_size",
            "num_queries",
        )
        if self.refinement_size < 0:
            raise ValueError(f"mask_decoder_config.refinement_size={self.refinement_size} must be 0 or positive.")

    def to_mask2former_config(self) -> Mask2FormerConfig:
        """The configuration for transformers' Mask2Former modules.

        Its `decoder_layers` also counts the prediction before the first layer, hence the `+ 1`.
        """
        return Mask2FormerConfig(
            feature_size=self.hidden_size,
            mask_feature_size=self.hidden_size,
            hidden_dim=self.hidden_size,
            num_attention_heads=self.num_attention_heads,
            encoder_layers=self.pixel_decoder_layers,
            encoder_feedforward_dim=self.pixel_decoder_intermediate_size,
            decoder_layers=self.decoder_layers + 1,
            dim_feedforward=self.decoder_intermediate_size,
            num_queries=self.num_queries,
            init_std=self.initializer_range,
        )


@strict
class MTRefSegConfig(PreTrainedConfig):
    r"""
    Configuration of [`MTRefSegModel`], the architecture of MTRefSeg-R1 (https://huggingface.co/papers/2606.00987).

    Args:
        vision_config (`dict` or `PreTrainedConfig`, *optional*, defaults to Swin-B with window 12):
            Any configuration of an `AutoBackbone` with four stages (strides 4, 8, 16, 32).
        mask_decoder_config (`dict` or [`MTRefSegMaskDecoderConfig`], *optional*):
            Sizes of the pixel decoder and of the masked-attention decoder.
        text_config (`dict` or `PreTrainedConfig`, *optional*, defaults to Phi-1.5):
            Any configuration of an `AutoModelForCausalLM` with rotary or learned positions.
        image_size (`int`, *optional*, defaults to 1024):
            Side in pixels of the square canvas on which the processor places each image. A multiple of 32.
        fusion_type (`str`, *optional*, defaults to `"change_aware"`):
            How the features of t1 and t2 are combined: `"change_aware"` (signed and absolute difference with a gate),
            or, for ablation, `"concat_conv"`, `"abs_diff"`, `"avg"`.
        projector_norm (`str`, *optional*, defaults to `"spatial"`):
            `"spatial"` normalises over channels, height and width, as the paper does, which ties the weights to
            `image_size`; `"channel"` normalises each position alone, so that any size can be used.
        coordinate_channels (`bool`, *optional*, defaults to `False`):
            Whether a learned projection of the pixel coordinates is added to the fused and to the mask features. Small
            models trained from scratch need it to understand "left of" or "in the upper corner".
        seg_head_size (`int`, *optional*, defaults to 512):
            Width of the `[SEG]` head.
        seg_head_attention_heads (`int`, *optional*, defaults to 8):
            Attention heads, 64 wide each, with which the head attends to the fused stride-32 features.
        image_t1_token_id, image_t2_token_id (`int`, *optional*, default to 50297 and 50298):
            Placeholder tokens in the prompt, which are replaced by the projected tokens of t1 and t2. They are never
            embedded, so the ids may lie beyond the vocabulary.
        seg_token_id (`int`, *optional*, defaults to 50296):
            The `[SEG]` token.
        mask_weight, dice_weight (`float`, *optional*, default to 5.0):
            Weights of the binary cross entropy and of the dice loss at sampled points, on every decoder layer.
        language_weight (`float`, *optional*, defaults to 1.0):
            Weight of the language-modelling loss on the answer.
        no_target_weight (`float`, *optional*, defaults to 1.0):
            Weight of the binary cross entropy of the no-target score (not in the paper).
        num_points (`int`, *optional*, defaults to 12544):
            Number of points at which masks are compared with the ground truth in training. 0 compares every pixel of
            the logits, which is cheap for small images and helps small models.
        oversample_ratio (`float`, *optional*, defaults to 3.0):
            Oversampling factor: `oversample_ratio * num_points` points are drawn, and the least certain ones are kept
            ([PointRend](https://huggingface.co/papers/1912.08193)).
        importance_sample_ratio (`float`, *optional*, defaults to 0.75):
            Share of the points that are chosen by uncertainty; the rest is random.
        match_queries (`bool`, *optional*, defaults to `False`):
            Whether stage 1 trains the learned query that matches the ground truth best, as the reference
            implementation does. Inference uses query 0, which such training may never reach; by default query 0 is
            trained.
        initializer_range (`float`, *optional*, defaults to 0.02):
            Standard deviation of new linear layers and convolutions.

    Raises:
        `StrictDataclassError`: A field has the wrong type, or fields are inconsistent; the message names them.

    Example:

    ```python
    >>> from modeling_mtrefseg import MTRefSegConfig, MTRefSegModel

    >>> config = MTRefSegConfig()  # the paper's 1.65 billion parameters
    >>> model = MTRefSegModel(config)
    ```
    """

    model_type = "mtrefseg"
    sub_configs_defaults = {
        "vision_config": SubConfigSpec(
            config_class=AutoConfig,
            model_type="swin",
            init_kwargs={
                "image_size": 1024,
                "embed_dim": 128,
                "depths": [2, 2, 18, 2],
                "num_heads": [4, 8, 16, 32],
                "window_size": 12,
                "drop_path_rate": 0.3,
                "out_features": ["stage1", "stage2", "stage3", "stage4"],
            },
        ),
        "mask_decoder_config": SubConfigSpec(config_class=MTRefSegMaskDecoderConfig),
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="phi", init_kwargs={"vocab_size": 50297}),
    }

    vision_config: dict | PreTrainedConfig | None = None
    mask_decoder_config: dict | PreTrainedConfig | None = None
    text_config: dict | PreTrainedConfig | None = None
    image_size: int = 1024
    fusion_type: Literal["change_aware", "concat_conv", "abs_diff", "avg"] = "change_aware"
    projector_norm: Literal["spatial", "channel"] = "spatial"
    coordinate_channels: bool = False
    seg_head_size: int = 512
    seg_head_attention_heads: int = 8
    image_t1_token_id: int = 50297
    image_t2_token_id: int = 50298
    seg_token_id: int = 50296
    mask_weight: float = 5.0
    dice_weight: float = 5.0
    language_weight: float = 1.0
    no_target_weight: float = 1.0
    num_points: int = 12544
    oversample_ratio: float = 3.0
    importance_sample_ratio: float = 0.75
    match_queries: bool = False
    initializer_range: float = 0.02

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        self.custom_pipelines = {
            TASK: {"impl": "pipeline_mtrefseg.MTRefSegPipeline", "pt": ["AutoModel"], "type": "multimodal"}
        }

    def validate_architecture(self) -> None:
        """Raises a `ValueError` that names the field if the parts are inconsistent."""
        _require_positive(self, "image_size", "seg_head_size", "seg_head_attention_heads")
        if self.image_size % 32:
            raise ValueError(f"image_size={self.image_size} must be a multiple of 32, the stride of the backbone.")
        if self.num_points < 0:
            raise ValueError(f"num_points={self.num_points} must not be negative.")
        if self.oversample_ratio < 1 or not 0 <= self.importance_sample_ratio <= 1:
            raise ValueError(
                f"oversample_ratio={self.oversample_ratio} must be at least 1 and "
                f"importance_sample_ratio={self.importance_sample_ratio} between 0 and 1."
            )
        for name in ("mask_weight", "dice_weight", "language_weight", "no_target_weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative.")
        ids = (self.image_t1_token_id, self.image_t2_token_id, self.seg_token_id)
        if len(set(ids)) < len(ids):
            raise ValueError(f"image_t1_token_id, image_t2_token_id and seg_token_id must differ, but are {ids}.")
        stages = self.vision_config.to_dict().get("out_features") or []
        if len(stages) != 4:
            raise ValueError(
                f"vision_config of type {self.vision_config.model_type!r} has out_features={stages}; it must be that "
                "of a backbone and name four stages (strides 4, 8, 16, 32), for example "
                "['stage1', 'stage2', 'stage3', 'stage4']."
            )


def _require_positive(config: PreTrainedConfig, *names: str) -> None:
    for name in names:
        if getattr(config, name) < 1:
            raise ValueError(f"{name}={getattr(config, name)} must be at least 1.")


# Needed to recognise a nested configuration of this type.
AutoConfig.register(EfficientNetLiteConfig.model_type, EfficientNetLiteConfig, exist_ok=True)
MTRefSegConfig.register_for_auto_class()
__all__ = ["TASK", "MTRefSegConfig", "MTRefSegMaskDecoderConfig"]
