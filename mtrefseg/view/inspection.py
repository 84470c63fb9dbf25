# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Explains a mask: the attention and the mask of the `[SEG]` query in every decoder layer, the importance of every word,
and where the backbone's features of the two images differ.

```python
pair = encode_for_inspection(model, processor, "t1.png", "t2.png")
inspection = inspect_pair(model, processor, pair, "the house that appeared")
draw_inspection(inspection).save("sheet.png")  # of inspection_images.py
```
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from transformers.utils.generic import ModelOutput

from modeling_mtrefseg.canvas_mtrefseg import Align
from modeling_mtrefseg.image_reading_mtrefseg import ImageSource
from modeling_mtrefseg.modeling_mtrefseg import MTRefSegModel
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegPairEncoding
from modeling_mtrefseg.processing_mtrefseg import MTRefSegProcessor


# Memory grows with the square of the tokens in one call. A sentence of 40 words needs about half of this.
TOKENS_A_CALL = 4096
_SENTENCE_INPUTS = ("input_ids", "attention_mask", "query_mask")


@dataclass(frozen=True)
class WordImportance:
    """
    Importance of a word, measured by removing it from the sentence.

    Args:
        word (`str`): As written in the sentence, which is split at white space.
        importance (`float`): 1 - IoU of the masks with and without the word: 0 if nothing changes, 1 if nothing
            remains. The only word of a sentence, which cannot be removed, has 1.
        score_drop (`float`): Decrease of the mean foreground probability inside the mask of the full sentence, -1
            to 1; 0 if that mask is empty. The only word of a sentence has the score.
    """

    word: str
    importance: float
    score_drop: float


@dataclass(frozen=True)
class InspectedPair:
    """
    An encoded pair, for which any number of sentences can be inspected.

    Args:
        image_t1, image_t2 (`PIL.Image.Image`): The earlier and the later image, RGB, both of the size of t1.
        domain (`str`, *optional*): `"remote_sensing"`, `"normal_scene"` or `None`.
        encoding ([`MTRefSegPairEncoding`]): The encoded pair, including the prompt.
        differences (`np.ndarray` of shape `(num_levels, height, width)`): `float32`, 0 to 1: the distance of the
            backbone's features of t1 and t2 at each place, divided by the sum of their lengths; 0 where both are the
            same, 1 where they are opposed. One for each level, finest (stride 4) first.
    """

    image_t1: Image.Image
    image_t2: Image.Image
    domain: str | None
    encoding: MTRefSegPairEncoding
    differences: npt.NDArray[np.float32]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.image_t1.height, self.image_t1.width


@dataclass(frozen=True)
class ExpressionInspection:
    """
    Intermediate results for one sentence. All maps have the size of the images, without the padding of the canvas.

    Args:
        expression (`str`): The sentence.
        pair ([`InspectedPair`]): The pair.
        attentions (`np.ndarray` of shape `(num_layers, height, width)`): `float32`, 0 or more: where the `[SEG]` query
            attends in each layer of the mask decoder, mean over the heads, times the number of positions: 1 is
            uniform attention.
        attention_strides (`tuple[int, ...]`): Pixels of the canvas between two positions, for each layer.
        layer_masks (`np.ndarray` of shape `(num_layers + 1, height, width)`): bool, the query's masks before the first
            layer and after each one, independent of the no-target score.
        layer_scores (`tuple[float, ...]`): Mean foreground probability inside each of them, 0 if empty.
        mask (`np.ndarray` of shape `(height, width)`): bool, the resulting mask.
        score (`float`): Mean foreground probability inside it, 0 if empty.
        no_target_score (`float`): Probability that the sentence has no target.
        is_closest (`bool`): Whether nothing fits the sentence clearly, and `mask` contains the changes that fit it
            best.
        words (`tuple[WordImportance, ...]`): One for each word, in order.
    """

    expression: str
    pair: InspectedPair
    attentions: npt.NDArray[np.float32]
    attention_strides: tuple[int, ...]
    layer_masks: npt.NDArray[np.bool_]
    layer_scores: tuple[float, ...]
    mask: npt.NDArray[np.bool_]
    score: float
    no_target_score: float
    is_closest: bool
    words: tuple[WordImportance, ...]

    def as_dict(self) -> dict[str, Any]:
        """
        Everything except images and maps, ready for JSON.

        Returns:
            `dict`: "expression", "domain", "width", "height", "score", "no_target_score", "is_closest", "area_pixels",
            "area_fraction", "words" (each "word", "importance" and "score_drop"), "layers" (before the first layer and
            after each: "score", "area_fraction", "iou_with_answer"; "stride" and "attention_peak" but for the first)
            and "difference" (means of the levels).
        """
        layers: list[dict[str, Any]] = []
        for number, (mask, score) in enumerate(zip(self.layer_masks, self.layer_scores, strict=True)):
            layer = {"score": score, "area_fraction": float(mask.mean()), "iou_with_answer": _iou(mask, self.mask)}
            if number:
                layer["stride"] = self.attention_strides[number - 1]
                layer["attention_peak"] = float(self.attentions[number - 1].max())
            layers.append(layer)
        height, width = self.pair.size
        return {
            "expression": self.expression,
            "domain": self.pair.domain,
            "width": width,
            "height": height,
            "score": self.score,
            "no_target_score": self.no_target_score,
            "is_closest": self.is_closest,
            "area_pixels": int(self.mask.sum()),
            "area_fraction": float(self.mask.mean()),
            "words": [asdict(word) for word in self.words],
            "layers": layers,
            "difference": [float(level.mean()) for level in self.pair.differences],
        }


def inspect_expression(
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    image_t1: ImageSource,
    image_t2: ImageSource,
    expression: str,
    domain: str | None = None,
    align: Align | None = None,
) -> ExpressionInspection:
    """
    Inspects the model while it processes one sentence about one pair: [`encode_for_inspection`], [`inspect_pair`].

    Args:
        model ([`MTRefSegModel`]): The model, on any device.
        processor ([`MTRefSegProcessor`]): Its processor.
        image_t1, image_t2 (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`): The earlier and the
            later image.
        expression (`str`): The sentence.
        domain (`str`, *optional*): `"remote_sensing"`, `"normal_scene"` or `None`.
        align (`str`, *optional*): `"error"` or `"resize"`, for images of unequal size; by default the processor's.

    Returns:
        [`ExpressionInspection`]

    Raises:
        ValueError: If the processor rejects an image, the domain or the sentence.
    """
    pair = encode_for_inspection(model, processor, image_t1, image_t2, domain, align)
    return inspect_pair(model, processor, pair, expression)


@torch.inference_mode()
def encode_for_inspection(
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    image_t1: ImageSource,
    image_t2: ImageSource,
    domain: str | None = None,
    align: Align | None = None,
) -> InspectedPair:
    """
    Encodes a pair, and measures how much its images differ; see [`inspect_expression`] for the arguments.

    Returns:
        [`InspectedPair`]

    Raises:
        ValueError: If the processor rejects an image or the domain.
    """
    loaded_t1, loaded_t2 = processor.image_processor.load_pair(image_t1, image_t2, align=align)
    inputs = processor(images_t1=loaded_t1, images_t2=loaded_t2, text=[[]], domain=domain)
    inputs = inputs.to(model.device, model.dtype)
    feature_maps: list[tuple[Tensor, ...]] = []
    # An encoding only keeps the coarsest level of the backbone.
    hook = model.vision_model.backbone.register_forward_hook(
        lambda module, arguments, output: feature_maps.append(output.feature_maps)
    )
    try:
        encoding = model.encode_pair(
            inputs["pixel_values_t1"],
            inputs["pixel_values_t2"],
            inputs["prompt_input_ids"],
            inputs["prompt_attention_mask"],
        )
    finally:
        hook.remove()
    size = (loaded_t1.height, loaded_t1.width)
    differences = [processor.image_processor.sample_maps(_difference(level), *size) for level in feature_maps[0]]
    return InspectedPair(loaded_t1, loaded_t2, domain, encoding, torch.cat(differences).cpu().numpy())


@torch.inference_mode()
def inspect_pair(
    model: MTRefSegModel, processor: MTRefSegProcessor, pair: InspectedPair, expression: str
) -> ExpressionInspection:
    """
    Inspects one sentence about an encoded pair, and then the sentence without each of its words.

    Args:
        model ([`MTRefSegModel`]): The model that encoded the pair.
        processor ([`MTRefSegProcessor`]): Its processor.
        pair ([`InspectedPair`]): Result of [`encode_for_inspection`].
        expression (`str`): The sentence.

    Returns:
        [`ExpressionInspection`]

    Raises:
        ValueError: If the sentence is empty, too long, or contains a special token.
    """
    words = expression.split()
    shortened = [" ".join(words[:index] + words[index + 1 :]) for index in range(len(words))] if len(words) > 1 else []
    # The network's use of the words is inspected, so none of them is removed.
    inputs = processor(
        images_t1=pair.image_t1, images_t2=pair.image_t2, text=[[expression, *shortened]], choose_objects=False
    )
    sentences = {name: inputs[name].to(model.device) for name in _SENTENCE_INPUTS}
    outputs = _ask(model, pair, sentences, slice(0, 1), output_layer_masks=True, output_attentions=True)
    (answer,) = processor.post_process_referring_segmentation(outputs, [pair.size])
    count = len(outputs.layer_mask_logits)
    layers = _post_process(processor, outputs.layer_mask_logits[:, 0], outputs.no_target_logits.expand(count), pair)
    canvas = processor.image_processor.size["height"]
    return ExpressionInspection(
        expression=expression,
        pair=pair,
        attentions=np.concatenate([_attention(processor, maps[0], pair) for maps in outputs.cross_attentions]),
        attention_strides=tuple(canvas // maps.shape[-1] for maps in outputs.cross_attentions),
        layer_masks=layers["masks"].cpu().numpy(),
        layer_scores=tuple(layers["scores"].tolist()),
        mask=answer["masks"][0].cpu().numpy(),
        score=float(answer["scores"][0]),
        no_target_score=float(answer["no_target_scores"][0]),
        is_closest=bool(answer["is_closest"][0]),
        words=_weigh_words(model, processor, pair, sentences, words, outputs),
    )


def _ask(
    model: MTRefSegModel, pair: InspectedPair, sentences: dict[str, Tensor], rows: slice, **options: bool
) -> ModelOutput:
    """Runs the model on some rows of `sentences`."""
    chosen = {name: values[rows] for name, values in sentences.items()}
    count = torch.tensor([len(chosen["input_ids"])], device=model.device)
    return model(pair_encoding=pair.encoding, num_expressions=count, **chosen, **options)


def _post_process(
    processor: MTRefSegProcessor, mask_logits: Tensor, no_target_logits: Tensor, pair: InspectedPair
) -> dict[str, Tensor]:
    """Post-processes the masks of one pair and ignores the no-target scores."""
    outputs = ModelOutput(
        mask_logits=mask_logits, no_target_logits=no_target_logits, num_expressions=torch.tensor([len(mask_logits)])
    )
    (result,) = processor.post_process_referring_segmentation(outputs, [pair.size], no_target_threshold=1.0)
    return result


def _difference(level: Tensor) -> Tensor:
    """Relative distance, `(1, height, width)`, of the two images of a level `(2, channels, height, width)`."""
    features_t1, features_t2 = level.float().chunk(2)
    distance = (features_t1 - features_t2).norm(dim=1)
    return distance / (features_t1.norm(dim=1) + features_t2.norm(dim=1)).clamp(min=1e-6)


def _attention(processor: MTRefSegProcessor, maps: Tensor, pair: InspectedPair) -> npt.NDArray[np.float32]:
    """One layer's `(num_heads, height, width)` as `(1, height, width)` at the size of the images."""
    density = maps.float().mean(0, keepdim=True) * maps[0].numel()
    return processor.image_processor.sample_maps(density, *pair.size).cpu().numpy()


def _weigh_words(
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    pair: InspectedPair,
    sentences: dict[str, Tensor],
    words: list[str],
    full: ModelOutput,
) -> tuple[WordImportance, ...]:
    """Compares the mask of the first row, the full sentence, with those of the rows that lack one word each."""
    whole = _post_process(processor, full.mask_logits, full.no_target_logits, pair)
    mask, score = whole["masks"][0], float(whole["scores"][0])
    num_rows, length = sentences["input_ids"].shape
    if num_rows == 1:
        return tuple(WordImportance(word, 1.0, score) for word in words)
    step = max(1, TOKENS_A_CALL // length)
    weighed: list[WordImportance] = []
    for start in range(1, num_rows, step):
        outputs = _ask(model, pair, sentences, slice(start, start + step))
        without = _post_process(processor, outputs.mask_logits, outputs.no_target_logits, pair)["masks"]
        for logits, other in zip(outputs.mask_logits, without, strict=True):
            inside = processor.image_processor.sample_maps(logits[None], *pair.size)[0][mask].sigmoid()
            drop = score - float(inside.mean()) if len(inside) else 0.0
            weighed.append(WordImportance(words[len(weighed)], 1 - _iou(mask, other), drop))
    return tuple(weighed)


def _iou(mask: Any, other: Any) -> float:
    """Intersection over union of two boolean arrays or tensors; 1 if both are empty."""
    union = int((mask | other).sum())
    return int((mask & other).sum()) / union if union else 1.0


__all__ = [
    "ExpressionInspection",
    "InspectedPair",
    "WordImportance",
    "encode_for_inspection",
    "inspect_expression",
    "inspect_pair",
]
