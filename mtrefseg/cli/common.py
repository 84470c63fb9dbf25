# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the verbs of `mtrefseg` share: options, checks of the input, loading, and results that appear whole."""

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtrefseg.build.shipped import HUB_MODEL, MODEL_NAME, shipped_model
from mtrefseg.errors import UserError, one_line

from .parsing import VerbParser


if TYPE_CHECKING:
    import torch
    from PIL import Image


def default_model() -> str:
    """
    The model that is meant without `--model`: the folder `mtrefseg-r1` beside the package, which a clone has, or else
    the one on the Hub. Says on stderr which one it is.
    """
    model = shipped_model()
    if model == HUB_MODEL:
        progress(f"using {HUB_MODEL} from the Hub; --model names another one")
    else:
        progress(f"using the model in {model}")
    return model


def add_model_option(parser: argparse.ArgumentParser, note: str = f"the shipped {MODEL_NAME} by default") -> None:
    """
    Declares `--model`.

    Args:
        parser (`argparse.ArgumentParser`): For the options of the verb.
        note (`str`, *optional*): What its help says about the default.
    """
    parser.add_argument("--model", metavar="DIR_OR_HUB_ID", help=f"model folder or Hub id; {note}")


def add_pair_arguments(parser: VerbParser, with_images: bool = True) -> None:
    """
    Declares T1 and T2, and the options of every verb that shows a pair to a model.

    Args:
        parser ([`VerbParser`]): The parser of the verb.
        with_images (`bool`, *optional*, defaults to `True`): Whether T1 and T2 are given here.
    """
    if with_images:
        parser.positionals.add_argument("image_t1", metavar="T1", help="the earlier image: a file or an http(s) URL")
        parser.positionals.add_argument("image_t2", metavar="T2", help="the later image")
    options = parser.options
    options.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the results")
    add_model_option(options)
    options.add_argument(
        "--align",
        choices=("error", "resize"),
        default="error",
        help="if the images differ in size: refuse (the default), or resample t2 to the size of t1",
    )
    options.add_argument("--domain", choices=("remote_sensing", "normal_scene"), help="what the images show")
    options.add_argument("--device", help="cpu, cuda, cuda:1, mps …; by default cuda if there is one")
    options.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="precision of the weights and the computation; auto, the default, is the one that the model names",
    )


def version_of(package: str) -> str:
    """The version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def progress(message: str) -> None:
    """Says on stderr what is going on."""
    print(f"mtrefseg: {message}", file=sys.stderr, flush=True)


@contextmanager
def bad_input(*kinds: type[Exception], prefix: str = "") -> Iterator[None]:
    """Turns the errors that bad input raises in the block, and those of the file system, into a `UserError`."""
    expected: tuple[type[Exception], ...] = (OSError, ValueError, *kinds)
    try:
        yield
    except expected as error:
        raise UserError(prefix + one_line(error)) from error


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Turns the errors of `from_pretrained` into a `UserError`."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    # ImportError: the code in the folder needs a package. RuntimeError: weights and configuration do not fit.
    errors = (ImportError, RuntimeError, SafetensorError, StrictDataclassError)
    with bad_input(*errors, prefix=f"cannot load {what}: "):
        yield


def check_sentences(texts: Sequence[str]) -> None:
    """Refuses sentences that are empty or no text at all, with a `UserError`."""
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise UserError(f"sentence {number} is empty")
        # The shell hands over bytes that are not UTF-8 as lone surrogates, which no JSON file can hold.
        with bad_input(prefix=f"sentence {number} is not valid UTF-8: "):
            text.encode("utf-8")


def check_writable(out: Path) -> None:
    """Refuses a folder that cannot be made or written into, with a `UserError`."""
    parent = out
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise UserError(f"cannot write into {out}: {parent} is not a folder")
    if not os.access(parent, os.W_OK):
        raise UserError(f"cannot write into {out}: no permission to write into {parent}")


def check_model(model: str) -> str | None:
    """The model type that a folder's `config.json` names, `None` for a Hub id; a missing folder is an error."""
    folder = Path(model)
    if folder.is_dir():
        path = folder / "config.json"
        with bad_input(prefix=f"{folder} is not a model folder: "):
            config = json.loads(path.read_text(encoding="utf-8"))
        return str(config.get("model_type")) if isinstance(config, dict) else "unknown"
    # A Hub id is OWNER/NAME.
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", model) and not folder.exists():
        return None
    raise UserError(
        f'there is no model folder "{model}": name a folder or a Hub id with --model; `mtrefseg convert` makes a '
        "folder from the reference's weights"
    )


def check_model_type(model: str, model_type: str | None) -> None:
    """Refuses a model of another type than this package's, with a `UserError`; `None` is looked up."""
    if model_type is None:
        from transformers import AutoConfig

        with loading(model):
            model_type = AutoConfig.from_pretrained(model).model_type
    if model_type != "mtrefseg":
        raise UserError(f'{model} holds a model of type "{model_type}", but "mtrefseg" is needed')


def load_pair(options: argparse.Namespace) -> "tuple[Image.Image, Image.Image]":
    """The images T1 and T2, RGB; a `UserError` if they differ in size and `--align` does not say what then."""
    from modeling_mtrefseg.image_processing_mtrefseg import load_image

    with bad_input():
        image_t1, image_t2 = load_image(options.image_t1), load_image(options.image_t2)
    if image_t1.size != image_t2.size and options.align == "error":
        raise UserError(
            f"{options.image_t1} has {image_t1.width}x{image_t1.height} pixels and {options.image_t2} "
            f"{image_t2.width}x{image_t2.height}: if both show one area, --align resize fits t2 to the size of t1"
        )
    return image_t1, image_t2


def pick_device(name: str | None) -> "torch.device":
    """The device of that name, or the best one there is; a `UserError` if it cannot be used."""
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # Which of the two PyTorch raises depends on how it was built.
    with bad_input(RuntimeError, AssertionError, prefix=f"cannot use --device {name}: "):
        return torch.zeros(1, device=torch.device(name)).device


def open_pair(
    options: argparse.Namespace, texts: Sequence[str]
) -> "tuple[tuple[Image.Image, Image.Image], torch.device, Any]":
    """
    Finds everything that can be wrong with the input of a verb that shows a pair to a model, but for the
    weights, which take a while to load.

    Args:
        options (`argparse.Namespace`): With what [`add_pair_arguments`] declares; `model` is set to the default
            model if none is given.
        texts (`Sequence[str]`): The sentences.

    Returns:
        `tuple`: The images T1 and T2, the device, and the model's processor.

    Raises:
        [`UserError`]: If a sentence, the folder for the results, the model, an image or the device is no good.
    """
    check_sentences(texts)
    check_writable(options.out)
    options.model = options.model or default_model()
    model_type = check_model(options.model)
    images = load_pair(options)
    device = pick_device(options.device)
    check_model_type(options.model, model_type)
    return images, device, load_processor(options.model)


def versions() -> dict[str, str]:
    """Of the packages that decide what comes out, for `result.json`."""
    return {package: version_of(package) for package in ("mtrefseg", "torch", "transformers")}


def write_json(path: Path, value: Any) -> None:
    """Writes JSON that people can read."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def load_processor(name: str) -> Any:
    """The processor of a model."""
    from transformers import AutoProcessor

    with loading(f"the processor of {name}"):
        return AutoProcessor.from_pretrained(name)


def load_model(name: str, device: "torch.device", dtype: str) -> Any:
    """The model, with a note on stderr, since reading large weights takes a while."""
    from transformers import AutoModel

    from mtrefseg.build.cpu import optimize_for_cpu

    progress(f"loading {name}")
    with loading(name):
        return optimize_for_cpu(AutoModel.from_pretrained(name, dtype=dtype).to(device).eval())


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """
    Lets the files of a result appear together, so that the folder never holds a part of them.

    Args:
        out (`Path`): The folder for the results; made if it is not there, and removed again if nothing comes of it.

    Yields:
        `Path`: A folder beside them to write into. Its files are moved at the end of the block; one of the same name
        is replaced.
    """
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=out) as folder:
            yield Path(folder)
            for path in sorted(Path(folder).iterdir()):
                path.replace(out / path.name)
    finally:
        if is_new and not any(out.iterdir()):
            out.rmdir()
