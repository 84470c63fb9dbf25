# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Log lines: the loss and its parts, pairs and sentences per second, and the scores."""

import time
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm.auto import tqdm
from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainer.evaluation import SCORES


class Progress(TrainerCallback):
    """Sums losses and counts over the steps between two logs, on the device, without synchronising with it."""

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
        """Called by the trainer. Steps are counted here, because a resumed run does not start at step 0."""
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
        Returns the sums since the last call over all processes, which must all call it.

        Args:
            accelerator (`Accelerator`): Gathers from the processes.

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
    """The library's progress bar without log output, which [`LogLines`] writes."""

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Writes nothing."""


class LogLines(TrainerCallback):
    """Writes a readable line for each log."""

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
    A log as one line of text.

    Args:
        logs (`dict[str, Any]`): The logged values.
        step, max_steps (`int`): The current step and the number of all steps.

    Returns:
        `str`: The line; "" for a log without losses or scores.
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
