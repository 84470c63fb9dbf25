# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The exported computations as modules: encode a pair, segment sentences with an encoding, find every change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from modeling_mtrefseg.language_mtrefseg import mean_states
from modeling_mtrefseg.modeling_mtrefseg import MTRefSegModel
from modeling_mtrefseg.outputs_mtrefseg import MaskFeatures, MTRefSegPairEncoding
from modeling_mtrefseg.vision_model_mtrefseg import MTRefSegVisionModel

from .names import ANSWER, ANSWERS, CHANGES, ENCODE, FEATURES, PAIR, PROMPT, SENTENCES, TEXT_ENCODING


class _ModelGraph(nn.Module):
    """
    A part of the computation of a model, with only tensors as inputs and outputs.

    Args:
        model ([`MTRefSegModel`]): Result of [`prepare`].
    """

    def __init__(self, model: MTRefSegModel) -> None:
        super().__init__()
        self.model = model


class EncodePair(_ModelGraph):
    """Computes what all sentences of a pair share; see [`~MTRefSegModel.encode_pair`]."""

    def forward(
        self, pixel_values_t1: Tensor, pixel_values_t2: Tensor, prompt_input_ids: Tensor, prompt_attention_mask: Tensor
    ) -> tuple[Tensor, ...]:
        """
        Encodes the images and reads the prompt.

        Args:
            pixel_values_t1, pixel_values_t2 (`Tensor` of shape `(batch_size, 3, height, width)`): The images.
            prompt_input_ids, prompt_attention_mask (`Tensor` of shape `(batch_size, prompt_length)`): The prompt.

        Returns:
            `tuple`: The tensors that `FEATURES` and `TEXT_ENCODING` name. Keys and values have the shape
            `(batch_size, num_layers, num_heads, prompt_length, head_size)`.
        """
        encoding = self.model.encode_pair(pixel_values_t1, pixel_values_t2)
        key_values = self.model.read_prompt(self._embed_prompt(prompt_input_ids, encoding), prompt_attention_mask)
        features: Any = encoding.features
        return (
            features.mask_features,
            *features.multi_scale_features,
            *features.attention_mask_features,
            encoding.fused_features,
            torch.stack([keys for keys, _ in key_values], dim=1),
            torch.stack([values for _, values in key_values], dim=1),
        )

    def _embed_prompt(self, prompt_input_ids: Tensor, encoding: MTRefSegPairEncoding) -> Tensor:
        """
        Embeddings of the prompt, with the tokens of both images inserted. The model's own method for it checks
        the number of placeholders, which is data-dependent control flow that a graph cannot contain.
        """
        config = self.model.config
        embeddings = self.model.embed_tokens(prompt_input_ids)
        for token_id, tokens in (
            (config.image_t1_token_id, encoding.image_tokens_t1),
            (config.image_t2_token_id, encoding.image_tokens_t2),
        ):
            assert tokens is not None
            is_image = prompt_input_ids == token_id
            number = (is_image.long().cumsum(1) - 1).clamp(min=0).unsqueeze(-1).expand(-1, -1, tokens.shape[-1])
            embeddings = torch.where(is_image.unsqueeze(-1), tokens.gather(1, number), embeddings)
        return embeddings


class AnswerSentences(_ModelGraph):
    """Segments the changes that sentences describe, with the encoding of their pairs."""

    def forward(
        self,
        mask_features: Tensor,
        features_32: Tensor,
        features_16: Tensor,
        features_8: Tensor,
        attention_features_32: Tensor,
        attention_features_16: Tensor,
        attention_features_8: Tensor,
        fused_features: Tensor,
        prompt_keys: Tensor,
        prompt_values: Tensor,
        prompt_attention_mask: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        query_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """
        Reads the sentences and decodes their masks.

        Args:
            prompt_attention_mask (`Tensor` of shape `(batch_size, prompt_length)`): The same as for [`EncodePair`].
            input_ids, attention_mask, query_mask (`Tensor` of shape `(batch_size, num_expressions, length)`):
                The sentences of each pair, as the processor makes them. Rows of zeros are no sentences.

        Other arguments are outputs of [`EncodePair`].

        Returns:
            `tuple`: Mask logits `(batch_size, num_expressions, height / 4, width / 4)` and no-target logits
            `(batch_size, num_expressions)`.
        """
        batch_size, count = input_ids.shape[:2]
        keys, values = (
            states.unsqueeze(1).expand(-1, count, -1, -1, -1, -1).flatten(0, 1)
            for states in (prompt_keys, prompt_values)
        )
        # Every sentence is a separate row, with the keys and values of its pair's prompt.
        states, _ = self.model.read_tokens(
            self.model.embed_tokens(input_ids.flatten(0, 1)),
            prompt_attention_mask.unsqueeze(1).expand(-1, count, -1).flatten(0, 1),
            attention_mask.flatten(0, 1).unsqueeze(1),
            tuple(zip(keys.unbind(1), values.unbind(1))),
        )
        pooled = mean_states(states, query_mask.flatten(0, 1))
        queries = self.model.seg_head(pooled.unflatten(0, (batch_size, count)), fused_features)
        features = MaskFeatures(
            mask_features=mask_features,
            multi_scale_features=(features_32, features_16, features_8),
            attention_mask_features=(attention_features_32, attention_features_16, attention_features_8),
        )
        vision = self.model.vision_model
        decoded = vision.mask_decoder(features, queries.unsqueeze(2))
        no_target = vision.no_target_head(decoded.query_states.squeeze(2)).squeeze(-1)
        return decoded.mask_logits.squeeze(2), no_target


class FindChanges(nn.Module):
    """
    Segments every change, without a sentence.

    Args:
        vision_model ([`MTRefSegVisionModel`]): The vision part of the model that [`prepare`] returned. The graph
            contains no weights of the language part.
    """

    def __init__(self, vision_model: MTRefSegVisionModel) -> None:
        super().__init__()
        self.vision_model = vision_model

    # The argument names become the names of the graph's inputs.
    def forward(
        self,
        mask_features: Tensor,
        features_32: Tensor,
        features_16: Tensor,
        features_8: Tensor,
        attention_features_32: Tensor,
        attention_features_16: Tensor,
        attention_features_8: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """
        Decodes the masks. The arguments are outputs of [`EncodePair`].

        Returns:
            `tuple`: Mask logits `(batch_size, 1, height / 4, width / 4)` and no-target logits `(batch_size, 1)`.
        """
        features = MaskFeatures(
            mask_features=mask_features,
            multi_scale_features=(features_32, features_16, features_8),
            attention_mask_features=(attention_features_32, attention_features_16, attention_features_8),
        )
        decoded = self.vision_model.mask_decoder(features, num_masks=1)
        return decoded.mask_logits[:, 0], self.vision_model.no_target_head(decoded.query_states[:, 0, :1]).squeeze(-1)


@dataclass(frozen=True)
class Graph:
    """
    A graph exported by PyTorch.

    Args:
        name (`str`): "encode", "answer" or "changes".
        program (`ExportedProgram`): The graph.
        inputs (`dict[str, Tensor]`): Example inputs by name, in order.
        outputs (`tuple[str, ...]`): Names of the outputs.
    """

    name: str
    program: ExportedProgram
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


@torch.no_grad()
def trace(model: MTRefSegModel, inputs: dict[str, Tensor], open_sizes: bool) -> Iterator[Graph]:
    """
    Exports the graphs.

    Args:
        model ([`MTRefSegModel`]): Result of [`prepare`].
        inputs (`dict[str, Tensor]`): Output of the processor for two pairs with three sentences each.
        open_sizes (`bool`): Whether height and width of the images are dynamic; otherwise they are fixed to those of
            `inputs`.

    Yields:
        [`Graph`]: One after another. The number of pairs, the number of sentences per pair, and the lengths of
            sentences and prompt are dynamic.
    """
    batch, count, length, prompt = (Dim(name) for name in ("batch", "expressions", "length", "prompt_length"))
    rows, columns = (Dim("rows", max=256), Dim("columns", max=256)) if open_sizes else (None, None)
    tokens: dict[int, Any] = {0: batch, 1: count, 2: length}

    def image(cells: int) -> dict[int, Any]:
        """Dynamic axes of features that have `cells` cells in each direction for one cell of stride 32."""
        return {0: batch} | ({} if rows is None or columns is None else {2: cells * rows, 3: cells * columns})

    encoder = EncodePair(model)
    first = {name: inputs[name] for name in (*PAIR, *PROMPT)}
    encoding = dict(zip((*FEATURES, *TEXT_ENCODING), encoder(*first.values())))
    features = [image(cells) for cells in (8, 1, 2, 4, 1, 2, 4)]
    yield _graph(
        ENCODE, encoder, first, tuple(encoding), [image(32), image(32), {0: batch, 1: prompt}, {0: batch, 1: prompt}]
    )
    sentences = {name: inputs[name].unflatten(0, (first[PAIR[0]].shape[0], -1)) for name in SENTENCES}
    mask = {PROMPT[1]: first[PROMPT[1]]}
    shapes = [*features, image(1), {0: batch, 3: prompt}, {0: batch, 3: prompt}, {0: batch, 1: prompt}, *[tokens] * 3]
    yield _graph(ANSWER, AnswerSentences(model), {**encoding, **mask, **sentences}, ANSWERS, shapes)
    yield _graph(
        CHANGES, FindChanges(model.vision_model), {name: encoding[name] for name in FEATURES}, ANSWERS, features
    )


def _graph(
    name: str, module: nn.Module, inputs: dict[str, Tensor], outputs: tuple[str, ...], shapes: list[dict[int, Any]]
) -> Graph:
    program = torch.export.export(module, tuple(inputs.values()), dynamic_shapes=tuple(shapes), strict=False)
    return Graph(name, program, inputs, outputs)
