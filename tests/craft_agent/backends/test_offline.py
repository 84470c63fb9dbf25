# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
from PIL import Image

from craft_agent.backends.offline.difference import compare
from craft_agent.backends.offline.perceiver import OfflinePerceiver
from craft_agent.backends.offline.segmenter import OfflineSegmenter
from craft_agent.backends.offline.sentences import color_word, find, natural_sentences
from craft_agent.geometry import mask_iou
from craft_agent.prompts.templates import Prompts
from craft_agent.records import ImagePair
from craft_agent.state.journal import MemoryJournal
from craft_agent.state.settings import RunSettings
from craft_agent.steps.correction import correct_all
from craft_agent.steps.perception import perceive
from craft_agent.steps.pipeline import Backends, make_asker
from craft_agent.steps.refinement import refine_all
from tests.craft_agent.small_work import THINGS, draw_pairs


@pytest.fixture
def pair(tmp_path):
    folder = draw_pairs(tmp_path, pairs=1)
    return ImagePair("place", *(Image.open(folder / side / "place_000.png").convert("RGB") for side in ("A", "B")))


def truths():
    masks = []
    for _, box, _ in THINGS:
        mask = np.zeros((150, 200), dtype=bool)
        mask[box.top : box.bottom, box.left : box.right] = True
        masks.append(mask)
    return masks


def found(pair):
    """By drawn thing the difference that is it, or None."""
    differences = compare(pair).differences
    return [next((each for each in differences if mask_iou(each.mask, truth) > 0.7), None) for truth in truths()]


def test_what_was_drawn_is_found_with_its_type_and_colour(pair):
    assert len(compare(pair).differences) == 3
    for (color, _, change_type), difference in zip(THINGS, found(pair)):
        assert difference.change_type is change_type
        seen = difference.color_t1 if change_type.value == "disappear" else difference.color_t2
        assert color_word(seen) == color


def test_other_light_and_a_small_shift_change_nothing(pair):
    values = np.asarray(pair.image_t1, dtype=float)
    darker = Image.fromarray((0.8 * values + 5).clip(0, 255).astype(np.uint8))
    assert None not in found(ImagePair("dark", darker, pair.image_t2))
    # The shift is found from the noise of the ground.
    moved = Image.fromarray(np.roll(np.asarray(pair.image_t1), (4, -3), axis=(0, 1)))
    assert None not in found(ImagePair("moved", moved, pair.image_t2))


def test_nothing_is_found_in_equal_images(pair):
    assert compare(ImagePair("same", pair.image_t1, pair.image_t1)).differences == ()
    flat = Image.new("RGB", (1, 1))
    assert compare(ImagePair("dot", flat, flat)).differences == ()


def test_its_sentences_lead_back_and_doubtful_ones_to_nothing(pair):
    differences = compare(pair).differences
    for difference in differences:
        sentences = natural_sentences(difference, differences)
        assert sentences
        assert all(find(sentence, differences) is difference for sentence in sentences)
    assert find("the red area", differences) is None
    assert find("the area that appeared", differences) is None


def test_all_steps_make_samples_of_it(pair):
    backends = Backends(OfflinePerceiver(), OfflineSegmenter())
    asker = make_asker(RunSettings("", "offline", "offline"), backends, Prompts(), MemoryJournal())
    candidates = perceive(pair, asker)
    assert len(candidates) == 3
    samples, outcomes = refine_all(pair, correct_all(pair, candidates, asker, 3), asker, 2, 0.5, {})
    assert set(outcomes.values()) == {"refined"}
    for truth, (_, _, change_type) in zip(truths(), THINGS):
        sample = max(samples, key=lambda each: mask_iou(each.mask, truth))
        assert mask_iou(sample.mask, truth) > 0.8
        assert sample.change_type is change_type
        assert len(sample.expressions) == 3
