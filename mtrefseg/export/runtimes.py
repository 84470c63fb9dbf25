# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs exported models with ONNX Runtime or OpenVINO. Needs neither PyTorch nor transformers."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from mtrefseg.errors import UserError, one_line

from .names import ENCODE, PAIR
from .openvino_files import import_openvino
from .segmenter import ExportedSegmenter, RunGraph
from .settings import ExportSettings


# It fuses additions with layer normalisations into one operator, which is several times slower than both.
_SLOW_REWRITES = ["SkipLayerNormFusion"]


class OnnxSegmenter(ExportedSegmenter):
    """
    Runs a folder of `mtrefseg export --format onnx` with ONNX Runtime. See [`ExportedSegmenter`] for the methods.

    It uses `OMP_NUM_THREADS` threads, by default one for each core.

    Args:
        folder (`str` or `Path`): The folder.

    Raises:
        UserError: If the folder is not an exported model of this format, or ONNX Runtime is not installed.

    Example:

    ```python
    >>> import mtrefseg

    >>> segmenter = mtrefseg.OnnxSegmenter("exported")
    >>> pair = {"image_t1": "2019.png", "image_t2": "2024.png", "text": "the new house by the road"}
    >>> segmenter(pair)[0]["mask"].save("mask.png")
    ```
    """

    format = "onnx"
    runtime = "ONNX Runtime"

    def _open(self, graph: str) -> RunGraph:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise UserError('onnxruntime is not installed: pip install "mtrefseg[onnx]"') from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _num_threads()
        path = self.folder / f"{graph}.onnx"
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW_REWRITES
            )
        # ONNX Runtime has an exception class for each reason, without a common base class.
        except Exception as error:
            raise _cannot_load(path, error) from error
        run: RunGraph = session.run
        return run


class OpenVinoSegmenter(ExportedSegmenter):
    """
    Runs a folder of `mtrefseg export --format openvino` with OpenVINO, on the CPU. See
    [`ExportedSegmenter`] for the methods.

    It uses `OMP_NUM_THREADS` threads, by default as many as OpenVINO chooses.

    Args:
        folder (`str` or `Path`): The folder.

    Raises:
        UserError: If the folder is not an exported model of this format, or OpenVINO is not installed.

    Example:

    ```python
    >>> import mtrefseg

    >>> segmenter = mtrefseg.OpenVinoSegmenter("exported")
    >>> pair = {"image_t1": "2019.png", "image_t2": "2024.png", "text": "the new house by the road"}
    >>> segmenter(pair)[0]["mask"].save("mask.png")
    ```
    """

    format = "openvino"
    runtime = "OpenVINO"

    def __init__(self, folder: str | Path) -> None:
        self._known_shapes: dict[str, Any] = {}
        super().__init__(folder)

    def _open(self, graph: str) -> RunGraph:
        openvino, path = import_openvino(), self.folder / f"{graph}.xml"
        properties = {
            # Otherwise it computes in bfloat16 where the processor can, which changes masks.
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": _num_threads(),
        }
        try:
            core = openvino.Core()
            model = core.read_model(path)
            self._fix_sizes(model, graph)
            return _OpenVinoGraph(core.compile_model(model, "CPU", properties), pair_by_pair=graph == ENCODE)
        except RuntimeError as error:
            raise _cannot_load(path, error) from error

    def _fix_sizes(self, model: Any, graph: str) -> None:
        """
        Fixes the sizes of images to the canvas, those of features to the sizes that follow from it, and the number of
        pairs that are encoded at once to one, which makes the graphs faster. All other lengths stay dynamic.
        """
        side = self.settings.image.size
        known = {name: [3, side, side] for name in PAIR} | self._known_shapes
        num_pairs = 1 if graph == ENCODE else -1
        lengths = {value.any_name: known.get(value.any_name, list(value.partial_shape)[1:]) for value in model.inputs}
        model.reshape({name: [num_pairs, *rest] for name, rest in lengths.items()})
        self._known_shapes |= {value.any_name: list(value.partial_shape)[1:] for value in model.outputs}


class _OpenVinoGraph:
    """
    A compiled graph, for one call at a time.

    Args:
        compiled (`openvino.CompiledModel`): The graph.
        pair_by_pair (`bool`): Whether it takes one pair at a time.
    """

    def __init__(self, compiled: Any, pair_by_pair: bool) -> None:
        self.pair_by_pair = pair_by_pair
        # A request reserves memory, so a new one for each call would take longer.
        self.request = compiled.create_infer_request()
        self.lock = Lock()

    def __call__(self, names: Sequence[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """See `RunGraph`."""
        num_pairs = len(next(iter(inputs.values())))
        at_once = 1 if self.pair_by_pair else num_pairs
        parts = []
        with self.lock:
            for start in range(0, num_pairs, at_once):
                pairs = {name: array[start : start + at_once] for name, array in inputs.items()}
                outputs = self.request.infer(pairs, share_inputs=True)
                parts.append([outputs[name] for name in names])
        return parts[0] if len(parts) == 1 else [np.concatenate(arrays) for arrays in zip(*parts)]


def open_exported(folder: str | Path) -> ExportedSegmenter:
    """
    Opens a folder of `mtrefseg export` with the runtime of its format.

    Args:
        folder (`str` or `Path`): The folder.

    Raises:
        UserError: If it is not an exported model, no runtime here runs its format, or the runtime is not installed.
    """
    format = ExportSettings.read(Path(folder)).format
    runtimes = {runtime.format: runtime for runtime in (OnnxSegmenter, OpenVinoSegmenter)}
    if format not in runtimes:
        raise UserError(f'"{folder}" was exported as {format}; export it with --format {" or ".join(runtimes)}')
    return runtimes[format](folder)


def _num_threads() -> int:
    """`OMP_NUM_THREADS`, and 0, which leaves the choice to the runtime, without it. "4,2" is for nested loops."""
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if given and not given.isdecimal():
        raise UserError(f"OMP_NUM_THREADS is {given!r}: set it to a number of threads, or unset it")
    return int(given or 0)


def _cannot_load(path: Path, error: Exception) -> UserError:
    return UserError(f"cannot load {path}: {one_line(error)}; export the model again")
