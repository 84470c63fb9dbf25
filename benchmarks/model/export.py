# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Compares exported models with PyTorch. All run alternately, so that they see the same load of the machine:

    mtrefseg export mtrefseg-r1 outputs/onnx
    mtrefseg export --int8 mtrefseg-r1 outputs/int8
    git worktree add ../before ad7b959
    python -m benchmarks.model.export outputs/onnx outputs/int8 --before ../before --pairs DATA

Measured are seconds of the processor with one thread, from the array to the mask, for one and 32 sentences about 256
pixels (PyTorch, PyTorch after `optimize_for_cpu`, ONNX in float32 and with 8-bit convolutions, and another checkout's
PyTorch); the first mask from the shell; sizes; and mIoU on generated pairs and on those of a folder. Rows are appended
to `results/export.csv`.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.model.compare import BARE, FIRST, MODEL, Checkout, environment
from benchmarks.tables import RESULTS, ROOT, append_rows


FIRST_ONNX = """
import numpy as np
import mtrefseg
images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
pair = {{"image_t1": images[0], "image_t2": images[1], "text": "the house that appeared"}}
print(np.asarray(mtrefseg.OnnxSegmenter("{model}")(pair)[0]["mask"]).sum())
"""
_DOMAINS = {"NS": "normal_scene", "RS": "remote_sensing"}
Predictor = Callable[[int], Any]


def make_predictors(folders: dict[str, Path]) -> dict[str, Predictor]:
    """Functions from a number of sentences to masks, by what computes them."""
    import numpy as np
    import torch
    from PIL import Image

    import mtrefseg
    from mtrefseg.build.loading import load_plain_model, load_processor

    torch.set_num_threads(1)
    processor = load_processor(MODEL)
    plain, optimized = (load_plain_model(MODEL, processor) for _ in range(2))
    mtrefseg.optimize_for_cpu(optimized)
    noise = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    first, second = (np.asarray(Image.fromarray(each).resize((256, 256), Image.Resampling.BICUBIC)) for each in noise)

    def texts(count: int) -> list[list[str]]:
        return [[f"the small white building with the red roof next to road {number}" for number in range(count)]]

    @torch.no_grad()
    def with_torch(model: Any, count: int) -> Any:
        outputs = model(**processor(first, second, text=texts(count)))
        return processor.post_process_referring_segmentation(outputs, [(256, 256)])

    def with_onnx(segmenter: mtrefseg.OnnxSegmenter, count: int) -> Any:
        answers = segmenter.answer(segmenter.encode_pair(first, second), texts(count))
        return segmenter.post_process_referring_segmentation(answers, [(256, 256)])

    segmenters = {name: mtrefseg.OnnxSegmenter(folder) for name, folder in folders.items()}
    return {
        "torch": lambda count: with_torch(plain, count),
        "torch optimised": lambda count: with_torch(optimized, count),
        **{name: (lambda count, each=each: with_onnx(each, count)) for name, each in segmenters.items()},
    }


def measure_speed(folders: dict[str, Path], before: Path | None, rounds: int) -> list[dict[str, Any]]:
    """Rows of predictions, the least of all rounds."""
    import time

    predictors = make_predictors(folders)
    other = Checkout("before", before) if before else None
    least: dict[tuple[int, str], float] = {}
    for number in range(rounds + 1):
        for count in (1, 32):
            for name, predict in predictors.items():
                start = time.process_time()
                predict(count)
                if number:  # The first round warms up.
                    least[count, name] = min(least.get((count, name), 1e9), time.process_time() - start)
            if other:
                seconds = other.ask(sentences=count, repeats=1)["seconds"]
                least[count, "before"] = min(least.get((count, "before"), 1e9), seconds)
    if other:
        other.process.terminate()
    return [
        row(name, f"mask of {count} sentences, ms", 1e3 * seconds, seconds / least[count, "torch"])
        for (count, name), seconds in sorted(least.items())
    ]


def measure_starts(folders: dict[str, Path], rounds: int) -> list[dict[str, Any]]:
    """Rows of the first mask from the shell."""
    cases = {"bare": BARE.format(model=MODEL), "torch optimised": FIRST.format(model=MODEL)}
    cases |= {name: FIRST_ONNX.format(model=folder.resolve()) for name, folder in folders.items()}
    least: dict[str, float] = {}
    for _ in range(rounds):
        for name, code in cases.items():
            run = f"import time\n{code}\nprint('seconds', time.process_time())"
            output = subprocess.run(
                [sys.executable, "-c", run], cwd=ROOT, env=environment(ROOT), check=True, capture_output=True
            ).stdout.decode()
            least[name] = min(least.get(name, 1e9), float(output.split("seconds")[-1]))
    return [
        row(name, "first mask from the shell, ms", 1e3 * seconds, seconds / least["bare"])
        for name, seconds in least.items()
    ]


def measure_sizes(folders: dict[str, Path]) -> list[dict[str, Any]]:
    """Rows of what the folders take."""
    sizes = {name: sum(path.stat().st_size for path in folder.iterdir()) / 1e6 for name, folder in folders.items()}
    return [row(name, "size of the folder, MB", size, size / sizes["onnx"]) for name, size in sizes.items()]


def measure_scores(folders: dict[str, Path], data: list[str], num_pairs: int) -> list[dict[str, Any]]:
    """Rows of mIoU, and of the pixels that 8 bits change."""
    import numpy as np

    import mtrefseg
    from dataset_scripts.readers import open_pairs
    from mtrs_iou import MaskScores

    segmenters = {name: mtrefseg.OnnxSegmenter(folder) for name, folder in folders.items()}
    rows = []
    for source in ["generated", *data]:
        made = {"split": "validation", "num_pairs": num_pairs} if source == "generated" else {}
        pairs = open_pairs(source, **made)
        scores = {name: MaskScores() for name in segmenters}
        changed = []
        for index in range(min(num_pairs, len(pairs))):
            pair = pairs[index]
            image_t1, image_t2 = pair.load_images()
            text = [expression.text for expression in pair.expressions]
            inputs = {"image_t1": image_t1, "image_t2": image_t2, "text": text}
            domain = None if pair.domain is None else _DOMAINS[pair.domain]
            answers = {name: each(inputs, domain=domain, align="resize") for name, each in segmenters.items()}
            masks = {name: [np.asarray(one["mask"]) > 0 for one in found] for name, found in answers.items()}
            for place, expression in enumerate(pair.expressions):
                truth, _ = expression.mask.read_mask(image_t1.size)
                for name, found in masks.items():
                    scores[name].add(found[place], np.asarray(truth) > 0, sample_id=f"{index}-{place}")
            changed += [(one != other).mean() for one, other in zip(masks["onnx"], masks["onnx int8"])]
        what = f"{source if source == 'generated' else Path(source).name}, {min(num_pairs, len(pairs))} pairs"
        values = {name: float(score.compute()["mIoU"]) for name, score in scores.items()}
        rows += [row(name, f"mIoU, {what}", value) for name, value in values.items()]
        rows.append(row("onnx int8", f"pixels of masks that change, %, {what}", 100 * float(np.mean(changed))))
    return rows


def row(name: str, what: str, value: float, ratio: float | None = None) -> dict[str, Any]:
    """A row of the table."""
    shown = "" if ratio is None else f"{ratio:.3f}"
    print(f"{name:16} {what:50} {value:10.2f} {shown}", flush=True)
    date = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    return {"model": name, "what": what, "value": f"{value:.4g}", "ratio": shown, "date": date}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path, help="folder of the float32 graphs")
    parser.add_argument("int8", type=Path, help="folder of the 8-bit graphs")
    parser.add_argument("--before", type=Path, help="root of another checkout")
    parser.add_argument("--pairs", action="append", default=[], metavar="DATA", help="pairs to score besides")
    parser.add_argument("--num-pairs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    folders = {"onnx": arguments.onnx, "onnx int8": arguments.int8}
    rows = measure_speed(folders, arguments.before, arguments.rounds)
    rows += measure_starts(folders, max(1, arguments.rounds // 4))
    rows += measure_sizes(folders)
    rows += measure_scores(folders, arguments.pairs, arguments.num_pairs)
    append_rows(RESULTS / "export.csv", rows)


if __name__ == "__main__":
    main()
