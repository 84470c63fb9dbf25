# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images of an inspection that was made by hand, so that it is known what they must show."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modeling_mtrefseg.outputs_mtrefseg import MTRefSegPairEncoding
from mtrefseg.view.inspection import ExpressionInspection, InspectedPair, WordImportance
from mtrefseg.view.inspection_images import (
    SIDE,
    draw_attention,
    draw_difference,
    draw_inspection,
    draw_inspection_parts,
    draw_layer_mask,
    draw_words,
)


def make_inspection(height=60, width=80, words=("a", "roof"), importances=None, layers=3) -> ExpressionInspection:
    """Attention and difference lie in the upper left quarter, masks in the lower right one."""
    here = np.zeros((height, width), dtype=np.float32)
    here[: (height + 1) // 2, : (width + 1) // 2] = 1
    there = np.zeros((height, width), dtype=bool)
    there[height // 2 :, width // 2 :] = True
    grey = Image.new("RGB", (width, height), (128, 128, 128))
    importances = importances or [0.5] * len(words)
    return ExpressionInspection(
        expression=" ".join(words),
        pair=InspectedPair(grey, grey.copy(), None, MTRefSegPairEncoding(), np.stack([here * 0.4] * 4)),
        attentions=np.stack([here * 4] * layers),
        attention_strides=(32, 16, 8, 32, 16, 8, 32, 16, 8)[:layers],
        layer_masks=np.stack([there] * (layers + 1)),
        layer_scores=(0.75,) * (layers + 1),
        mask=there,
        score=0.75,
        no_target_score=0.125,
        is_closest=False,
        words=tuple(WordImportance(word, value, 0.1) for word, value in zip(words, importances, strict=True)),
    )


@pytest.fixture
def drawn_texts(monkeypatch):
    """Every text that is written onto an image."""
    texts = []
    draw_text = ImageDraw.ImageDraw.text

    def recording(self, position, text, *arguments, **options):
        texts.append(text)
        return draw_text(self, position, text, *arguments, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", recording)
    return texts


def colors_at(image):
    """Upper left, lower right."""
    pixels = np.asarray(image).astype(int)
    height, width = pixels.shape[:2]
    return pixels[height // 4, width // 4], pixels[height * 3 // 4, width * 3 // 4]


def test_heat_is_where_the_values_are_high():
    inspection = make_inspection()
    for image in (
        draw_attention(inspection, 0),
        draw_difference(inspection.pair),
        draw_difference(inspection.pair, 3),
    ):
        assert image.size == (SIDE, SIDE * 60 // 80)
        hot, cold = colors_at(image)
        assert hot.sum() > cold.sum() + 200


def test_even_attention_is_not_hot():
    inspection = make_inspection()
    inspection.attentions[:] = 1
    even = np.asarray(draw_attention(inspection, 0)).astype(int)
    inspection.attentions[:] = 4
    assert np.asarray(draw_attention(inspection, 0)).astype(int).sum(-1).min() > even.sum(-1).max() + 100


def test_masks_are_where_they_are():
    for image in (draw_layer_mask(make_inspection(), 0), draw_inspection_parts(make_inspection())["mask"]):
        outside, inside = colors_at(image)
        assert outside.tolist() == [128, 128, 128]
        assert inside[0] > inside[2] + 40


def test_every_image_is_a_part():
    parts = draw_inspection_parts(make_inspection(layers=2))
    differences = {f"difference_stride_{stride}" for stride in (4, 8, 16, 32)}
    layers = {"attention_1", "attention_2", "mask_0", "mask_1", "mask_2"}
    assert parts.keys() == {"t1", "t2", "words", "mask", "difference"} | differences | layers
    assert all(image.mode == "RGB" for image in parts.values())


@pytest.mark.parametrize("layers", [1, 4, 9])
@pytest.mark.parametrize("size", [(60, 80), (1, 1), (40, 900), (900, 40), (3, 2000)])
def test_the_sheet_fits_every_image_and_depth(size, layers, drawn_texts):
    sheet = draw_inspection(make_inspection(*size, layers=layers))
    assert sheet.width == 1600
    assert 400 < sheet.height < 6000
    assert {f"in layer {layer}" for layer in range(1, layers + 1)} <= set(drawn_texts)
    assert {f"after layer {layer}" for layer in range(1, layers + 1)} <= set(drawn_texts)
    assert {"before the first", "t1", "t2", "difference", "answer"} <= set(drawn_texts)
    # Something is drawn near every border: nothing was cut off, and no space was left over.
    ink = np.asarray(sheet.convert("L")) < 250
    assert ink[:, :100].any()
    assert ink[:, -400:].any()
    assert ink[-200:].any()


def test_words_are_shaded_by_their_importance(drawn_texts):
    band = draw_words(make_inspection(words=("pale", "dark"), importances=[0.0, 0.4]))
    assert {"pale", "dark", "0.00", "0.40"} <= set(drawn_texts)
    pixels = np.asarray(band).astype(int)
    tinted = (pixels[..., 0] - pixels[..., 2]) > 100
    assert tinted[:, 100:300].any()
    assert not tinted[:, :100].any()


def test_noise_is_not_shaded_as_a_find(drawn_texts):
    noise = np.asarray(draw_words(make_inspection(importances=[0.004, 0.001]))).astype(int)
    assert (noise[..., 0] - noise[..., 2]).max() < 40
    assert "no single word makes a difference to the mask" in drawn_texts


def test_a_long_sentence_takes_several_lines(drawn_texts):
    words = [f"word{number}" for number in range(40)]
    band = draw_words(make_inspection(words=words))
    assert band.height > draw_words(make_inspection()).height + 100
    assert set(words) <= set(drawn_texts)
    endless = draw_words(make_inspection(words=("x" * 5000, "新しい", "a\u202eb")))
    assert endless.size[0] == 1600
    assert endless.height < 400


def test_nothing_found_is_said_in_words(drawn_texts):
    inspection = make_inspection()
    inspection.mask[:] = False
    inspection.layer_masks[:] = False
    draw_inspection(inspection)
    assert "nothing in these images fits this sentence    no-target score 0.12" in drawn_texts
    assert drawn_texts.count("empty") == 5
