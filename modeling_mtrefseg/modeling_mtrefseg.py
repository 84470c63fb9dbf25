# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""MTRefSeg-R1: segments the change that a sentence describes between two images of a place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from .configuration_mtrefseg import MTRefSegConfig
from .cpu_gradients_mtrefseg import is_captured
from .language_mtrefseg import (
    Projector,
    SegHead,
    SentenceLayout,
    cache_from,
    cache_name,
    check_absent,
    check_shapes,
    key_values_of,
    mean_states,
    packed_attention_mask,
    packed_positions,
)
from .outputs_mtrefseg import KeyValues, MTRefSegOutput, MTRefSegPairEncoding
from .vision_model_mtrefseg import MTRefSegPreTrainedModel, MTRefSegVisionModel


if TYPE_CHECKING:  # makes save_pretrained copy the pipeline's code next to the weights
    from .pipeline_mtrefseg import MTRefSegPipeline  # noqa: F401


# Up to this many rows, the sentences of a pair stay together in one row: splitting would gain little.
_FEW_ROWS = 4


class MTRefSegModel(MTRefSegPreTrainedModel):
    """
    MTRefSeg-R1 (https://huggingface.co/papers/2606.00987): two images and sentences in, one mask per sentence out.

    The vision part ([`MTRefSegVisionModel`]) encodes a pair once. The language model reads the prompt with the tokens
    of both images once per pair, and then all sentences in parallel. The `[SEG]` head converts each sentence's
    state to a query, and the masked-attention decoder converts the query to a mask.

    Args:
        config ([`MTRefSegConfig`]): Configuration.

    Example:

    ```python
    >>> from transformers import AutoModel, AutoProcessor

    >>> processor = AutoProcessor.from_pretrained("mtrefseg-r1", trust_remote_code=True)
    >>> model = AutoModel.from_pretrained("mtrefseg-r1", trust_remote_code=True)
    >>> inputs = processor(images_t1="2019.png", images_t2="2024.png", text=["the new house by the road"])
    >>> outputs = model(**inputs)
    >>> results = processor.post_process_referring_segmentation(outputs, target_sizes=[(512, 512)])
    >>> results[0]["masks"].shape
    torch.Size([1, 512, 512])
    ```
    """

    def __init__(self, config: MTRefSegConfig) -> None:
        super().__init__(config)
        self.vision_model = MTRefSegVisionModel(config)
        vision_channels = self.vision_model.backbone.channels[-1]
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        text_fields, names = config.text_config.to_dict(), config.text_config.attribute_map
        limits = [text_fields.get(names.get(name, name)) for name in ("sliding_window", "max_position_embeddings")]
        self.max_text_length: float = min((limit for limit in limits if limit), default=float("inf"))
        self.projector = Projector(config, vision_channels)
        self.seg_head = SegHead(config, vision_channels)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The language model's token embeddings."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replaces the language model's token embeddings."""
        self.language_model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """The language model's output layer."""
        return self.language_model.get_output_embeddings()

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replaces the language model's output layer."""
        self.language_model.set_output_embeddings(new_embeddings)

    def enable_input_require_grads(self) -> None:
        """Lets gradients flow through a frozen language model into adapters, under gradient checkpointing."""
        self.language_model.enable_input_require_grads()

    def disable_input_require_grads(self) -> None:
        """Reverts [`~MTRefSegModel.enable_input_require_grads`]."""
        self.language_model.disable_input_require_grads()

    def encode_pair(
        self,
        pixel_values_t1: Tensor | None = None,
        pixel_values_t2: Tensor | None = None,
        prompt_input_ids: Tensor | None = None,
        prompt_attention_mask: Tensor | None = None,
        feature_maps: Sequence[Tensor] | None = None,
    ) -> MTRefSegPairEncoding:
        """
        Computes what all sentences of a pair share.

        Args:
            pixel_values_t1, pixel_values_t2 (`Tensor` of shape `(batch_size, 3, height, width)`, *optional*):
                The earlier and the later image; not needed with `feature_maps`.
            prompt_input_ids, prompt_attention_mask (`Tensor` of shape `(batch_size, prompt_length)`, *optional*):
                The prompt before the sentence. If given, the language model reads it now, once for all later
                sentences; otherwise, each `forward` reads it again with its sentences.
            feature_maps (`Sequence` of `Tensor` of shape `(2 * batch_size, channels, height, width)`, *optional*):
                Feature maps of the backbone at strides 4, 8, 16 and 32, first of all t1, then of all t2, instead of
                the images. An image that belongs to several pairs then passes through the backbone only once.

        Returns:
            [`MTRefSegPairEncoding`]: If `feature_maps` are given, `image_colors` and `change_logits` are missing, and
            post-processing can neither select by colour nor fall back to the closest changes.

        Raises:
            `ValueError`: Inputs are missing or inconsistent; the message names them.
        """
        encoding = self._encode_images(pixel_values_t1, pixel_values_t2, feature_maps)
        if prompt_input_ids is not None:
            embeddings, prompt_mask = self._embed_prompt(encoding, prompt_input_ids, prompt_attention_mask)
            encoding.prompt_key_values = self.read_prompt(embeddings, prompt_mask)
            encoding.prompt_mask = prompt_mask
        return encoding

    def forward(
        self,
        pixel_values_t1: Tensor | None = None,
        pixel_values_t2: Tensor | None = None,
        prompt_input_ids: Tensor | None = None,
        prompt_attention_mask: Tensor | None = None,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        query_mask: Tensor | None = None,
        num_expressions: Tensor | None = None,
        object_choices: Tensor | None = None,
        pair_encoding: MTRefSegPairEncoding | None = None,
        labels: Tensor | None = None,
        text_labels: Tensor | None = None,
        change_labels: Tensor | None = None,
        output_layer_masks: bool = False,
        output_attentions: bool = False,
    ) -> MTRefSegOutput:
        """
        Args:
            pixel_values_t1, pixel_values_t2 (`Tensor` of shape `(batch_size, 3, height, width)`, *optional*):
                The earlier and the later image; not needed with `pair_encoding`.
            prompt_input_ids, prompt_attention_mask (`Tensor` of shape `(batch_size, prompt_length)`, *optional*):
                The prompt before the sentence, with placeholders for both images; not needed if `pair_encoding`
                already contains it.
            input_ids, attention_mask, query_mask (`Tensor` of shape `(num_sentences, sentence_length)`, *optional*):
                The sentences of all pairs, one after another, each with its suffix and answer; which positions are
                tokens and not padding (default: all); and which positions are averaged into the query (default: all
                tokens). Without sentences, every change is segmented (stage 1), and `object_choices`, `text_labels`
                and `change_labels` are rejected.
            num_expressions (`Tensor` of shape `(batch_size,)`, *optional*):
                Number of sentences of each pair, which may be 0. Defaults to one per pair.
            object_choices (`Tensor` of shape `(num_sentences, 20)`, *optional*):
                Passed to the output, for [`~MTRefSegProcessor.post_process_referring_segmentation`].
            pair_encoding ([`MTRefSegPairEncoding`], *optional*):
                Output of [`~MTRefSegModel.encode_pair`] for these pairs.
            labels (`Tensor` of shape `(num_sentences, height, width)`, *optional*):
                1 for pixels of the described change, 0 elsewhere.
            text_labels (`Tensor` of shape `(num_sentences, sentence_length)`, *optional*):
                The tokens of `input_ids` that the language model should predict, -100 elsewhere.
            change_labels (`Tensor` of shape `(batch_size, height, width)`, *optional*):
                1 where anything changed, 0 elsewhere; -1 everywhere for a pair whose changes are unknown. Trains the
                learned query of stage 1 together with the sentences.
            output_layer_masks (`bool`, *optional*, defaults to `False`):
                Whether to return the masks of every decoder layer.
            output_attentions (`bool`, *optional*, defaults to `False`):
                Whether to return the `[SEG]` query's cross-attention maps.

        Returns:
            [`MTRefSegOutput`]: One row per sentence, in the order of `input_ids`; without sentences one per pair.

        Raises:
            `ValueError`: Inputs are inconsistent; the message names them.
        """
        if input_ids is None:
            check_absent(object_choices=object_choices, text_labels=text_labels, change_labels=change_labels)
            return self.vision_model(
                pixel_values_t1,
                pixel_values_t2,
                pair_encoding,
                labels,
                output_layer_masks=output_layer_masks,
                output_attentions=output_attentions,
            )
        if pair_encoding is None:
            pair_encoding = self._encode_images(pixel_values_t1, pixel_values_t2)
        check_shapes(input_ids, attention_mask=attention_mask, query_mask=query_mask, text_labels=text_labels)
        layout = SentenceLayout.of(input_ids, num_expressions, pair_encoding.batch_size)
        queries, states = self._query(
            pair_encoding, prompt_input_ids, prompt_attention_mask, input_ids, attention_mask, query_mask, layout
        )
        output, layer_masks = self._decode(
            pair_encoding, queries, layout, labels is not None, output_layer_masks, output_attentions
        )
        if object_choices is not None:
            output.object_choices, output.image_colors = object_choices, pair_encoding.image_colors
        output.change_logits = pair_encoding.change_logits
        output.seg_embedding = layout.flatten(queries)
        if layer_masks is not None and labels is not None:
            self.vision_model.add_mask_losses(output, layer_masks, labels)
        if text_labels is not None:
            output.loss_language = self.config.language_weight * self._language_loss(states, text_labels)
            output.loss = output.loss_language if output.loss is None else output.loss + output.loss_language
        if change_labels is not None:
            output.loss_change = self.vision_model(pair_encoding=pair_encoding, labels=change_labels).loss
            output.loss = output.loss_change if output.loss is None else output.loss + output.loss_change
        return output

    def embed_sentences(
        self,
        pair_encoding: MTRefSegPairEncoding,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        query_mask: Tensor | None = None,
        num_expressions: Tensor | None = None,
        prompt_input_ids: Tensor | None = None,
        prompt_attention_mask: Tensor | None = None,
    ) -> Tensor:
        """
        Computes the queries of sentences (`seg_embedding` of [`MTRefSegOutput`]) without decoding masks.

        Args:
            pair_encoding ([`MTRefSegPairEncoding`]):
                The pairs. `fused_features` and both `coarse_features` are enough; the images for the language model
                are computed from these and added to the encoding if they are missing.

        Other arguments are those of `forward`.

        Returns:
            `Tensor` of shape `(num_sentences, hidden_size)`: One query per sentence.

        Raises:
            `ValueError`: Inputs are inconsistent; the message names them.
        """
        if pair_encoding.image_tokens_t1 is None and pair_encoding.prompt_key_values is None:
            self._add_image_tokens(pair_encoding)
        check_shapes(input_ids, attention_mask=attention_mask, query_mask=query_mask)
        layout = SentenceLayout.of(input_ids, num_expressions, pair_encoding.batch_size)
        queries, _ = self._query(
            pair_encoding, prompt_input_ids, prompt_attention_mask, input_ids, attention_mask, query_mask, layout
        )
        return layout.flatten(queries)

    @torch.no_grad()
    def generate_and_segment(
        self,
        prompt_input_ids: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        query_mask: Tensor,
        pixel_values_t1: Tensor | None = None,
        pixel_values_t2: Tensor | None = None,
        prompt_attention_mask: Tensor | None = None,
        num_expressions: Tensor | None = None,
        pair_encoding: MTRefSegPairEncoding | None = None,
        max_new_tokens: int = 16,
        **generation_options: Any,
    ) -> MTRefSegOutput:
        """
        Lets the language model generate the answer, adds its first `[SEG]` to the query, and segments. A sentence
        whose answer has no `[SEG]` gets an empty mask (`has_seg` is False). If the answer equals that of the prompt
        template, the masks are the same as those of `forward`; with a template that contains `[SEG]` in the question,
        they always are.

        Args:
            input_ids, attention_mask, query_mask (`Tensor` of shape `(num_sentences, sentence_length)`):
                From `processor(..., generation=True)`: the sentences without an answer.
            max_new_tokens (`int`, *optional*, defaults to 16): Longest answer.
            generation_options: Further arguments of `generate`; greedy by default.

        Other arguments are those of `forward`, but the prompt is always needed. It is read again for each sentence,
        because the answers are written by the library's `generate`.

        Returns:
            [`MTRefSegOutput`]: With `sequences` and `has_seg`, without losses.

        Raises:
            `ValueError`: `generation_options` ask for several answers per sentence or for another kind of result, or
                inputs are inconsistent.
        """
        if refused := {"num_return_sequences", "return_dict_in_generate"} & generation_options.keys():
            raise ValueError(f"generate_and_segment segments one answer per sentence; leave out {sorted(refused)}.")
        if pair_encoding is None:
            pair_encoding = self._encode_images(pixel_values_t1, pixel_values_t2)
        layout = SentenceLayout.of(input_ids, num_expressions, pair_encoding.batch_size)
        prompt_embeddings, prompt_mask = self._embed_prompt(pair_encoding, prompt_input_ids, prompt_attention_mask)
        embeddings = torch.cat([prompt_embeddings[layout.pair_index], self.embed_tokens(input_ids)], dim=1)
        mask = torch.cat([prompt_mask[layout.pair_index], attention_mask], dim=1)
        sequences = self._generate(embeddings, mask, {"max_new_tokens": max_new_tokens, **generation_options})
        # If the question already contains [SEG], as in the reference, the answer is not used.
        asks_with_seg = (input_ids == self.config.seg_token_id).any(1)
        is_seg = (sequences == self.config.seg_token_id) & ~asks_with_seg[:, None]
        first_seg = is_seg & (is_seg.cumsum(1) == 1)
        has_seg = is_seg.any(1) | asks_with_seg
        # Tokens after the [SEG], and answers without one, do not affect the mask.
        answer_mask = (first_seg.flip(1).cumsum(1).flip(1) > 0).to(attention_mask.dtype)
        output = self(
            pair_encoding=pair_encoding,
            prompt_input_ids=prompt_input_ids,
            prompt_attention_mask=prompt_attention_mask,
            input_ids=torch.cat([input_ids, sequences], dim=1),
            attention_mask=torch.cat([attention_mask, answer_mask], dim=1),
            query_mask=torch.cat([query_mask, first_seg.to(query_mask.dtype)], dim=1),
            num_expressions=num_expressions,
        )
        floor = torch.finfo(output.mask_logits.dtype).min
        output.mask_logits = output.mask_logits.masked_fill(~has_seg[:, None, None], floor)
        output.no_target_logits = output.no_target_logits.masked_fill(~has_seg, -floor)
        output.sequences, output.has_seg = sequences, has_seg
        return output

    def embed_tokens(self, input_ids: Tensor) -> Tensor:
        """
        Token embeddings. Image placeholders, which may be beyond the vocabulary, get the embedding of token 0.

        Args:
            input_ids (`Tensor` of shape `(batch_size, length)`): Token ids.

        Returns:
            `Tensor` of shape `(batch_size, length, text_hidden_size)`.
        """
        is_image = (input_ids == self.config.image_t1_token_id) | (input_ids == self.config.image_t2_token_id)
        return self.get_input_embeddings()(input_ids.masked_fill(is_image, 0))

    def read_prompt(self, embeddings: Tensor, prompt_mask: Tensor) -> KeyValues:
        """
        One pass of the language model over a prompt.

        Args:
            embeddings (`Tensor` of shape `(batch_size, prompt_length, text_hidden_size)`):
                The prompt, with the tokens of both images inserted.
            prompt_mask (`Tensor` of shape `(batch_size, prompt_length)`): 1 for tokens, 0 for padding.

        Returns:
            `tuple`: Keys and values of each layer, `(batch_size, num_heads, prompt_length, head_size)` each.
        """
        no_sentence = prompt_mask.new_zeros(prompt_mask.shape[0], 0, 0)
        _, key_values = self.read_tokens(embeddings, prompt_mask, no_sentence, use_cache=True)
        assert key_values is not None
        return key_values

    def read_tokens(
        self,
        embeddings: Tensor,
        prompt_mask: Tensor,
        sentence_mask: Tensor,
        prompt_key_values: KeyValues | None = None,
        use_cache: bool = False,
    ) -> tuple[Tensor, KeyValues | None]:
        """
        One pass of the language model over a prompt and the sentences after it; or only over the sentences,
        with the keys and values of the prompt. An attention mask keeps the sentences of a pair apart.

        Args:
            embeddings (`Tensor` of shape `(batch_size, length, text_hidden_size)`):
                The prompt, if `prompt_key_values` are not given, and the sentences one after the other.
            prompt_mask (`Tensor` of shape `(batch_size, prompt_length)`): 1 for tokens, 0 for padding.
            sentence_mask (`Tensor` of shape `(batch_size, max_expressions, sentence_length)`): The same.
            prompt_key_values (`tuple`, *optional*): Result of [`~MTRefSegModel.read_prompt`].
            use_cache (`bool`, *optional*, defaults to `False`): Whether to return keys and values.

        Returns:
            `Tensor` of shape `(batch_size, length, text_hidden_size)`: Last hidden states.
            `tuple` or `None`: Keys and values of each layer, with `use_cache`.

        Raises:
            `ValueError`: If prompt and sentence are longer than the language model's context, or if keys and values
                are needed while gradient checkpointing drops them.
        """
        self._check_reading(prompt_mask, sentence_mask, use_cache or prompt_key_values is not None)
        positions = packed_positions(prompt_mask, sentence_mask)
        mask = packed_attention_mask(prompt_mask, sentence_mask, embeddings.dtype)
        length = embeddings.shape[1]
        decoder = self.language_model.get_decoder()
        name = cache_name(decoder)
        output = decoder(
            inputs_embeds=embeddings,
            attention_mask=mask[:, :, mask.shape[2] - length :],
            position_ids=positions[:, positions.shape[1] - length :],
            **{name: None if prompt_key_values is None else cache_from(prompt_key_values)},
            use_cache=use_cache or prompt_key_values is not None,
        )
        return output.last_hidden_state, key_values_of(getattr(output, name)) if use_cache else None

    def _generate(self, embeddings: Tensor, mask: Tensor, options: dict[str, Any]) -> Tensor:
        """Token ids that the language model writes after each row, greedy by default."""
        if not len(embeddings):
            return mask.new_zeros(0, 0)
        # Tokens to the right, padding to the left: `generate` continues from the last position.
        order = mask.argsort(dim=1, stable=True)
        return self.language_model.generate(
            inputs_embeds=embeddings.gather(1, order.unsqueeze(-1).expand_as(embeddings)),
            attention_mask=mask.gather(1, order),
            **{"do_sample": False, **options},
        )

    def _encode_images(
        self,
        pixel_values_t1: Tensor | None,
        pixel_values_t2: Tensor | None,
        feature_maps: Sequence[Tensor] | None = None,
    ) -> MTRefSegPairEncoding:
        size = self.config.image_size
        is_tied = self.config.projector_norm == "spatial" and pixel_values_t1 is not None
        if is_tied and tuple(pixel_values_t1.shape[-2:]) != (size, size):
            raise ValueError(
                f"Images are {tuple(pixel_values_t1.shape[-2:])}, but projector_norm='spatial' ties the weights to "
                f"image_size={size}."
            )
        if feature_maps is None:
            encoding = self.vision_model.encode_pair(pixel_values_t1, pixel_values_t2)
            encoding.image_colors = torch.stack(
                [nn.functional.avg_pool2d(pixels, 4) for pixels in (pixel_values_t1, pixel_values_t2)], dim=1
            )
            if not self.training:
                encoding.change_logits = self.vision_model(pair_encoding=encoding).mask_logits
        else:
            encoding = self.vision_model.encode_features(feature_maps)
        self._add_image_tokens(encoding)
        return encoding

    def _add_image_tokens(self, encoding: MTRefSegPairEncoding) -> None:
        """Adds the images for the language model to an encoding, from the backbone's coarsest level."""
        tokens = self.projector(torch.cat([encoding.coarse_features_t1, encoding.coarse_features_t2]))
        encoding.image_tokens_t1, encoding.image_tokens_t2 = tokens.unflatten(0, (2, -1)).unbind()

    def _embed_prompt(
        self, encoding: MTRefSegPairEncoding, prompt_input_ids: Tensor | None, prompt_attention_mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Embeddings of the prompt with the tokens of both images inserted, and its attention mask."""
        if prompt_input_ids is None or len(prompt_input_ids) != encoding.batch_size:
            given = "missing" if prompt_input_ids is None else f"of {len(prompt_input_ids)} rows"
            raise ValueError(
                f"prompt_input_ids is {given}; one row for each of {encoding.batch_size} pairs is needed."
            )
        embeddings = self.embed_tokens(prompt_input_ids)
        for name, token_id, tokens in (
            ("t1", self.config.image_t1_token_id, encoding.image_tokens_t1),
            ("t2", self.config.image_t2_token_id, encoding.image_tokens_t2),
        ):
            is_image = prompt_input_ids == token_id
            counts = is_image.sum(1)
            if (counts != tokens.shape[1]).any():
                raise ValueError(
                    f"prompt_input_ids holds {counts.tolist()} placeholders of image {name} (token id {token_id}) for "
                    f"{tokens.shape[1]} image tokens per pair; processor and model do not match (num_image_tokens, "
                    "image size or token ids)."
                )
            embeddings = embeddings.masked_scatter(is_image.unsqueeze(-1), tokens.to(embeddings.dtype))
        if prompt_attention_mask is None:
            prompt_attention_mask = torch.ones_like(prompt_input_ids)
        return embeddings, prompt_attention_mask

    def _query(
        self,
        encoding: MTRefSegPairEncoding,
        prompt_input_ids: Tensor | None,
        prompt_attention_mask: Tensor | None,
        input_ids: Tensor,
        attention_mask: Tensor | None,
        query_mask: Tensor | None,
        layout: SentenceLayout,
    ) -> tuple[Tensor, Tensor]:
        """Queries, `(batch_size, max_expressions, hidden_size)`, and the states of which they are averages."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        states = self._read_sentences(
            encoding, prompt_input_ids, prompt_attention_mask, input_ids, attention_mask, layout
        )
        pooled = mean_states(states, attention_mask if query_mask is None else query_mask)
        return self.seg_head(layout.pad(pooled), encoding.fused_features), states

    def _read_sentences(
        self,
        encoding: MTRefSegPairEncoding,
        prompt_input_ids: Tensor | None,
        prompt_attention_mask: Tensor | None,
        input_ids: Tensor,
        attention_mask: Tensor,
        layout: SentenceLayout,
    ) -> Tensor:
        """Last hidden states of the sentences, `(num_sentences, sentence_length, text_hidden_size)`."""
        prompt_mask, key_values, prompt = encoding.prompt_mask, encoding.prompt_key_values, None
        if key_values is None:
            prompt, prompt_mask = self._embed_prompt(encoding, prompt_input_ids, prompt_attention_mask)
        if longest := self._sentences_per_row(layout, prompt_mask.shape[1], input_ids.shape[1]):
            if key_values is None:
                key_values, prompt = self.read_prompt(prompt, prompt_mask), None
            layout, pair = layout.split(longest)
            prompt_mask = prompt_mask[pair]
            key_values = tuple((keys[pair], values[pair]) for keys, values in key_values)
        sentence_mask = layout.pad(attention_mask)
        embeddings = layout.pad(self.embed_tokens(input_ids)).flatten(1, 2)
        if prompt is not None:
            embeddings = torch.cat([prompt, embeddings], dim=1)
        states, _ = self.read_tokens(embeddings, prompt_mask, sentence_mask, key_values)
        states = states[:, states.shape[1] - sentence_mask[0].numel() :]
        return layout.flatten(states.unflatten(1, sentence_mask.shape[1:]))

    def _sentences_per_row(self, layout: SentenceLayout, prompt_length: int, sentence_length: int) -> int | None:
        """
        The largest number of sentences of a pair that share a row; `None` for all. In one long row, attention compares
        every token with those of all other sentences, and masks the results. Each row needs the prompt; rows about
        as long as the prompt keep both this waste and the copies of the prompt small.
        """
        is_checkpointing = self.training and self.language_model.get_decoder().gradient_checkpointing
        if is_checkpointing or is_captured():
            return None
        longest = max(1, prompt_length // max(sentence_length, 1))
        return longest if layout.max_expressions > _FEW_ROWS * longest else None

    def _check_reading(self, prompt_mask: Tensor, sentence_mask: Tensor, uses_cache: bool) -> None:
        length = prompt_mask.shape[1] + sentence_mask.shape[2]
        if length > self.max_text_length:
            raise ValueError(
                f"A prompt of {prompt_mask.shape[1]} and a sentence of {sentence_mask.shape[2]} tokens are longer "
                f"than the {self.max_text_length} that the language model sees at once (sliding_window or "
                "max_position_embeddings of text_config)."
            )
        if uses_cache and self.training and self.language_model.get_decoder().gradient_checkpointing:
            raise ValueError(
                "Gradient checkpointing drops the keys and values of the prompt: in training, leave prompt_input_ids "
                "out of encode_pair and give them to forward."
            )

    def _decode(
        self,
        encoding: MTRefSegPairEncoding,
        queries: Tensor,
        layout: SentenceLayout,
        has_labels: bool,
        output_layer_masks: bool,
        output_attentions: bool,
    ) -> tuple[MTRefSegOutput, Tensor | None]:
        """The output for queries, and the masks of every layer, which the losses need, with one row per sentence."""
        decoded = self.vision_model.mask_decoder(
            encoding.features,
            queries.unsqueeze(2),
            output_layer_masks=output_layer_masks or has_labels,
            output_attentions=output_attentions,
        )
        layer_masks = None
        if decoded.layer_mask_logits is not None:
            # (num_layers + 1, num_sentences, height / 4, width / 4)
            layer_masks = decoded.layer_mask_logits.squeeze(3)[:, layout.pair_index, layout.slot]
        states = layout.flatten(decoded.query_states.squeeze(2))
        output = MTRefSegOutput(
            mask_logits=layout.flatten(decoded.mask_logits.squeeze(2)),
            no_target_logits=self.vision_model.no_target_head(states).squeeze(-1),
            num_expressions=layout.num_expressions,
            layer_mask_logits=layer_masks if output_layer_masks else None,
            cross_attentions=tuple(layout.flatten(maps.squeeze(2)) for maps in decoded.cross_attentions)
            if output_attentions
            else None,
        )
        return output, layer_masks

    def _language_loss(self, states: Tensor, text_labels: Tensor) -> Tensor:
        """Cross entropy of the supervised tokens; the output layer only runs where a token is predicted."""
        targets = text_labels[:, 1:]
        supervised = targets != -100
        logits = self.get_output_embeddings()(states[:, :-1][supervised]).float()
        loss = nn.functional.cross_entropy(logits, targets[supervised], reduction="sum")
        return loss / supervised.sum().clamp(min=1)


MTRefSegModel.register_for_auto_class("AutoModel")
__all__ = ["MTRefSegModel"]
