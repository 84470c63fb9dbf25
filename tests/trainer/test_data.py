# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Opening, mixing and reading datasets; the collator."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from datasets import Dataset
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.export import ExportOptions, export_dataset
from dataset_scripts.readers import (
    CHANGE_TYPES,
    DOMAINS,
    VIEWS,
    Expression,
    GeneratedPairs,
    ImageFile,
    Pair,
    PairSource,
    TablePairs,
    UnusableError,
    make_rows,
    open_pairs,
    pair_features,
    read_content,
    referring_features,
)
from dataset_scripts.synthesis import Generator, to_pair, write_raw
from trainer.arguments import AugmentationArguments, DataArguments
from trainer.data import (
    PairAugmentation,
    PairCollator,
    PairLoader,
    load_sample,
    make_eval_dataset,
    make_train_dataset,
    mix,
)
from trainer.data.samples import decode_pair
from trainer.errors import TrainingError
from trainer.evaluation import count_items


GENERATOR = Generator(size=128, domains=("RS",))
NOTHING = dict.fromkeys(vars(AugmentationArguments()), 0.0) | {"smallest_crop": 0.5}


class Numbers(PairSource):
    """A dataset whose pairs have no more than a number for a name; without a length it is infinite."""

    kind = "numbers"

    def __init__(self, num_pairs):
        super().__init__("numbers", is_stage1=True)
        self.num_pairs = num_pairs
        self.is_infinite = num_pairs is None

    def __len__(self):
        return self.num_pairs

    def __getitem__(self, index):
        image, mask = ImageFile("image", Image.new("RGB", (8, 8))), ImageFile("mask", np.ones((8, 8), dtype=bool))
        return Pair(index, "train", None, "unknown", "unknown", image, image, change_mask=mask)


class Given(Numbers):
    """A dataset of given pairs, with or without an end."""

    def __init__(self, samples, is_infinite=False):
        super().__init__(None if is_infinite else len(samples))
        self.is_stage1 = False
        self.samples = samples

    def __getitem__(self, index):
        sample = self.samples[index]
        sentences = zip(sample.expressions, sample.masks, sample.change_types)
        return Pair(
            pair_id=sample.pair_id,
            split="train",
            domain=sample.domain,
            view="unknown",
            source="unknown",
            image_t1=ImageFile("t1", sample.image_t1),
            image_t2=ImageFile("t2", sample.image_t2),
            expressions=tuple(
                Expression(text, ImageFile("mask", mask), change_type, number)
                for number, (text, mask, change_type) in enumerate(sentences)
            ),
        )


def test_collator_is_the_processor(small_processor, pairs):
    batch = PairCollator(small_processor)([{"sample": pair} for pair in pairs[:3]])
    expected = small_processor(
        [pair.image_t1 for pair in pairs[:3]],
        [pair.image_t2 for pair in pairs[:3]],
        text=[pair.expressions for pair in pairs[:3]],
        masks=[pair.masks for pair in pairs[:3]],
        change_masks=[pair.change_mask for pair in pairs[:3]],
        domain="remote_sensing",
    )
    assert batch.keys() == expected.keys()
    assert all(torch.equal(batch[name], expected[name]) for name in batch)
    # Each pair is there once, with all its sentences.
    assert len(batch["pixel_values_t1"]) == 3
    assert batch["num_expressions"].tolist() == [len(pair.expressions) for pair in pairs[:3]]


def test_collator_of_stage_1_has_no_words(small_processor):
    source = GeneratedPairs(GENERATOR, is_stage1=True)
    batch = PairCollator(small_processor)([{"sample": load_sample(source, row)} for row in range(2)])
    assert batch.keys() == {"pixel_values_t1", "pixel_values_t2", "labels"}
    assert batch["labels"].shape == (2, 64, 64)


def test_weights_decide_how_often_a_dataset_is_drawn():
    table = mix([10, 40, None], [1.0, 2.0, 1.0], 4000, seed=0)
    counts = np.bincount(table["source"], minlength=3) / 4000
    np.testing.assert_allclose(counts, [0.25, 0.5, 0.25], atol=0.03)
    rows, drawn = np.array(table["row"]), np.array(table["source"])
    for source in range(3):
        assert rows[drawn == source].tolist() == list(range((drawn == source).sum()))
    assert table["position"] == list(range(4000))


def test_a_dataset_is_gone_through_again_and_again_whatever_its_share():
    sizes, draws = (50, 4, None), (12, 6, 5)
    loader = PairLoader([Numbers(size) for size in sizes], epoch_draws=draws)
    read = {source: [] for source in range(3)}
    for epoch in range(9):
        loader.set_epoch(epoch)
        for source, count in enumerate(draws):
            read[source] += [loader.sample(source, draw, 0).pair_id for draw in range(count)]
    # 108 draws of 50 pairs, 54 of 4: each twice or more, and none a third time before all have been read twice.
    for source in (0, 1):
        counts = np.bincount(read[source], minlength=sizes[source])
        assert counts.max() - counts.min() <= 1
        cycles = [read[source][start : start + sizes[source]] for start in (0, sizes[source])]
        assert sorted(cycles[0]) == sorted(cycles[1]) == list(range(sizes[source]))
        assert cycles[0] != cycles[1] or source == 1
    assert read[2] == list(range(45))


def test_without_weights_every_pair_is_drawn_once():
    table = mix([3, 5], None, 8, seed=1)
    assert sorted(zip(table["source"], table["row"])) == [(0, row) for row in range(3)] + [
        (1, row) for row in range(5)
    ]


def test_a_row_is_the_same_whoever_reads_it_and_another_one_in_the_next_epoch():
    arguments = DataArguments(generated_size=128, generated_domains=["RS"], epoch_pairs=4)
    augmentation = PairAugmentation(AugmentationArguments())
    tables = [make_train_dataset(arguments, augmentation, False, seed=7, run_pairs=0) for _ in range(2)]
    first, second = tables[0][0][2]["sample"], tables[1][0][[0, 2]]["sample"][1]
    assert first.pair_id == second.pair_id
    assert first.expressions == second.expressions
    assert (np.asarray(first.image_t2) == np.asarray(second.image_t2)).all()
    tables[0][1].set_epoch(1)
    assert tables[0][0][2]["sample"].pair_id != first.pair_id
    # A dataset with an end has the same pairs again, in another order and augmented otherwise.
    finite = DataArguments(generated_size=128, generated_domains=["RS"], generated_pairs=4)
    table, loader = make_train_dataset(finite, augmentation, False, seed=7, run_pairs=0)
    before = {row["sample"].pair_id: row["sample"] for row in table}
    loader.set_epoch(1)
    after = {row["sample"].pair_id: row["sample"] for row in table}
    assert before.keys() == after.keys()
    assert len(before) == 4
    for name, sample in before.items():
        assert sample.image_t1.tobytes() != after[name].image_t1.tobytes()


def test_pairs_with_an_end_are_moved_to_other_places_of_their_domain(make_sample):
    samples = [make_sample("the car that appeared", domain=domain) for domain in ("RS", "NS", "NS", "NS")]
    for number, sample in enumerate(samples):
        sample.pair_id, sample.image_t1 = f"pair-{number}", Image.new("RGB", (32, 24), (number, 50, 0))
    sources = [Given(samples[:1]), Given(samples[1:])]
    augmentation = PairAugmentation(AugmentationArguments(**NOTHING | {"move_share": 1.0}))
    loader = PairLoader(sources, augmentation)
    for number in (1, 2, 3):
        places = {tuple(np.asarray(loader.sample(1, number - 1, position).image_t2)[-1, -1]) for position in range(30)}
        own = tuple(np.asarray(samples[number].image_t2)[-1, -1])
        # A few draws may find nothing; then it stays where it is.
        assert places - {own} == {(other, 50, 0) for other in (1, 2, 3) if other != number}
    # There is no other place from above.
    assert loader.sample(0, 0, 0).image_t2 is samples[0].image_t2
    joined = PairLoader(sources, PairAugmentation(AugmentationArguments(**NOTHING | {"join_share": 1.0})))
    assert len({joined.sample(1, 0, position).image_t1.tobytes() for position in range(9)}) > 1
    endless = PairLoader([Given(samples[1:], is_infinite=True)], augmentation, epoch_draws=[3])
    assert endless.sample(0, 0, 0).image_t2 is samples[1].image_t2


def test_an_endless_run_needs_a_length():
    with pytest.raises(DataError, match="max_steps"):
        make_train_dataset(DataArguments(), PairAugmentation(AugmentationArguments()), False, seed=0, run_pairs=0)


@pytest.mark.parametrize("count", [1, 2])
def test_some_sentences_of_a_pair_are_drawn(pairs, count):
    source = GeneratedPairs(GENERATOR)
    row = max(range(8), key=lambda row: len(pairs[row].expressions))
    assert len(pairs[row].expressions) > 2
    drawn = set()
    for epoch in range(12):
        loader = PairLoader([source], sentences_per_pair=count)
        loader.set_epoch(epoch)
        # Endless, but an epoch counts no rows here, so it is the same pair.
        sample = loader.sample(0, row, 0)
        assert len(sample.expressions) == len(sample.masks) == len(sample.change_types) == count
        for expression, mask in zip(sample.expressions, sample.masks):
            index = pairs[row].expressions.index(expression)
            assert (mask == pairs[row].masks[index]).all()
            drawn.add(index)
    assert len(drawn) > 1


def test_sentences_that_choose_among_objects_are_left_out(pairs):
    sample = replace(pairs[0], masks=[mask := pairs[0].masks[0]] * 4, change_types=["appear"] * 4)
    sample.expressions = [
        "the new house",
        "the leftmost new house",
        "the two new houses",
        "the house at the top that is new",
    ]
    loader = PairLoader([Given([sample])], drop_choices=True)
    # A number alone is asked, too.
    assert loader.sample(0, 0, 0).expressions == ["the new house", "the two new houses"]
    assert len(loader.sample(0, 0, 0).masks) == len(loader.sample(0, 0, 0).change_types) == 2
    sample.expressions = ["the leftmost new house"] * 4
    assert loader.sample(0, 0, 0).expressions == sample.expressions
    assert (loader.sample(0, 0, 0).change_mask == mask).all()


def test_not_every_change_is_known_without_some_of_the_sentences(small_processor, make_sample):
    sample = make_sample("the new house", "the new car")
    sample.masks[1] = ~sample.masks[0]
    source = Given([sample, sample])
    assert load_sample(source, 0).change_mask.all()
    sample.expressions = ["the new house", " "]
    decoded = load_sample(source, 0)
    assert (decoded.expressions, decoded.change_mask) == (["the new house"], None)
    known = make_sample("the new house")
    batch = PairCollator(small_processor)([{"sample": decoded}, {"sample": known}])
    assert batch["num_expressions"].tolist() == [1, 1]
    assert [set(labels.unique().tolist()) for labels in batch["change_labels"]] == [{-1.0}, {0.0, 1.0}]
    assert torch.equal(batch["change_labels"][1], batch["labels"][1])
    counts = count_items(batch)
    assert (counts.pairs, counts.of("loss_change")) == (2, 1)
    skipped = replace(source[1], expressions=source[1].expressions[:1], skipped_sentences=1)
    with pytest.raises(UnusableError, match="1 of the sentences"):
        decode_pair(skipped, Numbers(1))


def test_raw_and_exported_folders_hold_the_same_pairs(tmp_path):
    raw, exported = tmp_path / "raw", tmp_path / "exported"
    write_raw(GENERATOR, raw, 3, png=True)
    export_dataset(raw, exported, ExportOptions())
    # One row a sentence, put together to pairs.
    sources = [open_pairs(folder, "train", "TV") for folder in (raw, exported)]
    truth = GeneratedPairs(GENERATOR)
    for source in sources:
        assert len(source) == 3
        by_id = {sample.pair_id: sample for sample in (load_sample(source, row) for row in range(3))}
        for row in range(3):
            expected = load_sample(truth, row)
            sample = by_id[expected.pair_id]
            assert sample.expressions == expected.expressions
            assert sample.change_types == expected.change_types
            assert sample.domain == "RS"
            assert (np.asarray(sample.image_t1) == np.asarray(expected.image_t1)).all()
            assert all((one == other).all() for one, other in zip(sample.masks, expected.masks))
    with pytest.raises(DataError, match="no split 'validation'"):
        open_pairs(raw, "validation", "TV")
    arguments = DataArguments(train_data=[str(exported), "generated"], generated_pairs=2, generated_size=128)
    table, _ = make_train_dataset(
        DataArguments(**{**vars(arguments), "generated_domains": ["RS"]}),
        PairAugmentation(AugmentationArguments()),
        False,
        seed=0,
        run_pairs=0,
    )
    assert sorted(table[index]["sample"].source for index in range(5)) == ["exported"] * 3 + ["generated"] * 2


def test_raw_folders_of_stage_1(tmp_path):
    write_raw(GENERATOR, tmp_path / "raw", 2, kind="pretrain", png=True)
    source = open_pairs(tmp_path / "raw", "train", "RS", is_stage1=True)
    expected = load_sample(GeneratedPairs(GENERATOR, is_stage1=True), 0)
    sample = next(
        sample for sample in (load_sample(source, row) for row in range(2)) if sample.pair_id == expected.pair_id
    )
    assert sample.expressions == []
    assert (sample.masks[0] == expected.masks[0]).all()


def test_image_folders(tmp_path):
    record = to_pair(GENERATOR.pair(0), "train", "referring", png=True)
    lines = []
    for file in (record.image_t1, record.image_t2, *(expression.mask for expression in record.expressions)):
        path = tmp_path / "mine" / "train" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.read_bytes())
    for expression in record.expressions:
        names = {"image_t1_file_name": record.image_t1.name, "image_t2_file_name": record.image_t2.name}
        lines.append(json.dumps({**names, "mask_file_name": expression.mask.name, "expression": expression.text}))
    (tmp_path / "mine" / "train" / "metadata.jsonl").write_text("\n".join(lines))
    source = open_pairs(tmp_path / "mine", "train", "TV")
    assert len(source) == 1
    assert [one.text for one in source[0].expressions] == [expression.text for expression in record.expressions]
    with pytest.raises(DataError, match="no usable pair"):
        open_pairs(tmp_path / "mine", "test", "TV")


def test_rows_of_sentences_are_put_together_by_domain_and_pair():
    rows = []
    for index in range(2):
        record = to_pair(GENERATOR.pair(index), "train", "referring", png=True)
        rows += make_rows(record, read_content(record), "referring")
    labels = {"change_type": CHANGE_TYPES, "domain": DOMAINS, "view": VIEWS}
    rows = [{**row, **{name: names.index(row[name]) for name, names in labels.items()}} for row in rows]
    order = np.random.default_rng(0).permutation(len(rows))
    table = Dataset.from_list([rows[index] for index in order], features=referring_features())
    source = TablePairs("rows", table)
    assert len(source) == 2
    assert sum(len(source[row].expressions) for row in range(2)) == len(rows)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere", "nowhere"])
def test_what_is_not_there_is_named(name):
    with pytest.raises(DataError, match="nowhere is neither a folder nor a Hub id"):
        open_pairs(name, "train")


def test_evaluation_takes_pairs_as_they_are():
    arguments = DataArguments(generated_size=128, generated_domains=["RS"], generated_eval_pairs=6, max_eval_pairs=3)
    table = make_eval_dataset(arguments, is_stage1=False)
    assert table is not None
    assert len(table) == 3
    expected = Generator(size=128, domains=("RS",), split="validation").pair(2)
    assert table[1]["sample"].pair_id == expected.pair_id
    assert (np.asarray(table[1]["sample"].image_t1) == np.asarray(expected.image_t1)).all()
    assert make_eval_dataset(DataArguments(eval_data=[]), is_stage1=False) is None


def test_datasets_of_one_name_are_scored_apart(tmp_path):
    for place in ("one", "other"):
        write_raw(replace(GENERATOR, split="validation"), tmp_path / place / "pairs", 1, png=True)
    folders = [str(tmp_path / place / "pairs") for place in ("one", "other")]
    table = make_eval_dataset(DataArguments(eval_data=folders), is_stage1=False)
    assert [row["sample"].source for row in table] == ["pairs", "pairs_2"]


def test_a_pair_without_sentences_is_left_out():
    record = to_pair(GENERATOR.pair(0), "train", "referring", png=True)
    (row,) = make_rows(record, read_content(record), "pairs")
    row |= {name: [] for name in ("expressions", "masks", "change_types", "noisy")}
    labels = {"domain": DOMAINS, "view": VIEWS}
    row |= {name: names.index(row[name]) for name, names in labels.items()}
    source = TablePairs("rows", Dataset.from_list([row], features=pair_features()))
    assert PairLoader([source]).sample(0, 0, 0) is None


@pytest.mark.parametrize("option", [{"epoch_pairs": 0}, {"max_eval_pairs": 0}, {"max_eval_pairs": -1}])
def test_there_must_be_pairs(option):
    with pytest.raises(TrainingError, match="must be 1 or more; leave it out for all pairs"):
        DataArguments(**option)


def test_weights_must_fit_the_datasets():
    with pytest.raises(TrainingError, match="train_weights"):
        DataArguments(train_data=["generated"], train_weights=[1.0, 2.0])
