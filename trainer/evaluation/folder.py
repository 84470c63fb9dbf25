# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The output folder of an evaluation: predictions are kept while it runs, so that a killed one goes on where it was.

Every process appends its batches, one line each, to a file of its own in `unfinished/`. A line that was cut short is
as if it had never been written.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtrefseg.io import write_json
from trainer.errors import TrainingError


REPORT = "report.json"
UNFINISHED = "unfinished"
_IDENTITY = "identity.json"


class EvaluationFolder:
    """
    Args:
        folder (`Path`): The output folder.
        identity (`dict`): Model, data and options: what decides the scores.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder = folder
        self.parts = folder / UNFINISHED
        self.identity = json.loads(json.dumps(identity))

    def is_finished(self) -> bool:
        """
        Whether this very evaluation is done.

        Raises:
            TrainingError: If the folder holds another one, finished or not.
        """
        for path, key in ((self.folder / REPORT, "identity"), (self.parts / _IDENTITY, None)):
            if not path.is_file():
                continue
            content = json.loads(path.read_text(encoding="utf-8"))
            found = content if key is None else content[key]
            if found != self.identity:
                names = self.identity.keys() | found.keys()
                other = ", ".join(sorted(name for name in names if self.identity.get(name) != found.get(name)))
                raise TrainingError(
                    f"{path} is of another evaluation ({other} differ): take another --output_dir, or remove it."
                )
        return (self.folder / REPORT).is_file()

    def begin(self) -> None:
        """Makes the folder of unfinished predictions; for the main process."""
        self.parts.mkdir(parents=True, exist_ok=True)
        path = self.parts / _IDENTITY
        if not path.is_file():
            write_json(path, self.identity)

    def results(self) -> Iterator[dict[str, Any]]:
        """
        The batches that are done, each once.

        Yields:
            `dict`: What [`append`] was given, with "attempt" and "seconds", those from the attempt's start.
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

    def next_attempt(self) -> int:
        """A number that no file has yet."""
        return 1 + max((int(path.name.split("-")[0]) for path in self.parts.glob("*.jsonl")), default=0)

    def file(self, attempt: int, process: int) -> Path:
        """The file of one process."""
        return self.parts / f"{attempt:04d}-{process:04d}.jsonl"

    def finish(self) -> None:
        """Removes the unfinished predictions; for the main process, when the report is written."""
        shutil.rmtree(self.parts)


def append(path: Path, result: dict[str, Any]) -> None:
    """Adds a batch to a file of a process; a kill afterwards does not cost it."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result, ensure_ascii=True) + "\n")


def total_seconds(seconds: list[tuple[int, float]]) -> float:
    """Wall time of all attempts together, from pairs of attempt and seconds since its start."""
    longest: dict[int, float] = {}
    for attempt, value in seconds:
        longest[attempt] = max(longest.get(attempt, 0.0), value)
    return sum(longest.values())
