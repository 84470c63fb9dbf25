# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Gives a trained model a new language part, which learns to ask its mask decoder what the old one asked, in many more
words; or teaches the one that it has more words. Minutes on one CPU core: images are encoded once, and after that only
text is read.

```bash
python trainer/distill.py --model_name_or_path outputs/trained --output_dir outputs/new_words
python trainer/finetune.py --config trainer/recipes/checkpoint_7_final.yaml --model_name_or_path outputs/new_words
python trainer/distill.py --language_preset same --model_name_or_path outputs/trained --output_dir outputs/more_words
```

Any of transformers' `TrainingArguments` can be given; `--help` lists all.
"""

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

import numpy as np
import torch
from transformers import AutoModel, AutoProcessor, Trainer, TrainingArguments, set_seed

from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.errors import run_command
from trainer.arguments import AugmentationArguments, DataArguments, ModelArguments
from trainer.command_line import TrainingParser, with_recipe
from trainer.data import PairAugmentation, make_train_dataset
from trainer.data.sentence_queries import QueryCollator, make_query_table
from trainer.errors import TrainingError
from trainer.loop.checkpointing import find_checkpoint
from trainer.loop.checks import check_checkpoint, check_dataset
from trainer.loop.distillation import QueryDistillation, explained_variance, freeze_vision, with_new_language
from trainer.loop.engines import use_all_cores
from trainer.loop.pretrained_parts import fill_words, small_processor


_SHOWN = ("output_dir", "max_steps", "per_device_train_batch_size", "learning_rate", "resume_from_checkpoint", "seed")
SAME = "same"
_HELD_OUT = 0.05


@dataclass
class DistillationArguments:
    """
    What is distilled.

    Args:
        model_name_or_path (`str`): Hub id or folder of the model whose language part is replaced.
        language_preset (`str`, *optional*, defaults to `"small"`): The preset that the new language part has the sizes
            of; "same" to teach the language part that is there.
    """

    model_name_or_path: str = field(default="", metadata={"help": "model whose language part is replaced"})
    language_preset: str = field(
        default="small", metadata={"help": "preset of the new language part", "choices": ["small", SAME]}
    )


def main(arguments: Sequence[str] | None = None, program: str = "distill.py") -> int:
    """
    Distils a language part as the command line says.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    return run_command(program, lambda: train(sys.argv[1:] if arguments is None else arguments, program))


def train(arguments: Sequence[str], program: str) -> None:
    """Distils, saves and prints the scores; see [`main`]."""
    given, _ = with_recipe(arguments, "checkpoint_6_words")
    groups = (DistillationArguments, DataArguments, AugmentationArguments, TrainingArguments)
    own = {
        "model": (DistillationArguments, None),
        "data": (DataArguments, None),
        "augmentation": (AugmentationArguments, None),
        "training": (TrainingArguments, _SHOWN),
    }
    model, data, augmentation, training = TrainingParser(groups, own, program, __doc__).parse(given)
    check_checkpoint("model_name_or_path", model.model_name_or_path)
    if training.max_steps < 1:
        raise TrainingError(f"max_steps is {training.max_steps}; set how many steps.")
    for name in data.train_data:
        check_dataset("train_data", name)
    training.remove_unused_columns = False
    training.label_names = ["labels"]
    training.use_cpu = not torch.accelerator.is_available()
    use_all_cores(training)
    set_seed(training.seed)
    checkpoint = find_checkpoint(training)
    trainer, processor = make_trainer(model, data, augmentation, training)
    trainer.train(resume_from_checkpoint=checkpoint)
    scores = trainer.evaluate()
    if trainer.is_world_process_zero():
        trainer.accelerator.unwrap_model(trainer.model).model.save_pretrained(training.output_dir)
        processor.save_pretrained(training.output_dir)
        print(f"{'variance explained':<20}{scores['eval_explained_variance']:.2f} %")
        print(f"{'saved in':<20}{training.output_dir}")


def make_trainer(
    arguments: DistillationArguments,
    data: DataArguments,
    augmentation: AugmentationArguments,
    training: TrainingArguments,
) -> tuple[Trainer, MTRefSegProcessor]:
    """
    Encodes the pairs, and makes the new model and the trainer.

    Args:
        arguments, data, augmentation, training: The arguments. Pairs are encoded as the augmentation leaves them,
            `epoch_pairs` of them; paraphrases and left out domains are drawn anew each time a pair is read.

    Returns:
        `Trainer`: Ready to train.
        [`MTRefSegProcessor`]: The processor of the new model.
    """
    teacher = AutoModel.from_pretrained(arguments.model_name_or_path, dtype="float32").eval()
    teacher_processor = AutoProcessor.from_pretrained(arguments.model_name_or_path)
    if arguments.language_preset == SAME:
        processor, student = teacher_processor, freeze_vision(copy.deepcopy(teacher))
    else:
        processor = small_processor(teacher.config.image_size)
        processor.image_processor = teacher_processor.image_processor
        student = with_new_language(teacher, arguments.language_preset, processor)
        fill_words(student, processor, ModelArguments(preset=arguments.language_preset))
    unsaid = AugmentationArguments(**{**vars(augmentation), "paraphrase_share": 0.0, "domain_dropout": 0.0})
    pairs, _ = make_train_dataset(data, PairAugmentation(unsaid), False, training.seed, run_pairs=0)
    table = make_query_table(pairs, teacher, teacher_processor, Path(str(training.output_dir), "pairs"))
    table = table.train_test_split(_HELD_OUT, seed=training.seed)
    student.get_input_embeddings().weight.requires_grad_(False)  # Words that no sentence has keep their meaning.
    queries = np.concatenate([np.asarray(row["queries"]) for row in table["test"]])
    share, dropout = augmentation.paraphrase_share, augmentation.domain_dropout
    trainer = Trainer(
        model=QueryDistillation(student, torch.from_numpy(queries), is_new=arguments.language_preset != SAME),
        args=training,
        train_dataset=table["train"],
        eval_dataset=table["test"],
        data_collator=QueryCollator(processor, share, dropout, seed=training.seed),
        compute_metrics=explained_variance,
    )
    return trainer, processor


if __name__ == "__main__":
    sys.exit(main())
