# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images, masks and sentences change together."""

import copy

import numpy as np
import pytest
from PIL import Image

from trainer.arguments import AugmentationArguments
from trainer.data.augmentation import (
    PairAugmentation,
    change_light,
    crop,
    join,
    mirror,
    move,
    reverse_images,
    swap_times,
    turn,
    without_change,
)
from trainer.errors import TrainingError


def array(image):
    return np.asarray(image)


NOTHING = dict.fromkeys(vars(AugmentationArguments()), 0.0) | {"smallest_crop": 0.5}


@pytest.mark.parametrize(("axis", "flipped"), [(0, np.s_[:, ::-1]), (1, np.s_[::-1])])
def test_mirror_moves_images_masks_and_words(make_sample, axis, flipped):
    sample = make_sample("the car in the top-left corner that appeared")
    mirrored = mirror(sample, axis)
    assert (array(mirrored.image_t1) == array(sample.image_t1)[flipped]).all()
    assert (array(mirrored.image_t2) == array(sample.image_t2)[flipped]).all()
    assert (mirrored.masks[0] == sample.masks[0][flipped]).all()
    corner = ("top-right", "bottom-left")[axis]
    assert mirrored.expressions == [f"the car in the {corner} corner that appeared"]


def test_doubtful_sentences_are_left_out_and_too_many_stop_the_change(make_sample):
    doubtful, clear = "the bag left on the bench", "the car on the left that appeared"
    sample = make_sample(doubtful, clear)
    sample.masks[0][:] = False
    mirrored = mirror(sample, 0)
    assert mirrored.expressions == ["the car on the right that appeared"]
    assert len(mirrored.masks) == len(mirrored.change_types) == 1
    assert mirrored.masks[0].any()
    sample = make_sample(doubtful, doubtful, clear)
    assert mirror(sample, 0) is sample


def test_the_mask_of_every_change_goes_along(make_sample):
    sample = make_sample("the car that appeared")
    assert (sample.change_mask == sample.masks[0]).all()
    assert (mirror(sample, 0).change_mask == sample.change_mask[:, ::-1]).all()
    assert (turn(sample, 1).change_mask == np.rot90(sample.change_mask)).all()
    assert (reverse_images(sample).change_mask == sample.change_mask).all()
    assert not without_change(sample).change_mask.any()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turn_keeps_images_and_masks_together(make_sample, quarters):
    sample = make_sample("the car that appeared")
    turned = turn(sample, quarters)
    assert (array(turned.image_t2) == np.rot90(array(sample.image_t2), quarters)).all()
    assert (turned.masks[0] == np.rot90(sample.masks[0], quarters)).all()
    assert turned.image_t1.size == turned.masks[0].shape[::-1]
    leftmost = make_sample("the leftmost car that appeared")
    assert turn(leftmost, quarters) is leftmost


def test_swapping_times_exchanges_words_and_types(make_sample):
    sample = make_sample("the car that appeared", "a new house shows up")
    swapped = swap_times(sample)
    assert swapped.image_t1 is sample.image_t2
    assert swapped.image_t2 is sample.image_t1
    assert swapped.expressions == ["the car that disappeared"]
    assert swapped.change_types == ["disappear"]
    assert (swapped.masks[0] == sample.masks[0]).all()


def test_exchanged_images_empty_what_is_said_of_time(make_sample):
    sample = make_sample("the car that appeared", "every change")
    assert reverse_images(sample) is sample  # something unnamed may have disappeared
    sample.absent_types = frozenset(("disappear",))
    found = reverse_images(sample)
    assert found.image_t1 is sample.image_t2
    assert found.expressions == ["the car that appeared"]
    assert not found.masks[0].any()
    assert found.absent_types == {"appear"}
    assert sample.masks[0].any()
    # Back again, it would be true of what now disappears.
    assert reverse_images(found) is found


def test_generated_pairs_know_what_did_not_happen(pairs):
    for pair in pairs:
        assert not {one for one, mask in zip(pair.change_types, pair.masks) if mask.any()} & pair.absent_types
    assert any(pair.absent_types & {"appear", "disappear"} for pair in pairs)


def test_crop_keeps_what_is_seen_and_leaves_out_what_depends_on_the_rest(make_sample):
    sample = make_sample("the car that appeared", "the leftmost car that appeared")
    seen, sizes = set(), set()
    for seed in range(60):
        cropped = crop(sample, np.random.default_rng(seed), 0.3)
        if cropped is sample:
            continue
        assert cropped.expressions == ["the car that appeared"]
        assert cropped.image_t1.size == cropped.image_t2.size == cropped.masks[0].shape[::-1]
        share = cropped.masks[0].sum() / sample.masks[0].sum()
        assert share == 0 or share >= 0.4
        seen.add(share > 0)
        sizes.add(cropped.image_t1.size)
        # The mask is still where the same pixels are.
        inside = array(cropped.image_t1)[cropped.masks[0]]
        assert {tuple(pixel) for pixel in inside} <= {
            tuple(pixel) for pixel in array(sample.image_t1)[sample.masks[0]]
        }
    assert seen == {True, False}
    assert len(sizes) > 5
    only = make_sample("the leftmost car that appeared", "the rightmost car that appeared", "the car that left")
    assert crop(only, np.random.default_rng(0), 0.3) is only


def other_place(make_sample, absent_types):
    """A pair with a change in its centre, which is in every part of 30 % or more of it when joined often enough."""
    other = make_sample("the truck that appeared")
    other.image_t1, other.image_t2 = Image.new("RGB", (64, 48), (9, 0, 0)), Image.new("RGB", (64, 48), (0, 9, 0))
    other.masks[0] = other.change_mask = np.ones((48, 64), bool)
    other.absent_types = frozenset(absent_types)
    return other


@pytest.mark.parametrize(
    ("absent", "seen_t1", "seen_t2"),
    [
        (("appear", "unknown"), (9, 0, 0), (0, 9, 0)),  # As it is
        (("disappear",), (0, 9, 0), (9, 0, 0)),  # With its times exchanged, nothing appears.
        (("state_change",), (9, 0, 0), (9, 0, 0)),  # Something may appear: only its t1 is used.
    ],
)
def test_a_part_of_another_place_brings_no_change_that_a_sentence_is_about(make_sample, absent, seen_t1, seen_t2):
    sample, other = (
        make_sample("the car that appeared", "the leftmost car that appeared"),
        other_place(make_sample, absent),
    )
    seen = set()
    for seed in range(40):
        joined = join(sample, other, np.random.default_rng(seed))
        if joined is sample:
            continue
        assert joined.expressions == ["the car that appeared"]
        assert joined.image_t1.size == sample.image_t1.size
        is_other = (array(joined.image_t2) == seen_t2).all(-1)
        assert 0.25 < is_other.mean() < 0.75
        assert is_other.all(0).any() or is_other.all(1).any()
        assert (array(joined.image_t1)[is_other] == seen_t1).all()
        assert (array(joined.image_t1)[~is_other] == array(sample.image_t1)[~is_other]).all()
        assert (joined.masks[0] == sample.masks[0] & ~is_other).all()
        assert (joined.change_mask == np.where(is_other, seen_t1 != seen_t2, sample.change_mask)).all()
        seen.add(bool(joined.masks[0].any()))
    assert seen == {True, False}


def test_change_types_of_both_places_are_kept_and_too_many_doubtful_sentences_stop_it(make_sample):
    sample, other = make_sample("the car that appeared"), other_place(make_sample, ("appear", "unknown"))
    sample.absent_types = frozenset(("disappear", "unknown"))
    joined = [join(sample, other, np.random.default_rng(seed)) for seed in range(9)]
    assert {pair.absent_types for pair in joined if pair is not sample} == {frozenset(("unknown",))}
    only = make_sample("the leftmost car that appeared")
    assert join(only, other, np.random.default_rng(0)) is only
    stage1 = make_sample()
    stage1.masks = [np.zeros((24, 32), bool)]
    stage1.change_mask = stage1.masks[0]
    joined = join(stage1, other, np.random.default_rng(0))
    assert 0.25 < joined.masks[0].mean() < 0.75


def test_unknown_changes_stay_unknown_until_nothing_of_them_is_seen(make_sample):
    sample, other = make_sample("the car that appeared"), other_place(make_sample, ("appear",))
    other.change_mask = None
    assert join(sample, other, np.random.default_rng(0)).change_mask is None
    sample.change_mask = None
    for changed in (mirror(sample, 0), turn(sample, 1), swap_times(sample), reverse_images(sample)):
        assert changed.change_mask is None
    assert not without_change(sample).change_mask.any()
    # Only what the sentences are about is pasted.
    assert (move(sample, Image.new("RGB", (32, 24))).change_mask == sample.masks[0]).all()


def test_nothing_fits_where_nothing_changed(make_sample):
    sample = make_sample("the car that appeared")
    unchanged = without_change(sample)
    assert unchanged.image_t2 is sample.image_t1
    assert not unchanged.masks[0].any()
    assert sample.masks[0].any()


def test_light_changes_in_each_image_on_its_own(make_sample):
    sample = make_sample("the car that appeared")
    sample.image_t2 = sample.image_t1
    augmented = PairAugmentation(AugmentationArguments(**{**NOTHING, "photometric": 0.5}))(
        sample, np.random.default_rng(0)
    )
    assert (array(augmented.image_t1) != array(augmented.image_t2)).any()
    assert (augmented.masks[0] == sample.masks[0]).all()
    same = change_light(sample.image_t1, np.random.default_rng(3), 0.5)
    assert (array(same) == array(change_light(sample.image_t1, np.random.default_rng(3), 0.5))).all()


def test_changes_are_put_into_another_place_each_into_its_image(make_sample):
    sample = make_sample("the car that appeared", "the car that left", "the roof that turned red")
    sample.change_types = ["appear", "disappear", "state_change"]
    sample.masks = [np.zeros((24, 32), dtype=bool) for _ in range(3)]
    areas = np.s_[2:8, 2:8], np.s_[2:8, 20:28], np.s_[14:20, 2:8]
    for mask, area in zip(sample.masks, areas):
        mask[area] = True
    place = Image.new("RGB", (64, 48), (10, 200, 30))
    moved = move(sample, place)
    ground = np.broadcast_to(np.uint8((10, 200, 30)), (24, 32, 3))
    inside = [np.s_[area[0].start + 2 : area[0].stop - 2, area[1].start + 2 : area[1].stop - 2] for area in areas]
    for image, own, shown in ((moved.image_t1, sample.image_t1, (1, 2)), (moved.image_t2, sample.image_t2, (0, 2))):
        for number, area in enumerate(inside):
            expected = array(own) if number in shown else ground
            assert (array(image)[area] == expected[area]).all()
        assert (array(image)[20:, 12:] == ground[20:, 12:]).all()
    assert moved.expressions == sample.expressions
    assert all((after == before).all() for after, before in zip(moved.masks, sample.masks))
    assert moved.absent_types == {"unknown"}


def test_what_is_not_spoken_of_alone_is_moved_with_the_rest_of_its_kind(make_sample):
    sample = make_sample("all the cars that appeared", "the leftmost car that appeared", "the car next to the bus")
    sample.masks[2][15:20, 20:30] = True
    moved = move(sample, Image.new("RGB", (32, 24)))
    assert moved.expressions == sample.expressions[:2]
    assert array(moved.image_t2)[17, 25].any()
    assert (array(moved.image_t1) == 0).all()
    assert moved.absent_types == {"disappear", "state_change", "unknown"}
    # It is not said what became of the forest.
    assert move(
        make_sample("the car that appeared", "the forest turns into houses"), Image.new("RGB", (9, 9))
    ).expressions == ["the car that appeared"]
    for pair in (
        make_sample("the car by the road", "the car near the house", "the car"),
        make_sample("the change", change_type="unknown"),
        make_sample(),
    ):
        assert move(pair, Image.new("RGB", (32, 24))) is pair


def test_stage_1_pairs_keep_their_mask(make_sample):
    augmentation = PairAugmentation(AugmentationArguments(**{**dict.fromkeys(NOTHING, 1.0), "unchanged_share": 0.0}))
    for seed in range(5):
        augmented = augmentation(make_sample(), np.random.default_rng(seed))
        assert len(augmented.masks) == 1
        assert augmented.image_t1.size == augmented.masks[0].shape[::-1]


def test_only_images_from_above_are_turned_upside_down(make_sample):
    augmentation = PairAugmentation(AugmentationArguments(**{**NOTHING, "flip_share": 1.0, "rotate_share": 1.0}))
    sample = make_sample("the car that appeared", domain="NS")
    for seed in range(5):
        assert (augmentation(sample, np.random.default_rng(seed)).masks[0] == sample.masks[0][:, ::-1]).all()


def test_the_pair_itself_is_not_changed(make_sample):
    sample = make_sample("the car on the left that appeared", "the car that left")
    before = copy.deepcopy(sample)
    augmentation = PairAugmentation(AugmentationArguments(**dict.fromkeys(NOTHING, 1.0)))
    augmentation(sample, np.random.default_rng(0))
    assert sample.expressions == before.expressions
    assert (array(sample.image_t1) == array(before.image_t1)).all()
    assert all((one == other).all() for one, other in zip(sample.masks, before.masks))


def test_generated_masks_stay_true_of_their_sentences(pairs):
    # What appeared differs between the images; after any change of place it still must, where the mask is.
    augmentation = PairAugmentation(AugmentationArguments(**{**dict.fromkeys(NOTHING, 0.5), "photometric": 0.0}))
    for seed, pair in enumerate(pairs):
        augmented = augmentation(pair, np.random.default_rng(seed))
        assert len(augmented.expressions) == len(augmented.masks) == len(augmented.change_types) > 0
        assert all(mask.shape == augmented.image_t1.size[::-1] for mask in augmented.masks)


def test_some_pairs_do_not_tell_their_domain(make_sample):
    augmentation = PairAugmentation(AugmentationArguments(**NOTHING | {"domain_dropout": 0.5}))
    random = np.random.default_rng(0)
    domains = [augmentation(make_sample("the car that appeared"), random).domain for _ in range(40)]
    assert 10 < domains.count(None) < 30
    assert set(domains) == {None, "RS"}


def test_some_sentences_are_put_into_other_words_after_all_else(make_sample):
    augmentation = PairAugmentation(AugmentationArguments(**NOTHING | {"swap_share": 1.0, "paraphrase_share": 0.5}))
    random = np.random.default_rng(0)
    augmented = [augmentation(make_sample("the car on the left that appeared"), random) for _ in range(40)]
    sentences = [one.expressions[0] for one in augmented]
    said = [sentence.removeprefix("disappeared: ") for sentence in sentences]
    assert 10 < said.count("the car on the left that disappeared") < 30
    assert len(set(said)) > 10
    assert {one.change_types[0] for one in augmented} == {"disappear"}
    # The processor's word for the change is written before most sentences, but not all: some it cannot read.
    assert 20 < sum(sentence.startswith("disappeared: ") for sentence in sentences) < 36


def test_shares_out_of_range_are_refused():
    with pytest.raises(TrainingError, match="flip_share"):
        AugmentationArguments(flip_share=1.5)
