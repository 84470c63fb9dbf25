# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Graphs as ONNX files that share their weights."""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx.external_data_helper import set_external_data

from mtrefseg.errors import UserError, one_line
from mtrefseg.io import sha256_bytes

from .graphs import Graph
from .names import ANSWER, CHANGES, ENCODE, WEIGHTS


# The newest operator set that ONNX Runtime 1.17, OpenVINO 2024 and TensorRT 10 support.
_OPSET = 20
_SHARED_FROM = 1 << 14  # bytes; smaller tensors stay in the graph
_ALIGNMENT = 4096  # the size of a memory page, so that files can be memory-mapped
# Names of the dynamic axes of one input of each graph; those of the others are derived.
_AXES: dict[str, dict[str, tuple[str | None, ...]]] = {
    ENCODE: {
        "pixel_values_t1": ("batch_size", None, "rows", "columns"),
        "prompt_input_ids": ("batch_size", "prompt_length"),
    },
    ANSWER: {
        "features_32": ("batch_size", None, "rows", "columns"),
        "prompt_attention_mask": ("batch_size", "prompt_length"),
        "input_ids": ("batch_size", "num_expressions", "sentence_length"),
    },
    CHANGES: {"features_32": ("batch_size", None, "rows", "columns")},
}


def write_onnx(graph: Graph, path: Path) -> None:
    """
    Writes one graph.

    Args:
        graph ([`Graph`]): A result of [`trace`].
        path (`Path`): The file.

    Raises:
        UserError: If an operator has no counterpart in ONNX.
    """
    with _quiet():
        try:
            program = torch.onnx.export(
                graph.program,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                opset_version=_OPSET,
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise UserError(f"the graph {graph.name} cannot be written as ONNX: {one_line(error)}") from error
    assert program is not None
    model = program.model_proto
    _name_axes(model, graph.name)
    for node in model.graph.node:
        del node.metadata_props[:]  # It contains stack traces with paths of this machine.
        node.doc_string = ""
    onnx.save(model, path)


def load_onnx(path: Path) -> onnx.ModelProto:
    """A graph with its weights, wherever they are stored."""
    return onnx.load(path)


def save_onnx(graph: onnx.ModelProto, path: Path) -> None:
    """Writes a graph with its weights, in one file."""
    onnx.save(graph, path)


def share_weights(folder: Path) -> None:
    """
    Stores the larger weights of a folder's graphs once, in a common file.

    Args:
        folder (`Path`): The folder.
    """
    graphs = {path: load_onnx(path) for path in folder.glob("*.onnx")}
    places: dict[str, tuple[int, int]] = {}
    with (folder / WEIGHTS).open("wb") as file:
        for path, model in sorted(graphs.items()):
            for tensor in model.graph.initializer:
                array = onnx.numpy_helper.to_array(tensor)
                content = array.tobytes()
                if len(content) < _SHARED_FROM:
                    continue
                key = sha256_bytes(content)
                if key not in places:
                    file.write(bytes(-file.tell() % _ALIGNMENT))
                    places[key] = (file.tell(), len(content))
                    file.write(content)
                tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
                set_external_data(tensor, WEIGHTS, *places[key])
                tensor.ClearField("raw_data")
            onnx.save(model, path)


def _name_axes(model: onnx.ModelProto, graph: str) -> None:
    """Renames the dynamic axes, which the exporter names by numbers, in all shapes of a graph."""
    names = {}
    inputs = {value.name: value for value in model.graph.input}
    for name, axes in _AXES[graph].items():
        for axis, dimension in zip(axes, inputs[name].type.tensor_type.shape.dim):
            if axis and (symbol := re.search(r"[a-z]\w*", dimension.dim_param)):
                names[symbol[0]] = axis
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = re.sub(
                    r"\b[a-z]\w*", lambda found: names.get(found[0], found[0]), dimension.dim_param
                )


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides the exporter's messages about itself and about packages that are not needed."""
    loggers: list[Any] = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels):
                logger.setLevel(level)
