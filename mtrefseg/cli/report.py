# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg report`: shows an evaluation as a page.

```bash
mtrefseg report outputs/report/predictions.parquet --out pages                    # generated pairs are made again
mtrefseg report outputs/report/predictions.parquet --out pages --data MTRefSeg-21K --domain RS --max-iou 50
```
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtrefseg.errors import UserError
from mtrefseg.option_values import between, named_path, positive

from .common import bad_input, check_writable, progress
from .delegated import look_up
from .parsing import VerbParser


if TYPE_CHECKING:
    from mtrefseg.view.pair_images import PairImages
    from mtrefseg.view.predictions import ScoredSentence


MOST_SENTENCES = 1000


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser(
        "report",
        "Writes index.html, a page with ground truth and prediction of every sentence that needs no server, and "
        "sheet.png, a figure with the worst sentences. predictions.parquet does not contain the images of the pairs: "
        "they are read from --data.",
    )
    parser.positionals.add_argument(
        "predictions", metavar="PREDICTIONS", type=named_path, help="predictions.parquet of an evaluation"
    )
    options = parser.options
    options.add_argument(
        "--out", metavar="DIR", type=named_path, required=True, help="new or empty folder for the page"
    )
    options.add_argument(
        "--data",
        metavar="DATA",
        help="the data that was evaluated: a folder of pairs, or 'generated'; by default 'generated' if report.json "
        "next to the predictions says so; otherwise the masks are shown without images",
    )
    options.add_argument("--domain", choices=("NS", "RS"), help="only this domain")
    options.add_argument(
        "--change-type", choices=("appear", "disappear", "state_change", "unknown"), help="only this type of change"
    )
    options.add_argument(
        "--min-iou",
        metavar="IOU",
        type=between(0, 100),
        default=0.0,
        help="only sentences with at least this IoU, 0 to 100",
    )
    options.add_argument(
        "--max-iou",
        metavar="IOU",
        type=between(0, 100),
        default=100.0,
        help="only sentences with at most this IoU, 0 to 100",
    )
    options.add_argument(
        "--search", metavar="WORDS", default="", help="only sentences or sample names that contain these words"
    )
    options.add_argument(
        "--limit",
        metavar="N",
        type=positive,
        default=MOST_SENTENCES,
        help=f"show only the N worst sentences; {MOST_SENTENCES:,} by default",
    )
    return parser


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If the input is bad, no sentence is left, or the page cannot be written.
    """
    options = make_parser().parse(arguments)
    check_writable(options.out)
    with bad_input(
        ImportError, prefix='cannot write a report (install the missing packages with pip install "mtrefseg[data]"): '
    ):
        # Both need packages that are not needed for prediction.
        from mtrefseg.view import predictions
        from mtrefseg.view import report_page as page

    with bad_input():
        predictions.check_predictions(options.predictions)
        sentences = predictions.load_predictions(options.predictions)
    chosen = predictions.filter_predictions(
        sentences, options.domain, options.change_type, options.min_iou, options.max_iou, options.search
    )
    if not chosen:
        raise UserError(f"none of the {len(sentences):,} sentences passes the filters: widen them")
    report = _read_report(options.predictions)
    images = _open_images(options, report, chosen)
    shown = predictions.worst_first(chosen)[: options.limit]
    with bad_input():
        missing = page.write_report(shown, chosen, images, options.out, _title(options.predictions, report))
    if missing and images is not None:
        progress(
            f"the images of {missing:,} of {len(shown):,} sentences were not found: their masks are shown on grey"
        )
    print(f"{options.out / 'index.html'}: {len(shown):,} of {len(chosen):,} sentences, the worst first")
    print(options.out / "sheet.png")


def _open_images(
    options: argparse.Namespace, report: dict[str, dict[str, Any]], sentences: "list[ScoredSentence]"
) -> "PairImages | None":
    """Finds the images. Raises a `UserError` if `--data` is given and contains none of them."""
    from mtrefseg.view.pair_images import PairImages

    generated = look_up("dataset_scripts.readers:GENERATED", "data")
    data = options.data or (generated if report["data"].get("name") == generated else None)
    if data is None:
        progress("the masks are shown without images: pass the evaluated data with --data")
        return None
    with bad_input():
        # Other splits may have the same ids and sentences. Made pairs are found by their ids, which name the split.
        is_made = str(data) == generated or str(data).startswith("composed:")
        which = {} if is_made else _split_of(report["data"])
        images = PairImages(look_up("dataset_scripts.readers:open_pairs", "data")(data, **which))
        if not any(images.find(sentence) for sentence in sentences):
            raise UserError(
                f"--data {data} holds none of the {len(sentences):,} sentences' pairs: pass the data that was "
                "evaluated"
            )
    return images


def _split_of(data: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `open_pairs` for the pairs that a report is about."""
    if not isinstance(data.get("split"), str):
        return {}
    setting = data.get("setting")
    return {"split": data["split"], "setting": setting if isinstance(setting, str) else "TV", "checked": False}


def _read_report(predictions: Path) -> dict[str, dict[str, Any]]:
    """ "data" and "model" of the report beside the predictions, both empty if there is none."""
    from mtrefseg.io import read_json

    path = predictions.with_name("report.json")
    report: Any = {}
    if path.is_file():
        with bad_input(prefix=f"{path} is not the report of an evaluation: "):
            report = read_json(path)
    parts = {name: report.get(name) if isinstance(report, dict) else None for name in ("data", "model")}
    return {name: part if isinstance(part, dict) else {} for name, part in parts.items()}


def _title(predictions: Path, report: dict[str, dict[str, Any]]) -> str:
    """Names of model and data in the report, otherwise the folder's name."""
    data, model = report["data"], report["model"].get("name")
    return f"{model} on {data.get('name')}, {data.get('split')}" if model else predictions.resolve().parent.name
