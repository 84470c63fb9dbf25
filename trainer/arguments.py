# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What can be said on the command line or in a recipe, besides trl's `ModelConfig`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from trl import ModelConfig, SFTConfig, TrlParser

from dataset_scripts.synthesis import NO_TARGET_SHARE

from .errors import TrainingError


RECIPES = Path(__file__).parent / "recipes"
PARTS = (
    "backbone",
    "fusion",
    "mask_decoder",
    "no_target_head",
    "language_model",
    "token_embeddings",
    "projector",
    "seg_head",
)
"""The parts of the model that can be frozen."""
ENGINES = ("any", "single", "ddp", "zero1", "zero2", "zero3")
"""What `expected_engine` can be."""
GENERATED = "generated"
"""The name of the generator where a dataset can be named."""


@dataclass
class ModelArguments:
    """
    Where the model comes from, if not from `--model_name_or_path`, which takes a whole checkpoint.

    Args:
        preset (`str`, *optional*, defaults to `"tiny"`): Sizes of a model with random weights: "tiny" or "paper".
        vision_backbone, text_backbone (`str`, *optional*): Hub ids or folders of pretrained parts (a Mask2Former or
            four-stage backbone, and a causal language model) to build the model from. Given both or none.
        parts_from (`str`, *optional*): Hub id or folder of a checkpoint from which a new model takes `parts`.
        parts (`list[str]`, *optional*, defaults to `["backbone"]`): Some of `PARTS`.
        stage1 (`str`, *optional*): Hub id or folder of a checkpoint whose visual half a new model takes.
        image_size (`int`, *optional*): Side of the square canvas, in pixels; the checkpoint's or preset's if not
            given.
        fusion_type (`str`, *optional*): See `MTRefSegConfig`; the checkpoint's or preset's if not given.
        prompt_template (`str`, *optional*, defaults to `"default"`): See `MTRefSegProcessor`, for new models.
        config_overrides (`str`, *optional*): Further fields of `MTRefSegConfig`, for new models; JSON on the command
            line, a mapping in recipes. See `config_fields`.
    """

    preset: str = field(default="tiny", metadata={"help": "random weights of this size", "choices": ["tiny", "paper"]})
    vision_backbone: str | None = field(default=None, metadata={"help": "pretrained visual part (Hub id or folder)"})
    text_backbone: str | None = field(default=None, metadata={"help": "pretrained language model (Hub id or folder)"})
    parts_from: str | None = field(default=None, metadata={"help": "checkpoint that a new model takes parts from"})
    parts: list[str] = field(default_factory=lambda: ["backbone"], metadata={"help": f"which parts: {PARTS}"})
    stage1: str | None = field(default=None, metadata={"help": "checkpoint to take the visual half from"})
    image_size: int | None = field(default=None, metadata={"help": "side of the canvas in pixels"})
    fusion_type: str | None = field(default=None, metadata={"help": "change_aware, concat_conv, abs_diff or avg"})
    prompt_template: str = field(default="default", metadata={"help": "wording of the prompt"})
    config_overrides: str | None = field(default=None, metadata={"help": "further fields of MTRefSegConfig (JSON)"})

    def __post_init__(self) -> None:
        self.config_fields()  # Says now what is wrong with them.
        if (self.vision_backbone is None) != (self.text_backbone is None):
            raise TrainingError("vision_backbone and text_backbone build a model together; give both or none.")
        unknown = sorted(set(self.parts) - set(PARTS))
        if unknown:
            raise TrainingError(f"parts names {', '.join(unknown)}; the parts are {', '.join(PARTS)}.")

    def config_fields(self) -> dict[str, Any]:
        """
        `config_overrides` as a `dict`.

        Raises:
            TrainingError: If it is not an object of JSON.
        """
        given: Any = self.config_overrides
        try:
            fields = json.loads(given) if isinstance(given, str) else given or {}
        except json.JSONDecodeError as error:
            raise TrainingError(f"config_overrides is not JSON: {error} in {given!r}") from error
        if not isinstance(fields, dict):
            raise TrainingError(f'config_overrides must be an object such as {{"num_points": 0}}, not {given!r}')
        return fields


@dataclass
class DataArguments:
    """
    Which pairs are trained and evaluated on.

    A dataset is named by the Hub id or folder of an export, by a raw folder (the root or one split folder), by a
    folder of images with `metadata.jsonl`, or as "generated".

    Args:
        train_data (`list[str]`, *optional*, defaults to `["generated"]`): Datasets to train on.
        train_weights (`list[float]`, *optional*): How often each is drawn, relative to the others. Without weights
            all pairs are drawn equally often.
        eval_data (`list[str]`, *optional*, defaults to `["generated"]`): Datasets to evaluate on; `[]` for none.
        setting (`str`, *optional*, defaults to `"TV"`): Benchmark setting, "TV", "NS" or "RS".
        train_split, eval_split (`str`, *optional*, default to `"train"` and `"validation"`): Which splits.
        epoch_pairs (`int`, *optional*): Pairs of an epoch. By default all pairs of the datasets; of generated pairs,
            where `generated_pairs` does not say how many there are, as many as `max_steps` needs.
        max_eval_pairs (`int`, *optional*): Evaluates on no more pairs of each dataset.
        sentences_per_pair (`int`, *optional*, defaults to 0): How many sentences of a pair are trained on at once,
            drawn anew each time; 0 for all.
        generated_pairs (`int`, *optional*, defaults to 0): Number of different generated pairs; 0 for no end.
        generated_eval_pairs (`int`, *optional*, defaults to 100): Number of generated pairs to evaluate on.
        generated_size, generated_seed, generated_domains, generated_noise, generated_strength, generated_expressions,
        generated_plain_share, generated_no_target_share:
            Settings of `dataset_scripts.synthesis.generator.Generator`.
    """

    train_data: list[str] = field(default_factory=lambda: [GENERATED], metadata={"help": "datasets to train on"})
    train_weights: list[float] | None = field(default=None, metadata={"help": "how often each is drawn"})
    eval_data: list[str] = field(default_factory=lambda: [GENERATED], metadata={"help": "datasets to evaluate on"})
    setting: str = field(default="TV", metadata={"help": "benchmark setting", "choices": ["TV", "NS", "RS"]})
    train_split: str = field(default="train", metadata={"help": "split to train on"})
    eval_split: str = field(default="validation", metadata={"help": "split to evaluate on"})
    epoch_pairs: int | None = field(default=None, metadata={"help": "pairs of an epoch"})
    max_eval_pairs: int | None = field(default=None, metadata={"help": "evaluate on no more pairs of each dataset"})
    sentences_per_pair: int = field(default=0, metadata={"help": "sentences of a pair used at once, 0 for all"})
    generated_pairs: int = field(default=0, metadata={"help": "different generated pairs, 0 for no end"})
    generated_eval_pairs: int = field(default=100, metadata={"help": "generated pairs to evaluate on"})
    generated_size: int = field(default=256, metadata={"help": "side of generated images in pixels"})
    generated_seed: int = field(default=0, metadata={"help": "seed of the generator"})
    generated_domains: list[str] = field(
        default_factory=lambda: ["NS", "RS"], metadata={"help": "domains of generated pairs"}
    )
    generated_noise: float = field(default=0.0, metadata={"help": "share of spoilt sentences to train on, 0 to 1"})
    generated_strength: float = field(default=1.0, metadata={"help": "how much light and camera differ, 0 to 1"})
    generated_expressions: int = field(default=6, metadata={"help": "most sentences of a generated pair"})
    generated_plain_share: float = field(default=0.0, metadata={"help": "share of plain sentences, 0 to 1"})
    generated_no_target_share: float = field(
        default=NO_TARGET_SHARE, metadata={"help": "how often to try a sentence that nothing fits, 0 to 1"}
    )

    def __post_init__(self) -> None:
        if not self.train_data:
            raise TrainingError("train_data is empty; name at least one dataset.")
        weights = self.train_weights
        if weights is not None and (len(weights) != len(self.train_data) or min(weights) <= 0):
            raise TrainingError(
                f"train_weights={weights} must hold one positive number for each of {self.train_data}."
            )
        if self.sentences_per_pair < 0 or self.generated_pairs < 0 or self.generated_eval_pairs < 1:
            raise TrainingError(
                f"sentences_per_pair={self.sentences_per_pair} and generated_pairs={self.generated_pairs} must not be "
                f"negative, and generated_eval_pairs={self.generated_eval_pairs} must be 1 or more."
            )


@dataclass
class AugmentationArguments:
    """
    How training pairs are changed. Sentences stay true: words are exchanged, or the sentence is left out of that draw,
    or the change is not made.

    Args:
        move_share (`float`, *optional*, defaults to 0): Pairs of datasets with an end of which what has changed is cut
            out and put into the image of another place of the same domain, from any of the datasets.
        flip_share (`float`, *optional*, defaults to 0.5): Pairs that are mirrored left to right; those of remote
            sensing also top to bottom.
        rotate_share (`float`, *optional*, defaults to 0.25): Pairs of remote sensing that are turned by 90 degrees.
        swap_share (`float`, *optional*, defaults to 0.3): Pairs whose t1 and t2 are exchanged.
        reverse_share (`float`, *optional*, defaults to 0.1): Pairs whose t1 and t2 are exchanged while the sentences
            stay, so that these fit nothing; done where it is known that nothing else makes them true.
        crop_share (`float`, *optional*, defaults to 0.3): Pairs of which a part is cut out.
        smallest_crop (`float`, *optional*, defaults to 0.5): Smallest side of that part, as a share.
        unchanged_share (`float`, *optional*, defaults to 0.05): Pairs whose t2 is replaced by t1, so that no sentence
            fits anything.
        photometric (`float`, *optional*, defaults to 0.3): How much light, contrast and noise are changed, in each
            image on its own, 0 to 1.
        untold_share (`float`, *optional*, defaults to 0.2): Pairs whose domain the prompt does not tell: many who ask
            do not say it either.
    """

    move_share: float = field(
        default=0.0, metadata={"help": "share of pairs whose changes are put into another place"}
    )
    flip_share: float = field(default=0.5, metadata={"help": "share of pairs that are mirrored"})
    rotate_share: float = field(default=0.25, metadata={"help": "share of remote sensing pairs turned by 90 degrees"})
    swap_share: float = field(default=0.3, metadata={"help": "share of pairs whose t1 and t2 are exchanged"})
    reverse_share: float = field(default=0.1, metadata={"help": "share of pairs exchanged under the same sentences"})
    crop_share: float = field(default=0.3, metadata={"help": "share of pairs that are cropped"})
    smallest_crop: float = field(default=0.5, metadata={"help": "smallest side of a crop, as a share"})
    unchanged_share: float = field(default=0.05, metadata={"help": "share of pairs whose t2 is made t1"})
    photometric: float = field(default=0.3, metadata={"help": "strength of photometric changes, 0 to 1"})
    untold_share: float = field(default=0.2, metadata={"help": "share of pairs whose domain the prompt does not tell"})

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise TrainingError(f"{name}={value} must be from 0 to 1.")
        if self.smallest_crop == 0:
            raise TrainingError("smallest_crop=0.0 leaves nothing of an image; give more than 0.")


@dataclass
class MTRefSegTrainingConfig(SFTConfig):
    """
    trl's `SFTConfig` (and so all of `TrainingArguments`) with other defaults, and with what this model needs.

    Args:
        backbone_learning_rate, language_learning_rate (`float`, *optional*): Learning rates of the visual backbone
            and of the language model; `learning_rate`, which all other parts have, if not given.
        freeze (`list[str]`, *optional*, defaults to `[]`): Parts that are not trained: "backbone", "fusion",
            "mask_decoder", "no_target_head", "language_model", "projector", "seg_head".
        expected_engine (`str`, *optional*, defaults to `"any"`): "single", "ddp", "zero1", "zero2" or "zero3": the
            script stops if another one is in use.
        expected_processes (`int`, *optional*): The script stops if there are not as many.
        no_target_threshold (`float`, *optional*): Score above which evaluation empties a mask; by default the
            processor's, which is that of the checkpoint to begin with, and none for a new model.
    """

    output_dir: str | None = field(default="outputs", metadata={"help": "folder for checkpoints and the final model"})
    learning_rate: float = field(default=1e-4, metadata={"help": "of all parts without a rate of their own"})
    backbone_learning_rate: float | None = field(default=None, metadata={"help": "of the visual backbone"})
    language_learning_rate: float | None = field(default=None, metadata={"help": "of the language model"})
    freeze: list[str] = field(default_factory=list, metadata={"help": f"parts that are not trained: {PARTS}"})
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
    # False would bring up the library's warning that the name is old.
    gradient_checkpointing: bool | None = field(  # type: ignore[assignment]
        default=None, metadata={"help": "less memory, more time"}
    )
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "course of the learning rates"})
    warmup_steps: float = field(default=0.05, metadata={"help": "steps, or below 1 the share of all steps"})
    weight_decay: float = field(default=0.05, metadata={"help": "of matrices and kernels"})
    metric_for_best_model: str | None = field(default="mIoU", metadata={"help": "what the best checkpoint is best at"})
    greater_is_better: bool | None = field(default=True, metadata={"help": "whether more of it is better"})
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


Arguments = tuple[ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig]


def parse_arguments(default_recipe: str, arguments: Sequence[str] | None = None) -> Arguments:
    """
    Reads the command line and the recipe that `--config` names.

    Args:
        default_recipe (`str`): The recipe, by its name in `recipes/`, without `--config`.
        arguments (`Sequence[str]`, *optional*): Instead of the command line.

    Returns:
        The five groups of arguments.
    """
    said = sys.argv[1:] if arguments is None else arguments
    # "--name=value" in two pieces: trl looks for "--config" alone.
    said = [piece for argument in said for piece in (argument.split("=", 1) if argument[:2] == "--" else [argument])]
    is_default = "--config" not in said
    recipe = ["--config", str(RECIPES / f"{default_recipe}.yaml")] if is_default else []
    groups: Any = (ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig)
    parsed: Any = TrlParser(groups).parse_args_and_config([*recipe, *said])
    model_arguments, model_config = parsed[0], parsed[-1]
    if is_default and model_config.model_name_or_path is not None:
        # The default recipes make a new model; what they say of it does not hold for a checkpoint.
        fresh, named = ModelArguments(), {piece[2:].replace("-", "_") for piece in said if piece[:2] == "--"}
        for name in vars(fresh):
            if name not in named:
                setattr(model_arguments, name, getattr(fresh, name))
    return cast(Arguments, tuple(parsed))
