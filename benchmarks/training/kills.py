# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Kills training runs at random steps and resumes them: in one process, in two with DistributedDataParallel, and in two
with DeepSpeed ZeRO-2. In the end the losses of all steps and the weights must equal those of an undisturbed run.

```bash
python -m benchmarks.training.kills                          # 20 kills of each engine, on the CPU: minutes
python -m benchmarks.training.kills --engines zero2 --kills 3
```

The model is a very small one. SIGKILL hits all processes of a run at once, up to the time of two steps after a random
one has been logged, which may be while a checkpoint is written. If a run ends before the signal, it does not count as
killed: a new run is started for this kill. All runs must equal the undisturbed one. Processes are forked from one that
has imported the libraries, so this needs Linux or macOS. Prints each kill, replaces `results/kills.csv`.
"""

import argparse
import json
import os
import random
import re
import signal
import socket
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file

# Imported here once, before the processes are forked.
import trainer.building.models
import trainer.loop.running  # noqa: F401
from benchmarks.tables import RESULTS, write_rows
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
"""For each engine the number of processes, and the environment variables that `accelerate launch` would set."""
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
        self._ended: dict[int, int] = {}

    def _fork(self, arguments: Sequence[str], environment: dict[str, str]) -> int:
        process = os.fork()
        if process:
            return process
        code = 1
        try:
            os.environ.update(environment)
            log = os.open(self.log, os.O_WRONLY | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = finetune.main(arguments)
        finally:
            sys.stdout.flush()
            os._exit(code)

    @property
    def step(self) -> int:
        """The last step that has been logged, 0 before the first."""
        steps = re.findall(r"^step +(\d+)/", self.log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        return int(steps[-1]) if steps else 0

    def kill_at(self, step: int, delay: float) -> bool:
        """
        SIGKILL for all processes.

        Args:
            step (`int`): They are killed when this step has been logged
            delay (`float`): and so many seconds have passed.

        Returns:
            `bool`: Whether the run was killed. If not, it had come to its end before.

        Raises:
            RuntimeError: If the run had failed before.
        """
        while self.step < step and not self._have_ended(os.WNOHANG):
            time.sleep(_POLL_SECONDS)
        time.sleep(delay)
        for process in self.processes:
            if process not in self._ended:
                os.kill(process, signal.SIGKILL)
        self._have_ended(0)
        codes = set(self._ended.values())
        if codes - {0, -signal.SIGKILL}:
            raise RuntimeError(f"the run has failed:\n{self.log.read_text(encoding='utf-8')}")
        return codes != {0}

    def finish(self) -> None:
        """Waits for the end; a run that fails is an error."""
        self._have_ended(0)
        if any(self._ended.values()):
            raise RuntimeError(f"the run has failed:\n{self.log.read_text(encoding='utf-8')}")

    def _have_ended(self, option: int) -> bool:
        """Whether all processes have ended; without `os.WNOHANG` waits for that."""
        for process in self.processes:
            if process not in self._ended:
                ended, status = os.waitpid(process, option)
                if ended:
                    self._ended[process] = os.waitstatus_to_exitcode(status)
        return len(self._ended) == len(self.processes)


def compare(engine: str, kills: int, folder: Path, seed: int) -> dict[str, Any]:
    """
    Trains once undisturbed, and with kills.

    Args:
        engine (`str`): A key of `ENGINES`.
        kills (`int`): How often runs are killed.
        folder (`Path`): For all runs.
        seed (`int`): Of the random steps.

    Returns:
        `dict`: A row of the table.
    """
    recipe = folder / "recipe.json"  # JSON is YAML, too.
    recipe.write_text(json.dumps(RECIPE), encoding="utf-8")
    undisturbed, killed = folder / "undisturbed", [folder / "killed-1"]
    Run(engine, recipe, undisturbed).finish()
    pairs_a_second = statistics.median(log["pairs_per_second"] for log in _step_logs(undisturbed))
    step_seconds = ENGINES[engine][0] / pairs_a_second  # One pair a process.
    random_numbers = random.Random(seed)
    while_saving = lost_steps = done = 0
    steps = sorted(random_numbers.sample(range(1, STEPS), kills))
    while done < kills:
        resumed_from = _step_of(killed[-1])
        run = Run(engine, recipe, killed[-1])
        if not run.kill_at(steps[done], random_numbers.random() * 2 * step_seconds):
            print(f"{engine}: the run that resumed from {resumed_from} ended before kill {done + 1}", flush=True)
            killed.append(folder / f"killed-{len(killed) + 1}")
            continue
        done += 1
        is_saving = (killed[-1] / UNFINISHED).exists()
        while_saving += is_saving
        lost_steps += run.step - _step_of(killed[-1])
        print(
            f"{engine} kill {done}: resumed from {resumed_from}, killed after step {run.step}"
            f"{' while saving' if is_saving else ''}, last checkpoint {_step_of(killed[-1])}",
            flush=True,
        )
    Run(engine, recipe, killed[-1]).finish()
    losses, weights = _losses(undisturbed), load_file(undisturbed / "model.safetensors")
    return {
        "engine": engine,
        "kills": done,
        "runs": len(killed),
        "while_saving": while_saving,
        "lost_steps": lost_steps,
        "steps": len(losses),
        "losses_equal": all(_losses(one) == losses for one in killed),
        "weights_equal": all(_are_equal(load_file(one / "model.safetensors"), weights) for one in killed),
    }


def _are_equal(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> bool:
    return some.keys() == others.keys() and all(torch.equal(some[name], other) for name, other in others.items())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _step_of(folder: Path) -> int:
    last = last_checkpoint(folder)
    return 0 if last is None else int(last.name.rpartition("-")[2])


def _losses(folder: Path) -> dict[int, float]:
    return {log["step"]: log["loss"] for log in _step_logs(folder)}


def _step_logs(folder: Path) -> list[dict[str, Any]]:
    history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return [log for log in history if "loss" in log]


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--kills", type=int, choices=range(1, STEPS), metavar="N", default=KILLS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "kills.csv")
    arguments = parser.parse_args()
    rows = []
    for engine in arguments.engines:
        with TemporaryDirectory() as folder:
            rows.append(compare(engine, arguments.kills, Path(folder), arguments.seed))
        print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    write_rows(arguments.out, rows)


if __name__ == "__main__":
    main()
