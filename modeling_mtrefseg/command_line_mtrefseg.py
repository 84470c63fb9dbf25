# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The command `mtrefseg`, also `python -m modeling_mtrefseg`:

```bash
mtrefseg predict t1.png t2.png "the house that appeared" --out outputs
mtrefseg explain t1.png t2.png "the house that appeared" --out outputs
mtrefseg report outputs/report/predictions.parquet --out pages
mtrefseg demo
mtrefseg convert-original WEIGHTS OUT --original-config config.json --tokenizer DIR
mtrefseg info --model mtrefseg-r1
```

Exit codes: 0 done; 2 bad input, with one line on stderr that says what to change; 130 interrupted. Results go to
stdout, progress to stderr.
"""

import argparse
import io
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dataset_scripts.option_values import between

from . import command_demo_mtrefseg, command_explain_mtrefseg, command_report_mtrefseg
from .command_common_mtrefseg import (
    CommandError,
    add_model_option,
    add_pair_arguments,
    bad_input,
    check_model,
    check_model_type,
    check_writable,
    load_model,
    one_line,
    open_pair,
    pick_device,
    progress,
    version_of,
    versions,
    write_json,
    written_whole,
)


if TYPE_CHECKING:
    import torch
    from PIL import Image


EVERY_CHANGE = "(every change)"


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
        print(f"mtrefseg: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mtrefseg: interrupted", file=sys.stderr)
        return 130
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mtrefseg", description="Segment the change between two pictures that a sentence describes.")
    parser.add_argument("--version", action="version", version=f"mtrefseg {version_of('mtrefseg')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    predict = commands.add_parser(
        "predict",
        help="segment what sentences describe in one pair of pictures",
        description="Writes mask_1.png, mask_2.png … (one per sentence), overlay.png and result.json into a folder.",
    )
    add_pair_arguments(predict)
    predict.add_argument("texts", metavar="SENTENCE", nargs="*", help="one change each; none: every change")
    predict.add_argument(
        "--threshold", metavar="P", type=between(0, 1), help="probability above which a pixel is masked, 0 to 1"
    )
    predict.add_argument(
        "--no-target-threshold",
        metavar="P",
        type=between(0, 1),
        help="empty the masks whose no-target score, 0 to 1, is above this",
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
    add_model_option(info, None)
    info.set_defaults(run=_info)

    for module in (command_explain_mtrefseg, command_report_mtrefseg, command_demo_mtrefseg):
        module.add_parser(commands)
    return parser


def _predict(options: argparse.Namespace) -> None:
    """Everything that can be wrong with the input is found before the weights are loaded."""
    (picture_t1, picture_t2), device, processor = open_pair(options, options.texts)
    with bad_input():
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
    model = load_model(options.model, device, options.dtype)
    progress(f"segmenting {picture_t1.width}x{picture_t1.height} pixels on {device}")
    result = _segment(model, processor, inputs, picture_t1, options)

    from .visualization_mtrefseg import draw_overlay

    texts = options.texts or [None]
    masks = result["masks"].cpu()
    scores = result["scores"].tolist()
    aligned_t2 = picture_t2 if picture_t2.size == picture_t1.size else picture_t2.resize(picture_t1.size)
    overlay = draw_overlay(picture_t1, aligned_t2, masks, texts, scores)
    predictions = _describe(texts, masks, scores, result["no_target_scores"].tolist())
    with bad_input(prefix=f"cannot write into {options.out}: "):
        _write_results(options, picture_t1.size, predictions, masks, overlay)
    for prediction in predictions:
        area = f"{100 * prediction.area_fraction:6.2f} %" if prediction.area_pixels else " nothing"
        text = prediction.text or EVERY_CHANGE
        print(f"{options.out / prediction.mask}  score {prediction.score:.2f}  area {area}  {text}")
    print(options.out / "overlay.png")


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
    from PIL import Image

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
        "versions": versions(),
        "results": [asdict(prediction) for prediction in predictions],
    }
    with written_whole(options.out) as unfinished:
        for prediction, mask in zip(predictions, masks, strict=True):
            Image.fromarray(mask.numpy()).convert("L").save(unfinished / prediction.mask)
        overlay.save(unfinished / "overlay.png")
        write_json(unfinished / "result.json", report)
        _remove_older_masks(options.out, len(predictions))


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
    check_writable(out)

    from huggingface_hub.errors import StrictDataclassError

    from .convert_original_checkpoint import convert_original

    progress(f"converting {options.weights}")
    with bad_input(StrictDataclassError, prefix=f"cannot convert {options.weights}: "):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=out.parent) as folder:
            unfinished = Path(folder) / out.name
            report = convert_original(options.weights, unfinished, options.original_config, options.tokenizer)
            unfinished.rename(out)
    for line in str(report).splitlines():
        progress(line)
    print(out)


def _info(options: argparse.Namespace) -> None:
    model_type = check_model(options.model) if options.model else None
    device = pick_device(None)
    print(f"python        {platform.python_version()}")
    for package in ("torch", "transformers", "mtrefseg"):
        print(f"{package:13} {version_of(package)}")
    print(f"device        {device}")
    if not options.model:
        return
    check_model_type(options.model, model_type)
    model = load_model(options.model, device, "auto")
    print(f"model         {options.model} ({model.dtype})")
    counts = [(name, sum(weights.numel() for weights in part.parameters())) for name, part in model.named_children()]
    total = sum(weights.numel() for weights in model.parameters())
    for name, count in [*counts, ("all", total)]:
        print(f"  {name:24} {count:>15,} parameters")
