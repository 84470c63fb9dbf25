# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Graphs as files of OpenVINO."""

import sys
from pathlib import Path
from typing import Any

from mtrefseg.errors import UserError, one_line


_TELEMETRY = "openvino_telemetry"


def import_openvino() -> Any:
    """
    Imports OpenVINO without its telemetry, which would report each import over the network.

    Raises:
        UserError: If it is not installed.
    """
    # OpenVINO works without that package, and this makes it look absent during the import.
    is_hidden = _TELEMETRY not in sys.modules
    if is_hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise UserError('openvino is not installed: pip install "mtrefseg[openvino]"') from error
    finally:
        if is_hidden:
            del sys.modules[_TELEMETRY]
    return openvino


def convert_folder(folder: Path) -> None:
    """
    Replaces the ONNX graphs of a folder by OpenVINO's: a file `.xml` with the operators and a file `.bin` with the
    weights for each. Weights keep their precision.

    Args:
        folder (`Path`): The folder, with graphs that contain their weights.

    Raises:
        UserError: If OpenVINO is not installed, or does not support an operator.
    """
    openvino = import_openvino()
    core = openvino.Core()
    for path in sorted(folder.glob("*.onnx")):
        try:
            openvino.save_model(core.read_model(path), path.with_suffix(".xml"), compress_to_fp16=False)
        except RuntimeError as error:
            raise UserError(f"OpenVINO cannot convert the graph {path.stem}: {one_line(error)}") from error
        path.unlink()
