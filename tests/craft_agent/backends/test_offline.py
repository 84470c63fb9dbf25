# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from craft_agent.backends.offline.comparisons import model_comparisons
from craft_agent.backends.offline.difference import compare
from craft_agent.backends.offline.every_change import QUESTIONS, EveryChange, best_type, find_regions
from craft_agent.backends.offline.perceiver import OfflinePerceiver
from craft_agent.backends.offline.segmenter import OfflineSegmenter
from craft_agent.backends.offline.sentences import (
    CHANGES,
    ORDINALS,
    SIDES,
    SUPERLATIVES,
    color_word,
    find,
    natural_sentences,
    thing_of,
)
from craft_agent.errors import PermanentError
from craft_agent.geometry import box_of, mask_iou
from craft_agent.prompts.templates import Prompts
from craft_agent.records import ChangeType, ImagePair
from craft_agent.state.journal import MemoryJournal
from craft_agent.steps.asking import Asker
from craft_agent.steps.correction import correct_all
from craft_agent.steps.perception import perceive
from craft_agent.steps.refinement import refine_all
from dataset_scripts.synthesis.language import vocabulary
from dataset_scripts.synthesis.language.vocabulary import CHANGE_ROWS
from tests.craft_agent.small_work import THINGS, draw_pairs
from tests.tiny_models import save_mtrefseg


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
    assert find("the red object", differences) is None
    assert find("the object that appeared", differences) is None


def test_all_steps_make_samples_of_it(pair):
    asker = Asker(OfflinePerceiver(), OfflineSegmenter(), Prompts(), MemoryJournal())
    candidates = perceive(pair, asker)
    assert len(candidates) == 3
    samples, outcomes = refine_all(pair, correct_all(pair, candidates, asker, 3), asker, 2, 0.5, {})
    assert set(outcomes.values()) == {"refined"}
    for truth, (_, _, change_type) in zip(truths(), THINGS):
        sample = max(samples, key=lambda each: mask_iou(each.mask, truth))
        assert mask_iou(sample.mask, truth) > 0.8
        assert sample.change_type is change_type
        assert len(sample.expressions) == 3


def test_ranks_are_read_as_they_are_written(pair):
    """Of five alike regions, the outer ones, those beside them and the largest can be told by their rank."""
    first = compare(pair).differences[0]
    row = []
    for number in range(5):
        mask = np.zeros((150, 200), dtype=bool)
        mask[60:70, 10 + 40 * number : 20 + 40 * number + (6 if number == 2 else 0)] = True
        row.append(replace(first, mask=mask, box=box_of(mask)))
    alike = [natural_sentences(each, row) for each in row]
    thing = thing_of(row[0])
    assert f"the leftmost {thing} that appeared" in alike[0]
    assert any(f"the second {thing} from the left" in sentence for sentence in alike[1])
    assert any(f"the largest {thing}" in sentence for sentence in alike[2])
    for each, sentences in zip(row, alike):
        assert all(find(sentence, row) is each for sentence in sentences)
    # A rank that is not clear is none.
    close = [row[0], replace(row[0], box=row[0].box._replace(left=row[0].box.left + 1))]
    assert natural_sentences(close[0], close) == []


def test_the_words_are_those_of_the_grammar():
    clauses = {clause for row in CHANGE_ROWS for clause in row.clauses}
    assert {phrase for phrases in CHANGES.values() for phrase in phrases} <= clauses
    assert set(SUPERLATIVES) == set(vocabulary.SUPERLATIVES)
    assert set(ORDINALS) == set(vocabulary.ORDINALS)
    assert {f"from the {side}" for side in SIDES} == set(vocabulary.SIDES)


def test_a_mask_of_every_change_is_divided_where_it_falls_apart():
    probability = np.zeros((60, 100), dtype=np.float32)
    probability[10:30, 10:40] = probability[10:30, 44:74] = 0.9
    probability[18:22, 40:44] = 0.4  # A bridge.
    probability[50:52, 90:92] = 0.9  # A speck.
    regions = find_regions(probability, 0.3)
    assert sorted(np.flatnonzero(each.any(axis=0))[0] for each in regions) == [10, 42]
    assert sum(map(np.count_nonzero, regions)) == 2 * 600 + 16
    assert find_regions(np.zeros((8, 8), dtype=np.float32), 0.3) == []


def test_a_limb_is_no_region_of_its_own():
    probability = np.zeros((60, 100), dtype=np.float32)
    probability[10:50, 10:50] = probability[28:32, 54:80] = 0.9
    probability[28:32, 50:54] = 0.6  # An arm.
    assert len(find_regions(probability, 0.5)) == 1
    probability[18:42, 54:80] = 0.9
    assert len(find_regions(probability, 0.5)) == 2


def test_the_type_of_a_region_is_that_of_the_sentence_that_fits_it_best():
    by_type = {kind: np.full((4, 6), 0.3, dtype=np.float32) for kind in ChangeType}
    by_type[ChangeType.DISAPPEAR][:, :3] = 0.6
    by_type[ChangeType.STATE_CHANGE][:, 3:] = 0.4
    left = np.zeros((4, 6), dtype=bool)
    left[:, :3] = True
    assert best_type(left, by_type) is ChangeType.DISAPPEAR
    assert best_type(~left, by_type) is ChangeType.STATE_CHANGE


def test_the_model_is_asked_about_each_change_type(pair, tmp_path):
    save_mtrefseg(tmp_path / "typed")
    change = EveryChange(str(tmp_path / "typed"), "cpu")
    probability, by_type = change._probabilities(pair)
    images = {"images_t1": [pair.image_t1], "images_t2": [pair.image_t2]}
    alone = change._model(**change._processor(**images)).mask_logits
    asked = change._model(**change._processor(**images, text=[list(QUESTIONS.values())])).mask_logits
    expected = change._processor.image_processor.sample_maps(torch.cat([alone, asked]).float(), 150, 200).sigmoid()
    for plane, one in zip((probability, *by_type.values()), expected, strict=True):
        assert np.allclose(plane, one.detach(), atol=1e-5)
    assert list(by_type) == list(ChangeType)


def test_the_model_takes_the_place_of_differencing(pair, tmp_path):
    save_mtrefseg(tmp_path / "tiny")
    comparisons = model_comparisons(str(tmp_path / "tiny"), "cpu")
    assert comparisons.name.endswith(":tiny")
    comparison = comparisons.get(pair)
    assert comparison.level.shape == (150, 200)
    assert comparisons.get(pair) is comparison
    asker = Asker(OfflinePerceiver(comparisons), OfflineSegmenter(comparisons), Prompts(), MemoryJournal())
    candidates = perceive(pair, asker)
    assert candidates is not None
    refine_all(pair, correct_all(pair, candidates, asker, 1), asker, 1, 0.5, {})
    with pytest.raises(PermanentError, match="none"):
        model_comparisons(str(tmp_path / "none"), "cpu")
