# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes a model as a folder of graphs, with everything that is needed to run them."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image

from modeling_mtrefseg.modeling_mtrefseg import MTRefSegModel
from modeling_mtrefseg.processing_mtrefseg import MTRefSegProcessor
from mtrefseg.errors import UserError
from mtrefseg.importing import version_of
from mtrefseg.io import write_json

from .graphs import trace
from .layers import prepare
from .names import ENCODE, PACKAGES, PAIR, PROMPT, SETTINGS, TOKENIZER
from .openvino_files import convert_folder
from .settings import ExportSettings, ImageSettings, TextSettings, hashes_in


Format = Literal["onnx", "openvino", "torch-export"]
# The other files of the processor are code.
_PROCESSOR_FILES = ("processor_config.json", TOKENIZER, "tokenizer_config.json")
# The projector halves 6 x 10 cells of 32 pixels twice, to 2 x 3 image tokens.
_EXAMPLE_SIZE, _EXAMPLE_TOKENS = (192, 320), 6
_SENTENCES = ["the house that appeared", "the red car which left the road", "trees"]


def export_model(
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    folder: Path,
    format: Format = "onnx",
    calibration: Iterable[tuple[Image.Image, Image.Image]] | None = None,
) -> None:
    """
    Writes the graphs of a model, and the configuration files of its processor.

    Args:
        model ([`MTRefSegModel`]): Loaded, and not changed by [`optimize_for_cpu`].
        processor ([`MTRefSegProcessor`]): Its processor.
        folder (`Path`): An empty folder.
        format (`str`, *optional*, defaults to `"onnx"`): `"onnx"`, `"openvino"` or `"torch-export"`.
        calibration (`Iterable` of pairs of `PIL.Image.Image`, *optional*): With these, the convolutions of ONNX and
            OpenVINO graphs compute in 8 bits, with scales that are calibrated with these pairs.

    Raises:
        UserError: If the folder is not empty, the model cannot be exported, or its tokenizer is not a fast one (of the
            library `tokenizers`).
    """
    if any(folder.iterdir()):
        raise UserError(f"{folder} is not empty: export into a new folder, so that files of two exports do not mix")
    if not processor.tokenizer.is_fast:
        raise UserError("only tokenizers of the library tokenizers can be exported, with a tokenizer.json")
    if calibration is not None and format == "torch-export":
        raise UserError("only ONNX and OpenVINO graphs can be quantised")
    # torch.export refuses lengths of 1 on dynamic axes, which occur with images of up to 128 pixels.
    is_large = format != "torch-export" or processor.image_processor.size["height"] > 128
    prepared, open_sizes = prepare(model), is_large and _has_open_sizes(model)
    inputs = _example(processor, open_sizes)
    for graph in trace(prepared, inputs, open_sizes):
        if format == "torch-export":
            torch.export.save(graph.program, folder / f"{graph.name}.pt2")
            continue
        from .onnx_files import write_onnx

        write_onnx(graph, folder / f"{graph.name}.onnx")
    _save_processor(processor, folder)
    if calibration is not None:
        quantize_encoder(folder, processor, calibration)
    if format == "onnx":
        from .onnx_files import share_weights

        share_weights(folder)
    elif format == "openvino":
        convert_folder(folder)
    precision = "float32" if calibration is None else "int8"
    settings = _settings(processor, format, precision, open_sizes, hashes_in(folder))
    write_json(folder / SETTINGS, settings.to_dict())


def quantize_encoder(
    folder: Path, processor: MTRefSegProcessor, calibration: Iterable[tuple[Image.Image, Image.Image]]
) -> None:
    """
    Quantises convolutions and linear layers of the ONNX graph that encodes pairs to 8 bits; see [`quantize`].

    Args:
        folder (`Path`): The folder of the graphs.
        processor ([`MTRefSegProcessor`]): The processor of the model.
        calibration (`Iterable` of pairs of `PIL.Image.Image`): See [`export_model`].
    """
    from .onnx_files import load_onnx, save_onnx
    from .quantizing import quantize

    path = folder / f"{ENCODE}.onnx"
    save_onnx(quantize(load_onnx(path), _pixels(processor, calibration)), path)


def _has_open_sizes(model: MTRefSegModel) -> bool:
    """
    Whether the image size can be dynamic, which is not possible if weights or attention windows depend on one size.
    """
    is_convolutional = model.config.vision_config.model_type in (
        "efficientnet_lite",
        "resnet",
        "convnext",
        "convnextv2",
    )
    return is_convolutional and model.config.projector_norm != "spatial"


def _example(processor: MTRefSegProcessor, open_sizes: bool) -> dict[str, torch.Tensor]:
    """
    Example inputs: two pairs with three sentences each. The lengths of dynamic axes all differ, and none of them is 1,
    because the exporter may treat equal lengths as one axis, and a length of 1 as fixed.
    """
    side = processor.image_processor.size["height"]
    height, width = _EXAMPLE_SIZE if open_sizes else (side, side)
    encoder = processor.sentence_encoder
    if open_sizes:
        encoder = replace(encoder, num_image_tokens=_EXAMPLE_TOKENS)
    pixels = torch.rand((2, 2, 3, height, width), generator=torch.Generator().manual_seed(0))
    text = {name: torch.from_numpy(array) for name, array in encoder.encode([_SENTENCES] * 2).items()}
    return {**dict(zip(PAIR, pixels)), **text}


def _pixels(
    processor: MTRefSegProcessor, pairs: Iterable[tuple[Image.Image, Image.Image]]
) -> Iterable[dict[str, np.ndarray]]:
    """Inputs of the first graph, one pair at a time."""
    for images in pairs:
        inputs = processor(*images, text=_SENTENCES[:1], align="resize", return_tensors="np")
        yield {name: inputs[name] for name in (*PAIR, *PROMPT)}


def _save_processor(processor: MTRefSegProcessor, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        processor.save_pretrained(temporary)
        for name in _PROCESSOR_FILES:
            (Path(temporary) / name).rename(folder / name)


def _settings(
    processor: MTRefSegProcessor, format: str, precision: str, open_sizes: bool, files: dict[str, str]
) -> ExportSettings:
    images, encoder = processor.image_processor, processor.sentence_encoder
    fields = {name: value for name, value in vars(encoder).items() if name != "tokenize"}
    mean, std = (list(images.image_mean), list(images.image_std)) if images.do_normalize else (None, None)
    packages = ("mtrefseg", "torch", "transformers", *PACKAGES[format])
    return ExportSettings(
        format=format,
        precision=precision,
        threshold=images.threshold,
        no_target_threshold=images.no_target_threshold,
        fallback_threshold=images.fallback_threshold,
        open_sizes=open_sizes,
        image=ImageSettings(images.size["height"], int(images.resample), images.antialias, mean, std, images.align),
        text=TextSettings(**fields, choose_objects=processor.choose_objects),
        versions={package: version_of(package) for package in packages},
        files=files,
    )
