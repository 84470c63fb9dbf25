# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The trainer of both stages, on trl's `SFTTrainer`."""

import os
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from torch import Tensor, nn
from transformers import (
    PrinterCallback,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTTrainer

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor, MTRefSegVisionModel
from trainer.arguments import DataArguments
from trainer.data import PairCollator, PairLoader
from trainer.errors import TrainingError
from trainer.evaluation import SCORES, Evaluator, ItemCounts, count_items, loss_parts, write_card
from trainer.training_config import MTRefSegTrainingConfig

from .checkpointing import check_finite, check_loss, publish, saving, unfinished_checkpoint, write_arguments
from .engines import EngineReport, check_engine, check_precision
from .optimization import parameter_groups
from .progress import Bar, LogLines, Progress


class MTRefSegTrainer(SFTTrainer):
    """
    Trains [`MTRefSegVisionModel`] (stage 1) or [`MTRefSegModel`] (stage 2).

    The loss of a step is the mean over all its sentences (and answer tokens), independent of their distribution over
    accumulated batches and processes.

    Args:
        model ([`MTRefSegModel`] or [`MTRefSegVisionModel`]): The model.
        args ([`MTRefSegTrainingConfig`]): Training options.
        processor ([`MTRefSegProcessor`]): Prepares pairs; saved with the model.
        train_dataset (`datasets.Dataset`): Rows of [`make_train_dataset`].
        loader ([`PairLoader`], *optional*): Its epoch is set during training.
        eval_dataset (`datasets.Dataset`, *optional*): Rows of [`make_eval_dataset`].
        data_arguments ([`DataArguments`], *optional*): Named in the model card.
        peft_config (`LoraConfig`, *optional*): Adapters.

    Raises:
        TrainingError: If the engine is not the expected one, or cannot train the model in this precision.
    """

    _tag_names = ["mtrefseg"]
    loss_is_scaled_for_ga: Any = True
    args: MTRefSegTrainingConfig
    control: TrainerControl
    optimizer: Any

    def __init__(
        self,
        model: MTRefSegModel | MTRefSegVisionModel,
        args: MTRefSegTrainingConfig,
        processor: MTRefSegProcessor,
        train_dataset: Dataset,
        loader: PairLoader | None = None,
        eval_dataset: Dataset | None = None,
        data_arguments: DataArguments | None = None,
        peft_config: LoraConfig | None = None,
    ) -> None:
        super().__init__(
            model=model,
            args=args,
            data_collator=PairCollator(processor),
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processor,
            peft_config=peft_config,
        )
        check_engine(args, self.accelerator)
        check_precision(args, self.accelerator, model)
        self.is_stage1 = isinstance(model, MTRefSegVisionModel)
        self.data_arguments = data_arguments or DataArguments()
        self.remove_callback(PrinterCallback)
        if self.pop_callback(ProgressCallback) is not None:
            self.add_callback(Bar)
        self.add_callback(LogLines)
        self.engine = EngineReport(self)
        self.add_callback(self.engine)
        if loader is not None:
            self.add_callback(SetEpochCallback(loader))
        self._progress = Progress()
        self.add_callback(self._progress)
        self._checkpoint_folder: str | None = None

    def _send_telemetry(self) -> None:
        """Sends nothing."""

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Creates the optimizer of the arguments, with the groups of [`parameter_groups`]."""
        if self.optimizer is None:
            groups = parameter_groups(self.model, self.args)
            optimizer_class, options = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            self.optimizer = optimizer_class(groups, **options)
        return self.optimizer

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: torch.device) -> Tensor:
        """[`ItemCounts`] of a step, over its batches and all processes: int64 of shape `(4,)`."""
        counts = torch.tensor([count_items(batch) for batch in batch_samples], dtype=torch.int64).reshape(-1, 4).sum(0)
        gathered: Tensor = self.accelerator.gather(counts.to(device).unsqueeze(0))
        return gathered.sum(0)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | None = None,
    ) -> Any:
        """
        The part of a step's loss that comes from one batch.

        Args:
            model (`nn.Module`): The model, wrapped.
            inputs (`dict`): A batch of [`PairCollator`].
            return_outputs (`bool`): Whether to return the model's output as well.
            num_items_in_batch (`Tensor` of shape `(4,)`, *optional*): [`ItemCounts`] of the step; without it the batch
                is the complete step.

        Returns:
            `Tensor` of shape `()`: The loss; with `return_outputs` a `tuple` of it and the model's output.

        Raises:
            TrainingError: If the loss is not finite in training.
        """
        outputs = model(**inputs)
        counts = count_items(inputs)
        all_counts = counts if num_items_in_batch is None else ItemCounts(*num_items_in_batch.tolist())
        parts = {
            name: part * (counts.of(name) / max(all_counts.of(name), 1)) for name, part in loss_parts(outputs).items()
        }
        if model.training:
            check_loss(parts, self.state.global_step + 1, self.args)
        self._progress.add(parts, counts.pairs, counts.sentences)
        loss = sum(parts.values(), torch.zeros((), device=self.args.device))
        if num_items_in_batch is not None:
            # Gradients are averaged over the processes, but the loss of each process is already a share of one mean.
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Logs, and adds the parts of the loss and the speed to the log of training steps."""
        if "loss" in logs and self._progress.steps > 0:
            logs.update(self._progress.take(self.accelerator))
        super().log(logs, start_time)

    def evaluate(
        self,
        eval_dataset: Dataset | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """
        Scores the model at the original size of the images, every pair once.

        Args:
            eval_dataset (`datasets.Dataset`, *optional*): Replaces the trainer's own.
            ignore_keys (`list[str]`, *optional*): Not used.
            metric_key_prefix (`str`, *optional*, defaults to `"eval"`): Prefix of the names.

        Returns:
            `dict[str, float]`: See [`Evaluator`].

        Raises:
            TrainingError: If there is no data to evaluate on.
        """
        started = time.perf_counter()
        dataset = self.eval_dataset if eval_dataset is None else eval_dataset
        if not isinstance(dataset, Dataset):
            raise TrainingError("There is no data to evaluate on; set eval_data.")
        evaluator = Evaluator(
            self.processing_class,
            self.accelerator,
            self.args.per_device_eval_batch_size,
            self.args.dataloader_num_workers,
            self.args.no_target_threshold,
            disable_progress=bool(self.args.disable_tqdm),
        )
        summary = evaluator(self.model, dataset)
        seconds = time.perf_counter() - started
        summary |= {"runtime": round(seconds, 2), "samples_per_second": round(summary["num_samples"] / seconds, 3)}
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in summary.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Writes the model card into the output folder, with the last scores."""
        if not self.is_world_process_zero():
            return
        logs = [log for log in self.state.log_history if "eval_mIoU" in log]
        scores = {name: logs[-1][f"eval_{name}"] for name in SCORES if f"eval_{name}" in logs[-1]} if logs else {}
        output_dir = str(self.args.output_dir)
        write_card(
            output_dir,
            name=Path(self.args.hub_model_id or output_dir).name,
            repository=self.args.hub_model_id or Path(output_dir).name,
            train_data=self.data_arguments.train_data,
            eval_data=self.data_arguments.eval_data,
            scores=scores,
            steps=self.state.global_step,
            engine=self.engine.line,
            is_stage1=self.is_stage1,
        )

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        """Tied weights are saved once, so the library's warning about their missing second name is suppressed."""
        missing = [name for name in load_result.missing_keys if name not in self.model.all_tied_weights_keys]
        super()._issue_warnings_after_load(load_result._replace(missing_keys=missing))

    def _get_output_dir(self, trial: Any) -> str:
        return self._checkpoint_folder or super()._get_output_dir(trial)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Writes a checkpoint in a temporary folder and renames it when it is complete."""
        output_dir, name = super()._get_output_dir(trial), f"checkpoint-{self.state.global_step}"
        is_writer = self.args.should_save
        with saving(name, self.args), unfinished_checkpoint(output_dir, is_writer) as folder:
            self.accelerator.wait_for_everyone()
            self._checkpoint_folder = folder
            try:
                super()._save_checkpoint(model, trial)
            finally:
                self._checkpoint_folder = None
            if self.state.best_global_step == self.state.global_step:
                self.state.best_model_checkpoint = os.path.join(output_dir, name)
            if is_writer:
                self.state.save_to_json(os.path.join(folder, name, "trainer_state.json"))
            self.accelerator.wait_for_everyone()
        if is_writer:
            publish(output_dir, name, self.args.save_total_limit, self.state.best_model_checkpoint)
        self.accelerator.wait_for_everyone()

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """
        Saves model and processor.

        Args:
            output_dir (`str`, *optional*): The output folder; by default that of the run.

        Raises:
            TrainingError: If a weight is not finite.
        """
        check_finite(self.model, self.state.global_step, self.args)
        super().save_model(output_dir, _internal_call)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        super()._save(output_dir, state_dict)
        if self.args.should_save:
            write_arguments(self.args, output_dir or str(self.args.output_dir))


class SetEpochCallback(TrainerCallback):
    """
    Sets the epoch of the pair loader, so that each epoch has other augmentations.

    Args:
        loader ([`PairLoader`]): The loader.
    """

    def __init__(self, loader: PairLoader) -> None:
        self.loader = loader

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Called by the trainer."""
        self.loader.set_epoch(int(state.epoch or 0))
