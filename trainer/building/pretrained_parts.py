# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Pretrained parts from pip packages (the extra `pretrained`): a backbone by its name, and for the preset `small` also a
vocabulary with word vectors.
"""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.utils import logging

from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.build.presets import STAGES, tiny_processor
from mtrefseg.build.pretrained import BACKBONES, pretrained_backbone, word_piece_processor, word_vectors
from trainer.arguments import ModelArguments
from trainer.errors import TrainingError
from trainer.names import PRETRAINED_BACKBONES


SMALL, SMALL_BACKBONE = "small", "efficientnet-lite2"
logger = logging.get_logger(__name__)


def backbone_fields(arguments: ModelArguments) -> dict[str, Any]:
    """The field `vision_config` of [`MTRefSegConfig`] for a `--vision_backbone` from a package; otherwise empty."""
    name = arguments.vision_backbone
    if name is None or name not in PRETRAINED_BACKBONES:
        return {}
    sizes = {field: getattr(BACKBONES[name], field) for field in ("width_multiplier", "depth_multiplier")}
    return {"vision_config": {"model_type": "efficientnet_lite", **sizes, "out_features": STAGES}}


def small_processor(image_size: int) -> MTRefSegProcessor:
    """
    The processor of the preset `small`.

    Args:
        image_size (`int`): Side of the square canvas in pixels.

    Returns:
        [`MTRefSegProcessor`]: With the words of the package, or with those of the preset `tiny` and a warning if it is
        not installed.
    """
    try:
        return word_piece_processor(image_size)
    except ImportError as error:
        logger.warning("The words of the preset tiny are used instead of pretrained ones: %s", error)
        return tiny_processor(image_size)


def given_backbone(arguments: ModelArguments) -> PreTrainedModel | None:
    """
    The pretrained backbone for `--vision_backbone`, if it is in a package; otherwise `None`.

    Raises:
        TrainingError: If its package is not installed.
    """
    name = arguments.vision_backbone
    if name is None or name not in PRETRAINED_BACKBONES:
        return None
    try:
        return pretrained_backbone(name)
    except ImportError as error:
        raise TrainingError(f"--vision_backbone {name}: {error}") from error


@torch.no_grad()
def fill_backbone(backbone: nn.Module, arguments: ModelArguments) -> None:
    """
    Loads the pretrained weights of a new model's backbone, if it is from a package.

    Args:
        backbone (`nn.Module`): The backbone, which is changed.
        arguments ([`ModelArguments`]): The preset and `vision_backbone`.

    Raises:
        TrainingError: If the package of `vision_backbone` is not installed. Without `vision_backbone`, the
            preset `small` then begins with random weights, with a warning.
    """
    name = arguments.vision_backbone
    pretrained = given_backbone(arguments)
    replaced = arguments.stage1 is not None or (arguments.parts_from is not None and "backbone" in arguments.parts)
    is_default = name is None and arguments.preset == SMALL and "vision_config" not in arguments.config_fields()
    if pretrained is None and is_default and not replaced:
        try:
            pretrained = pretrained_backbone(SMALL_BACKBONE)
        except ImportError as error:
            logger.warning("The backbone begins with random weights: %s", error)
    if pretrained is not None:
        backbone.load_state_dict(pretrained.state_dict())


@torch.no_grad()
def fill_words(embeddings: nn.Module | None, processor: MTRefSegProcessor, arguments: ModelArguments) -> None:
    """
    Writes word vectors into the token embeddings of a new model of the preset `small`. Special tokens, and all tokens
    if the package is not installed, keep their random vectors.

    Args:
        embeddings (`nn.Embedding`, *optional*): Of shape `(vocab_size, hidden_size)`, changed in place; `None` for a
            model that reads no sentences.
        processor ([`MTRefSegProcessor`]): Result of [`small_processor`].
        arguments ([`ModelArguments`]): The preset.
    """
    tokenizer = processor.tokenizer
    if embeddings is None or arguments.preset != SMALL:
        return
    if arguments.text_backbone is not None or tokenizer.unk_token is None:
        return  # Only the vocabulary of the package has a token for unknown words.
    special = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}
    # Sorted, because the order of a vocabulary differs between processes.
    rows = {row: word for word, row in sorted(tokenizer.get_vocab().items()) if word not in special}
    table: Any = embeddings.weight
    vectors = word_vectors(list(rows.values()), table.shape[1])
    table[list(rows)] = vectors.to(table)
