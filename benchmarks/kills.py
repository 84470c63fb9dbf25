# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Kills training runs at random steps and resumes them: in one process, in two with DistributedDataParallel, and in two
with DeepSpeed ZeRO-2. In the end the losses of all steps and the weights must equal those of an undisturbed run.

```bash
python -m benchmarks.kills                          # 20 kills of each engine, on the CPU: minutes
python -m benchmarks.kills --engines zero2 --kills 3
```

The model is a very small one. SIGKILL hits all processes of a run at once, up to half a second after a random step has
been logged, which may be while a checkpoint is written. Processes are forked from one that has imported the libraries,
so this needs Linux or macOS. Prints each kill and replaces `results/kills.csv`.
"""

import argparse
import csv
import json
import os
import random
import re
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file

# Imported here once, before the processes are forked.
import trainer.loop.building
import trainer.loop.running  # noqa: F401
from mtrefseg.build.presets import PRESETS
from trainer import finetune
from trainer.loop.checkpointing import UNFINISHED, last_checkpoint


STEPS, KILLS = 24, 20
DEEPSPEED = {
    "ACCELERATE_USE_DEEPSPEED": "true",
    "ACCELERATE_DEEPSPEED_ZERO_STAGE": "2",
    "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "auto",
    "ACCELERATE_GRADIENT_CLIPPING": "auto",
    "ACCELERATE_DEEPSPEED_ZERO3_INIT": "false",
    "ACCELERATE_CONFIG_DS_FIELDS": "zero_stage,gradient_accumulation_steps,gradient_clipping,zero3_init_flag",
}
ENGINES: dict[str, tuple[int, dict[str, str]]] = {"single": (1, {}), "ddp": (2, {}), "zero2": (2, DEEPSPEED)}
"""For each engine the number of processes, and what `accelerate launch` would put into their environment."""
COLUMNS = ("engine", "kills", "while_saving", "lost_steps", "steps", "losses_equal", "weights_equal")
RECIPE = {
    "preset": "tiny",
    "image_size": 64,
    "config_overrides": {
        "vision_config": {**PRESETS["tiny"]["vision_config"], "hidden_sizes": [8] * 4, "depths": [1] * 4},
        "mask_decoder_config": {
            **PRESETS["tiny"]["mask_decoder_config"],
            "hidden_size": 32,
            "pixel_decoder_layers": 1,
            "decoder_layers": 1,
        },
        "text_config": {**PRESETS["tiny"]["text_config"], "hidden_size": 32, "num_hidden_layers": 1},
        "seg_head_size": 32,
        "num_points": 64,
    },
    "generated_size": 128,
    "generated_domains": ["RS"],
    "eval_data": "none",
    "max_steps": STEPS,
    "save_steps": 2,
    "logging_steps": 1,
    "per_device_train_batch_size": 1,
    "disable_tqdm": True,
}
_POLL_SECONDS = 0.02


class Run:
    """
    A training run in forked processes.

    Args:
        engine (`str`): A key of `ENGINES`.
        recipe, folder (`Path`): The recipe, and the output folder.
    """

    def __init__(self, engine: str, recipe: Path, folder: Path) -> None:
        self.log = folder.with_name(f"{folder.name}.log")
        self.log.write_bytes(b"")
        processes, environment = ENGINES[engine]
        arguments = ["--config", str(recipe), "--output_dir", str(folder), "--expected_engine", engine]
        arguments += ["--resume_from_checkpoint", "last"]
        if processes > 1:
            shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(processes)}
            environment = {**environment, **shared, "LOCAL_WORLD_SIZE": str(processes)}
        self.processes = [
            self._fork(arguments, {**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)} if processes > 1 else {})
            for rank in range(processes)
        ]

    def _fork(self, arguments: Sequence[str], environment: dict[str, str]) -> int:
        process = os.fork()
        if process:
            return process
        code = 1
        try:
            os.environ.update(environment)
            log = os.open(self.log, os.O_WRONLY | os.O_APPEND)
            os.dup2(log, sys.stdout.fileno())
            os.dup2(log, sys.stderr.fileno())
            code = finetune.main(arguments)
        finally:
            sys.stdout.flush()
            os._exit(code)

    @property
    def step(self) -> int:
        """The last step that has been logged, 0 before the first."""
        steps = re.findall(r"^step (\d+)/", self.log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        return int(steps[-1]) if steps else 0

    def kill(self) -> None:
        """SIGKILL for all processes."""
        for process in self.processes:
            os.kill(process, signal.SIGKILL)
        for process in self.processes:
            os.waitpid(process, 0)

    def wait_for(self, step: int) -> None:
        """Waits until a step has been logged; a run that ends before is an error."""
        while self.step < step:
            if os.waitpid(self.processes[0], os.WNOHANG)[0]:
                raise RuntimeError(f"the run has ended before step {step}:\n{self.log.read_text(encoding='utf-8')}")
            time.sleep(_POLL_SECONDS)

    def finish(self) -> None:
        """Waits for the end; a run that fails is an error."""
        codes = [os.waitpid(process, 0)[1] for process in self.processes]
        if any(codes):
            raise RuntimeError(f"the run has failed:\n{self.log.read_text(encoding='utf-8')}")


def compare(engine: str, kills: int, folder: Path, seed: int) -> dict[str, Any]:
    """
    Trains twice, once undisturbed and once with kills.

    Args:
        engine (`str`): A key of `ENGINES`.
        kills (`int`): How often the second run is killed.
        folder (`Path`): For both runs.
        seed (`int`): Of the random steps.

    Returns:
        `dict`: A row of the table.
    """
    recipe = folder / "recipe.json"  # JSON is YAML, too.
    recipe.write_text(json.dumps(RECIPE), encoding="utf-8")
    undisturbed, killed = folder / "undisturbed", folder / "killed"
    Run(engine, recipe, undisturbed).finish()
    random_numbers = random.Random(seed)
    while_saving = lost_steps = 0
    for number, wanted in enumerate(sorted(random_numbers.sample(range(1, STEPS), kills)), 1):
        resumed_from = _step_of(killed)
        run = Run(engine, recipe, killed)
        run.wait_for(wanted)
        time.sleep(random_numbers.random() / 2)
        is_saving = (killed / UNFINISHED).exists()
        run.kill()
        while_saving += is_saving
        lost_steps += run.step - _step_of(killed)
        print(
            f"{engine} kill {number}: resumed from {resumed_from}, killed after step {run.step}"
            f"{' while saving' if is_saving else ''}, last checkpoint {_step_of(killed)}",
            flush=True,
        )
    Run(engine, recipe, killed).finish()
    losses, weights = (
        [read(path) for path in (undisturbed, killed)]
        for read in (_losses, lambda path: load_file(path / "model.safetensors"))
    )
    return {
        "engine": engine,
        "kills": kills,
        "while_saving": while_saving,
        "lost_steps": lost_steps,
        "steps": len(losses[0]),
        "losses_equal": losses[0] == losses[1],
        "weights_equal": all(torch.equal(weights[1][name], weight) for name, weight in weights[0].items()),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _step_of(folder: Path) -> int:
    last = last_checkpoint(folder)
    return 0 if last is None else int(last.name.rpartition("-")[2])


def _losses(folder: Path) -> dict[int, float]:
    history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return {log["step"]: log["loss"] for log in history if "loss" in log}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--kills", type=int, choices=range(1, STEPS), metavar="N", default=KILLS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "kills.csv")
    arguments = parser.parse_args()
    rows = []
    for engine in arguments.engines:
        with TemporaryDirectory() as folder:
            rows.append(compare(engine, arguments.kills, Path(folder), arguments.seed))
        print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    with arguments.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
