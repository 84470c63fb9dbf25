# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The formula of `docs/scale.md` against a pipeline of Ray actors that reads, predicts and writes in a simulation:

    python -m benchmarks.scenes.pipeline --read 8 0.4 --predict 2 0.2 --write 1 0.05

Each stage has a number of workers and the seconds that one of them takes for a batch; workers sleep that long, so that
64 GPUs fit on any machine. Everything else is real: batches move from stage to stage, fast stages wait, and the number
of batches in flight is limited, so that memory stays small. Prints, and appends to `results/pipeline.csv`, the batches
per second that the slowest stage allows and those that came out.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.tables import RESULTS, append_rows


@dataclass(frozen=True)
class Stage:
    """
    A step of the pipeline.

    Args:
        name (`str`): "read", "predict" or "write".
        workers (`int`): How many work side by side.
        seconds (`float`): What one of them takes for a batch.
    """

    name: str
    workers: int
    seconds: float

    @property
    def rate(self) -> float:
        """Batches per second."""
        return self.workers / self.seconds


class Worker:
    """Sleeps as long as the work would take."""

    def work(self, batch: int, seconds: float) -> int:
        """Hands on the batch."""
        time.sleep(seconds)
        return batch


def slowest(stages: Sequence[Stage]) -> Stage:
    """The stage that all others wait for."""
    return min(stages, key=lambda stage: stage.rate)


def predicted_seconds(stages: Sequence[Stage], num_batches: int) -> float:
    """How long so many batches take: the first one through all stages, the others at the pace of the slowest stage."""
    return sum(stage.seconds for stage in stages) + (num_batches - 1) / slowest(stages).rate


def simulate(stages: Sequence[Stage], num_batches: int) -> float:
    """
    Runs a pipeline.

    Args:
        stages (`Sequence[Stage]`): The steps, in order.
        num_batches (`int`): How many batches go through it.

    Returns:
        `float`: Seconds from the first batch going in to the last one coming out.
    """
    import ray

    remote_worker: Any = ray.remote(num_cpus=0)(Worker)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        configure_logging=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",  # Else it would listen for other machines, too.
    )
    try:
        workers = [[remote_worker.remote() for _ in range(stage.workers)] for stage in stages]
        # All of them are up before the clock starts.
        ray.get([worker.work.remote(0, 0.0) for group in workers for worker in group])
        most = 2 * sum(stage.workers for stage in stages)
        under_way: list[ray.ObjectRef] = []
        started = time.perf_counter()
        for number in range(num_batches):
            if len(under_way) == most:
                _, under_way = ray.wait(under_way, num_returns=1)
            batch: ray.ObjectRef | int = number
            for stage, group in zip(stages, workers):
                batch = group[number % stage.workers].work.remote(batch, stage.seconds)
            under_way.append(batch)
        ray.get(under_way)
        return time.perf_counter() - started
    finally:
        ray.shutdown()


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, example in (("read", ("4", "0.2")), ("predict", ("1", "0.1")), ("write", ("1", "0.05"))):
        parser.add_argument(f"--{name}", nargs=2, metavar=("WORKERS", "SECONDS"), default=example)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--out", type=Path, default=RESULTS / "pipeline.csv")
    arguments = parser.parse_args()

    given = {name: getattr(arguments, name) for name in ("read", "predict", "write")}
    stages = [Stage(name, int(workers), float(seconds)) for name, (workers, seconds) in given.items()]
    predicted, measured = predicted_seconds(stages, arguments.batches), simulate(stages, arguments.batches)
    row = {f"{stage.name}_{name}": value for stage in stages for name, value in vars(stage).items() if name != "name"}
    row |= {
        "batches": arguments.batches,
        "bottleneck": slowest(stages).name,
        "predicted_seconds": f"{predicted:.2f}",
        "measured_seconds": f"{measured:.2f}",
        "ratio": f"{measured / predicted:.3f}",
    }
    append_rows(arguments.out, [row])
    print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
