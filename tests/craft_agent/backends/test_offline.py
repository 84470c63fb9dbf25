# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from craft_agent.backends.offline.comparisons import Comparisons, model_comparisons
from craft_agent.backends.offline.difference import Comparison, compare
from craft_agent.backends.offline.every_change import QUESTIONS, EveryChange, Region, find_regions, without_doubles
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
from craft_agent.backends.protocols import Question
from craft_agent.errors import PermanentError
from craft_agent.geometry import mask_iou
from craft_agent.prompts.schemas import MOST_DIFFERENCES, PERCEIVE
from craft_agent.prompts.templates import Prompts
from craft_agent.records import Box, ChangeType, ImagePair
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
        box = Box(10 + 40 * number, 60, 20 + 40 * number + (6 if number == 2 else 0), 70)
        row.append(replace(first, part=np.ones((10, box.right - box.left), dtype=bool), box=box))
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


def test_of_a_dense_view_the_clearest_are_answered(pair):
    first = compare(pair).differences[0]
    many = tuple(replace(first, strength=1 - number / 100) for number in range(60))
    comparisons = Comparisons(lambda _: Comparison(np.zeros((150, 200), dtype=np.float32), many), "many")
    question = Question("perceive", "", (), PERCEIVE, pair, {"part": Box(0, 0, 200, 150)})
    answer = json.loads(OfflinePerceiver(comparisons).ask(question).text)
    assert len(answer["differences"]) == MOST_DIFFERENCES
    assert answer["differences"][0]["confidence"] == 1


def test_the_words_are_those_of_the_grammar():
    clauses = {clause for row in CHANGE_ROWS for clause in row.clauses}
    assert {phrase for phrases in CHANGES.values() for phrase in phrases} <= clauses
    assert set(SUPERLATIVES) == set(vocabulary.SUPERLATIVES)
    assert set(ORDINALS) == set(vocabulary.ORDINALS)
    assert {f"from the {side}" for side in SIDES} == set(vocabulary.SIDES)


def planes_of(probability, by_type=(0.3, 0.2, 0.1)):
    return np.stack([probability, *(np.full_like(probability, each) for each in by_type)])


def test_a_mask_of_every_change_is_divided_where_it_falls_apart():
    probability = np.zeros((60, 100), dtype=np.float32)
    probability[10:30, 10:40] = probability[10:30, 44:74] = 0.9
    probability[18:22, 40:44] = 0.4  # A bridge.
    probability[50:52, 90:92] = 0.9  # A speck.
    regions = find_regions(planes_of(probability), 0.3, 6)
    assert sorted((each.box[1].start, each.box[1].stop) for each in regions) == [(10, 42), (42, 74)]
    assert all(each.mask.shape == (20, 32) for each in regions)
    assert sum(np.count_nonzero(each.mask) for each in regions) == 2 * 600 + 16
    assert len(find_regions(planes_of(probability), 0.3, 4)) == 3
    assert find_regions(planes_of(np.zeros((8, 8), dtype=np.float32)), 0.3, 1) == []


def test_a_limb_is_no_region_of_its_own():
    probability = np.zeros((60, 100), dtype=np.float32)
    probability[10:50, 10:50] = probability[28:32, 54:80] = 0.9
    probability[28:32, 50:54] = 0.6  # An arm.
    assert len(find_regions(planes_of(probability), 0.5, 6)) == 1
    probability[18:42, 54:80] = 0.9
    assert len(find_regions(planes_of(probability), 0.5, 6)) == 2


def test_the_type_of_a_region_is_that_of_the_sentence_that_fits_it_best():
    planes = planes_of(np.zeros((4, 7), dtype=np.float32), (0.3, 0.3, 0.3))
    planes[0] = np.array([0.9, 0.9, 0.9, 0.0, 0.8, 0.8, 0.8])
    planes[2, :, :3] = 0.6
    planes[3, :, 4:] = 0.4
    first, second = find_regions(planes, 0.5, 1)
    assert (first.change_type, second.change_type) == (ChangeType.DISAPPEAR, ChangeType.STATE_CHANGE)
    assert (first.strength, second.strength) == (pytest.approx(0.9), pytest.approx(0.8))


def region(top, left, side, strength):
    box = (slice(top, top + side), slice(left, left + side))
    return Region(box, np.ones((side, side), dtype=bool), strength, ChangeType.APPEAR)


def test_of_regions_in_the_same_place_the_clearest_is_kept():
    field, house, beside, part = (
        region(0, 0, 20, 0.7),
        region(0, 30, 8, 0.9),
        region(0, 36, 8, 0.6),
        region(2, 2, 4, 0.8),
    )
    # The house of the window beside it shares a quarter; the field holds a clearer part, which is the same thing.
    assert without_doubles([field, house, beside, part], (50, 30)) == [house, part, beside]
    assert without_doubles([], (50, 30)) == []


@pytest.mark.parametrize(("domain", "windows"), [("NS", 1), ("RS", 9), (None, 9)])
def test_large_images_from_above_are_seen_in_windows_too(tmp_path, domain, windows, monkeypatch):
    save_mtrefseg(tmp_path / "tiny")
    change = EveryChange(str(tmp_path / "tiny"), "cpu", domain)
    canvas = change._images.size["height"]
    monkeypatch.setattr(change._images, "pixel_size", 0.5, raising=False)
    side = 5 * canvas // 2
    seen = []
    asked = change._logits

    def logits(pair):
        seen.append(pair.size)
        return asked(pair)

    monkeypatch.setattr(change, "_logits", logits)
    comparison = change.compare(ImagePair("large", *[Image.new("RGB", (side, side))] * 2))
    assert comparison.level.shape == (side, side)
    assert seen == [(side, side)] + [(canvas, canvas)] * (windows if windows > 1 else 0)


def test_windows_add_what_came_or_went(tmp_path, monkeypatch):
    save_mtrefseg(tmp_path / "tiny")
    change = EveryChange(str(tmp_path / "tiny"), "cpu", "RS")
    side = 2 * change._images.size["height"]
    logits = np.full((4, side, side), -9.0, dtype=np.float32)
    whole, windows = logits.copy(), logits.copy()
    whole[(0, 3), :20, :20] = 2  # A field.
    windows[(0, 3), :20, :10] = 3  # A part of it.
    windows[(0, 1), 30:36, 30:36] = 4  # A house.
    monkeypatch.setattr(change, "_logits", lambda pair: whole)
    monkeypatch.setattr(change, "_blended_logits", lambda pair, plan: windows)
    comparison = change.compare(ImagePair("large", *[Image.new("RGB", (side, side))] * 2))
    house, field = comparison.differences
    assert (house.change_type, house.box) == (ChangeType.APPEAR, Box(30, 30, 36, 36))
    assert (field.change_type, field.box, field.area) == (ChangeType.STATE_CHANGE, Box(0, 0, 20, 20), 400)
    assert (comparison.level[house.mask | field.mask] > 1).all()


def test_the_model_is_asked_about_each_change_type(pair, tmp_path):
    save_mtrefseg(tmp_path / "typed")
    change = EveryChange(str(tmp_path / "typed"), "cpu")
    planes = change._logits(pair)
    images = {"images_t1": [pair.image_t1], "images_t2": [pair.image_t2]}
    alone = change._model(**change._processor(**images)).mask_logits
    asked = change._model(**change._processor(**images, text=[list(QUESTIONS.values())])).mask_logits
    expected = change._images.sample_maps(torch.cat([alone, asked]).float(), 150, 200)
    assert np.allclose(planes, expected.detach(), atol=1e-5)
    assert list(QUESTIONS) == list(ChangeType)


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
