# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What is looked at in the model, against the model asked in the ordinary way."""

import copy
import json

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mtrefseg.view import inspection as inspection_module
from mtrefseg.view.inspection import encode_for_inspection, inspect_expression, inspect_pair


SENTENCE = "the red car that left the road"
LAYERS = 4  # of the model of conftest.py
HEIGHT, WIDTH = 48, 128


@pytest.fixture(scope="module")
def images(make_image):
    return make_image(HEIGHT, WIDTH, seed=0), make_image(HEIGHT, WIDTH, seed=1)


@pytest.fixture(scope="module")
def pair(model, processor, images):
    return encode_for_inspection(model, processor, *images, "remote_sensing")


@pytest.fixture(scope="module")
def inspection(model, processor, pair):
    return inspect_pair(model, processor, pair, SENTENCE)


@torch.no_grad()
def ask(model, processor, images, text, **options):
    """The model's outputs for one sentence, and the mask, asked in the ordinary way."""
    outputs = model(**processor(*images, text=[text], domain="remote_sensing"), **options)
    (result,) = processor.post_process_referring_segmentation(outputs, [(HEIGHT, WIDTH)])
    return outputs, result


def overlap(mask, other):
    union = (mask | other).sum()
    return float((mask & other).sum() / union) if union else 1.0


def test_the_answer_is_the_models_answer(inspection, model, processor, images):
    outputs, result = ask(model, processor, images, SENTENCE, output_layer_masks=True, output_attentions=True)
    assert 0 < inspection.mask.mean() < 1
    np.testing.assert_array_equal(inspection.mask, result["masks"][0].numpy())
    assert inspection.score == pytest.approx(float(result["scores"][0]), abs=1e-5)
    assert inspection.no_target_score == pytest.approx(float(result["no_target_scores"][0]), abs=1e-5)
    assert inspection.layer_masks.shape == (LAYERS + 1, HEIGHT, WIDTH)
    np.testing.assert_array_equal(inspection.layer_masks[-1], inspection.mask)
    assert inspection.layer_scores[-1] == inspection.score
    for logits, mask in zip(outputs.layer_mask_logits[:, 0], inspection.layer_masks):
        own_size = processor.image_processor.sample_maps(logits[None], HEIGHT, WIDTH)[0]
        assert ((own_size > 0).numpy() == mask).mean() > 0.999
    assert inspection.attentions.shape == (LAYERS, HEIGHT, WIDTH)
    assert inspection.attention_strides == (32, 16, 8, 32)
    # On its own canvas, every layer's attention sums to 1; the image's part of it is left of the padding.
    for maps, density, stride in zip(
        outputs.cross_attentions, inspection.attentions, inspection.attention_strides, strict=True
    ):
        whole = torch.nn.functional.interpolate(maps[0].mean(0)[None, None], size=(128, 128), mode="bilinear")[0, 0]
        expected = whole[(128 - HEIGHT) // 2 : (128 + HEIGHT) // 2].numpy() * (128 // stride) ** 2
        np.testing.assert_allclose(density, expected, atol=1e-3)


def test_an_image_that_fills_the_canvas_gets_all_attention(model, processor, make_image):
    inspected = inspect_expression(model, processor, make_image(128, 128, 0), make_image(128, 128, 1), "a roof")
    np.testing.assert_allclose(inspected.attentions.mean(axis=(1, 2)), 1, atol=1e-4)


def test_maps_are_cut_out_of_the_canvas(processor):
    maps = torch.rand(3, 16, 16)
    whole = torch.nn.functional.interpolate(maps[None], size=(128, 128), mode="bilinear")[0]
    assert_close(processor.image_processor.sample_maps(maps, 128, 50), whole[:, :, 39:89])
    assert_close(processor.image_processor.sample_maps(maps.bfloat16(), 50, 128), whole[:, 39:89], atol=0.02, rtol=0)


def test_words_are_weighed_by_leaving_them_out(inspection, model, processor, images):
    words = SENTENCE.split()
    assert [word.word for word in inspection.words] == words
    for index, word in enumerate(inspection.words):
        shorter = " ".join(words[:index] + words[index + 1 :])
        outputs, result = ask(model, processor, images, shorter)
        assert word.importance == pytest.approx(
            1 - overlap(inspection.mask, result["masks"][0].numpy()), abs=7e-4
        )  # a pixel
        own_size = processor.image_processor.sample_maps(outputs.mask_logits, HEIGHT, WIDTH)[0].sigmoid().numpy()
        drop = inspection.score - own_size[inspection.mask].mean()
        assert word.score_drop == pytest.approx(drop, abs=1e-5)
    # A model that does not read would pass all of the above.
    assert max(word.importance for word in inspection.words) > 0.003
    assert max(abs(word.score_drop) for word in inspection.words) > 1e-3


def test_a_pair_is_encoded_once_and_asked_twice_a_sentence(model, processor, pair, monkeypatch):
    calls = []
    encode, forward = model.vision_model.encode_pair, type(model).forward
    monkeypatch.setattr(model.vision_model, "encode_pair", lambda *a, **o: calls.append("encode") or encode(*a, **o))
    monkeypatch.setattr(type(model), "forward", lambda *a, **o: calls.append("ask") or forward(*a, **o))
    inspect_pair(model, processor, pair, SENTENCE)
    inspect_pair(model, processor, pair, "a tree")
    assert calls == ["ask"] * 4
    inspect_pair(model, processor, pair, "tree")
    assert calls == ["ask"] * 5
    encode_for_inspection(model, processor, pair.image_t1, pair.image_t2)
    assert calls == ["ask"] * 5 + ["encode"]
    assert not model.vision_model.backbone._forward_hooks


def test_a_very_long_sentence_is_read_in_parts(inspection, model, processor, pair, monkeypatch):
    monkeypatch.setattr(inspection_module, "TOKENS_A_CALL", 40)
    parts = inspect_pair(model, processor, pair, SENTENCE)
    assert [word.word for word in parts.words] == [word.word for word in inspection.words]
    for word, other in zip(parts.words, inspection.words):
        assert word.importance == pytest.approx(other.importance, abs=1e-3)


def test_the_only_word_counts_whole(model, processor, pair):
    inspected = inspect_pair(model, processor, pair, " tree ")
    (word,) = inspected.words
    assert (word.word, word.importance) == ("tree", 1.0)
    assert word.score_drop == pytest.approx(inspected.score)


def test_differences_are_relative_distances(model, processor, pair, images):
    assert pair.differences.shape == (4, HEIGHT, WIDTH)
    assert pair.differences.dtype == np.float32
    assert pair.differences.min() >= 0
    assert pair.differences.max() <= 1
    assert all(level.max() > 0.05 for level in pair.differences)
    same = encode_for_inspection(model, processor, images[0], images[0])
    assert not same.differences.any()
    # An image whose right half alone has changed differs there most.
    half = images[0].copy()
    half.paste(images[1].crop((64, 0, 128, HEIGHT)), (64, 0))
    finest = encode_for_inspection(model, processor, images[0], half).differences[0]
    assert finest[:, 80:].mean() > 3 * finest[:, :48].mean()


def test_a_rejected_sentence_still_shows_its_masks(model, processor, pair, inspection):
    strict = copy.deepcopy(processor)
    strict.image_processor.no_target_threshold = 0.0
    rejected = inspect_pair(model, strict, pair, SENTENCE)
    assert not rejected.mask.any()
    assert rejected.score == 0
    np.testing.assert_array_equal(rejected.layer_masks, inspection.layer_masks)
    assert [word.importance for word in rejected.words] == [word.importance for word in inspection.words]


def test_an_empty_mask_has_words_too(model, processor, pair):
    strict = copy.deepcopy(processor)
    strict.image_processor.threshold = 1.0
    inspected = inspect_pair(model, strict, pair, "a tree")
    assert not inspected.layer_masks.any()
    assert [(word.importance, word.score_drop) for word in inspected.words] == [(0.0, 0.0)] * 2


def test_the_report_is_json(inspection):
    report = json.loads(json.dumps(inspection.as_dict()))
    assert (report["width"], report["height"], report["domain"]) == (WIDTH, HEIGHT, "remote_sensing")
    assert report["area_pixels"] == inspection.mask.sum()
    assert len(report["layers"]) == LAYERS + 1
    assert report["layers"][-1]["iou_with_answer"] == 1
    assert report["layers"][1]["attention_peak"] == pytest.approx(float(inspection.attentions[0].max()))
    assert [word["word"] for word in report["words"]] == SENTENCE.split()


@pytest.mark.parametrize(
    ("text", "message"), [(" ", "is empty"), ("the [SEG]", "special token"), ("tree " * 500, "tokens")]
)
def test_bad_sentences_are_refused(text, message, model, processor, pair):
    with pytest.raises(ValueError, match=message):
        inspect_pair(model, processor, pair, text)


def test_bad_pairs_are_refused(model, processor, make_image):
    with pytest.raises(ValueError, match="differ in size"):
        inspect_expression(model, processor, make_image(20, 30), make_image(30, 20), "a tree")
    with pytest.raises(ValueError, match="Unknown domain 'moon'"):
        inspect_expression(model, processor, make_image(), make_image(seed=1), "a tree", domain="moon")
    resized = inspect_expression(model, processor, make_image(20, 30), make_image(30, 20), "a", align="resize")
    assert resized.pair.image_t2.size == (30, 20)
