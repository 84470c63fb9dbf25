# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The steps of stages 1 and 2: read the arguments, open the data, train, evaluate, save, and report the results on the
terminal and in `results.json`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from peft import PeftModel
from tqdm.auto import tqdm
from transformers import set_seed
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor, MTRefSegVisionModel
from mtrefseg.build.memory import keep_freed_memory
from mtrefseg.io import write_json
from trainer.arguments import AugmentationArguments, DataArguments, ModelArguments
from trainer.building.adapters import lora_errors, make_lora_config, save_merged
from trainer.building.estimate import estimate
from trainer.building.models import build_stage1, freeze_parts, gathered_parameters
from trainer.command_line import parse_arguments
from trainer.data import PairAugmentation, make_eval_dataset, make_train_dataset
from trainer.evaluation import SCORES
from trainer.names import LORA_OPTIONS
from trainer.training_config import MTRefSegTrainingConfig

from .checkpointing import check_resume_config, check_resume_data, find_checkpoint, saving
from .checks import check_inputs
from .engines import use_all_cores, use_fast_attention
from .mtrefseg_trainer import MTRefSegTrainer
from .run_lock import locked_folder


MERGED = "merged"
"""Name of the folder, in the output folder, of a checkpoint with merged adapters."""
RESULTS = "results.json"
"""Name of the file, in the output folder, that is written last: the run is finished, and these are its results."""
Build = Callable[
    [ModelArguments, ModelConfig, MTRefSegTrainingConfig],
    tuple[MTRefSegModel | MTRefSegVisionModel, MTRefSegProcessor],
]


def train_stage(
    default_recipe: str, build: Build, arguments: Sequence[str], program: str, description: str | None
) -> None:
    """
    Trains a stage with a command line, and prints a table of the results.

    Args:
        default_recipe (`str`): The recipe without `--config`, by its name in `recipes/`.
        build (`Callable`): Builds the model of the stage and its processor.
        arguments (`Sequence[str]`): The arguments after the program's name.
        program, description (`str`): For the help.

    Raises:
        TrainingError: If the arguments, a checkpoint or the engine is wrong.
        DataError: If a dataset cannot be opened.
    """
    parsed = parse_arguments(default_recipe, arguments, program, description)
    model_arguments, data_arguments, _, training, model_config = parsed
    if training.estimate:
        is_stage1 = build is build_stage1
        tqdm.write(estimate(model_arguments, data_arguments, training, model_config, is_stage1))
        return
    check_inputs(model_arguments, model_config, data_arguments)
    use_all_cores(training)
    keep_freed_memory(training.device)
    with locked_folder(training):
        table = _train(*parsed, build)
    if table:
        tqdm.write(table)


def _train(
    model_arguments: ModelArguments,
    data_arguments: DataArguments,
    augmentation: AugmentationArguments,
    training: MTRefSegTrainingConfig,
    model_config: ModelConfig,
    build: Build,
) -> str:
    """Trains, and returns the table of the results; "" on all processes except the main one."""
    check_resume_config(training, run_config(model_arguments, model_config, data_arguments, augmentation, training))
    set_seed(training.seed)  # New weights are the same on every process, and when a run is resumed.
    model, processor = build(model_arguments, model_config, training)
    trainer = make_trainer(model, processor, data_arguments, augmentation, training, model_config)
    table = run(trainer)
    return table if trainer.is_world_process_zero() else ""


def run_config(
    model_arguments: ModelArguments,
    model_config: ModelConfig,
    data_arguments: DataArguments,
    augmentation: AugmentationArguments,
    training: MTRefSegTrainingConfig,
) -> dict[str, Any]:
    """
    The settings that must stay the same when a run is resumed.

    Args:
        model_arguments, model_config, data_arguments, augmentation, training: The arguments.

    Returns:
        `dict`: Values by option name, without those of the evaluation.
    """
    groups = vars(model_arguments) | vars(data_arguments) | vars(augmentation)
    config = {name: value for name, value in groups.items() if "eval" not in name}
    config |= {name: getattr(model_config, name) for name in ("model_name_or_path", "model_revision", "use_peft")}
    if model_config.use_peft:
        config |= {name: getattr(model_config, name) for name in LORA_OPTIONS}
    return config | {name: getattr(training, name) for name in ("freeze", "seed")}


def make_trainer(
    model: MTRefSegModel | MTRefSegVisionModel,
    processor: MTRefSegProcessor,
    data_arguments: DataArguments,
    augmentation: AugmentationArguments,
    training: MTRefSegTrainingConfig,
    model_config: ModelConfig,
) -> MTRefSegTrainer:
    """
    Opens the data and creates the trainer.

    Args:
        model ([`MTRefSegModel`] or [`MTRefSegVisionModel`]): The model; the latter is stage 1.
        processor ([`MTRefSegProcessor`]): Its processor.
        data_arguments, augmentation, training, model_config: The arguments.

    Returns:
        [`MTRefSegTrainer`]: Ready to train.

    Raises:
        TrainingError: See [`make_lora_config`] and [`lora_errors`].
    """
    is_stage1 = isinstance(model, MTRefSegVisionModel)
    peft_config = make_lora_config(model, model_config, training.freeze)
    freeze_parts(model, training.freeze)
    if model_config.attn_implementation is None:
        use_fast_attention(model, training)
    step_pairs = training.per_device_train_batch_size * training.gradient_accumulation_steps * training.world_size
    with training.main_process_first(desc="data"):
        # Opened first, because it is small: its errors are detected before the training data is prepared.
        eval_dataset = make_eval_dataset(data_arguments, is_stage1)
        train_dataset, loader = make_train_dataset(
            data_arguments,
            PairAugmentation(augmentation),
            is_stage1,
            training.seed,
            run_pairs=max(training.max_steps, 0) * step_pairs,
            processor=processor,
        )
    check_resume_data(training, data_arguments.train_data, loader.sources)
    with lora_errors(model_config):
        return MTRefSegTrainer(
            model=model,
            args=training,
            processor=processor,
            train_dataset=train_dataset,
            loader=loader,
            eval_dataset=eval_dataset,
            data_arguments=data_arguments,
            peft_config=peft_config,
        )


def run(trainer: MTRefSegTrainer) -> str:
    """
    Trains, evaluates and saves. Adapters are also saved merged.

    Args:
        trainer ([`MTRefSegTrainer`]): The trainer.

    Returns:
        `str`: A table of the results.
    """
    training = trainer.args
    if training.should_save:
        Path(str(training.output_dir), RESULTS).unlink(missing_ok=True)
    result = trainer.train(resume_from_checkpoint=find_checkpoint(training))
    metrics = {} if trainer.eval_dataset is None else trainer.evaluate()
    with saving("the trained model", training):
        trainer.save_model()
        trainer.save_state()
        trainer.create_model_card()
    if training.push_to_hub:
        trainer.push_to_hub()
    with saving("the results", training):
        _save_merged_and_results(trainer, metrics)
    scored = [("sentences scored", f"{metrics['eval_num_samples']:,}")] if metrics else []
    rows = [
        ("engine", trainer.engine.line),
        ("steps", f"{result.global_step:,}"),
        ("minutes", f"{result.metrics['train_runtime'] / 60:.1f}"),
        ("training loss", f"{result.training_loss:.4f}"),
        *((name, f"{metrics[f'eval_{name}']:.2f}") for name in SCORES if f"eval_{name}" in metrics),
        *scored,
        ("saved in", str(training.output_dir)),
    ]
    if isinstance(trainer.model, PeftModel):
        rows.append(("merged in", f"{training.output_dir}/{MERGED}"))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _save_merged_and_results(trainer: MTRefSegTrainer, metrics: dict[str, float]) -> None:
    training = trainer.args
    if isinstance(trainer.model, PeftModel):
        with gathered_parameters(trainer.model, training):
            if training.should_save:
                save_merged(trainer.model, trainer.processing_class, f"{training.output_dir}/{MERGED}")
    if training.should_save:
        write_results(trainer, metrics)


def write_results(trainer: MTRefSegTrainer, metrics: dict[str, float]) -> None:
    """
    Writes `results.json`: "engine", "steps", "pairs" (number of training pairs, with repetitions) and "evaluation",
    the scores without their prefix.

    Args:
        trainer ([`MTRefSegTrainer`]): The trainer, after everything else was saved.
        metrics (`dict[str, float]`): Metrics of its last evaluation; empty without `eval_data`.
    """
    training, steps = trainer.args, trainer.state.global_step
    results = {
        "engine": trainer.engine.line,
        "steps": steps,
        "pairs": steps
        * training.train_batch_size
        * training.gradient_accumulation_steps
        * trainer.accelerator.num_processes,
        "evaluation": {name.removeprefix("eval_"): value for name, value in metrics.items()},
    }
    write_json(Path(str(training.output_dir), RESULTS), results)
