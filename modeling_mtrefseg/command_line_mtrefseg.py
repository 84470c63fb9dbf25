# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The command `mtrefseg`, also `python -m modeling_mtrefseg`:

```bash
mtrefseg predict t1.png t2.png "the house that appeared" --out outputs
mtrefseg convert-original WEIGHTS OUT --original-config config.json --tokenizer DIR
mtrefseg info --model mtrefseg-r1
```

Exit codes: 0 done; 2 bad input, with one line on stderr that says what to change; 130 interrupted. Results go to
stdout, progress to stderr.
"""

import argparse
import io
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn


if TYPE_CHECKING:
    import torch
    from PIL import Image


DEFAULT_MODEL = "mtrefseg-r1"
EVERY_CHANGE = "(every change)"


class CommandError(Exception):
    """Bad input. The message is one line that names it and says what to do."""


@dataclass(frozen=True)
class Prediction:
    """
    One entry of `result.json`.

    Args:
        text (`str`, *optional*): The sentence, `None` for every change.
        mask (`str`): File name of the mask: PNG of mode "L", 0 or 255, at the size of t1.
        score (`float`): Mean foreground probability inside the mask, 0 if it is empty.
        no_target_score (`float`): Probability that nothing in the pictures fits the sentence.
        area_pixels (`int`): Pixels of the mask.
        area_fraction (`float`): Their share of the picture, 0 to 1.
    """

    text: str | None
    mask: str
    score: float
    no_target_score: float
    area_pixels: int
    area_fraction: float


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, as every other bad input."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"mtrefseg: error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter of a sentence shows its code instead.
            stream.reconfigure(errors="backslashreplace")
    options = _build_parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
    except CommandError as error:
        print(f"mtrefseg: error: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mtrefseg: interrupted", file=sys.stderr)
        return 130
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mtrefseg", description="Segment the change between two pictures that a sentence describes.")
    parser.add_argument("--version", action="version", version=f"mtrefseg {_version('mtrefseg')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    predict = commands.add_parser(
        "predict",
        help="segment what sentences describe in one pair of pictures",
        description="Writes mask_1.png, mask_2.png … (one per sentence), overlay.png and result.json into a folder.",
    )
    predict.add_argument("image_t1", metavar="T1", help="the earlier picture: a file or an http(s) URL")
    predict.add_argument("image_t2", metavar="T2", help="the later picture")
    predict.add_argument("texts", metavar="SENTENCE", nargs="*", help="one change each; none: every change")
    predict.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the results")
    _add_model_option(predict, DEFAULT_MODEL)
    predict.add_argument(
        "--threshold", metavar="P", type=_probability, help="probability above which a pixel is masked, 0 to 1"
    )
    predict.add_argument(
        "--no-target-threshold",
        metavar="P",
        type=_probability,
        help="empty the masks whose no-target score, 0 to 1, is above this",
    )
    predict.add_argument(
        "--align",
        choices=("error", "resize"),
        default="error",
        help="if the pictures differ in size: refuse (the default), or resample t2 to the size of t1",
    )
    predict.add_argument("--domain", choices=("remote_sensing", "normal_scene"), help="what the pictures show")
    predict.add_argument("--device", help="cpu, cuda, cuda:1, mps …; by default cuda if there is one")
    predict.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="precision of the weights and the computation; auto, the default, is the one that the model names",
    )
    predict.set_defaults(run=_predict)

    convert = commands.add_parser(
        "convert-original", help="convert weights of the reference implementation into a model folder"
    )
    convert.add_argument("weights", metavar="WEIGHTS", type=Path, help="file or folder of the reference weights")
    convert.add_argument("out", metavar="OUT", type=Path, help="new folder for the converted model")
    convert.add_argument(
        "--original-config", metavar="FILE", type=Path, required=True, help="the reference's config.json"
    )
    convert.add_argument("--tokenizer", metavar="DIR", type=Path, required=True, help="folder of its tokenizer")
    convert.set_defaults(run=_convert_original)

    info = commands.add_parser("info", help="print versions, the device and the parameters of a model")
    _add_model_option(info, None)
    info.set_defaults(run=_info)
    return parser


def _add_model_option(parser: argparse.ArgumentParser, default: str | None) -> None:
    note = f", {default} by default" if default else ""
    parser.add_argument(
        "--model",
        metavar="DIR_OR_HUB_ID",
        default=default,
        help=f"model folder or Hub id{note}",
    )


def _probability(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _progress(message: str) -> None:
    print(f"mtrefseg: {message}", file=sys.stderr, flush=True)


@contextmanager
def _bad_input(*kinds: type[Exception], prefix: str = "") -> Iterator[None]:
    """Turns the errors that bad input raises in the block, and those of the file system, into a `CommandError`."""
    expected: tuple[type[Exception], ...] = (OSError, ValueError, *kinds)
    try:
        yield
    except expected as error:
        raise CommandError(prefix + _one_line(error)) from error


@contextmanager
def _loading(what: str) -> Iterator[None]:
    """Turns the errors of `from_pretrained` into a `CommandError`."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    # ImportError: the code in the folder needs a package. RuntimeError: weights and configuration do not fit.
    errors = (ImportError, RuntimeError, SafetensorError, StrictDataclassError)
    with _bad_input(*errors, prefix=f"cannot load {what}: "):
        yield


def _predict(options: argparse.Namespace) -> None:
    """Everything that can be wrong with the input is found before the weights are loaded."""
    _check_sentences(options.texts)
    _check_writable(options.out)
    model_type = _check_model(options.model)
    picture_t1, picture_t2 = _load_pair(options)
    device = _pick_device(options.device)
    _check_model_type(options.model, model_type)

    from transformers import AutoProcessor

    with _loading(f"the processor of {options.model}"):
        processor = AutoProcessor.from_pretrained(options.model)
    with _bad_input():
        inputs = processor(
            images_t1=picture_t1,
            images_t2=picture_t2,
            text=options.texts or None,
            domain=options.domain,
            align=options.align,
            return_tensors="pt",
        )
    # What was left open is what the processor was saved with; result.json tells it.
    if options.threshold is None:
        options.threshold = processor.image_processor.threshold
    if options.no_target_threshold is None:
        options.no_target_threshold = processor.image_processor.no_target_threshold
    model = _load_model(options.model, device, options.dtype)
    _progress(f"segmenting {picture_t1.width}x{picture_t1.height} pixels on {device}")
    result = _segment(model, processor, inputs, picture_t1, options)

    from .visualization_mtrefseg import draw_overlay

    texts = options.texts or [None]
    masks = result["masks"].cpu()
    scores = result["scores"].tolist()
    aligned_t2 = picture_t2 if picture_t2.size == picture_t1.size else picture_t2.resize(picture_t1.size)
    overlay = draw_overlay(picture_t1, aligned_t2, masks, texts, scores)
    predictions = _describe(texts, masks, scores, result["no_target_scores"].tolist())
    with _bad_input(prefix=f"cannot write into {options.out}: "):
        _write_results(options, picture_t1.size, predictions, masks, overlay)
    for prediction in predictions:
        area = f"{100 * prediction.area_fraction:6.2f} %" if prediction.area_pixels else " nothing"
        text = prediction.text or EVERY_CHANGE
        print(f"{options.out / prediction.mask}  score {prediction.score:.2f}  area {area}  {text}")
    print(options.out / "overlay.png")


def _check_sentences(texts: Sequence[str]) -> None:
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise CommandError(f"sentence {number} is empty")
        # The shell hands over bytes that are not UTF-8 as lone surrogates, which no JSON file can hold.
        with _bad_input(prefix=f"sentence {number} is not valid UTF-8: "):
            text.encode("utf-8")


def _check_writable(out: Path) -> None:
    parent = out
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise CommandError(f"cannot write into {out}: {parent} is not a folder")
    if not os.access(parent, os.W_OK):
        raise CommandError(f"cannot write into {out}: no permission to write into {parent}")


def _check_model(model: str) -> str | None:
    """The model type that a folder's `config.json` names, `None` for a Hub id; a missing folder is an error."""
    folder = Path(model)
    if folder.is_dir():
        path = folder / "config.json"
        with _bad_input(prefix=f"{folder} is not a model folder: "):
            config = json.loads(path.read_text(encoding="utf-8"))
        return str(config.get("model_type")) if isinstance(config, dict) else "unknown"
    # A Hub id is OWNER/NAME.
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", model) and not folder.exists():
        return None
    raise CommandError(
        f'there is no model folder "{model}": run in the folder that holds {DEFAULT_MODEL}, or name a folder or a Hub '
        "id with --model; `mtrefseg convert-original` makes a folder from the reference's weights"
    )


def _check_model_type(model: str, model_type: str | None) -> None:
    if model_type is None:
        from transformers import AutoConfig

        with _loading(model):
            model_type = AutoConfig.from_pretrained(model).model_type
    if model_type != "mtrefseg":
        raise CommandError(f'{model} holds a model of type "{model_type}", but "mtrefseg" is needed')


def _load_pair(options: argparse.Namespace) -> "tuple[Image.Image, Image.Image]":
    from .image_processing_mtrefseg import load_picture

    with _bad_input():
        picture_t1, picture_t2 = load_picture(options.image_t1), load_picture(options.image_t2)
    if picture_t1.size != picture_t2.size and options.align == "error":
        raise CommandError(
            f"{options.image_t1} has {picture_t1.width}x{picture_t1.height} pixels and {options.image_t2} "
            f"{picture_t2.width}x{picture_t2.height}: if both show one area, --align resize fits t2 to the size of t1"
        )
    return picture_t1, picture_t2


def _pick_device(name: str | None) -> "torch.device":
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # Which of the two PyTorch raises depends on how it was built.
    with _bad_input(RuntimeError, AssertionError, prefix=f"cannot use --device {name}: "):
        return torch.zeros(1, device=torch.device(name)).device


def _load_model(name: str, device: "torch.device", dtype: str) -> Any:
    """The model, with a note on stderr, since reading large weights takes a while."""
    from transformers import AutoModel

    _progress(f"loading {name}")
    with _loading(name):
        return AutoModel.from_pretrained(name, dtype=dtype).to(device).eval()


def _segment(
    model: Any, processor: Any, inputs: Any, picture: "Image.Image", options: argparse.Namespace
) -> dict[str, "torch.Tensor"]:
    import torch

    with torch.inference_mode():
        outputs = model(**inputs.to(model.device, model.dtype))
    (result,) = processor.post_process_referring_segmentation(
        outputs,
        target_sizes=[(picture.height, picture.width)],
        threshold=options.threshold,
        no_target_threshold=options.no_target_threshold,
    )
    return dict(result)


def _describe(
    texts: Sequence[str | None], masks: "torch.Tensor", scores: Sequence[float], no_target_scores: Sequence[float]
) -> list[Prediction]:
    predictions = []
    for index, (text, mask) in enumerate(zip(texts, masks, strict=True)):
        area = int(mask.sum())
        predictions.append(
            Prediction(
                text=text,
                mask=f"mask_{index + 1}.png",
                score=scores[index],
                no_target_score=no_target_scores[index],
                area_pixels=area,
                area_fraction=area / mask.numel(),
            )
        )
    return predictions


def _write_results(
    options: argparse.Namespace,
    size: tuple[int, int],
    predictions: Sequence[Prediction],
    masks: "torch.Tensor",
    overlay: "Image.Image",
) -> None:
    """Writes every file beside its place first, so that the folder never holds a part of the results."""
    from PIL import Image

    out: Path = options.out
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    report = {
        "image_t1": options.image_t1,
        "image_t2": options.image_t2,
        "width": size[0],
        "height": size[1],
        "model": options.model,
        "threshold": options.threshold,
        "no_target_threshold": options.no_target_threshold,
        "align": options.align,
        "domain": options.domain,
        "versions": {package: _version(package) for package in ("mtrefseg", "torch", "transformers")},
        "results": [asdict(prediction) for prediction in predictions],
    }
    try:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=out) as folder:
            unfinished = Path(folder)
            for prediction, mask in zip(predictions, masks, strict=True):
                Image.fromarray(mask.numpy()).convert("L").save(unfinished / prediction.mask)
            overlay.save(unfinished / "overlay.png")
            text = json.dumps(report, ensure_ascii=False, indent=2)
            (unfinished / "result.json").write_text(text + "\n", encoding="utf-8")
            _remove_older_masks(out, len(predictions))
            for path in sorted(unfinished.iterdir()):
                path.replace(out / path.name)
    except OSError:
        if is_new and not any(out.iterdir()):
            out.rmdir()
        raise


def _remove_older_masks(out: Path, count: int) -> None:
    """Masks of an earlier run with more sentences would look like results of this one."""
    if (out / "result.json").is_file():
        for path in out.glob("mask_*.png"):
            number = re.fullmatch(r"mask_(\d+)\.png", path.name)
            if number and int(number[1]) > count:
                path.unlink()


def _convert_original(options: argparse.Namespace) -> None:
    """Converts into a folder beside `OUT` and renames it at the end."""
    out: Path = options.out
    if out.exists():
        raise CommandError(f"{out} exists already: name a new folder, or remove it first")
    _check_writable(out)

    from huggingface_hub.errors import StrictDataclassError

    from .convert_original_checkpoint import convert_original

    _progress(f"converting {options.weights}")
    with _bad_input(StrictDataclassError, prefix=f"cannot convert {options.weights}: "):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=out.parent) as folder:
            unfinished = Path(folder) / out.name
            report = convert_original(options.weights, unfinished, options.original_config, options.tokenizer)
            unfinished.rename(out)
    for line in str(report).splitlines():
        _progress(line)
    print(out)


def _info(options: argparse.Namespace) -> None:
    model_type = _check_model(options.model) if options.model else None
    device = _pick_device(None)
    print(f"python        {platform.python_version()}")
    for package in ("torch", "transformers", "mtrefseg"):
        print(f"{package:13} {_version(package)}")
    print(f"device        {device}")
    if not options.model:
        return
    _check_model_type(options.model, model_type)
    model = _load_model(options.model, device, "auto")
    print(f"model         {options.model} ({model.dtype})")
    counts = [(name, sum(weights.numel() for weights in part.parameters())) for name, part in model.named_children()]
    total = sum(weights.numel() for weights in model.parameters())
    for name, count in [*counts, ("all", total)]:
        print(f"  {name:24} {count:>15,} parameters")
