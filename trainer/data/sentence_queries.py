# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Data for replacing the language part of a trained model: encoded pairs with the model's queries for their sentences.
Images are encoded once. Afterwards only text is processed, so training can use many more sentences.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Array3D, Dataset, Features, List, Value
from tqdm.auto import tqdm

from dataset_scripts.synthesis.words import Paraphraser
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.io import SCENES

from .samples import PairSample


IMAGE_FEATURES = ("fused_features", "coarse_features_t1", "coarse_features_t2")
"""
The stored tensors of an encoded pair: the coarsest level, which is the only visual input of language part and `[SEG]`
head.
"""
SENTENCES_PER_PAIR = 8
"""Maximum number of sentences of a pair in a batch."""


def make_query_table(
    pairs: Dataset, model: MTRefSegModel, processor: MTRefSegProcessor, cache_folder: str | Path
) -> Dataset:
    """
    Encodes pairs, and computes a model's queries for their sentences.

    Args:
        pairs (`Dataset`): Rows with a "sample" ([`PairSample`]); those without sentences are dropped.
        model ([`MTRefSegModel`]): The model whose language part is to be replaced, in evaluation mode.
        processor ([`MTRefSegProcessor`]): Its processor.
        cache_folder (`str` or `Path`): Folder of the table, at most half a megabyte per pair. A table that is already
            there is returned without a check.

    Returns:
        `Dataset`: One row per pair, on disk: `IMAGE_FEATURES` as float16, "expressions", "change_types", "domain" and
        "queries", `(num_expressions, hidden_size)`.
    """
    rows = _encode(pairs, model, processor)
    first = next(rows)
    shapes = {name: Array3D(first[name].shape, "float16") for name in IMAGE_FEATURES}
    features = Features(
        {
            **shapes,
            "expressions": List(Value("string")),
            "change_types": List(Value("string")),
            "domain": Value("string"),
            "queries": List(List(Value("float32"))),
        }
    )

    def all_rows() -> Iterator[dict[str, Any]]:
        yield first
        yield from rows

    return Dataset.from_generator(
        all_rows, features=features, cache_dir=str(cache_folder), fingerprint="queries", keep_in_memory=False
    ).with_format("numpy")


@torch.inference_mode()
def _encode(pairs: Dataset, model: MTRefSegModel, processor: MTRefSegProcessor) -> Iterator[dict[str, Any]]:
    for row in tqdm(pairs, desc="encoding pairs", unit="pair"):
        sample: PairSample = row["sample"]
        if not sample.expressions:
            continue
        domain = None if sample.domain is None else SCENES[sample.domain]
        inputs = dict(processor(sample.image_t1, sample.image_t2, text=[sample.expressions], domain=domain))
        inputs.pop("object_choices", None)  # Only needed for masks.
        encoding = model.encode_pair(inputs.pop("pixel_values_t1"), inputs.pop("pixel_values_t2"))
        yield {
            **{name: encoding[name][0].half().numpy() for name in IMAGE_FEATURES},
            "expressions": sample.expressions,
            "change_types": sample.change_types,
            "domain": sample.domain,
            "queries": model.embed_sentences(encoding, **inputs).numpy(),
        }


class QueryCollator:
    """
    Converts rows of a query table to a batch for the new language part. Some sentences are paraphrased; they keep the
    query of the original sentence.

    Args:
        processor ([`MTRefSegProcessor`]): Processor of the new language part.
        paraphrase_share (`float`, *optional*, defaults to 0): Share of the sentences that are paraphrased, 0 to 1.
        domain_dropout (`float`, *optional*, defaults to 0): Share of the pairs whose domain is omitted from the
            prompt.
        seed (`int`, *optional*, defaults to 0): Seed of all draws.
    """

    def __init__(
        self,
        processor: MTRefSegProcessor,
        paraphrase_share: float = 0.0,
        domain_dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.processor = processor
        self.paraphrase_share, self.domain_dropout = paraphrase_share, domain_dropout
        self.paraphraser = Paraphraser("train")
        self.random = np.random.default_rng(seed)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """
        Args:
            rows (`Sequence[dict]`): Rows of [`make_query_table`].

        Returns:
            `dict`: Arguments of [`~trainer.building.distillation.QueryDistillation.forward`].
        """
        texts, queries, domains = [], [], []
        for row in rows:
            count = len(row["expressions"])
            drawn = self.random.permutation(count)[:SENTENCES_PER_PAIR]
            texts.append([self._say(row, index) for index in drawn])
            queries.append(np.asarray(row["queries"], np.float32)[drawn])
            keeps_domain = row["domain"] is not None and self.random.random() >= self.domain_dropout
            domains.append(SCENES[str(row["domain"])] if keeps_domain else None)
        batch = {name: torch.from_numpy(np.stack([row[name] for row in rows])).float() for name in IMAGE_FEATURES}
        batch |= dict(self.processor.encode_text(texts, domains))
        batch.pop("object_choices", None)
        return batch | {"labels": torch.from_numpy(np.concatenate(queries))}

    def _say(self, row: dict[str, Any], index: int) -> str:
        text = str(row["expressions"][index])
        if self.random.random() >= self.paraphrase_share:
            return text
        domain = None if row["domain"] is None else str(row["domain"])
        return self.paraphraser.paraphrase(text, str(row["change_types"][index]), self.random, domain)
