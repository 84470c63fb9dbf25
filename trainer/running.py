# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What both commands do after the model is built: open the data, train, evaluate, save, and say how it went."""

from peft import PeftModel
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor, MTRefSegVisionModel

from .adapters import make_lora_config, save_merged
from .arguments import AugmentationArguments, DataArguments, MTRefSegTrainingConfig
from .augmentation import PairAugmentation
from .building import freeze_parts
from .checkpointing import find_checkpoint
from .data import make_eval_dataset, make_train_dataset
from .evaluation import SCORES
from .mtrefseg_trainer import MTRefSegTrainer


MERGED = "merged"
"""Name of the folder, in the output folder, of a checkpoint with merged adapters."""


def make_trainer(
    model: MTRefSegModel | MTRefSegVisionModel,
    processor: MTRefSegProcessor,
    data_arguments: DataArguments,
    augmentation: AugmentationArguments,
    training: MTRefSegTrainingConfig,
    model_config: ModelConfig,
) -> MTRefSegTrainer:
    """
    Opens the data and makes the trainer.

    Args:
        model ([`MTRefSegModel`] or [`MTRefSegVisionModel`]): The model; the latter is stage 1.
        processor ([`MTRefSegProcessor`]): Its processor.
        data_arguments, augmentation, training, model_config: The arguments.

    Returns:
        [`MTRefSegTrainer`]: Ready to train.
    """
    is_stage1 = isinstance(model, MTRefSegVisionModel)
    peft_config = None if is_stage1 else make_lora_config(model, model_config)
    freeze_parts(model, training.freeze)
    step_pairs = training.per_device_train_batch_size * training.gradient_accumulation_steps * training.world_size
    with training.main_process_first(desc="data"):
        train_dataset, loader = make_train_dataset(
            data_arguments,
            PairAugmentation(augmentation),
            is_stage1,
            training.seed,
            run_pairs=max(training.max_steps, 0) * step_pairs,
        )
        eval_dataset = make_eval_dataset(data_arguments, is_stage1)
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
    Trains, evaluates and saves. Adapters are saved merged, too.

    Args:
        trainer ([`MTRefSegTrainer`]): The trainer.

    Returns:
        `str`: A table of how it went.
    """
    training = trainer.args
    result = trainer.train(resume_from_checkpoint=find_checkpoint(training))
    metrics = {} if trainer.eval_dataset is None else trainer.evaluate()
    trainer.save_model()
    trainer.save_state()
    trainer.create_model_card()
    if training.push_to_hub:
        trainer.push_to_hub()
    if isinstance(trainer.model, PeftModel) and training.should_save:
        save_merged(trainer.model, trainer.processing_class, f"{training.output_dir}/{MERGED}")
    rows = [
        ("engine", trainer.engine.line),
        ("steps", f"{result.global_step:,}"),
        ("training loss", f"{result.training_loss:.4f}"),
        *((name, f"{metrics[f'eval_{name}']:.2f}") for name in SCORES if f"eval_{name}" in metrics),
        *(("sentences scored", f"{metrics['eval_num_samples']:,}") for _ in metrics and "x"),
        ("saved in", str(training.output_dir)),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
