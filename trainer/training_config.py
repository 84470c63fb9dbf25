# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Training options: trl's `SFTConfig` with our own defaults and options."""

from dataclasses import dataclass

import torch
from trl import SFTConfig

from .arguments import TrainingOptions
from .errors import TrainingError
from .names import PARTS


@dataclass
class MTRefSegTrainingConfig(TrainingOptions, SFTConfig):  # type: ignore[misc]  # an optional bool
    """
    trl's `SFTConfig` (and so all of `TrainingArguments`) with the options and defaults of [`TrainingOptions`].

    Raises:
        TrainingError: If an option has an invalid value.
    """

    def __post_init__(self) -> None:
        unknown = sorted(set(self.freeze) - set(PARTS))
        if unknown:
            raise TrainingError(f"freeze names {', '.join(unknown)}; the parts are {', '.join(PARTS)}.")
        if not torch.accelerator.is_available():
            self.use_cpu = True
        # The collator reads and prepares rows; trl would tokenize them and drop the images.
        self.remove_unused_columns = False
        self.dataset_kwargs = {"skip_prepare_dataset": True}
        if self.eval_strategy == "no" and self.load_best_model_at_end:
            raise TrainingError(
                "load_best_model_at_end needs scores, but eval_strategy is no: add --load_best_model_at_end false, or "
                "another eval_strategy. The recipe may set either of them."
            )
        super().__post_init__()
