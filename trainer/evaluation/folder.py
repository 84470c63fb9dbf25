# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The output folder of an evaluation. Predictions are saved while it runs, so that a killed evaluation can continue.

Each process appends its batches, one line each, to its own file in `unfinished/`. Incomplete lines are ignored.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from mtrefseg.io import read_json, write_json
from trainer.errors import TrainingError
from trainer.names import REPORT


UNFINISHED = "unfinished"
_IDENTITY = "identity.json"


class EvaluationFolder:
    """
    Args:
        folder (`Path`): The output folder.
        identity (`dict`): Model, data and options, which determine the scores.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder = folder
        self.parts = folder / UNFINISHED
        self.identity = json.loads(json.dumps(identity))

    def is_finished(self) -> bool:
        """
        Whether this evaluation is finished.

        Raises:
            TrainingError: If the folder contains another evaluation, finished or not.
        """
        for path, key in ((self.folder / REPORT, "identity"), (self.parts / _IDENTITY, None)):
            if not path.is_file():
                continue
            try:
                content = read_json(path)
                found = content if key is None else content[key]
            except (ValueError, LookupError, TypeError) as error:
                raise TrainingError(f"{path} is damaged: remove it, or choose another --output_dir.") from error
            if not isinstance(found, dict):
                raise TrainingError(f"{path} is damaged: remove it, or choose another --output_dir.")
            if found != self.identity:
                names = self.identity.keys() | found.keys()
                other = ", ".join(sorted(name for name in names if self.identity.get(name) != found.get(name)))
                raise TrainingError(
                    f"{path} is from another evaluation ({other} differ): choose another --output_dir, or remove it."
                )
        return (self.folder / REPORT).is_file()

    def begin(self) -> None:
        """Creates the folder of unfinished predictions; called by the main process."""
        self.parts.mkdir(parents=True, exist_ok=True)
        path = self.parts / _IDENTITY
        if not path.is_file():
            write_json(path, self.identity)

    def results(self) -> Iterator[dict[str, Any]]:
        """
        The finished batches, each once.

        Yields:
            `dict`: The arguments of [`append_result`], with "attempt", and "seconds" since the start of the attempt.
        """
        seen: set[int] = set()
        for path in sorted(self.parts.glob("*.jsonl")):
            with path.open(encoding="utf-8") as file:
                for line in file:
                    if not line.endswith("\n"):
                        break
                    result = json.loads(line)
                    if result["batch"] not in seen:
                        seen.add(result["batch"])
                        yield {**result, "attempt": int(path.name.split("-")[0])}

    def share(self, accelerator: Accelerator, num_batches: int) -> tuple[list[int], Path]:
        """
        Starts or resumes this evaluation; called by all processes.

        Args:
            accelerator (`Accelerator`): Connects the processes.
            num_batches (`int`): The number of all batches.

        Returns:
            `tuple[list[int], Path]`: The unfinished batches of this process, and the file for their results.
        """
        accelerator.wait_for_everyone()
        before: list[Any] = [0, set()]
        if accelerator.is_main_process:
            self.begin()
            before = [self.next_attempt(), {result["batch"] for result in self.results()}]
        attempt, done = broadcast_object_list(before)
        remaining = [number for number in range(num_batches) if number not in done]
        own = remaining[accelerator.process_index :: accelerator.num_processes]
        return own, self.file(attempt, accelerator.process_index)

    def next_attempt(self) -> int:
        """The first unused number of an attempt."""
        return 1 + max((int(path.name.split("-")[0]) for path in self.parts.glob("*.jsonl")), default=0)

    def file(self, attempt: int, process: int) -> Path:
        """The file of one process."""
        return self.parts / f"{attempt:04d}-{process:04d}.jsonl"

    def finish(self) -> None:
        """Deletes the unfinished predictions; called by the main process when the report is written."""
        shutil.rmtree(self.parts)


def append_result(path: Path, result: dict[str, Any]) -> None:
    """Appends a batch to the file of a process; it is kept if the process is killed afterwards."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result, ensure_ascii=True) + "\n")


def total_seconds(seconds: list[tuple[int, float]]) -> float:
    """The total time of all attempts, from pairs of attempt and seconds since its start."""
    longest: dict[int, float] = {}
    for attempt, value in seconds:
        longest[attempt] = max(longest.get(attempt, 0.0), value)
    return sum(longest.values())
