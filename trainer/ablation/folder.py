# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The folder of each training of an ablation, and the process that trains in it.

The name of the folder contains a digest of the training's settings. Different settings use different folders, so
nothing is overwritten, and the same settings always use the same folder, whether it is finished or not. Only one
process at a time trains in a folder; others wait.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import yaml
from tqdm.auto import tqdm
from transformers.trainer_utils import get_last_checkpoint

from mtrefseg.errors import UserError
from mtrefseg.io import read_json, write_text
from trainer.loop.running import RESULTS

from .matrix import Training


SCRIPTS = Path(__file__).parents[1]
LOG = "train.log"
RECIPE = "recipe.yaml"
_ATTEMPTS = "attempts.json"
_LOCK = ".lock"
# The trainer's own progress bar, which has no name: "  5%|▌     | 30/600 [00:12<03:30,  2.71it/s]".
_BAR = re.compile(rb"^\s*\d+%\|[^|]*\| (\d+)/(\d+) \[")
# The last line of a traceback, or the one-line error of a command.
_ERROR = re.compile(
    r"^(?:\[rank\d+\]: )?(?:(?:\w+\.)*(\w*(?:Error|Exception|Interrupt|Exit): .+|KeyboardInterrupt)"
    r"|(?:pretrain|finetune)\.py: error: (.+))$"
)
_LAUNCHER_ERRORS = ("CalledProcessError", "ChildFailedError")


def _path_of(output_dir: Path, training: Training) -> Path:
    found = sorted(output_dir.glob(f"runs/*-{training.digest}"))
    return found[0] if found else output_dir / "runs" / training.name


class TrainingFailedError(UserError):
    """A training failed; the message says why."""


class TrainingFolder:
    """
    Args:
        output_dir (`Path`): Folder of the ablation.
        training ([`Training`]): The training of this folder.
        accelerate_config (`Path`, *optional*): Configuration for `accelerate launch`; by default the training is
            started with plain Python.
    """

    def __init__(self, output_dir: Path, training: Training, accelerate_config: Path | None = None) -> None:
        self.training = training
        self._output_dir = output_dir
        self._accelerate_config = accelerate_config

    @property
    def path(self) -> Path:
        """
        The folder. It may exist under another name, if another run or an earlier matrix had the same settings;
        otherwise it is named after this run.
        """
        return _path_of(self._output_dir, self.training)

    def results(self) -> dict[str, Any] | None:
        """The results written by `running.write_results`; `None` if the training is not finished."""
        path = self.path / RESULTS
        return read_json(path) if path.is_file() else None

    def history(self) -> list[dict[str, float]]:
        """The log of the finished training."""
        return list(read_json(self.path / "trainer_state.json")["log_history"])

    def seconds(self) -> float:
        """Total wall time of all attempts, each from the start of its process to its end."""
        return sum(ended - started for started, ended in self._attempts())

    def state(self) -> str:
        """The state of the training, in a few words."""
        if self.results() is not None:
            return "finished"
        checkpoint = get_last_checkpoint(str(self.path)) if self.path.is_dir() else None
        return "to be trained" if checkpoint is None else f"resumes from {Path(checkpoint).name}"

    def command(self) -> list[str]:
        """The command that trains, and resumes a training that was stopped."""
        launcher = [sys.executable]
        if self._accelerate_config is not None:
            launcher += ["-m", "accelerate.commands.launch", "--config_file", str(self._accelerate_config)]
        script = str(SCRIPTS / f"{self.training.stage}.py")
        return [*launcher, script, "--config", str(self.path / RECIPE), "--resume_from_checkpoint", "last"]

    def train(self, on_steps: Callable[[int], None]) -> None:
        """
        Trains, unless the training is finished.

        Args:
            on_steps (`Callable[[int], None]`): Called from time to time with the number of finished steps.

        Raises:
            TrainingFailedError: If the process fails.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self._alone() as lock:
            if self.results() is not None:
                return
            where = {"output_dir": str(self.path)}
            if self.training.previous is not None:
                where["stage1"] = str(_path_of(self._output_dir, self.training.previous))
            recipe = yaml.safe_dump({**self.training.settings, **where}, sort_keys=False, allow_unicode=True)
            write_text(self.path / RECIPE, recipe)
            attempts, started = self._attempts(), time.time()
            self._write_attempts([*attempts, (started, None)])
            with (self.path / LOG).open("ab") as log:
                start = log.tell()
                try:
                    status = self._run(log, lock, on_steps)
                finally:
                    self._write_attempts([*attempts, (started, time.time())])
            if status != 0 or self.results() is None:
                said = (self.path / LOG).read_bytes()[start:].decode("utf-8", "replace")
                raise TrainingFailedError(failure_reason(said, status))
            for checkpoint in self.path.glob("checkpoint-*"):
                shutil.rmtree(checkpoint)  # Checkpoints are only needed to resume.

    def _run(self, log: IO[bytes], lock: int, on_steps: Callable[[int], None]) -> int:
        """Starts the process, copies its output without progress bars to the log, and returns its exit status."""
        process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            # If this process is killed, the training keeps the lock, and fails when it prints its next line.
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            start_new_session=True,
            bufsize=0,
        )
        assert process.stdout is not None
        rest = b""
        try:
            while chunk := process.stdout.read(1 << 16):
                *lines, rest = re.split(rb"(?<=[\r\n])", rest + chunk)
                for line in lines:
                    if bar := _BAR.match(line):
                        if int(bar[2]) == self.training.steps:
                            on_steps(int(bar[1]))
                    elif line.endswith(b"\n"):
                        log.write(line)
                        log.flush()
            log.write(rest)
            return process.wait()
        finally:
            _end(process)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """Waits for the lock of the folder and holds it; yields the file descriptor, which must stay open."""
        import fcntl  # Not available on Windows, where everything except training works without it.

        with (self.path / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                tqdm.write(f"waiting for another process that trains in {self.path}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock.fileno()

    def _attempts(self) -> list[tuple[float, float]]:
        """Start and end of each attempt, in seconds since 1970; one that was killed ended with its last log line."""
        path, log = self.path / _ATTEMPTS, self.path / LOG
        if not path.is_file():
            return []
        last_word = log.stat().st_mtime if log.is_file() else 0.0
        return [(start, max(start, last_word) if end is None else end) for start, end in read_json(path)]

    def _write_attempts(self, attempts: list[Any]) -> None:
        write_text(self.path / _ATTEMPTS, json.dumps(attempts) + "\n")


def failure_reason(said: str, status: int) -> str:
    """
    The reason why a training failed, in one line.

    Args:
        said (`str`): Its complete output.
        status (`int`): Exit status of its process.

    Returns:
        `str`: The last error of the training, not of the launcher; else the signal that ended it, or its status.
    """
    lines = [line.strip() for line in said.splitlines()]
    found = [match[1] or match[2] for line in lines if (match := _ERROR.match(line))]
    errors = [error for error in found if not error.startswith(_LAUNCHER_ERRORS)]
    died = re.findall(r"(?:died with <Signals\.|Signal \d+ \()(SIG[A-Z0-9]+)", said)
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    if died:
        return f"killed by {died[-1]}"
    return errors[-1][:300] if errors else f"exit status {status}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminates a process and its children, if it is still running."""
    for number, patience in ((signal.SIGTERM, 30), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
