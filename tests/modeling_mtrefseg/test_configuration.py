# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Configurations: errors name the field, presets have the sizes that they should have."""

import pytest
import torch

from modeling_mtrefseg import MTRefSegConfig, MTRefSegModel
from mtrefseg.build.presets import preset_model, tiny_processor


class TestConfig:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("fusion_type", "sum"),
            ("image_size", 100),
            ("image_size", "large"),
            ("oversample_ratio", 0.5),
            ("dice_weight", -1.0),
            ("projector_norm", "batch"),
            ("seg_token_id", 50297),
            ("vision_config", {"model_type": "swin"}),
            ("vision_config", {"model_type": "bert"}),
            ("mask_decoder_config", {"hidden_size": 100}),
            ("mask_decoder_config", {"decoder_layers": 0}),
        ],
    )
    def test_errors_name_the_field(self, field, value):
        name = next(iter(value)) if field == "mask_decoder_config" else field
        with pytest.raises(Exception, match=name):
            MTRefSegConfig(**{field: value})

    def test_paper_sizes(self):
        """Parts whose sizes the paper's training log gives, on the meta device."""
        from mtrefseg.build.presets import preset_config

        with torch.device("meta"):
            model = MTRefSegModel(preset_config("paper"))
        count = lambda module: sum(parameter.numel() for parameter in module.parameters())  # noqa: E731
        assert count(model.language_model.get_decoder()) == 1_208_500_224 + 4_096 + 103_008_256
        assert count(model.vision_model.backbone) == 86_880_376 + 2 * 1024  # and a norm that nobody reads
        assert count(model.projector) == 62_134_272
        assert count(model.vision_model.fusion) == 59_564_160
        assert count(model.seg_head) == 1_576_960 + 1_049_088 + 1_049_088 + 524_800 + 262_400
        # Without the convolution biases that Mask2Former has not.
        assert count(model.vision_model.mask_decoder.pixel_decoder) == 5_544_896 - 2 * 256

    def test_tiny_preset_runs(self, make_image):
        processor = tiny_processor(image_size=64)
        model = preset_model("tiny", processor).eval()
        with torch.no_grad():
            outputs = model(**processor(images_t1=make_image(), images_t2=make_image(seed=1), text="größeres 房子"))
        assert outputs.mask_logits.shape == (1, 16, 16)
        # Generation has to stop where the tokenizer's texts end.
        assert model.language_model.generation_config.eos_token_id == processor.tokenizer.eos_token_id
        assert model.config.text_config.pad_token_id == processor.tokenizer.pad_token_id
