# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The project's own options of the training commands, on the command line or in a recipe. This module imports no
library."""

import json
from dataclasses import dataclass, field
from typing import Any

from .errors import TrainingError
from .names import (
    BASELINES,
    ENGINES,
    GENERATED,
    NO_DATA,
    NO_TARGET_SHARE,
    PARTS,
    PRETRAINED_BACKBONES,
    SAME_LANGUAGE,
    SETTINGS,
    SPLITS,
)


@dataclass
class ModelArguments:
    """
    The source of a new model; `--model_name_or_path` uses a complete checkpoint instead.

    Args:
        preset (`str`, *optional*, defaults to `"tiny"`): Sizes of the model: "tiny", "small" or "paper". The weights
            are random; those of "small" are pretrained if the packages of the extra `pretrained` are installed.
        vision_backbone (`str`, *optional*): A name of `PRETRAINED_BACKBONES`, whose weights come from a pip package
            (with `model_name_or_path` it replaces the backbone of that checkpoint in stage 2, and `parts_from` may
            give further parts);
            or, together with `text_backbone`, the Hub id or folder of a Mask2Former or four-stage backbone.
        text_backbone (`str`, *optional*): Hub id or folder of a causal language model.
        parts_from (`str`, *optional*): Hub id or folder of a checkpoint from which a new model takes `parts`.
        parts (`list[str]`, *optional*, defaults to `["backbone"]`): Some of `PARTS`.
        stage1 (`str`, *optional*): Hub id or folder of a checkpoint whose vision part a new model takes.
        image_size (`int`, *optional*): Side of the square canvas, in pixels; the checkpoint's or preset's if not
            given.
        fusion_type (`str`, *optional*): See `MTRefSegConfig`; the checkpoint's or preset's if not given.
        config_overrides (`str`, *optional*): Further fields of `MTRefSegConfig`, for new models; JSON on the command
            line, a mapping in recipes. See `config_fields`.
        baseline (`str`, *optional*): In stage 2, a new model of this kind instead of our own, one of `BASELINES`.
    """

    preset: str = field(
        default="tiny", metadata={"help": "size of a new model", "choices": ["tiny", "small", "paper"]}
    )
    vision_backbone: str | None = field(
        default=None,
        metadata={"help": f"pretrained backbone: {', '.join(PRETRAINED_BACKBONES)}, or a Hub id or folder"},
    )
    text_backbone: str | None = field(default=None, metadata={"help": "pretrained language model (Hub id or folder)"})
    parts_from: str | None = field(default=None, metadata={"help": "checkpoint from which a new model takes --parts"})
    parts: list[str] = field(
        default_factory=lambda: ["backbone"], metadata={"help": f"parts to take from --parts_from: {', '.join(PARTS)}"}
    )
    stage1: str | None = field(
        default=None, metadata={"help": "stage-1 checkpoint from which the vision part is taken"}
    )
    image_size: int | None = field(default=None, metadata={"help": "side of the canvas in pixels"})
    fusion_type: str | None = field(default=None, metadata={"help": "change_aware, concat_conv, abs_diff or avg"})
    config_overrides: str | None = field(default=None, metadata={"help": "further fields of MTRefSegConfig, as JSON"})
    baseline: str | None = field(
        default=None, metadata={"help": "train this baseline instead of our model", "choices": list(BASELINES)}
    )

    def __post_init__(self) -> None:
        self.config_fields()  # Raises the errors early.
        needs_text = self.vision_backbone is not None and self.vision_backbone not in PRETRAINED_BACKBONES
        if needs_text != (self.text_backbone is not None):
            raise TrainingError(
                "A new model needs vision_backbone and text_backbone: give both or neither. Only "
                f"{', '.join(PRETRAINED_BACKBONES)} work without a text_backbone."
            )
        if self.baseline is not None and self.text_backbone is not None:
            raise TrainingError(f"baseline {self.baseline} cannot have a text_backbone: leave out one of the two.")
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


def _as_list(names: Any) -> list[str]:
    """A recipe may contain a dataset without a list, or none."""
    return [names] if isinstance(names, str) else names or []


@dataclass
class DataArguments:
    """
    The pairs for training and evaluation.

    A dataset is named by the Hub id or folder of an export, by a raw folder (the root or one split folder), by a
    folder of images with `metadata.jsonl`, or as "generated".

    Args:
        train_data (`list[str]`, *optional*, defaults to `["generated"]`): Datasets to train on.
        train_weights (`list[float]`, *optional*): How often each is drawn, relative to the others. Without weights
            all pairs are drawn equally often.
        eval_data (`list[str]`, *optional*, defaults to `["generated"]`): Datasets to evaluate on; `"none"` or
            an empty list for none, which turns evaluation off.
        setting (`str`, *optional*, defaults to `"TV"`): Benchmark setting: "TV" for all pairs, "NS" or "RS" for those
            of one domain.
        train_split (`str`, *optional*, defaults to `"train"`): Split to train on; evaluation is on "validation".
        epoch_pairs (`int`, *optional*): Pairs per epoch. By default all pairs of the datasets; for generated pairs
            without `generated_pairs`, as many as `max_steps` needs.
        max_eval_pairs (`int`, *optional*): Maximum number of evaluation pairs of each dataset.
        sentences_per_pair (`int`, *optional*, defaults to 0): Number of sentences of a pair per training step,
            drawn again each time; 0 for all.
        drop_choices (`bool`, *optional*, defaults to `False`): Leaves out sentences whose colours, places, ranks or
            exceptions select among objects: a processor with `choose_objects` removes these words from a sentence, so
            the model need not learn them. A pair without other sentences keeps all of them.
        generated_pairs (`int`, *optional*, defaults to 0): Number of different generated pairs; 0 if infinite.
        generated_eval_pairs (`int`, *optional*, defaults to 100): Number of generated pairs to evaluate on.
        generated_size, generated_seed, generated_domains, generated_noise, generated_expressions,
        generated_plain_share, generated_no_target_share:
            Settings of `dataset_scripts.synthesis.generator.Generator`.
    """

    train_data: list[str] = field(default_factory=lambda: [GENERATED], metadata={"help": "datasets to train on"})
    train_weights: list[float] | None = field(default=None, metadata={"help": "sampling weight of each dataset"})
    eval_data: list[str] = field(
        default_factory=lambda: [GENERATED], metadata={"help": "datasets to evaluate on, or none"}
    )
    setting: str = field(default="TV", metadata={"help": "benchmark setting", "choices": list(SETTINGS)})
    train_split: str = field(default="train", metadata={"help": "split to train on", "choices": list(SPLITS)})
    epoch_pairs: int | None = field(default=None, metadata={"help": "number of pairs per epoch"})
    max_eval_pairs: int | None = field(
        default=None, metadata={"help": "maximum number of evaluation pairs per dataset"}
    )
    sentences_per_pair: int = field(default=0, metadata={"help": "sentences per pair and step, 0 for all"})
    drop_choices: bool = field(
        default=False, metadata={"help": "drop sentences in which colours, places or ranks select among objects"}
    )
    generated_pairs: int = field(default=0, metadata={"help": "number of different generated pairs, 0 for unlimited"})
    generated_eval_pairs: int = field(default=100, metadata={"help": "number of generated pairs to evaluate on"})
    generated_size: int = field(default=256, metadata={"help": "side of generated images in pixels"})
    generated_seed: int = field(default=0, metadata={"help": "seed of the generator"})
    generated_domains: list[str] = field(
        default_factory=lambda: ["NS", "RS"], metadata={"help": "domains of generated pairs"}
    )
    generated_noise: float = field(default=0.0, metadata={"help": "share of corrupted training sentences, 0 to 1"})
    generated_expressions: int = field(default=6, metadata={"help": "maximum number of sentences per generated pair"})
    generated_plain_share: float = field(default=0.0, metadata={"help": "share of plain sentences, 0 to 1"})
    generated_no_target_share: float = field(
        default=NO_TARGET_SHARE, metadata={"help": "probability of trying to add a no-target sentence, 0 to 1"}
    )

    def __post_init__(self) -> None:
        self.train_data, self.eval_data = _as_list(self.train_data), _as_list(self.eval_data)
        if self.eval_data == [NO_DATA]:
            self.eval_data = []
        if not self.train_data:
            raise TrainingError("train_data is empty; name at least one dataset.")
        weights = self.train_weights
        if weights is not None and (len(weights) != len(self.train_data) or min(weights) <= 0):
            raise TrainingError(
                f"--train_weights has {weights}, but must have one positive number for each of {self.train_data}."
            )
        if self.sentences_per_pair < 0 or self.generated_pairs < 0 or self.generated_eval_pairs < 1:
            raise TrainingError(
                f"sentences_per_pair={self.sentences_per_pair} and generated_pairs={self.generated_pairs} must not be "
                f"negative, and generated_eval_pairs={self.generated_eval_pairs} must be 1 or more."
            )
        for name in ("epoch_pairs", "max_eval_pairs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainingError(f"{name}={value} must be 1 or more; leave it out for all pairs.")


@dataclass
class AugmentationArguments:
    """
    How training pairs are augmented. Sentences stay true: an augmentation exchanges words, drops sentences, or
    skips the pair. All values are shares of the pairs, 0 to 1, unless stated otherwise.

    Args:
        move_share (`float`, *optional*, defaults to 0): Pairs of finite datasets whose changed regions are pasted into
            the image of another place of the same domain. Prevents the model from memorising backgrounds.
        join_share (`float`, *optional*, defaults to 0): Pairs of finite datasets of which one side is replaced by that
            of another pair of the same domain, as in a mosaic of several places.
        flip_share (`float`, *optional*, defaults to 0.5): Pairs that are mirrored left to right; those of remote
            sensing also top to bottom.
        rotate_share (`float`, *optional*, defaults to 0.25): Pairs of remote sensing that are turned by 90 degrees.
        swap_share (`float`, *optional*, defaults to 0.3): Pairs whose t1 and t2 are exchanged.
        reverse_share (`float`, *optional*, defaults to 0.1): Pairs whose t1 and t2 are exchanged while the sentences
            stay, so that these have no target; only if it is certain that nothing else matches them.
        crop_share (`float`, *optional*, defaults to 0.3): Pairs that are cropped.
        smallest_crop (`float`, *optional*, defaults to 0.5): Smallest side of the crop, as a share.
        unchanged_share (`float`, *optional*, defaults to 0.05): Pairs whose t2 is replaced by t1, so that no sentence
            has a target.
        photometric (`float`, *optional*, defaults to 0.3): Strength of the changes of light, contrast and noise, for
            each image separately, 0 to 1.
        domain_dropout (`float`, *optional*, defaults to 0.2): Pairs whose domain is omitted from the prompt, because
            many users do not give it either.
        paraphrase_share (`float`, *optional*, defaults to 0): Sentences that are paraphrased, after all other
            augmentations.
    """

    move_share: float = field(
        default=0.0, metadata={"help": "share of pairs whose changes are pasted into another scene"}
    )
    join_share: float = field(
        default=0.0, metadata={"help": "share of pairs in which a part is replaced by a part of another pair"}
    )
    flip_share: float = field(default=0.5, metadata={"help": "share of pairs that are mirrored"})
    rotate_share: float = field(
        default=0.25, metadata={"help": "share of remote sensing pairs that are rotated by 90 degrees"}
    )
    swap_share: float = field(
        default=0.3, metadata={"help": "share of pairs with t1 and t2 swapped and the sentences adapted"}
    )
    reverse_share: float = field(
        default=0.1, metadata={"help": "share of pairs with t1 and t2 swapped, so that no sentence matches"}
    )
    crop_share: float = field(default=0.3, metadata={"help": "share of pairs that are cropped"})
    smallest_crop: float = field(default=0.5, metadata={"help": "smallest side of a crop, as a share"})
    unchanged_share: float = field(default=0.05, metadata={"help": "share of pairs whose t2 is replaced by t1"})
    photometric: float = field(default=0.3, metadata={"help": "strength of photometric augmentation, 0 to 1"})
    domain_dropout: float = field(
        default=0.2, metadata={"help": "share of pairs whose domain is left out of the prompt"}
    )
    paraphrase_share: float = field(default=0.0, metadata={"help": "share of sentences that are paraphrased"})

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise TrainingError(f"{name}={value} must be from 0 to 1.")
        if self.smallest_crop == 0:
            raise TrainingError("smallest_crop=0.0 leaves nothing of an image; give more than 0.")


@dataclass
class TrainingOptions:
    """
    How to train: our own options, and the options of transformers' `TrainingArguments` that have other defaults here.
    `MTRefSegTrainingConfig` adds all others.

    Args:
        backbone_learning_rate, language_learning_rate (`float`, *optional*): Learning rates of the visual backbone
            and of the language model; by default `learning_rate`, which applies to all other parts.
        freeze (`list[str]`, *optional*, defaults to `[]`): Parts that are not trained, some of `PARTS`.
        expected_engine (`str`, *optional*, defaults to `"any"`): "single", "ddp", "zero1", "zero2" or "zero3": the
            script stops if another one is in use.
        expected_processes (`int`, *optional*): The script stops if the number of processes differs.
        estimate (`bool`, *optional*, defaults to `False`): Whether to only print the cost of the run.
        no_target_threshold (`float`, *optional*): Score above which evaluation empties a mask; by default the
            processor's, which is that of the initial checkpoint, and none for a new model.
    """

    output_dir: str | None = field(default="outputs", metadata={"help": "folder for checkpoints and the final model"})
    learning_rate: float = field(
        default=1e-4, metadata={"help": "learning rate of all parts that have no separate one"}
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
        default="any", metadata={"help": "stop if a different engine is used", "choices": list(ENGINES)}
    )
    expected_processes: int | None = field(default=None, metadata={"help": "stop if the number of processes differs"})
    no_target_threshold: float | None = field(
        default=None, metadata={"help": "in evaluation, masks with a higher no-target score are emptied"}
    )
    estimate: bool = field(
        default=False, metadata={"help": "only print how much memory and how many hours the run would take"}
    )
    report_to: str = field(default="none", metadata={"help": "where to log: tensorboard, trackio, ... or none"})
    bf16: bool | None = field(default=False, metadata={"help": "bfloat16 mixed precision"})
    ddp_find_unused_parameters: bool | None = field(
        default=True, metadata={"help": "needed because stage 2 does not use the learned queries of stage 1"}
    )
    # `None` and not `False`, which makes the library warn that the name is deprecated.
    gradient_checkpointing: bool | None = field(default=None, metadata={"help": "use less memory and more time"})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "schedule of the learning rates"})
    warmup_steps: float = field(
        default=0.05, metadata={"help": "number of warmup steps, or, if below 1, share of all steps"}
    )
    weight_decay: float = field(default=0.05, metadata={"help": "weight decay of matrices and convolution kernels"})
    metric_for_best_model: str | None = field(
        default="mIoU", metadata={"help": "score that selects the best checkpoint"}
    )
    greater_is_better: bool | None = field(
        default=None, metadata={"help": "whether a higher score is better; by default, unless it is a loss"}
    )
    save_total_limit: int | None = field(
        default=2, metadata={"help": "number of checkpoints to keep, besides the best"}
    )
    hub_strategy: str = field(default="end", metadata={"help": "when to push to the Hub, with --push_to_hub"})


@dataclass
class SceneArguments:
    """
    The images of stage 0.

    Args:
        image_size (`int`, *optional*, defaults to 128): Side of the images in pixels, a multiple of 32.
        generated_seed (`int`, *optional*, defaults to 0): Seed of the generator.
        eval_pairs (`int`, *optional*, defaults to 100): Generated pairs to evaluate on.
    """

    image_size: int = field(default=128, metadata={"help": "side of the images in pixels"})
    generated_seed: int = field(default=0, metadata={"help": "seed of the generator"})
    eval_pairs: int = field(default=100, metadata={"help": "number of generated pairs to evaluate on"})

    def __post_init__(self) -> None:
        if self.image_size % 32 or self.eval_pairs < 1:
            raise TrainingError(
                f"image_size={self.image_size} must be a multiple of 32, and eval_pairs={self.eval_pairs} 1 or more."
            )


@dataclass
class DistillationArguments:
    """
    The distillation.

    Args:
        model_name_or_path (`str`): Hub id or folder of the model whose language part is replaced.
        language_preset (`str`, *optional*, defaults to `"small"`): The preset for the sizes of the new language
            part; "same" to train the existing language part.
    """

    model_name_or_path: str = field(default="", metadata={"help": "model whose language model is replaced"})
    language_preset: str = field(
        default="small",
        metadata={
            "help": "preset of the new language model; same: keep it and extend its vocabulary",
            "choices": ["small", SAME_LANGUAGE],
        },
    )
