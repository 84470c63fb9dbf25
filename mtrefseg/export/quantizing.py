# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Static quantisation to 8 bits: convolutions and the pixel decoder's linear layers, scales from calibration pairs."""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


_PIXEL_DECODER = ".pixel_decoder.encoder."
_EXACT = ("sampling_offsets", "attention_weights")


class _Pairs(CalibrationDataReader):
    """Yields the pairs to ONNX Runtime, one by one."""

    def __init__(self, pairs: Iterable[dict[str, np.ndarray]]) -> None:
        self.pairs: Iterator[dict[str, np.ndarray]] = iter(pairs)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next pair, or `None` at the end."""
        return next(self.pairs, None)


def quantize(model: onnx.ModelProto, pairs: Iterable[dict[str, np.ndarray]]) -> onnx.ModelProto:
    """
    Quantises the convolutions of a graph, the activations and additions between them, and the pixel decoder's linear
    layers to 8 bits: weights with a scale per channel, activations with a scale per tensor. All other operators stay
    in float32.

    Args:
        model (`onnx.ModelProto`): The graph, with its weights.
        pairs (`Iterable[dict[str, np.ndarray]]`): Inputs of the graph; activations are scaled to the range that they
            have with these.

    Returns:
        `onnx.ModelProto`: The changed graph.
    """
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # It logs a recommendation on the root logger that is already followed here.
    try:
        with tempfile.TemporaryDirectory() as folder:
            given, plain, quantized = (Path(folder) / f"{name}.onnx" for name in ("given", "plain", "quantized"))
            onnx.save(model, given)
            quant_pre_process(given, plain, skip_symbolic_shape=True)
            prepared = onnx.load(plain).graph
            quantize_static(
                plain,
                quantized,
                _Pairs(pairs),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv", "Clip", "Relu", "Add", "MaxPool", "MatMul"],
                nodes_to_quantize=convolutional_nodes(prepared) + linear_nodes(prepared),
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                # Their bias is added in float32.
                extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
            )
            return onnx.load(quantized)
    finally:
        root.setLevel(level)


def convolutional_nodes(graph: onnx.GraphProto) -> list[str]:
    """The names of all convolutions, and of activations, pooling and additions whose inputs all come from these."""
    chosen: list[str] = []
    made_by = {output: node.name for node in graph.node for output in node.output}
    for node in graph.node:
        inputs = node.input if node.op_type == "Add" else node.input[:1]
        follows = node.op_type in ("Clip", "Relu", "MaxPool", "Add") and all(
            made_by.get(name) in chosen for name in inputs
        )
        if node.op_type == "Conv" or follows:
            chosen.append(node.name)
    return chosen


def linear_nodes(graph: onnx.GraphProto) -> list[str]:
    """
    The names of the products in the pixel decoder's linear layers. The layers that compute sampling positions and
    attention weights are left out, because these need to be exact.
    """
    weights = {tensor.name for tensor in graph.initializer}
    biases = {name: node for node in graph.node if node.op_type == "Add" for name in node.input}
    chosen = []
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and node.output[0] in biases:
            bias = " ".join(biases[node.output[0]].input)
            if _PIXEL_DECODER in bias and not any(name in bias for name in _EXACT):
                chosen.append(node.name)
    return chosen
