# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Distils the language part: trains a new one to produce the queries of the old one."""

import copy
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import Trainer, TrainingArguments

from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.build.loading import load_plain_model, load_processor
from trainer.arguments import AugmentationArguments, DataArguments, DistillationArguments, ModelArguments
from trainer.building.distillation import QueryDistillation, explained_variance, freeze_vision, with_new_language
from trainer.building.pretrained_parts import fill_words, small_processor
from trainer.command_line import TrainingParser
from trainer.data import PairAugmentation, make_train_dataset
from trainer.data.sentence_queries import QueryCollator, make_query_table
from trainer.errors import TrainingError
from trainer.names import SAME_LANGUAGE
from trainer.options import with_recipe

from .checkpointing import check_resume_config, check_resume_data, find_checkpoint, saving
from .checks import check_checkpoint, check_dataset
from .engines import prepare_plain_training
from .run_lock import locked_folder


PAIRS = "pairs"
"""Name of the folder, in the output folder, of the encoded pairs. A resumed run uses them again."""
_HELD_OUT = 0.05


def distill(arguments: Sequence[str], program: str, description: str | None) -> str:
    """
    Distils a language part with a command line, evaluates and saves it.

    Args:
        arguments (`Sequence[str]`): The arguments after the program's name.
        program, description (`str`): For the help.

    Returns:
        `str`: A table of the scores; empty on all processes except the main one.

    Raises:
        TrainingError: If an argument is wrong, there is no such checkpoint to resume from, a run is resumed with other
            settings, or the folder is in use.
    """
    given, _ = with_recipe(arguments, "checkpoint/06_distill_vocabulary")
    groups = (DistillationArguments, DataArguments, AugmentationArguments, TrainingArguments)
    model, data, augmentation, training = TrainingParser(groups, program, description).parse(given)
    check_checkpoint("model_name_or_path", model.model_name_or_path)
    if training.max_steps < 1:
        raise TrainingError(f"max_steps={training.max_steps} must be 1 or more.")
    for name in data.train_data:
        check_dataset("train_data", name)
    prepare_plain_training(training, ["labels"])
    with locked_folder(training):
        settings = {**vars(model), **vars(data), **vars(augmentation), "seed": training.seed}
        check_resume_config(training, settings)
        checkpoint = find_checkpoint(training)
        if checkpoint is None and training.should_save:
            # `datasets` would take the pairs of an earlier run, whatever its data and its model were.
            shutil.rmtree(Path(str(training.output_dir), PAIRS), ignore_errors=True)
        trainer, processor = make_distillation_trainer(model, data, augmentation, training)
        trainer.train(resume_from_checkpoint=checkpoint)
        scores = trainer.evaluate()
        if not trainer.is_world_process_zero():
            return ""
        with saving("the trained model", training):
            trainer.accelerator.unwrap_model(trainer.model).model.save_pretrained(training.output_dir)
            processor.save_pretrained(training.output_dir)
    explained = f"{scores['eval_explained_variance']:.2f} %"
    return f"{'variance explained':<20}{explained}\n{'saved in':<20}{training.output_dir}\n"


def make_distillation_trainer(
    arguments: DistillationArguments,
    data: DataArguments,
    augmentation: AugmentationArguments,
    training: TrainingArguments,
) -> tuple[Trainer, MTRefSegProcessor]:
    """
    Encodes the pairs, and creates the new model and the trainer.

    Args:
        arguments, data, augmentation, training: The arguments. Pairs are encoded after the augmentation,
            `epoch_pairs` of them; paraphrases and hidden domains are drawn again each time a pair is used.

    Returns:
        `Trainer`: Ready to train.
        [`MTRefSegProcessor`]: The processor of the new model.
    """
    teacher_processor = load_processor(arguments.model_name_or_path)
    teacher = load_plain_model(arguments.model_name_or_path, teacher_processor, dtype="float32")
    if arguments.language_preset == SAME_LANGUAGE:
        processor, student = teacher_processor, freeze_vision(copy.deepcopy(teacher))
    else:
        processor = with_new_words(teacher_processor)
        student = with_new_language(teacher, arguments.language_preset, processor)
        fill_words(student.get_input_embeddings(), processor, ModelArguments(preset=arguments.language_preset))
    unsaid = AugmentationArguments(**{**vars(augmentation), "paraphrase_share": 0.0, "domain_dropout": 0.0})
    pairs, loader = make_train_dataset(data, PairAugmentation(unsaid), False, training.seed, run_pairs=0)
    check_resume_data(training, data.train_data, loader.sources)
    table = make_query_table(pairs, teacher, teacher_processor, Path(str(training.output_dir), PAIRS))
    table = table.train_test_split(_HELD_OUT, seed=training.seed)
    student.get_input_embeddings().weight.requires_grad_(False)  # Words that are in no sentence keep their vectors.
    queries = np.concatenate([np.asarray(row["queries"]) for row in table["test"]])
    share, dropout = augmentation.paraphrase_share, augmentation.domain_dropout
    trainer = Trainer(
        model=QueryDistillation(student, torch.from_numpy(queries), is_new=arguments.language_preset != SAME_LANGUAGE),
        args=training,
        train_dataset=table["train"],
        eval_dataset=table["test"],
        data_collator=QueryCollator(processor, share, dropout, seed=training.seed),
        compute_metrics=explained_variance,
    )
    return trainer, processor


def with_new_words(processor: MTRefSegProcessor) -> MTRefSegProcessor:
    """The processor of the preset `small` with all options of another one, because the model that learns is asked the
    same sentences, about the same images, as the one that teaches."""
    small = small_processor(processor.image_processor.size["height"])
    tokens = {name: getattr(small, name) for name in ("seg_token", "image_t1_token", "image_t2_token")}
    return processor.with_other(tokenizer=small.tokenizer, **tokens)
