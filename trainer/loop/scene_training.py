# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Stage 0: trains a new vision part on generated images."""

from collections.abc import Sequence

from transformers import Trainer, TrainingArguments

from dataset_scripts.synthesis import Generator
from modeling_mtrefseg import MTRefSegVisionModel
from mtrefseg.build.presets import preset_config, tiny_processor
from trainer.arguments import SceneArguments
from trainer.command_line import TrainingParser
from trainer.data import SceneCollator, SceneDataset, SceneParsingModel, largest_classes, parsing_scores
from trainer.errors import TrainingError
from trainer.options import with_recipe

from .checkpointing import check_resume_config, find_checkpoint, saving
from .engines import prepare_plain_training
from .run_lock import locked_folder


def train_scenes(arguments: Sequence[str], program: str, description: str | None) -> str:
    """
    Trains a vision part with a command line, evaluates and saves it.

    Args:
        arguments (`Sequence[str]`): The arguments after the program's name.
        program, description (`str`): For the help.

    Returns:
        `str`: A table of the scores; empty on all processes except the main one.

    Raises:
        TrainingError: If an argument is wrong, there is no such checkpoint to resume from, or the folder is in use.
    """
    given, _ = with_recipe(arguments, "tiny_scenes")
    scenes, training = TrainingParser((SceneArguments, TrainingArguments), program, description).parse(given)
    if training.max_steps < 1:
        raise TrainingError(
            f"max_steps={training.max_steps} must be 1 or more, because generated images are unlimited."
        )
    prepare_plain_training(training, ["kinds", "colors"])
    with locked_folder(training):
        check_resume_config(training, {**vars(scenes), "seed": training.seed})
        trainer = make_scene_trainer(scenes, training)
        trainer.train(resume_from_checkpoint=find_checkpoint(training))
        scores = trainer.evaluate()
        if not trainer.is_world_process_zero():
            return ""
        with saving("the trained model", training):
            trainer.accelerator.unwrap_model(trainer.model).vision_model.save_pretrained(training.output_dir)
            trainer.data_collator.processor.save_pretrained(training.output_dir)
    names = ("kind_accuracy", "color_accuracy", "kind_mIoU")
    rows = "".join(f"{name:<16}{scores[f'eval_{name}']:.2f}\n" for name in names)
    return f"{rows}{'saved in':<16}{training.output_dir}\n"


def make_scene_trainer(scenes: SceneArguments, training: TrainingArguments) -> Trainer:
    """
    The model, the images and the trainer.

    Args:
        scenes ([`SceneArguments`]): The images.
        training (`TrainingArguments`): The training options.

    Returns:
        `Trainer`: Ready to train.
    """
    processor = tiny_processor(scenes.image_size)
    fields = processor.config_overrides
    fields.pop("vocab_size")
    vision_model = MTRefSegVisionModel(preset_config("tiny", **fields))
    pairs = training.max_steps * training.train_batch_size * training.gradient_accumulation_steps * training.world_size
    train, validation = (
        Generator(seed=scenes.generated_seed, size=scenes.image_size, most_expressions=1, split=split)
        for split in ("train", "validation")
    )
    return Trainer(
        model=SceneParsingModel(vision_model),
        args=training,
        train_dataset=SceneDataset(train, pairs),
        eval_dataset=SceneDataset(validation, scenes.eval_pairs),
        data_collator=SceneCollator(processor),
        compute_metrics=parsing_scores,
        preprocess_logits_for_metrics=largest_classes,
    )
