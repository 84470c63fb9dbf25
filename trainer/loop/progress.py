# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the log says: the loss and its parts, how fast pairs and sentences are trained on, and the scores, in lines."""

import time
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm.auto import tqdm
from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainer.evaluation import SCORES


class Progress(TrainerCallback):
    """Adds up over the steps between two logs, on the device, without waiting for it."""

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self.steps = 0
        self._parts: dict[str, Tensor] = {}
        self._pairs = 0
        self._sentences = 0
        self._started = time.perf_counter()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Called by the trainer."""
        self._restart()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Called by the trainer. Counted here, for a run that is resumed does not begin with step 0."""
        self.steps += 1

    def add(self, parts: dict[str, Tensor], pairs: int, sentences: int) -> None:
        """
        Args:
            parts (`dict[str, Tensor]`): Parts of the loss of one batch, scaled so that they add up to those of a step.
            pairs, sentences (`int`): Size of the batch.
        """
        for name, part in parts.items():
            part = part.detach().float()
            self._parts[name] = self._parts[name] + part if name in self._parts else part
        self._pairs += pairs
        self._sentences += sentences

    def take(self, accelerator: Accelerator) -> dict[str, float]:
        """
        What was added since the last time, at least a step, over all processes; to be called by all of them.

        Args:
            accelerator (`Accelerator`): Connects the processes.

        Returns:
            `dict[str, float]`: The mean of each part over the steps, `pairs_per_second` and `sentences_per_second`.
        """
        names = sorted(self._parts)
        numbers = [*(self._parts[name] for name in names), torch.tensor(float(self._pairs))]
        numbers.append(torch.tensor(float(self._sentences)))
        values = torch.stack([number.to(accelerator.device) for number in numbers])
        values = accelerator.gather(values.unsqueeze(0)).sum(0)
        *parts, pairs, sentences = values.tolist()
        seconds, steps = time.perf_counter() - self._started, self.steps
        self._restart()
        return {
            **{name: part / steps for name, part in zip(names, parts)},
            "pairs_per_second": round(pairs / seconds, 3),
            "sentences_per_second": round(sentences / seconds, 3),
        }


class Bar(ProgressCallback):
    """The library's progress bar alone; what is logged is written by [`LogLines`]."""

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Writes nothing."""


class LogLines(TrainerCallback):
    """Writes a line for people each time that something is logged."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Called by the trainer."""
        line = describe(logs or {}, state.global_step, state.max_steps)
        if line and state.is_world_process_zero:
            tqdm.write(line)


def describe(logs: dict[str, Any], step: int, max_steps: int) -> str:
    """
    A log in a line.

    Args:
        logs (`dict[str, Any]`): What is logged.
        step, max_steps (`int`): Where training is.

    Returns:
        `str`: The line; "" if there is nothing that is worth one.
    """
    place = f"step {step:>{len(str(max_steps))}}/{max_steps}"
    if "loss" in logs:
        parts = [f"{name.removeprefix('loss_')} {logs[name]:.3g}" for name in logs if name.startswith("loss_")]
        speed = f"{logs['pairs_per_second']:.3g} pairs/s, {logs['sentences_per_second']:.3g} sentences/s"
        return f"{place}  loss {logs['loss']:.4g} ({', '.join(parts)})  rate {logs['learning_rate']:.2g}  {speed}"
    if "eval_loss" in logs:
        scores = [f"{name} {logs[f'eval_{name}']:.2f}" for name in SCORES if f"eval_{name}" in logs]
        return f"{place}  validation: loss {logs['eval_loss']:.4g}, {', '.join(scores)}"
    return ""
