# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Encodes sentences and prompts as arrays of token ids. Needs neither PyTorch nor transformers, so that exported
models use the same code.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .object_choice_mtrefseg import NUM_CHOICE_VALUES, split_sentence
from .plain_sentences_mtrefseg import with_change
from .prompt_mtrefseg import PromptTemplate


_PLACEHOLDERS = re.compile(r"(<image_t1>|<image_t2>|\[SEG\])")
_IGNORED_LABEL = -100


@dataclass(frozen=True)
class SentenceEncoder:
    """
    Converts sentences to the model's inputs.

    Args:
        template ([`PromptTemplate`]): Wording of the prompt.
        tokenize (`Callable`): Returns the token ids of several texts, without special tokens.
        placeholder_ids (`dict[str, int]`): Token ids of "<image_t1>", "<image_t2>" and "[SEG]".
        num_image_tokens (`int`): Number of tokens of each image in the prompt.
        special_tokens (`list[str]`): Tokens that a sentence must not contain.
        pad_token_id, eos_token_id (`int`): Token ids of padding and of the end of text.
        max_length (`int`): Longest prompt with a sentence and an answer, in tokens.
        padding_side (`str`): "left" or "right".
    """

    template: PromptTemplate
    tokenize: Callable[[list[str]], list[list[int]]]
    placeholder_ids: dict[str, int]
    num_image_tokens: int
    special_tokens: list[str]
    pad_token_id: int
    eos_token_id: int
    max_length: int
    padding_side: str

    @property
    def seg_token_id(self) -> int:
        """`int`: Id of the `[SEG]` token."""
        return self.placeholder_ids["[SEG]"]

    def encode(
        self,
        expressions: list[list[str]],
        domain: str | Sequence[str | None] | None = None,
        training: bool = False,
        generation: bool = False,
        choose_objects: bool = False,
    ) -> dict[str, np.ndarray]:
        """
        Prepares the sentences of pairs.

        Args:
            expressions (`list[list[str]]`): The sentences of each pair.
            domain (`str` or `list[str]`, *optional*): Kind of scene of all pairs or of each pair.
            training (`bool`, *optional*, defaults to `False`): Whether the complete answer follows, with labels.
            generation (`bool`, *optional*, defaults to `False`): Whether sequences end before the answer.
            choose_objects (`bool`, *optional*, defaults to `False`): Whether colours, places and ranks are removed and
                "appeared" or "disappeared" is added; see [`MTRefSegProcessor`].

        Returns:
            `dict[str, np.ndarray]`: The text entries of [`MTRefSegProcessor`].

        Raises:
            TypeError: If a sentence is not a `str`.
            ValueError: If a domain is unknown, or a sentence is empty, too long, or contains a special token.
        """
        for pair, group in enumerate(expressions):
            for index, expression in enumerate(group):
                # Before words are removed or added: messages show the sentence as it was given.
                _check_expression(expression, pair, index, self.special_tokens)
        prompts = self._encode_prompts(domain, len(expressions))
        data = self._pad({"prompt_input_ids": prompts}, "prompt_attention_mask")
        if choose_objects:
            split = [[_split(text) for text in group] for group in expressions]
            expressions = [[asked for asked, _ in group] for group in split]
            values = [values for group in split for _, values in group]
            data["object_choices"] = np.array(values, dtype=np.float32).reshape(-1, NUM_CHOICE_VALUES)
        return data | self._encode_sentences(expressions, prompts, training, generation)

    def domains_of(self, domain: str | Sequence[str | None] | None, num_pairs: int) -> list[str | None]:
        """
        The domain of each pair.

        Args:
            domain (`str` or `list[str]`, *optional*): Kind of scene of all pairs or of each pair.
            num_pairs (`int`): Number of pairs.

        Raises:
            ValueError: If a domain is unknown, or they are not as many as the pairs.
        """
        domains = [domain] * num_pairs if domain is None or isinstance(domain, str) else list(domain)
        if len(domains) != num_pairs:
            raise ValueError(f"Got {len(domains)} domains for {num_pairs} pairs: give one for all, or one for each.")
        known = [*self.template["scenes"]]
        for name in domains:
            if name is not None and name not in known:
                raise ValueError(f"Unknown domain {name!r}: expected one of {', '.join(map(repr, known))}, or None.")
        return domains

    def _encode(self, *texts: str) -> list[list[int]]:
        """
        Token ids of parts of the template. The text between placeholders is tokenised piece by piece, so that no token
        crosses a boundary, and all sentences of a pair share exactly the same prompt.
        """
        pieces_of = [[piece for piece in _PLACEHOLDERS.split(text) if piece] for text in texts]
        ids_of = {
            name: [number] * (1 if name == "[SEG]" else self.num_image_tokens)
            for name, number in self.placeholder_ids.items()
        }
        # Each text once, and all in one call.
        plain = list({piece: None for pieces in pieces_of for piece in pieces if piece not in ids_of})
        if plain:
            ids_of |= zip(plain, self.tokenize(plain))
        return [[token for piece in pieces for token in ids_of[piece]] for pieces in pieces_of]

    def _encode_prompts(self, domain: str | Sequence[str | None] | None, num_pairs: int) -> list[list[int]]:
        """Token ids of the part before the sentences of each pair."""
        scenes, prefix = self.template["scenes"], self.template["prefix"]
        domains = self.domains_of(domain, num_pairs)
        return self._encode(
            *(prefix.replace("{scene}", scenes["unknown" if name is None else name]) for name in domains)
        )

    def _encode_sentences(
        self, expressions: list[list[str]], prompts: list[list[int]], training: bool, generation: bool
    ) -> dict[str, np.ndarray]:
        """The model inputs that have one row per sentence, and the number of sentences of each pair."""
        following, num_supervised = self._encode_following(training, generation)
        rows: dict[str, list[list[int]]] = {"input_ids": [], "query_mask": [], "text_labels": []}
        wording = self.template["expression"]
        texts = [wording.replace("{expression}", expression) for group in expressions for expression in group]
        sentences = iter(self._encode(*texts))
        for pair, group in enumerate(expressions):
            for index in range(len(group)):
                sentence = next(sentences)
                input_ids = sentence + following
                self._check_length(len(prompts[pair]), len(input_ids), pair, index)
                num_unsupervised = len(input_ids) - num_supervised
                rows["input_ids"].append(input_ids)
                rows["query_mask"].append([1] * len(sentence) + [int(i == self.seg_token_id) for i in following])
                rows["text_labels"].append([_IGNORED_LABEL] * num_unsupervised + input_ids[num_unsupervised:])
        if not num_supervised:
            del rows["text_labels"]
        counts = np.array([len(group) for group in expressions], dtype=np.int64)
        return {**self._pad(rows, "attention_mask"), "num_expressions": counts}

    def _encode_following(self, training: bool, generation: bool) -> tuple[list[int], int]:
        """Token ids after every sentence, and how many of them, at the end, are supervised."""
        template = self.template
        suffix, answer, answer_end = self._encode(template["suffix"], template["answer"], template["answer_end"])
        if generation:
            return suffix, 0
        if training:
            answer += [*answer_end, self.eos_token_id]
            return suffix + answer, len(answer)
        if "[SEG]" in template["expression"]:
            return [], 0
        return suffix + answer[: answer.index(self.seg_token_id) + 1], 0

    def _check_length(self, prompt_length: int, sentence_length: int, pair: int, index: int) -> None:
        longest = self.max_length - prompt_length
        if sentence_length > longest:
            raise ValueError(
                f"Sentence {index} of pair {pair} takes {sentence_length} tokens with its suffix, but "
                f"tokenizer.model_max_length={self.max_length} leaves {longest} after the "
                f"{prompt_length} of the prompt. Shorten it."
            )

    def _pad(self, rows: dict[str, list[list[int]]], attention_mask_name: str) -> dict[str, np.ndarray]:
        """Arrays of shape `(num_rows, longest row)`, padded on the tokenizer's side, with their attention mask."""
        padding = {"query_mask": 0, "text_labels": _IGNORED_LABEL, attention_mask_name: 0}
        first = next(iter(rows.values()))
        rows = {**rows, attention_mask_name: [[1] * len(row) for row in first]}
        length = max(map(len, first), default=0)
        padded = {}
        for name, sequences in rows.items():
            value = padding.get(name, self.pad_token_id)
            array = np.full((len(sequences), length), value, dtype=np.int64)
            for line, sequence in zip(array, sequences, strict=True):
                start = length - len(sequence) if self.padding_side == "left" else 0
                line[start : start + len(sequence)] = sequence
            padded[name] = array
        return padded


def _split(text: str) -> tuple[str, list[float]]:
    """The question for the model, and the choice among the objects that it finds, as numbers."""
    asked, choice = split_sentence(text)
    if choice is None or choice.is_count:
        return with_change(text), [0.0] * NUM_CHOICE_VALUES
    return with_change(asked), choice.to_values()


def is_blank(text: str) -> bool:
    """Whether a sentence has no visible characters: it is empty, or only contains white space, control characters and
    marks of direction or width."""
    return all(unicodedata.category(letter)[0] in "ZC" for letter in text)


def _check_expression(expression: Any, pair: int, index: int, special_tokens: list[str]) -> None:
    """Raise an error if a sentence is not text, is empty or broken, or could be mistaken for part of the prompt."""
    if not isinstance(expression, str):
        raise TypeError(f"Sentence {index} of pair {pair} must be a `str`, not {type(expression).__name__}.")
    if is_blank(expression):
        raise ValueError(f"Sentence {index} of pair {pair} is empty. Describe a change, or leave `text` out.")
    try:
        expression.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Sentence {index} of pair {pair} is not valid Unicode: {expression!r} contains an incomplete character."
        ) from error
    # The template's own placeholders count too: the tokenizer may know these tokens by other names.
    for token in [*_PLACEHOLDERS.findall(expression), *special_tokens]:
        if token in expression:
            raise ValueError(f"Sentence {index} of pair {pair} holds the special token {token!r}: {expression!r}.")


__all__ = ["SentenceEncoder", "is_blank"]
