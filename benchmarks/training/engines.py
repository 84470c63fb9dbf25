# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Compares training engines: stage 2 of the tiny preset on generated pairs, with the same seed and the same pairs in each
step, in one process, in two with DistributedDataParallel (gloo), and in two with DeepSpeed ZeRO-2 and ZeRO-3. ZeRO-3
is set to partition every tensor of at least 10,000 elements; by default it would not partition a model of this size.

```bash
python -m benchmarks.training.engines                          # 30 steps of 4 pairs on the CPU: minutes
python -m benchmarks.training.engines --engines single zero3 --steps 5
```

Prints the loss of every step and replaces `results/engines.csv`. Its columns: the class that wraps the model, the
largest difference of a step's loss from that of one process, whether the saved weights, loaded by `AutoModel`, equal
those in memory bit by bit, the number of tensors, how many of them were partitioned, and the seconds of training.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import AutoModel, set_seed

from benchmarks.tables import RESULTS, ROOT, write_rows
from trainer.building.models import build_stage2, unpartitioned
from trainer.command_line import parse_arguments
from trainer.loop.running import make_trainer


CONFIGURATIONS = {"single": "", "ddp": "cpu_two_processes", "zero2": "cpu_zero2", "zero3": "cpu_zero3"}
"""Engines, and the accelerate configurations that start them with two processes."""
PAIRS = 4
"""Pairs of a step, over all processes."""
COLUMNS = (
    "engine",
    "steps",
    "largest_difference",
    "relative",
    "saved_equal_memory",
    "tensors",
    "partitioned",
    "seconds",
)


def start(engine: str, steps: int, folder: Path) -> dict[str, Any]:
    """
    Trains in processes of their own.

    Args:
        engine (`str`): A key of `CONFIGURATIONS`.
        steps (`int`): How many.
        folder (`Path`): Gets the model.

    Returns:
        `dict`: Result of [`train`].
    """
    launcher, pairs = [sys.executable], PAIRS
    if configuration := CONFIGURATIONS[engine]:
        launcher += ["-m", "accelerate.commands.launch", "--config_file"]
        launcher.append(str(ROOT / f"trainer/accelerate/{configuration}.yaml"))
        pairs //= 2
    arguments = {
        "output_dir": folder,
        "expected_engine": engine,
        "max_steps": steps,
        "per_device_train_batch_size": pairs,
        "image_size": 64,
        "logging_steps": 1,
        "eval_strategy": "no",
        "load_best_model_at_end": "false",
        "save_strategy": "no",
        "dataloader_num_workers": 0,
        "disable_tqdm": "true",
    }
    flags = [f"--{name}={value}" for name, value in arguments.items()]
    subprocess.run([*launcher, "-m", "benchmarks.training.engines", "--worker", *flags], cwd=ROOT, check=True)
    return json.loads((folder / "engine.json").read_text(encoding="utf-8"))


def train(flags: list[str]) -> None:
    """
    Trains in this process, together with the others that were started, saves the model, and writes `engine.json`.

    Args:
        flags (`list[str]`): Arguments of `finetune.py`.
    """
    model_arguments, data_arguments, augmentation, training, model_config = parse_arguments("tiny_stage2", flags)
    model_arguments.stage1 = None
    set_seed(training.seed)
    model, processor = build_stage2(model_arguments, model_config, training)
    plugin = training.deepspeed_plugin
    if plugin is not None:
        plugin.deepspeed_config["zero_optimization"]["stage3_param_persistence_threshold"] = 10_000
    trainer = make_trainer(model, processor, data_arguments, augmentation, training, model_config)
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    trainer.save_model()
    partitioned = sum(parameter.numel() == 0 for parameter in trainer.model.parameters())
    in_memory = trainer.accelerator.get_state_dict(trainer.model_wrapped)  # By all processes, given to the first.
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        with unpartitioned(training):
            saved = AutoModel.from_pretrained(str(training.output_dir)).state_dict()
        is_equal = saved.keys() == in_memory.keys() and all(
            torch.equal(saved[name], tensor.cpu()) for name, tensor in in_memory.items()
        )
        result = {
            "engine": trainer.engine.line,
            "losses": [log["loss"] for log in trainer.state.log_history if "loss" in log],
            "tensors": len(saved),
            "partitioned": partitioned,
            "saved_equal_memory": is_equal,
            "seconds": seconds,
        }
        Path(str(training.output_dir), "engine.json").write_text(json.dumps(result), encoding="utf-8")
    trainer.accelerator.end_training()


def compare(results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the table; losses are compared with those of the first result."""
    base = next(iter(results.values()))["losses"]
    rows = []
    for result in results.values():
        differences = [abs(loss - other) for loss, other in zip(result["losses"], base)]
        relative = max(difference / abs(other) for difference, other in zip(differences, base))
        row = {**result, "steps": len(differences), "largest_difference": max(differences), "relative": relative}
        rows.append({name: f"{row[name]:.3g}" if isinstance(row[name], float) else row[name] for name in COLUMNS})
    return rows


def main() -> None:
    """Runs the command."""
    if "--worker" in sys.argv:
        flags = [argument for argument in sys.argv[1:] if argument != "--worker"]
        train([part for flag in flags for part in flag.split("=", 1)])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS))
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--out", type=Path, default=RESULTS / "engines.csv")
    arguments = parser.parse_args()
    results = {}
    with TemporaryDirectory() as folder:
        for engine in arguments.engines:
            results[engine] = start(engine, arguments.steps, Path(folder, engine))
    print("step", *(f"{engine:>12}" for engine in results))
    for step, losses in enumerate(zip(*(result["losses"] for result in results.values())), 1):
        print(f"{step:4d}", *(f"{loss:12.6f}" for loss in losses))
    rows = compare(results)
    write_rows(arguments.out, rows)
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
