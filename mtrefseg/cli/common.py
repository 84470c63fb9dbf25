# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Shared by the verbs of `mtrefseg`: options, checks of the input, loading, and writing of results."""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import modeling_mtrefseg
from mtrefseg.build.shipped import HUB_MODEL, MODEL_NAME, shipped_model
from mtrefseg.errors import UserError, one_line
from mtrefseg.hub import check_hub_model, is_hub_id
from mtrefseg.importing import import_libraries, version_of
from mtrefseg.io import read_json, unfinished_folder
from mtrefseg.option_values import band_numbers, named_path, percentiles

from .parsing import VerbParser


if TYPE_CHECKING:
    import torch
    from PIL import Image


_FILE_NAME = re.compile(r"\S*\w\.[A-Za-z]\w{1,6}")  # A word with the suffix of a file.
LONGEST_SIDE = 65_535
"""Longest side of an image that can be segmented, in pixels; results are drawn at the size of the images."""


def default_model() -> str:
    """
    The default of `--model`: the folder `mtrefseg-r1` next to the package or in the current folder, or else the model
    on the Hub. Reports on stderr which one is used.
    """
    model = shipped_model()
    if model == HUB_MODEL:
        progress(f"using {HUB_MODEL} from the Hub; choose another model with --model")
    else:
        progress(f"using the model in {model}")
    return model


def add_model_option(parser: argparse.ArgumentParser, note: str = f"the shipped {MODEL_NAME} by default") -> None:
    """
    Declares `--model`.

    Args:
        parser (`argparse.ArgumentParser`): For the options of the verb.
        note (`str`, *optional*): Text about the default in its help.
    """
    parser.add_argument("--model", metavar="DIR_OR_HUB_ID", help=f"model folder or Hub id; {note}")


def add_pair_arguments(parser: VerbParser, with_images: bool = True) -> None:
    """
    Declares T1 and T2, and the options of every verb that shows a pair to a model.

    Args:
        parser ([`VerbParser`]): The parser of the verb.
        with_images (`bool`, *optional*, defaults to `True`): Whether to declare T1 and T2 as well.
    """
    if with_images:
        parser.positionals.add_argument("image_t1", metavar="T1", help="the earlier image: a file or an http(s) URL")
        parser.positionals.add_argument("image_t2", metavar="T2", help="the later image")
    options = parser.options
    options.add_argument("--out", metavar="DIR", type=named_path, required=True, help="folder for the results")
    add_model_option(options)
    options.add_argument(
        "--align",
        choices=("error", "resize"),
        default="error",
        help="if the images differ in size: stop with an error (default), or resize t2 to the size of t1",
    )
    options.add_argument(
        "--bands",
        metavar="R,G,B",
        type=band_numbers,
        help="for files with several bands: bands to read as red, green and blue, such as 3,2,1, or one band to read "
        "as grey; by default the first three",
    )
    options.add_argument(
        "--stretch",
        metavar="LOW,HIGH",
        type=percentiles,
        default="auto",
        help="percentiles for stretching values of more than 8 bits, computed over both images; 2,98,each stretches "
        "each image separately, none turns stretching off; by default 2,98 if no value exceeds 14 bits",
    )
    options.add_argument("--domain", choices=("remote_sensing", "normal_scene"), help="domain of the images, if known")
    options.add_argument("--device", help="cpu, cuda, cuda:1, mps …; by default cuda if available")
    options.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="precision of weights and computation; auto (default) uses the one in the model's configuration",
    )


def closest_note(is_closest: bool) -> str:
    """What stands behind a printed result whose mask contains the closest changes, since nothing fits clearly."""
    from mtrefseg.view.drawing import CLOSEST

    return f"  ({CLOSEST})" if is_closest else ""


def progress(message: str) -> None:
    """Reports progress on stderr."""
    print(f"mtrefseg: {message}", file=sys.stderr, flush=True)


@contextmanager
def bad_input(*kinds: type[Exception], prefix: str = "") -> Iterator[None]:
    """Converts errors of bad input and of the file system in the block to a `UserError`."""
    expected: tuple[type[Exception], ...] = (OSError, ValueError, *kinds)
    try:
        yield
    except expected as error:
        raise UserError(prefix + one_line(error)) from error


def check_sentences(texts: Sequence[str]) -> None:
    """Raises a `UserError` for sentences that are blank, names of files, or not valid UTF-8."""
    from mtrefseg.io import is_blank  # Imports NumPy, which help and usage errors do not need.

    for number, text in enumerate(texts, start=1):
        # The shell passes bytes that are not UTF-8 as lone surrogates, which JSON files cannot contain.
        with bad_input(prefix=f"sentence {number} is not valid UTF-8: "):
            text.encode("utf-8")
        if is_blank(text):
            raise UserError(f"sentence {number} is empty: leave it out, or write what changed")
        if os.path.isfile(text) or _FILE_NAME.fullmatch(text):
            raise UserError(
                f"{text} is given as a sentence, but is the name of a file: for more than two images, use `mtrefseg "
                "series`, which recognises images by their suffix (.tif, .jpg, .png, ...)"
            )


def check_writable(out: Path) -> None:
    """Raises a `UserError` if a folder cannot be created or written into."""
    parent = out
    # OSError: a part of the path is too long.
    with bad_input(prefix="cannot write: "):
        while not parent.exists() and parent != parent.parent:
            parent = parent.parent
    if not parent.is_dir():
        raise UserError(f"cannot write into {out}: {parent} is not a folder")
    if not os.access(parent, os.W_OK):
        raise UserError(f"cannot write into {out}: no permission to write into {parent}")


def check_model(model: str) -> str | None:
    """The model type in a folder's `config.json`, `None` for a Hub id; a missing folder is an error."""
    folder = Path(model)
    if folder.is_dir():
        path = folder / "config.json"
        with bad_input(prefix=f"{folder} is not a model folder: "):
            config = read_json(path)
        return str(config.get("model_type")) if isinstance(config, dict) else "unknown"
    if is_hub_id(model) and not folder.exists():
        check_hub_model(model)
        return None
    raise UserError(
        f'there is no model folder "{model}": name a model folder or a Hub id; `mtrefseg convert` makes a '
        "folder from the reference's weights"
    )


def check_model_type(model: str, model_type: str | None) -> None:
    """Raises a `UserError` unless the model is of this package's type. If `model_type` is `None`, it is looked up."""
    if model_type is None:
        from transformers import AutoConfig

        from mtrefseg.build.loading import load_errors

        modeling_mtrefseg.register()
        with load_errors(model):
            model_type = AutoConfig.from_pretrained(model).model_type
    if model_type != "mtrefseg":
        raise UserError(f'{model} holds a model of type "{model_type}", but "mtrefseg" is needed')


def load_pair(options: argparse.Namespace) -> "tuple[Image.Image, Image.Image]":
    """The images T1 and T2, RGB. Raises a `UserError` if they differ in size and `--align` is `error`."""
    from mtrefseg.io import Stretch, check_same_place, read_images

    stretch = Stretch(*options.stretch) if isinstance(options.stretch, tuple) else options.stretch
    with bad_input():
        sources = (options.image_t1, options.image_t2)
        (image_t1, image_t2), notes = read_images(sources, sources, options.bands, stretch)
        check_same_place(sources, [image_t1.size, image_t2.size])
    for name, image in ((options.image_t1, image_t1), (options.image_t2, image_t2)):
        if max(image.size) > LONGEST_SIDE:
            raise UserError(
                f"{name} has {image.width}x{image.height} pixels: no side may have more than {LONGEST_SIDE:,}, so cut "
                "the image"
            )
    if image_t1.size != image_t2.size and options.align == "error":
        raise UserError(
            f"{options.image_t1} has {image_t1.width}x{image_t1.height} pixels and {options.image_t2} "
            f"{image_t2.width}x{image_t2.height}: if both show the same area, add --align resize"
        )
    for note in notes:
        progress(note)
    return image_t1, image_t2


def open_pair(
    options: argparse.Namespace, texts: Sequence[str]
) -> "tuple[tuple[Image.Image, Image.Image], torch.device, Any]":
    """
    Checks all input of a verb that shows a pair to a model, except for the weights, which take a while to load.

    Args:
        options (`argparse.Namespace`): With the arguments of [`add_pair_arguments`]; `model` is set to the default
            model if none is given.
        texts (`Sequence[str]`): The sentences.

    Returns:
        `tuple`: The images T1 and T2, the device, and the model's processor.

    Raises:
        [`UserError`]: If a sentence, the folder for the results, the model, an image or the device cannot be used.
    """
    check_sentences(texts)
    check_writable(options.out)
    options.model = options.model or default_model()
    model_type = check_model(options.model)
    images = load_pair(options)

    import_libraries()
    from mtrefseg.build.loading import find_device, load_processor

    device = find_device(options.device)
    check_model_type(options.model, model_type)
    return images, device, load_processor(options.model)


def versions() -> dict[str, str]:
    """Versions of the packages that affect the result, for `result.json`."""
    return {package: version_of(package) for package in ("mtrefseg", "torch", "transformers")}


def load_model_with_note(name: str, processor: Any, device: "torch.device", dtype: str) -> Any:
    """The model, with a note on stderr, since reading large weights takes a while; see
    [`mtrefseg.build.loading.load_model`]."""
    from mtrefseg.build.loading import load_model
    from mtrefseg.build.memory import keep_freed_memory

    keep_freed_memory(device)
    progress("loading the weights")
    return load_model(name, processor, device, dtype=dtype)


def check_new_folder(out: Path) -> None:
    """Raises a `UserError` if a folder exists already or cannot be created."""
    if out.exists():
        raise UserError(f"{out} exists already: name a new folder, or remove it first")
    check_writable(out)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """
    Makes a folder appear complete or not at all.

    Args:
        out (`Path`): The folder; it must not exist.

    Yields:
        `Path`: An empty temporary folder next to it. It is renamed to `out` at the end of the block.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(out.parent) as folder:
        unfinished = folder / out.name
        unfinished.mkdir()
        yield unfinished
        unfinished.rename(out)
