# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Stage 0, for small models: trains a new visual half to name the things in generated images, and to mask what changed.
Models that begin with pretrained parts (`--vision_backbone`) do not need it.

```bash
accelerate launch trainer/pretrain_scenes.py                      # the tiny preset, on two CPU cores
accelerate launch trainer/pretrain.py --model_name_or_path outputs/tiny_scenes
```

Any of transformers' `TrainingArguments` can be given; `--help` lists all.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

import torch
from transformers import Trainer, TrainingArguments, set_seed

from dataset_scripts.synthesis import Generator
from modeling_mtrefseg import MTRefSegVisionModel
from mtrefseg.build.presets import preset_config, tiny_processor
from mtrefseg.errors import run_command
from trainer.command_line import TrainingParser, with_recipe
from trainer.data import SceneCollator, SceneDataset, SceneParsingModel, largest_classes, parsing_scores
from trainer.errors import TrainingError
from trainer.loop.checkpointing import find_checkpoint
from trainer.loop.engines import use_all_cores


_SHOWN = ("output_dir", "max_steps", "per_device_train_batch_size", "learning_rate", "resume_from_checkpoint", "seed")


@dataclass
class SceneArguments:
    """
    The images.

    Args:
        image_size (`int`, *optional*, defaults to 128): Side of the images in pixels, a multiple of 32.
        generated_seed (`int`, *optional*, defaults to 0): Seed of the generator.
        eval_pairs (`int`, *optional*, defaults to 100): Generated pairs to evaluate on.
    """

    image_size: int = field(default=128, metadata={"help": "side of the images in pixels"})
    generated_seed: int = field(default=0, metadata={"help": "seed of the generator"})
    eval_pairs: int = field(default=100, metadata={"help": "generated pairs to evaluate on"})


def main(arguments: Sequence[str] | None = None, program: str = "pretrain_scenes.py") -> int:
    """
    Trains a visual half as the command line says.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    return run_command(program, lambda: train(sys.argv[1:] if arguments is None else arguments, program))


def train(arguments: Sequence[str], program: str) -> None:
    """Trains, evaluates, saves and prints the scores; see [`main`]."""
    given, _ = with_recipe(arguments, "tiny_scenes")
    own = {"images": (SceneArguments, None), "training": (TrainingArguments, _SHOWN)}
    scenes, training = TrainingParser((SceneArguments, TrainingArguments), own, program, __doc__).parse(given)
    if training.max_steps < 1:
        raise TrainingError(f"max_steps is {training.max_steps}; generated images have no end, so set how many steps.")
    training.remove_unused_columns = False
    # trl and transformers guess label names from the signature; these are what is scored.
    training.label_names = ["kinds", "colors"]
    training.use_cpu = not torch.accelerator.is_available()
    use_all_cores(training)
    set_seed(training.seed)
    trainer = make_trainer(scenes, training)
    trainer.train(resume_from_checkpoint=find_checkpoint(training))
    scores = trainer.evaluate()
    if trainer.is_world_process_zero():
        trainer.accelerator.unwrap_model(trainer.model).vision_model.save_pretrained(training.output_dir)
        trainer.data_collator.processor.save_pretrained(training.output_dir)
        for name in ("kind_accuracy", "color_accuracy", "kind_mIoU"):
            print(f"{name:<16}{scores[f'eval_{name}']:.2f}")
        print(f"{'saved in':<16}{training.output_dir}")


def make_trainer(scenes: SceneArguments, training: TrainingArguments) -> Trainer:
    """
    The model, the images and the trainer.

    Args:
        scenes ([`SceneArguments`]): The images.
        training (`TrainingArguments`): The rest.

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


if __name__ == "__main__":
    sys.exit(main())
