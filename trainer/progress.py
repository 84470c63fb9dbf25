# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the log says besides the loss: its parts, and how fast pairs and sentences are trained on."""

import time

import torch
from accelerate import Accelerator
from torch import Tensor


class Progress:
    """Adds up over the steps between two logs, on the device, without waiting for it."""

    def __init__(self) -> None:
        self._parts: dict[str, Tensor] = {}
        self._pairs = 0
        self._sentences = 0
        self._started = time.perf_counter()

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

    def take(self, accelerator: Accelerator, steps: int) -> dict[str, float]:
        """
        What was added since the last time, over all processes; to be called by all of them.

        Args:
            accelerator (`Accelerator`): Connects the processes.
            steps (`int`): How many steps it was.

        Returns:
            `dict[str, float]`: The mean of each part over the steps, `pairs_per_second` and `sentences_per_second`.
        """
        names = sorted(self._parts)
        numbers = [*(self._parts[name] for name in names), torch.tensor(float(self._pairs))]
        numbers.append(torch.tensor(float(self._sentences)))
        values = torch.stack([number.to(accelerator.device) for number in numbers])
        values = accelerator.gather(values.unsqueeze(0)).sum(0)
        *parts, pairs, sentences = values.tolist()
        seconds = time.perf_counter() - self._started
        self.__init__()  # type: ignore[misc]
        return {
            **{name: part / steps for name, part in zip(names, parts)},
            "pairs_per_second": round(pairs / seconds, 3),
            "sentences_per_second": round(sentences / seconds, 3),
        }
