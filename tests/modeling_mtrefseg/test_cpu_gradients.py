# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Our gradients on a CPU are those of PyTorch's own operators, and only used where gradients are needed."""

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from modeling_mtrefseg.cpu_gradients_mtrefseg import convolve, relu6_in_place, weighted_maxima, weighted_row_sums
from modeling_mtrefseg.efficientnet_lite_mtrefseg import EfficientNetLiteBackbone, EfficientNetLiteConfig


# (input channels, output channels, kernel size, stride, padding, groups)
CONVOLUTIONS = {
    "depthwise 5 x 5": (8, 8, 5, 1, 2, 8),
    "depthwise 5 x 5, stride 2": (8, 8, 5, 2, 0, 8),
    "depthwise 3 x 3": (8, 8, 3, 1, 1, 8),
    "depthwise 3 x 3, stride 2": (8, 8, 3, 2, 0, 8),
    "pointwise": (8, 12, 1, 1, 0, 1),
    "stem": (3, 8, 3, 2, 0, 1),
}


def gradients(output: Tensor, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    torch.manual_seed(1)
    return torch.autograd.grad(output, inputs, torch.randn(output.shape))


@pytest.mark.parametrize("sizes", CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())
@pytest.mark.parametrize("is_channels_last", [True, False])
def test_convolution_has_the_gradients_of_pytorch(sizes: tuple[int, ...], is_channels_last: bool) -> None:
    inputs, outputs, size, stride, padding, groups = sizes
    torch.manual_seed(0)
    layout = torch.channels_last if is_channels_last else torch.contiguous_format
    features = torch.randn(2, inputs, 9, 13).contiguous(memory_format=layout).requires_grad_()
    kernel = torch.randn(outputs, inputs // groups, size, size, requires_grad=True)
    bias = torch.randn(outputs, requires_grad=True)
    ours = convolve(features, kernel, bias, stride, padding, groups)
    library = nn.functional.conv2d(features, kernel, bias, stride, padding, groups=groups)
    is_ours = type(ours.grad_fn) is not type(library.grad_fn)
    assert is_ours == (groups > 1 and size == 5)  # PyTorch's own are fast enough for the others.
    assert_close(ours, library)
    tensors = [features, kernel, bias]
    assert_close(gradients(ours, tensors), gradients(library, tensors), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [11, 12, 13])
@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(3, 2, 0), (5, 2, 0), (5, 2, 2), (4, 3, 1), (5, 1, 2), (3, 1, 1)]
)
def test_bfloat16_has_the_gradients_of_float32(size: int, stride: int, padding: int, side: int) -> None:
    torch.manual_seed(0)
    shapes = ((2, 8, side, side), (8, 1, size, size), (8,))
    half = [torch.randn(shape).bfloat16().requires_grad_() for shape in shapes]
    exact = [tensor.detach().float().requires_grad_() for tensor in half]
    ours = convolve(*half, stride=stride, padding=padding, groups=8)
    library = nn.functional.conv2d(exact[0], exact[1], exact[2], stride, padding, groups=8)
    is_ours = type(ours.grad_fn).__name__ == "_DepthwiseConvolutionBackward"
    assert is_ours == (size > 3 or stride > 1)
    gradient = torch.randn(ours.shape).bfloat16()
    for of_ours, of_library in zip(
        torch.autograd.grad(ours, half, gradient), torch.autograd.grad(library, exact, gradient.float())
    ):
        assert of_ours.dtype == torch.bfloat16
        assert_close(of_ours.float(), of_library, rtol=0, atol=0.01 * float(of_library.abs().max()))


def test_autocast_convolves_in_its_precision() -> None:
    tensors = [torch.randn(2, 8, 7, 7), torch.randn(8, 1, 5, 5), torch.randn(8)]
    for tensor in tensors:
        tensor.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        output = convolve(*tensors, stride=2, padding=0, groups=8)
    assert output.dtype == torch.bfloat16
    output.float().sum().backward()
    assert [tensor.grad is not None and tensor.grad.dtype for tensor in tensors] == [torch.float32] * 3


@pytest.mark.parametrize("trained", ["features", "kernel", "bias"])
@pytest.mark.parametrize("size", [3, 5])
def test_frozen_inputs_get_no_gradient(trained: str, size: int) -> None:
    torch.manual_seed(0)
    tensors = {"features": torch.randn(2, 8, 7, 7), "kernel": torch.randn(8, 1, size, size), "bias": torch.randn(8)}
    tensors[trained].requires_grad_()
    output = convolve(*tensors.values(), stride=1, padding=size // 2, groups=8)
    output.sum().backward()
    assert {name for name, tensor in tensors.items() if tensor.grad is not None} == {trained}


@pytest.mark.parametrize("index_type", [torch.int32, torch.int64])
def test_row_sums_have_the_gradients_of_pytorch(index_type: torch.dtype) -> None:
    torch.manual_seed(0)
    table = torch.randn(30, 6, requires_grad=True)
    weights = torch.rand(20, 7, requires_grad=True)
    rows = torch.randint(0, 25, (20, 7)).to(index_type)  # The last rows are in no sum.
    rows[:, 1] = rows[:, 0]  # One row twice in a sum.
    ours = weighted_row_sums(table, rows, weights)
    library = nn.functional.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)
    assert_close(ours, library)
    assert_close(gradients(ours, [table, weights]), gradients(library, [table, weights]))
    assert gradients(weighted_row_sums(table, rows, weights), [table])[0][25:].count_nonzero() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_relu6_has_the_gradients_of_pytorch_without_a_copy(dtype: torch.dtype) -> None:
    features = torch.tensor([-1.0, 0.0, 2.5, 6.0, 7.0], dtype=dtype, requires_grad=True)
    before = features * 1
    ours, library = relu6_in_place(before), nn.functional.relu6(features)
    assert ours.data_ptr() == before.data_ptr()
    assert_close(ours, library)
    assert_close(gradients(ours, [features]), gradients(library, [features]))
    with torch.no_grad():
        assert relu6_in_place(torch.tensor([7.0])).tolist() == [6.0]


@pytest.mark.parametrize("queries", [0, 1, 5])
def test_maxima_have_the_gradients_of_pytorch(queries: int) -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(3, 6, 20), torch.randn(3, queries, 6), torch.randn(3, queries, 6)]
    for tensor in tensors:
        tensor.requires_grad_()
    pixels, floors, weights = tensors
    ours = weighted_maxima(*tensors)
    library = (torch.maximum(pixels[:, None], floors[..., None]) * weights[..., None]).sum(2)
    assert_close(ours, library)
    assert_close(gradients(ours, tensors), gradients(library, tensors))
    with torch.no_grad():
        assert_close(weighted_maxima(*tensors), ours)
    with torch.autocast("cpu", torch.bfloat16):
        assert_close(weighted_maxima(*tensors), ours)


def test_half_precision_is_summed_in_float32() -> None:
    torch.manual_seed(0)
    table = torch.randn(30, 6, dtype=torch.bfloat16, requires_grad=True)
    weights = torch.rand(20, 7)
    rows = torch.randint(0, 30, (20, 7))
    sums = weighted_row_sums(table, rows, weights)
    assert sums.dtype == torch.bfloat16
    assert_close(sums, weighted_row_sums(table.detach().float(), rows, weights).bfloat16())
    sums.sum().backward()
    assert table.grad is not None
    assert table.grad.dtype == torch.bfloat16


def test_nothing_is_added_to_predictions_and_graphs() -> None:
    kernel = torch.randn(8, 1, 5, 5, requires_grad=True)
    sizes = {"bias": torch.zeros(8), "stride": 1, "padding": 2, "groups": 8}
    with torch.no_grad():
        assert convolve(torch.randn(1, 8, 5, 5), kernel, **sizes).grad_fn is None
    with torch.autocast("cpu", torch.bfloat16):
        assert convolve(torch.randn(1, 8, 5, 5), kernel, **sizes).dtype == torch.bfloat16


def test_training_a_backbone_changes_it_as_with_pytorchs_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    def train() -> list[float]:
        torch.manual_seed(0)
        backbone = EfficientNetLiteBackbone(EfficientNetLiteConfig(width_multiplier=0.25, depth_multiplier=0.5))
        optimizer = torch.optim.SGD(backbone.parameters(), lr=0.01)
        losses = []
        for _ in range(4):
            loss = sum(level.square().mean() for level in backbone(torch.randn(2, 3, 64, 64)).feature_maps)
            assert isinstance(loss, Tensor)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    ours = train()
    assert ours[-1] != ours[0]
    monkeypatch.setattr("modeling_mtrefseg.cpu_gradients_mtrefseg._needs_gradients", lambda *tensors: False)
    assert ours == pytest.approx(train(), rel=1e-4)
