# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""How to train: trl's `SFTConfig` with our own defaults and options."""

from dataclasses import dataclass, field

import torch
from trl import SFTConfig

from .errors import TrainingError
from .names import ENGINES, PARTS


@dataclass
class MTRefSegTrainingConfig(SFTConfig):
    """
    trl's `SFTConfig` (and so all of `TrainingArguments`) with other defaults, and with what this model needs.

    Args:
        backbone_learning_rate, language_learning_rate (`float`, *optional*): Learning rates of the visual backbone
            and of the language model; `learning_rate`, which all other parts have, if not given.
        freeze (`list[str]`, *optional*, defaults to `[]`): Parts that are not trained, some of `PARTS`.
        expected_engine (`str`, *optional*, defaults to `"any"`): "single", "ddp", "zero1", "zero2" or "zero3": the
            script stops if another one is in use.
        expected_processes (`int`, *optional*): The script stops if there are not as many.
        no_target_threshold (`float`, *optional*): Score above which evaluation empties a mask; by default the
            processor's, which is that of the checkpoint to begin with, and none for a new model.
    """

    output_dir: str | None = field(default="outputs", metadata={"help": "folder for checkpoints and the final model"})
    learning_rate: float = field(
        default=1e-4, metadata={"help": "learning rate of all parts without one of their own"}
    )
    backbone_learning_rate: float | None = field(
        default=None, metadata={"help": "learning rate of the visual backbone"}
    )
    language_learning_rate: float | None = field(
        default=None, metadata={"help": "learning rate of the language model"}
    )
    freeze: list[str] = field(
        default_factory=list, metadata={"help": f"parts that are not trained: {', '.join(PARTS)}"}
    )
    expected_engine: str = field(
        default="any", metadata={"help": "stop if another engine is in use", "choices": list(ENGINES)}
    )
    expected_processes: int | None = field(default=None, metadata={"help": "stop if there are not as many"})
    no_target_threshold: float | None = field(
        default=None, metadata={"help": "score above which evaluation empties a mask"}
    )
    report_to: str = field(default="none", metadata={"help": "tensorboard, trackio, ..."})
    bf16: bool | None = field(default=False, metadata={"help": "bfloat16 mixed precision"})
    ddp_find_unused_parameters: bool | None = field(
        default=True, metadata={"help": "stage 2 does not use the learned queries of stage 1"}
    )
    # `None` and not `False`, which makes the library warn that the name is deprecated.
    gradient_checkpointing: bool | None = field(  # type: ignore[assignment]
        default=None, metadata={"help": "less memory, more time"}
    )
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "schedule of the learning rates"})
    warmup_steps: float = field(default=0.05, metadata={"help": "steps, or below 1 the share of all steps"})
    weight_decay: float = field(default=0.05, metadata={"help": "weight decay of matrices and kernels"})
    metric_for_best_model: str | None = field(
        default="mIoU", metadata={"help": "score that chooses the best checkpoint"}
    )
    greater_is_better: bool | None = field(default=True, metadata={"help": "whether a larger score is better"})
    save_total_limit: int | None = field(default=2, metadata={"help": "checkpoints that are kept, besides the best"})
    hub_strategy: str = field(default="end", metadata={"help": "when to push, with --push_to_hub"})

    def __post_init__(self) -> None:
        unknown = sorted(set(self.freeze) - set(PARTS))
        if unknown:
            raise TrainingError(f"freeze names {', '.join(unknown)}; the parts are {', '.join(PARTS)}.")
        if not torch.accelerator.is_available():
            self.use_cpu = True
        # Rows are read and prepared by the collator; trl would tokenize them and drop the images.
        self.remove_unused_columns = False
        self.dataset_kwargs = {"skip_prepare_dataset": True}
        if self.eval_strategy == "no" and self.load_best_model_at_end:
            raise TrainingError(
                "load_best_model_at_end needs an eval_strategy: without scores no checkpoint is the best."
            )
        super().__post_init__()
