# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Compares this checkout with another one. Both run alternately, so that they see the same load of the machine:

    git worktree add ../before ad7b959
    python -m benchmarks.model.compare ../before

It measures the shipped model at 256 pixels, from the array to the mask, with one thread (1, 8 and 32 sentences, this
checkout also in bfloat16); the operators of a prediction; the time to the first mask from the shell, compared with
importing PyTorch and transformers and reading the weights ("bare"), and with the least that a model of transformers
takes ("library": the checkpoint's language model alone, loaded and run once); and, with `--train`, steps of a training
recipe. Rows are appended to `results/compare.csv`, and the operators that take longest to
`results/compare_operators.csv`. Seconds are those of the processor.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


ROOT = Path(__file__).parents[2]
MODEL = ROOT / "mtrefseg-r1"
TRAIN = (
    "--train_data generated --eval_data none --max_steps 200 --dataloader_num_workers 0 --save_strategy no "
    "--per_device_train_batch_size 8 --image_size 256 --output_dir outputs/compare"
)
BARE = """
import torch, transformers
from safetensors.torch import load_file
print(sum(float(tensor.float().sum()) for tensor in load_file("{model}/model.safetensors").values()))
"""
LIBRARY = """
import torch, transformers
model = transformers.AutoModel.from_pretrained("{language_model}")
with torch.no_grad():
    print(model(torch.tensor([[1, 2, 3]])).last_hidden_state.sum())
"""
FIRST = """
import mtrefseg
mtrefseg.MTRefSegModel
import numpy as np, torch
from mtrefseg.build.loading import load_model, load_processor
processor = load_processor("{model}")
model = load_model("{model}", processor, torch.device("cpu"))
images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
with torch.no_grad():
    outputs = model(**processor(*images, text=["the house that appeared"]))
    print(processor.post_process_referring_segmentation(outputs, [(256, 256)])[0]["masks"].sum())
"""


class Checkout:
    """
    A process that measures the code of a checkout: this file, run with that code.

    Args:
        name (`str`): What rows call it.
        folder (`Path`): Its root.
        training (`bool`): Whether training steps are measured, not predictions.
        model (`Path`, *optional*): The model that predicts; by default the one that this checkout ships.
    """

    def __init__(self, name: str, folder: Path, training: bool = False, model: Path = MODEL) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", "train" if training else "predict", "--model", str(model)],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> Any:
        """Sends a request and waits for what it measured."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.name} ended")


def environment(folder: Path) -> dict[str, str]:
    """Environment of a process with the code of a checkout, one thread and no network."""
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **quiet, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


def serve(kind: str, folder: Path) -> None:
    """Answers requests from stdin, one per line, with the code of the checkout."""
    answer = predictions(folder) if kind == "predict" else training_steps()
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)


def keep_memory() -> None:
    """Keeps freed memory where the commands of the checkout do so."""
    import torch

    try:
        from mtrefseg.build.memory import keep_freed_memory
    except ImportError:  # Older checkouts.
        return
    keep_freed_memory(torch.device("cpu"))


def predictions(folder: Path) -> Callable[..., dict[str, Any]]:
    """Measures predictions of a model: `sentences`, `dtype`, `repeats`, and whether to `profile` them."""
    import numpy as np
    import torch
    from PIL import Image
    from torch.profiler import ProfilerActivity, profile

    from mtrefseg import optimize_for_cpu
    from mtrefseg.build.loading import load_model, load_processor

    torch.set_num_threads(1)
    keep_memory()
    processor = load_processor(folder)
    model = load_model(folder, processor, torch.device("cpu"))
    noise = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    first, second = (np.asarray(Image.fromarray(each).resize((256, 256), Image.Resampling.BICUBIC)) for each in noise)

    @torch.no_grad()
    def predict(sentences: int) -> Any:
        text = [[f"the small white building with the red roof next to road {number}" for number in range(sentences)]]
        return processor.post_process_referring_segmentation(
            model(**processor(first, second, text=text)), [(256, 256)]
        )

    def operators() -> dict[str, Any]:
        best: dict[str, tuple[float, int]] = {}
        predict(1)
        for _ in range(5):
            with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
                predict(1)
            for event in profiler.key_averages():
                spent = event.self_cpu_time_total / 1e3
                best[event.key] = min(best.get(event.key, (spent, event.count)), (spent, event.count))
        allocations = sum(event.name == "[memory]" for event in profiler.events())
        top = sorted(((spent, calls, name) for name, (spent, calls) in best.items()), reverse=True)[:10]
        count = sum(calls for name, (_, calls) in best.items() if name != "[memory]")
        return {"operators": count, "allocations": allocations, "top": top}

    def answer(
        sentences: int = 1, dtype: str = "float32", repeats: int = 5, profile_operators: bool = False
    ) -> dict[str, Any]:
        if dtype != "float32":
            optimize_for_cpu(model, compute_dtype=getattr(torch, dtype))
        if profile_operators:
            return operators()
        predict(sentences)
        spent = []
        for _ in range(repeats):
            start = time.process_time()
            masks = predict(sentences)
            spent.append(time.process_time() - start)
        if dtype != "float32":
            optimize_for_cpu(model)
        return {"seconds": min(spent), "area": int(masks[0]["masks"].sum())}

    return answer


def training_steps() -> Callable[..., dict[str, Any]]:
    """Measures steps of training: `steps`, and whether in `bf16`. Both checkouts see the same batches."""
    import torch

    from trainer.command_line import parse_arguments
    from trainer.loop.running import make_trainer

    try:
        from trainer.building.models import build_stage2
    except ImportError:  # Where it was in older checkouts.
        from trainer.loop.building import build_stage2

    recipe = f"--config {ROOT}/trainer/recipes/checkpoint/07_all_parts.yaml --model_name_or_path {MODEL} {TRAIN}"
    model_arguments, data, augmentation, training, model_config = parse_arguments("", recipe.split())
    torch.manual_seed(0)
    model, processor = build_stage2(model_arguments, model_config, training)
    trainer = make_trainer(model, processor, data, augmentation, training, model_config)
    batches = iter(trainer.get_train_dataloader())
    optimizer = trainer.create_optimizer()
    keep_memory()
    model.train()

    def answer(steps: int = 1, bf16: bool = False) -> dict[str, Any]:
        data_seconds, step_seconds, losses, pairs = 0.0, 0.0, [], 0
        for _ in range(steps):
            start = time.process_time()
            batch = next(batches)
            data_seconds += time.process_time() - start
            start = time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            step_seconds += time.process_time() - start
            losses.append(round(loss.item(), 3))
            pairs += len(batch["pixel_values_t1"])
        return {"data": data_seconds / pairs, "step": step_seconds / pairs, "losses": losses}

    return answer


def compare_predictions(other: Path, rounds: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of predictions, the least of all rounds, and rows of the operators that take longest."""
    checkouts = [Checkout("before", other), Checkout("now", ROOT)]
    cases = [(checkout, count, "float32") for count in (1, 8, 32) for checkout in checkouts]
    cases += [(checkouts[1], count, "bfloat16") for count in (1, 32)]
    least: dict[tuple[str, int, str], float] = {}
    for _ in range(rounds):
        for checkout, count, dtype in cases:
            key = (checkout.name, count, dtype)
            seconds = checkout.ask(sentences=count, dtype=dtype)["seconds"]
            least[key] = min(least.get(key, seconds), seconds)
    rows = [
        row(name, f"mask of {count} sentences, {dtype}", seconds * 1e3, least["before", count, "float32"] * 1e3)
        for (name, count, dtype), seconds in least.items()
    ]
    operators: list[dict[str, Any]] = []
    for checkout in checkouts:
        profile = checkout.ask(profile_operators=True)
        rows += [row(checkout.name, f"{kind} of one sentence", profile[kind]) for kind in ("operators", "allocations")]
        operators += [
            {"checkout": checkout.name, "operator": name, "calls": calls, "milliseconds": f"{spent:.3g}"}
            for spent, calls, name in profile["top"]
        ]
        checkout.process.terminate()
    return rows, operators


def start_seconds(code: str, folder: Path) -> float:
    """Processor seconds of a new process that runs a program with the code of a checkout."""
    run = f"import time\n{code}\nprint('seconds', time.process_time())"
    output = subprocess.run(
        [sys.executable, "-c", run], cwd=folder, env=environment(folder), check=True, capture_output=True
    ).stdout.decode()
    return float(output.split("seconds")[-1])


def compare_starts(other: Path, rounds: int) -> list[dict[str, Any]]:
    """Rows of the first mask from the shell."""
    from transformers import AutoModel

    from modeling_mtrefseg import MTRefSegConfig

    cases = {"bare": (BARE, ROOT), "library": (LIBRARY, ROOT), "before": (FIRST, other), "now": (FIRST, ROOT)}
    least: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        AutoModel.from_config(MTRefSegConfig.from_pretrained(MODEL).text_config).save_pretrained(folder)
        for _ in range(rounds):
            for name, (code, root) in cases.items():
                seconds = start_seconds(code.format(model=MODEL, language_model=folder), root)
                least[name] = min(least.get(name, seconds), seconds)
    what = "first mask from the shell"
    return [row(checkout, what, seconds * 1e3, least["bare"] * 1e3) for checkout, seconds in least.items()]


def compare_training(other: Path, rounds: int, steps: int) -> list[dict[str, Any]]:
    """Rows of training steps, the mean of all rounds, which have the same batches; prints the losses."""
    checkouts = [Checkout("before", other, True), Checkout("now", ROOT, True), Checkout("now, bf16", ROOT, True)]
    spent: dict[tuple[str, str], float] = {}
    losses: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        for checkout in checkouts:
            answer = checkout.ask(steps=steps, bf16=checkout.name.endswith("bf16"))
            losses.setdefault(checkout.name, []).extend(answer["losses"])
            if number:  # In the first round, memory is allocated.
                for part in ("step", "data"):
                    key = (checkout.name, part)
                    spent[key] = spent.get(key, 0) + answer[part] / rounds
    rows = []
    for checkout in checkouts:
        checkout.process.terminate()
        mean = sum(losses[checkout.name]) / len(losses[checkout.name])
        print(f"{checkout.name}: losses {losses[checkout.name]}, mean {mean:.3f}")
        rows.append(row(checkout.name, f"mean loss of {len(losses[checkout.name])} steps", mean))
        for part in ("step", "data"):
            name = f"training: {part} of a pair"
            rows.append(row(checkout.name, name, spent[checkout.name, part] * 1e3, spent["before", part] * 1e3))
    return rows


def row(checkout: str, name: str, value: float, reference: float | None = None) -> dict[str, Any]:
    """A row of the table: milliseconds, or what the name says."""
    ratio = "" if reference is None else f"{value / reference:.3f}"
    date = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    print(f"{checkout:10} {name:40} {value:10.1f} {ratio}", flush=True)
    return {"checkout": checkout, "what": name, "value": f"{value:.4g}", "ratio": ratio, "date": date}


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, nargs="?", help="root of the other checkout")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", type=int, metavar="STEPS", help="measure so many training steps a round instead")
    parser.add_argument("--serve", choices=("predict", "train"), help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, default=MODEL, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.model)
        return
    # Not at the top, because the processes of the other checkout run this file too, and may lack that module.
    from benchmarks.tables import RESULTS, append_rows

    if arguments.train:
        rows = compare_training(arguments.other, arguments.rounds, arguments.train)
    else:
        rows, operators = compare_predictions(arguments.other, arguments.rounds)
        append_rows(RESULTS / "compare_operators.csv", operators)
        rows += compare_starts(arguments.other, arguments.rounds)
    append_rows(RESULTS / "compare.csv", rows)


if __name__ == "__main__":
    main()
