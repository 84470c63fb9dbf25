# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences whose mask would be empty get the changed objects that fit them best."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.utils import ModelOutput

from modeling_mtrefseg import MTRefSegImageProcessor, MTRefSegModel, MTRefSegProcessor
from modeling_mtrefseg.closest_changes_mtrefseg import closest_changes
from modeling_mtrefseg.object_choice_mtrefseg import ObjectChoice


SIDE = 16
NEAR, FAR, THIRD = (slice(2, 5), slice(2, 5)), (slice(9, 13), slice(9, 13)), (slice(2, 5), slice(11, 14))


def change_logits() -> np.ndarray:
    """Three objects that changed."""
    logits = np.full((SIDE, SIDE), -6, np.float32)
    for place in (NEAR, FAR, THIRD):
        logits[place] = 6
    return logits


def sentence_logits(near: float, far: float, third: float = -20) -> np.ndarray:
    logits = np.full((1, SIDE, SIDE), -15, np.float32)
    for place, value in ((NEAR, near), (FAR, far), (THIRD, third)):
        logits[0][place] = value
    return logits


def selected(logits: np.ndarray, threshold: float = 0.0, lowest: float = -8.0) -> np.ndarray:
    return closest_changes(logits, change_logits(), threshold, lowest)[0][0] > threshold


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.2])
def test_the_best_object_is_selected(threshold: float) -> None:
    mask = selected(sentence_logits(near=-5, far=-9), threshold)
    assert mask[NEAR].all()
    assert mask.sum() == 9


def test_objects_that_fit_nearly_as_well_are_selected_too() -> None:
    mask = selected(sentence_logits(near=-5, far=-6, third=-9))
    assert mask[NEAR].all()
    assert mask[FAR].all()
    assert not mask[THIRD].any()


def test_nothing_is_selected_if_nothing_fits() -> None:
    assert not selected(sentence_logits(near=-9, far=-12)).any()


def test_masks_are_kept() -> None:
    logits = sentence_logits(near=3, far=-1)
    same, is_closest = closest_changes(logits, change_logits(), 0.0, -8.0)
    assert np.array_equal(same, logits)
    assert not is_closest.any()


def test_without_a_change_or_a_sentence_nothing_is_selected() -> None:
    logits = sentence_logits(near=-5, far=-9)
    nothing = np.full((SIDE, SIDE), -6, np.float32)
    same, is_closest = closest_changes(logits, nothing, 0.0, -8.0)
    assert np.array_equal(same, logits)
    assert not is_closest.any()
    none, is_closest = closest_changes(logits[:0], change_logits(), 0.0, -8.0)
    assert (none.shape, is_closest.shape) == ((0, SIDE, SIDE), (0,))


def test_it_is_told_for_which_sentences_something_was_selected() -> None:
    logits = np.concatenate([sentence_logits(near, -12) for near in (5, -5, -9)])
    assert closest_changes(logits, change_logits(), 0.0, -8.0)[1].tolist() == [False, True, False]


def outputs(near: float) -> ModelOutput:
    return ModelOutput(
        mask_logits=torch.from_numpy(sentence_logits(near=near, far=-12)),
        no_target_logits=torch.tensor([-5.0]),
        num_expressions=torch.tensor([1]),
        change_logits=torch.from_numpy(change_logits())[None],
    )


def test_processor_selects_with_a_low_score_and_only_if_it_is_told() -> None:
    processor = MTRefSegImageProcessor(size=4 * SIDE, fallback_threshold=0.001)
    size = [(4 * SIDE, 4 * SIDE)]
    (found,) = processor.post_process_referring_segmentation(outputs(near=-5), size)
    (sure,) = processor.post_process_referring_segmentation(outputs(near=5), size)
    assert 100 < found["masks"].sum() < 200
    assert 0.5 < found["scores"][0] < 0.65 < sure["scores"][0]
    (nothing,) = processor.post_process_referring_segmentation(outputs(near=-9), size)
    (rejected,) = processor.post_process_referring_segmentation(outputs(near=-5), size, no_target_threshold=0.0)
    processor.fallback_threshold = None
    (off,) = processor.post_process_referring_segmentation(outputs(near=-5), size)
    results = [found, sure, nothing, rejected, off]
    assert [bool(result["masks"].any()) for result in results] == [True, True, False, False, False]
    assert [result["is_closest"].tolist() for result in results] == [[True], [False], [False], [False], [False]]


def test_outputs_with_gradients_become_masks_without() -> None:
    processor = MTRefSegImageProcessor(size=4 * SIDE, fallback_threshold=0.001)
    red = torch.tensor([ObjectChoice(color="red").to_values()])
    asked = ModelOutput({**outputs(near=-5), "object_choices": red, "image_colors": torch.zeros(1, 2, 3, SIDE, SIDE)})
    for name in ("mask_logits", "no_target_logits", "change_logits", "image_colors"):
        asked[name].requires_grad_()
    (result,) = processor.post_process_referring_segmentation(asked, [(4 * SIDE, 4 * SIDE)])
    assert not any(values.requires_grad for values in result.values())


def test_words_that_select_none_of_the_closest_changes_leave_nothing() -> None:
    """The object is in the upper half."""
    processor = MTRefSegImageProcessor(size=4 * SIDE, fallback_threshold=0.001)
    told = []
    for region in ((0.0, 0.0, 1.0, 0.5), (0.0, 0.5, 1.0, 1.0)):
        choice = torch.tensor([ObjectChoice(region=region).to_values()])
        asked = ModelOutput({**outputs(near=-5), "object_choices": choice})
        (result,) = processor.post_process_referring_segmentation(asked, [(4 * SIDE, 4 * SIDE)])
        told.append((bool(result["masks"].any()), result["is_closest"].tolist()))
    assert told == [(True, [True]), (False, [False])]


def test_the_model_returns_the_mask_of_every_change(model: MTRefSegModel, processor: MTRefSegProcessor) -> None:
    random = np.random.default_rng(0)
    images = [Image.fromarray(random.integers(0, 255, (40, 60, 3), dtype=np.uint8)) for _ in range(2)]
    inputs = processor(*images, text=[["a car", "the new house"]])
    model.eval()
    with torch.inference_mode():
        output = model(**inputs)
        every_change = model(inputs["pixel_values_t1"], inputs["pixel_values_t2"]).mask_logits
    torch.testing.assert_close(output.change_logits, every_change)
    try:
        assert model.train()(**inputs).change_logits is None
    finally:
        model.eval()
