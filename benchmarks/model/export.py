# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Compares exported models with PyTorch. All run alternately, so that they see the same load of the machine:

    mtrefseg export mtrefseg-r1 outputs/onnx
    mtrefseg export --int8 mtrefseg-r1 outputs/int8
    mtrefseg export --format openvino --int8 mtrefseg-r1 outputs/openvino-int8
    git worktree add ../before ad7b959
    taskset -c 1 python -m benchmarks.model.export outputs/onnx outputs/int8 outputs/openvino-int8 \\
        --before ../before --pairs DATA

Measured are seconds of the processor with one thread, from the array to the mask, the median of the rounds: for one
and 32 sentences about 256 pixels that nothing matches, and about an example of the demo at 384 pixels, where most of
them have a mask and half choose among objects by a colour, a place or a rank. PyTorch, PyTorch after
`optimize_for_cpu` in float32 and, where the processor multiplies tiles of it (AMX), in bfloat16; the exported models;
and another checkout's PyTorch with these weights and with its own. Besides: the first mask from the shell; sizes; and
mIoU on generated pairs and on those of a folder. Sizes and masks are compared with those of the first folder. Rows are
appended to `results/export.csv`.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.model.compare import BARE, FIRST, MODEL, Checkout, keep_memory, start_seconds
from benchmarks.tables import RESULTS, ROOT, append_rows, today


FIRST_EXPORTED = """
import numpy as np
from mtrefseg.export import open_exported
images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
pair = {{"image_t1": images[0], "image_t2": images[1], "text": "the house that appeared"}}
print(np.asarray(open_exported("{model}")(pair)[0]["mask"]).sum())
"""
_FOUND = [
    "the houses that appeared",
    "which buildings are new?",
    "the white buildings that appeared",
    "the largest house that appeared",
    "the leftmost new house",
    "every building that was built",
    "the blue cars that appeared",
    "the trees that disappeared",
]


@dataclass(frozen=True)
class Case:
    """A pair and its sentences."""

    name: str
    images: tuple[Any, Any]
    text: list[str]


def make_cases() -> list[Case]:
    """What is predicted."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    first, second = (np.asarray(Image.fromarray(each).resize((256, 256), Image.Resampling.BICUBIC)) for each in noise)
    town_t1, town_t2 = (
        np.asarray(Image.open(ROOT / "spaces_demo" / "examples" / f"town_t{date}.jpg").convert("RGB"))
        for date in (1, 2)
    )
    absent = [f"the small white building with the red roof next to road {number}" for number in range(32)]
    return [
        Case("mask of 1 sentences", (first, second), absent[:1]),
        Case("mask of 32 sentences", (first, second), absent),
        Case("mask of 1 sentences, found", (town_t1, town_t2), _FOUND[:1]),
        Case("mask of 32 sentences, found", (town_t1, town_t2), _FOUND * 4),
    ]


def make_predictors(folders: dict[str, Path]) -> dict[str, Callable[[Case], Any]]:
    """Functions from a case to masks, by what computes them."""
    import torch

    import mtrefseg
    from mtrefseg.build.loading import load_plain_model, load_processor
    from mtrefseg.export import open_exported

    torch.set_num_threads(1)
    processor = load_processor(MODEL)
    keep_memory()
    models = {"torch": load_plain_model(MODEL, processor)}
    precisions = {"": torch.float32}
    if torch.cpu._is_amx_tile_supported():
        precisions[", bfloat16"] = torch.bfloat16
    for name, dtype in precisions.items():
        models[f"torch optimised{name}"] = mtrefseg.optimize_for_cpu(load_plain_model(MODEL, processor), dtype)

    @torch.no_grad()
    def with_torch(model: Any, case: Case) -> Any:
        outputs = model(**processor(*case.images, text=case.text))
        return processor.post_process_referring_segmentation(outputs, [case.images[0].shape[:2]])

    def with_graphs(segmenter: Any, case: Case) -> Any:
        answers = segmenter.answer(segmenter.encode_pair(*case.images), [case.text])
        return segmenter.post_process_referring_segmentation(answers, [case.images[0].shape[:2]])

    segmenters = {name: open_exported(folder) for name, folder in folders.items()}
    return {
        **{name: partial(with_torch, each) for name, each in models.items()},
        **{name: partial(with_graphs, each) for name, each in segmenters.items()},
    }


def measure_speed(folders: dict[str, Path], before: Path | None, rounds: int) -> list[dict[str, Any]]:
    """Rows of predictions, the median of all rounds."""
    import time

    cases, predictors = make_cases(), make_predictors(folders)
    others = []
    if before:
        others = [Checkout("before", before), Checkout("before, own weights", before, model=before / "mtrefseg-r1")]
    spent: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 1):
        for case in cases:
            for name, predict in predictors.items():
                start = time.process_time()
                predict(case)
                if number:  # The first round warms up.
                    spent.setdefault((case.name, name), []).append(time.process_time() - start)
            for other in others:
                if not case.name.endswith("found"):
                    seconds = other.ask(sentences=len(case.text), repeats=1)["seconds"]
                    spent.setdefault((case.name, other.name), []).append(seconds)
    for other in others:
        other.process.terminate()
    medians = {key: median(seconds) for key, seconds in spent.items()}
    return [
        row(name, f"{case}, ms", 1e3 * seconds, seconds / medians[case, "torch"])
        for (case, name), seconds in medians.items()
    ]


def measure_starts(folders: dict[str, Path], rounds: int) -> list[dict[str, Any]]:
    """Rows of the first mask from the shell."""
    cases = {"bare": BARE.format(model=MODEL), "torch optimised": FIRST.format(model=MODEL)}
    cases |= {name: FIRST_EXPORTED.format(model=folder.resolve()) for name, folder in folders.items()}
    spent: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, code in cases.items():
            spent.setdefault(name, []).append(start_seconds(code, ROOT))
    medians = {name: median(seconds) for name, seconds in spent.items()}
    return [
        row(name, "first mask from the shell, ms", 1e3 * seconds, seconds / medians["bare"])
        for name, seconds in medians.items()
    ]


def measure_sizes(folders: dict[str, Path]) -> list[dict[str, Any]]:
    """Rows of what the folders take."""
    sizes = {name: sum(path.stat().st_size for path in folder.iterdir()) / 1e6 for name, folder in folders.items()}
    first = next(iter(sizes.values()))
    return [row(name, "size of the folder, MB", size, size / first) for name, size in sizes.items()]


def measure_scores(folders: dict[str, Path], data: list[str], num_pairs: int) -> list[dict[str, Any]]:
    """Rows of mIoU, and of the pixels that differ from those of the first folder."""
    import numpy as np

    from dataset_scripts.readers import open_pairs
    from mtrefseg.export import open_exported
    from mtrefseg.io import SCENES
    from mtrs_iou import MaskScores

    segmenters = {name: open_exported(folder) for name, folder in folders.items()}
    reference, *others = segmenters
    rows = []
    for source in ["generated", *data]:
        made: dict[str, Any] = {"split": "validation", "num_pairs": num_pairs} if source == "generated" else {}
        pairs = open_pairs(source, **made)
        scores = {name: MaskScores() for name in segmenters}
        changed: dict[str, list[float]] = {name: [] for name in others}
        for index in range(min(num_pairs, len(pairs))):
            pair = pairs[index]
            image_t1, image_t2 = pair.load_images()
            text = [expression.text for expression in pair.expressions]
            inputs = {"image_t1": image_t1, "image_t2": image_t2, "text": text}
            domain = None if pair.domain is None else SCENES[pair.domain]
            answers = {name: each(inputs, domain=domain, align="resize") for name, each in segmenters.items()}
            masks = {name: [np.asarray(one["mask"]) > 0 for one in found] for name, found in answers.items()}
            for place, expression in enumerate(pair.expressions):
                truth, _ = expression.mask.read_mask(image_t1.size)
                for name, found in masks.items():
                    scores[name].add(found[place], np.asarray(truth) > 0, sample_id=f"{index}-{place}")
            for name, shares in changed.items():
                shares += [float((one != other).mean()) for one, other in zip(masks[reference], masks[name])]
        what = f"{source if source == 'generated' else Path(source).name}, {min(num_pairs, len(pairs))} pairs"
        values = {name: float(score.compute()["mIoU"]) for name, score in scores.items()}
        rows += [row(name, f"mIoU, {what}", value) for name, value in values.items()]
        rows += [
            row(name, f"pixels of masks that change, %, {what}", 100 * float(np.mean(shares)))
            for name, shares in changed.items()
        ]
    return rows


def kind_of(folder: Path) -> str:
    """What an exported model is called: its format, and its precision unless this is float32."""
    from mtrefseg.export.settings import ExportSettings

    settings = ExportSettings.read(folder)
    return settings.format if settings.precision == "float32" else f"{settings.format} {settings.precision}"


def row(name: str, what: str, value: float, ratio: float | None = None) -> dict[str, Any]:
    """A row of the table."""
    shown = "" if ratio is None else f"{ratio:.3f}"
    print(f"{name:16} {what:50} {value:10.2f} {shown}", flush=True)
    date = today()
    return {"model": name, "what": what, "value": f"{value:.4g}", "ratio": shown, "date": date}


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="exported models, one in float32 first")
    parser.add_argument("--before", type=Path, help="root of another checkout")
    parser.add_argument("--pairs", action="append", default=[], metavar="DATA", help="pairs to score besides")
    parser.add_argument("--num-pairs", type=int, default=100, help="how many of each; 0 scores none")
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    folders = {kind_of(folder): folder for folder in arguments.folders}
    if len(folders) < len(arguments.folders):
        parser.error("two of the folders have the same format and precision")
    rows = measure_speed(folders, arguments.before, arguments.rounds)
    rows += measure_starts(folders, max(1, arguments.rounds // 4))
    rows += measure_sizes(folders)
    if arguments.num_pairs:
        rows += measure_scores(folders, arguments.pairs, arguments.num_pairs)
    append_rows(RESULTS / "export.csv", rows)


if __name__ == "__main__":
    main()
