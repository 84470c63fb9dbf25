# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Training data with rows that cannot be read, without rows, and damaged files."""

import re
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet
import pytest
from accelerate import Accelerator
from datasets import config
from torch import nn
from torch.utils.data import DataLoader

from dataset_scripts.command_line import main as data_tools
from dataset_scripts.errors import DataError
from dataset_scripts.readers import UnusableError, open_pairs, parquet_pairs
from trainer.arguments import AugmentationArguments, DataArguments
from trainer.data import PairAugmentation, PairCollator, make_eval_dataset, make_train_dataset
from trainer.data.samples import load_sample
from trainer.errors import TrainingError
from trainer.evaluation import Evaluator


ROOT = Path(__file__).parents[2]
FILE = "data/NS/validation-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "pairs"
    assert data_tools(["export", str(ROOT / "dataset_scripts" / "sample"), str(folder)]) == 0
    return folder


@pytest.fixture
def damage(export, tmp_path):
    """A function that changes the rows of the exported Parquet file and returns the folder."""

    def change(edit):
        folder = shutil.copytree(export, tmp_path / "pairs")
        table = pyarrow.parquet.read_table(folder / FILE)
        rows = edit(table.to_pylist())
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), folder / FILE)
        return folder

    return change


def open_train(folder, processor=None, move_share=1.0):
    arguments = DataArguments(train_data=[str(folder)], train_split="validation", setting="NS")
    augmentation = PairAugmentation(AugmentationArguments(move_share=move_share))
    return make_train_dataset(arguments, augmentation, False, seed=0, run_pairs=0, processor=processor)[0]


def test_sentences_about_other_images_are_no_sentences_of_the_pair(damage):
    """Two pairs of one id: their sentences were all asked about the images of the first row."""
    names = []

    def edit(rows):
        names.extend(dict.fromkeys(row["pair_id"] for row in rows))
        for row in rows:
            row["pair_id"] = names[0] if row["pair_id"] == names[1] else row["pair_id"]
        return rows

    folder = damage(edit)
    source = open_pairs(folder, split="validation", setting="NS")
    with pytest.raises(UnusableError, match=rf'sentences of the pair "{names[0]}" differ in image_t1; give each pair'):
        source[0]
    assert [source[index].pair_id for index in range(1, len(source))] == names[2:]
    listed = open_pairs(folder)
    kept = [pair.pair_id for pair in listed.usable(domain="NS")]
    assert kept == names[2:]
    assert any("differ in image_t1" in finding.detail for finding in listed.report.skipped)


def test_an_image_that_only_the_first_sentence_has_is_that_of_the_pair(damage):
    def edit(rows):
        for earlier, row in pairwise(rows):
            row["image_t1"] = None if row["pair_id"] == earlier["pair_id"] else row["image_t1"]
        return rows

    folder = damage(edit)
    source = open_pairs(folder, split="validation", setting="NS")
    assert len(source) == len([source[index].load_images() for index in range(len(source))])
    assert len(list(open_pairs(folder).usable(domain="NS"))) == len(source)


def test_data_without_a_split_to_evaluate_says_how_to_train_without_one(export, tmp_path):
    export = shutil.copytree(export, tmp_path / "pairs")
    arguments = DataArguments(train_data=["generated"], eval_data=[str(export)], setting="NS")
    assert make_eval_dataset(arguments, is_stage1=False) is not None
    arguments.setting = "TV"
    Path(export, "README.md").write_text(
        Path(export, "README.md").read_text().replace("split: validation", "split: train")
    )
    with pytest.raises(DataError, match=r"^--eval_data: .* has no split 'validation' .*add --eval_data none"):
        make_eval_dataset(arguments, is_stage1=False)


def break_images(rows, pairs):
    names = list(dict.fromkeys(row["pair_id"] for row in rows))[:pairs]
    for row in rows:
        if row["pair_id"] in names:
            row["image_t1"] = {**row["image_t1"], "bytes": row["image_t1"]["bytes"][:200]}
    return rows


def test_a_null_sentence_costs_no_other_sentence_of_its_pair(damage):
    counts = {}

    def edit(rows):
        counts.update(Counter(row["pair_id"] for row in rows))
        counts[rows[0]["pair_id"]] -= 1
        rows[0]["expression"] = None
        return rows

    source = open_pairs(damage(edit), split="validation", setting="NS")
    samples = [load_sample(source, index) for index in range(len(source))]
    assert {sample.pair_id: len(sample.expressions) for sample in samples} == counts
    assert all(text for sample in samples for text in sample.expressions)
    assert all(len(sample.masks) == len(sample.expressions) for sample in samples)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_pair_that_cannot_be_read_is_replaced(damage, caplog, workers):
    table = open_train(damage(lambda rows: break_images(rows, 2)))
    loader = DataLoader(table, batch_size=None, num_workers=workers)
    ids = [row["sample"].pair_id for row in loader]
    assert len(ids) == len(table) == 4
    assert len(set(ids)) == 2
    if workers == 0:
        assert sum("is left out" in record.message for record in caplog.records) == 2


def test_an_unreadable_pair_is_left_out_of_the_evaluation(damage):
    folder = damage(lambda rows: break_images(rows, 1))
    table = make_eval_dataset(DataArguments(eval_data=[str(folder)], setting="NS"), is_stage1=False)
    assert [row["sample"] is None for row in table] == [True, False, False, False]


def test_evaluation_without_a_readable_pair_ends_the_run(damage, small_processor):
    folder = damage(lambda rows: break_images(rows, 4))
    table = make_eval_dataset(DataArguments(eval_data=[str(folder)], setting="NS"), is_stage1=False)
    evaluator = Evaluator(small_processor, Accelerator(cpu=True), batch_size=2)
    with pytest.raises(TrainingError, match="No pair of eval_data can be read"):
        evaluator(nn.Identity(), table)


def test_data_without_a_readable_pair_ends_the_run(damage):
    table = open_train(damage(lambda rows: break_images(rows, 4)))
    with pytest.raises(DataError, match=r"in a row cannot be read.*--train_data"):
        table[0]


def test_a_sentence_that_the_processor_refuses_costs_no_other_one(damage, small_processor, caplog):
    def edit(rows):
        rows[0]["expression"] = "the [SEG] that appeared"
        return rows

    samples = [row["sample"] for row in open_train(damage(edit), small_processor, move_share=0.0)]
    assert len(samples) == 4
    assert not any("[SEG]" in text for sample in samples for text in sample.expressions)
    PairCollator(small_processor)([{"sample": sample} for sample in samples])
    assert sum("is left out" in record.message for record in caplog.records) == 1


def test_a_pair_of_refused_sentences_is_replaced(damage, small_processor):
    refused = []

    def edit(rows):
        refused.append(rows[0]["pair_id"])
        for row in rows:
            if row["pair_id"] in refused:
                row["expression"] = "the car " * 300
        return rows

    samples = [row["sample"] for row in open_train(damage(edit), small_processor, move_share=0.0)]
    assert len(samples) == 4
    assert len({sample.pair_id for sample in samples} - {*refused}) == 3
    # One pair at a time: none of the batches is without sentences.
    for sample in samples:
        assert PairCollator(small_processor)([{"sample": sample}])["num_expressions"].item() > 0


def test_data_of_refused_sentences_alone_ends_the_run(damage, small_processor):
    def edit(rows):
        return [{**row, "expression": "the [SEG] that appeared"} for row in rows]

    table = open_train(damage(edit), small_processor, move_share=0.0)
    with pytest.raises(DataError, match="in a row have only sentences that the processor rejects"):
        table[0]


def test_a_refused_sentence_is_left_out_of_the_evaluation(damage, small_processor, small_model, caplog):
    def edit(rows):
        rows[0]["expression"] = "the [SEG] that appeared"
        return rows

    counts = []
    for folder in (damage(edit), ROOT / "dataset_scripts" / "sample"):
        table = make_eval_dataset(DataArguments(eval_data=[str(folder)], setting="NS"), is_stage1=False)
        evaluator = Evaluator(small_processor, Accelerator(cpu=True), batch_size=2)
        counts.append(evaluator(small_model, table)["num_samples"])
    assert counts[0] == counts[1] - 1
    assert any("is not scored" in record.message for record in caplog.records)


@pytest.mark.parametrize("name", ["pairs", "odd[pairs]"])
def test_a_file_that_expands_is_refused_before_it_is_read(export, tmp_path, monkeypatch, name):
    folder = shutil.copytree(export, tmp_path / name)
    monkeypatch.setattr(config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    checked = []
    monkeypatch.setattr(parquet_pairs, "read_limited", lambda function, path, most: checked.append(str(path)))
    assert open_train(folder) is not None
    assert open_train(folder) is not None
    assert len(checked) == len(set(checked)) > 0  # Once: then all is in the cache.

    table = pyarrow.parquet.read_table(folder / FILE)
    rows = [{**row, "source": "x" * (600 << 20)} for row in table.to_pylist()[:1]]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), folder / FILE, compression="zstd")
    assert (folder / FILE).stat().st_size < 1 << 20
    monkeypatch.undo()
    monkeypatch.setattr(config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(parquet_pairs, "MOST_BYTES", 128 << 20)
    with pytest.raises(DataError, match=re.escape(f"{folder / FILE} would need more than 128 MiB of memory")):
        open_train(folder)


def test_a_changed_file_is_not_taken_from_the_cache(damage):
    folder = damage(lambda rows: rows)
    assert len(open_train(folder)) == 4
    table = pyarrow.parquet.read_table(folder / FILE)
    pyarrow.parquet.write_table(table.slice(0, 4).combine_chunks(), folder / FILE)
    pairs = len(set(table["pair_id"].to_pylist()[:4]))
    assert len(open_train(folder)) == pairs < 4


def test_data_without_a_row_is_refused(damage):
    folder = damage(lambda rows: [])
    with pytest.raises(DataError, match=re.escape(str(folder))):
        open_train(folder)


def test_a_damaged_file_is_named(export, tmp_path):
    folder = shutil.copytree(export, tmp_path / "pairs")
    (folder / FILE).write_bytes((folder / FILE).read_bytes()[:-100])
    with pytest.raises(DataError, match=re.escape(f"{folder / FILE} is not a complete Parquet file")):
        open_train(folder)
