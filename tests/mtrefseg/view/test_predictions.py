# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""predictions.parquet, read and chosen from, and the images behind it."""

from dataclasses import replace

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from dataset_scripts.export import ExportOptions, export_dataset
from dataset_scripts.readers import open_pairs
from dataset_scripts.synthesis import Generator, write_raw
from mtrefseg.view import predictions
from mtrefseg.view.pair_images import PairImages
from mtrefseg.view.predictions import (
    PREDICTIONS_SCHEMA,
    ScoredSentence,
    change_types_of,
    domains_of,
    filter_predictions,
    iou_histogram,
    load_predictions,
    mean_iou,
    worst_first,
)
from mtrs_iou.mask_counts import encode_rle
from tests.dataset_scripts.image_folders import make_image_folder


HEIGHT, WIDTH = 32, 48
GENERATOR = Generator(size=128, domains=("RS",), split="validation")


def box(*corners):
    """The RLE of a box: left, top, right, bottom; empty without corners."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    if corners:
        left, top, right, bottom = corners
        mask[top:bottom, left:right] = True
    return encode_rle(mask)


def row(number, **changes):
    return {
        "sample_id": f"pair_{number}_0",
        "pair_id": f"pair_{number}",
        "domain": "RS",
        "change_type": "appear",
        "expression": "the red roof",
        "truth": box(0, 0, 10, 10),
        "prediction": box(0, 0, 10, 20),
        "iou": 50.0,
        "score": 0.75,
        "no_target_score": 0.25,
        "problem": None,
        **changes,
    }


@pytest.fixture
def write(tmp_path):
    """A function from rows to a file of them."""

    def write(*rows, schema=PREDICTIONS_SCHEMA):
        path = tmp_path / "predictions.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), path)
        return path

    return write


def sentence_of(pair, index=0, **changes) -> ScoredSentence:
    """A sentence of a generated pair, as the evaluation writes it."""
    expression = pair.expressions[index]
    fields = row(0, pair_id=pair.pair_id, expression=expression.text, change_type=expression.change_type)
    rle = encode_rle(expression.mask)
    fields |= {"truth": rle, "prediction": rle, "domain": pair.domain}
    return ScoredSentence(**{**fields, **changes}, has_target=True, wrong_pixels=0)


# --- the file ---


def test_what_was_written_is_read(write):
    lost = {"truth": None, "prediction": None, "score": None, "no_target_score": None, "iou": 0.0}
    rows = [
        row(0),
        row(1, truth=box(), prediction=box(0, 0, 2, 3), iou=0.0, domain=None),
        row(2, truth=box(), prediction=box(), iou=100.0),
        row(3, prediction=None, iou=0.0, problem="unreadable_image: cut"),
        row(4, **lost, problem="unreadable_mask: cut"),
    ]
    sentences = load_predictions(write(*rows))
    for sentence, expected in zip(sentences, rows, strict=True):
        assert {name: getattr(sentence, name) for name in expected} == expected
    assert [sentence.wrong_pixels for sentence in sentences] == [100, 6, 0, 100, 0]
    assert [sentence.has_target for sentence in sentences] == [True, False, False, True, True]
    assert [sentence.size for sentence in sentences] == [(HEIGHT, WIDTH)] * 4 + [None]
    assert sentences[0].truth_mask().sum() == 100
    assert sentences[0].prediction_mask()[15, 5]
    assert sentences[3].prediction_mask() is None
    assert sentences[4].truth_mask() is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": {"size": [100_000, 100_000], "counts": "0"}}, r"sentence 0: truth has the size \[100000, 100000\]"),
        ({"truth": {"size": [-3, 4], "counts": "0"}}, r"the size \[-3, 4\]"),
        ({"truth": {"size": [3], "counts": "0"}}, r"the size \[3\]"),
        ({"truth": {"size": None, "counts": "0"}}, "the size None"),
        ({"truth": {"size": [HEIGHT, WIDTH], "counts": "0~~"}}, "sentence 0: .*damaged RLE"),
        ({"truth": {"size": [HEIGHT, WIDTH], "counts": "05"}}, "sentence 0: .*damaged RLE"),
        ({"prediction": {"size": [HEIGHT, WIDTH], "counts": None}}, "sentence 0: .*damaged RLE"),
        ({"prediction": encode_rle(np.ones((2, 2), dtype=bool))}, "the prediction is 2 x 2 pixels"),
        ({"iou": 101.0}, "iou is 101.0"),
        ({"iou": float("nan")}, "iou is nan"),
        ({"expression": None}, "expression is null"),
    ],
)
def test_damaged_rows_are_named(changes, message, write):
    with pytest.raises(ValueError, match=message):
        load_predictions(write(row(0, **changes)))


def test_other_files_are_refused(write, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load_predictions(tmp_path / "gone.parquet")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load_predictions(tmp_path)
    (tmp_path / "notes.parquet").write_text("no table")
    with pytest.raises(ValueError, match=r"is not a complete predictions\.parquet"):
        load_predictions(tmp_path / "notes.parquet")
    with pytest.raises(ValueError, match="has no column truth"):
        load_predictions(write({"iou": 1.0}, schema=pyarrow.schema([*list(PREDICTIONS_SCHEMA)[:5]])))
    wrong = PREDICTIONS_SCHEMA.set(7, pyarrow.field("iou", pyarrow.string()))
    with pytest.raises(ValueError, match=r"is not a complete predictions\.parquet"):
        load_predictions(write(row(0, iou="much"), schema=wrong))
    path = write(row(0), row(1))
    cut = path.read_bytes()
    path.write_bytes(cut[: len(cut) // 2])
    with pytest.raises(ValueError, match=r"is not a complete predictions\.parquet"):
        load_predictions(path)
    monkeypatch.setattr(predictions, "MOST_SENTENCES", 1)
    with pytest.raises(ValueError, match="is larger than 1 sentences"):
        load_predictions(write(row(0), row(1)))


# --- choosing ---


@pytest.fixture
def sentences(write) -> list[ScoredSentence]:
    return load_predictions(
        write(
            row(0, iou=0.0),
            row(1, iou=100.0, domain="NS", expression="the Blue car", change_type="disappear"),
            row(2, iou=9.99, domain="NS", expression="the red car"),
            row(3, iou=10.0, domain=None, change_type="unknown"),
            row(4, iou=0.0, prediction=box(0, 0, 48, 32)),
        )
    )


def test_filters_choose(sentences):
    def numbers(**options):
        return [int(sentence.pair_id[-1]) for sentence in filter_predictions(sentences, **options)]

    assert numbers() == [0, 1, 2, 3, 4]
    assert numbers(domain="NS") == [1, 2]
    assert numbers(change_type="appear") == [0, 2, 4]
    assert numbers(min_iou=9.99) == [1, 2, 3]
    assert numbers(min_iou=5, max_iou=10) == [2, 3]
    assert numbers(text="CAR the") == [1, 2]
    assert numbers(text="pair_3") == [3]
    assert numbers(domain="NS", text="blue", max_iou=50) == []
    assert domains_of(sentences) == ["NS", "RS"]
    assert change_types_of(sentences) == ["appear", "disappear", "unknown"]


def test_the_worst_come_first(sentences):
    assert [sentence.pair_id[-1] for sentence in worst_first(sentences)] == ["4", "0", "2", "3", "1"]


def test_the_histogram_counts_every_sentence_once(sentences):
    assert iou_histogram(sentences) == [3, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert mean_iou(sentences) == pytest.approx(23.998)
    assert (iou_histogram([]), mean_iou([])) == ([0] * 10, 0.0)


# --- images ---


def same(images, others):
    return images is not None and all(
        np.array_equal(np.asarray(image), np.asarray(other)) for image, other in zip(images, others, strict=True)
    )


def test_generated_pairs_are_made_again():
    finder = PairImages(open_pairs("generated"))
    for generator in (GENERATOR, Generator(seed=5, size=160)):
        for number in (0, 3):
            pair = generator.pair(number)
            assert same(finder.find(sentence_of(pair)), (pair.image_t1, pair.image_t2))
    pair = GENERATOR.pair(0)
    # Another version of the generator would have said other sentences.
    assert finder.find(sentence_of(pair, expression="the house that never was")) is None
    assert finder.find(sentence_of(pair, pair_id="RS_validation_0_x")) is None
    assert finder.find(sentence_of(pair, truth=None, prediction=None)) is None
    assert finder.find(sentence_of(pair, truth=encode_rle(np.ones((9, 9), dtype=bool)))) is None
    assert finder.find(sentence_of(pair, truth=encode_rle(np.ones((128, 160), dtype=bool)))) is None


@pytest.mark.parametrize("kind", ["raw", "sentences", "pairs"])
def test_images_are_found_in_folders(kind, tmp_path):
    (folder,) = write_raw(GENERATOR, tmp_path / "raw", 3, png=True)
    data = tmp_path / "raw"
    if kind != "raw":
        data = tmp_path / "exported"
        export_dataset(tmp_path / "raw", data, ExportOptions(with_pairs=kind == "pairs"))
    finder = PairImages(open_pairs(data))
    for number in range(3):
        pair = GENERATOR.pair(number)
        for index in range(len(pair.expressions)):
            found = finder.find(sentence_of(pair, index))
            assert same(found, (pair.image_t1, pair.image_t2))
            assert found[0].mode == "RGB"
    pair = GENERATOR.pair(0)
    assert same(finder.find(sentence_of(pair, domain=None)), (pair.image_t1, pair.image_t2))
    assert finder.find(sentence_of(pair, pair_id="another")) is None
    assert finder.find(sentence_of(pair, expression="the house that never was")) is None
    small = encode_rle(np.ones((64, 128), dtype=bool))
    assert finder.find(sentence_of(pair, truth=small, prediction=None)) is None
    if kind == "raw":
        path = next((folder / "A").glob(f"{pair.pair_id}.*"))
        path.write_bytes(path.read_bytes()[:300])
        assert PairImages(open_pairs(folder)).find(sentence_of(pair)) is None


def test_every_part_of_exported_data_is_read_once(tmp_path, monkeypatch):
    write_raw(GENERATOR, tmp_path / "raw", 6, png=True)
    export_dataset(tmp_path / "raw", tmp_path / "exported", ExportOptions(with_pairs=True))
    for path in (tmp_path / "exported").rglob("*.parquet"):
        pyarrow.parquet.write_table(pyarrow.parquet.read_table(path), path, row_group_size=2)
    finder = PairImages(open_pairs(tmp_path / "exported"))
    assert len(finder.pairs.positions) == 6  # Reads the ids of all pairs, once.
    read = []
    read_row_group = pyarrow.parquet.ParquetFile.read_row_group

    def counting(self, group, **options):
        read.append(group)
        return read_row_group(self, group, **options)

    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "read_row_group", counting)
    sentences = [sentence_of(GENERATOR.pair(number)) for number in (5, 0, 3, 1, 4, 2)]
    ordered = finder.in_reading_order([*sentences, replace(sentences[0], pair_id="another")])
    assert sum(finder.find(sentence) is not None for sentence in ordered) == 6
    assert sorted(read) == [0, 1, 2]


def test_images_are_found_in_image_folders(tmp_path):
    folder = make_image_folder(tmp_path / "set", pairs=2, sentences=2)
    with Image.open(folder / "t1" / "1.png") as image:
        earlier, size = np.asarray(image.convert("RGB")), image.size
    truth = encode_rle(np.ones(size[::-1], dtype=bool))
    sentence = sentence_of(GENERATOR.pair(0), truth=truth, expression="thing 1 that appeared")
    finder = PairImages(open_pairs(folder))
    found = [finder.find(replace(sentence, pair_id=pair_id)) for pair_id in finder.pairs.positions]
    assert any(images is not None and np.array_equal(np.asarray(images[0]), earlier) for images in found)


def test_what_holds_no_pairs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not a folder"):
        PairImages(open_pairs(tmp_path / "gone"))
    with pytest.raises(ValueError, match="contains no pairs"):
        PairImages(open_pairs(tmp_path))


class TestExpansion:
    """A few kilobytes of Parquet can stand for gigabytes."""

    @staticmethod
    def write_repeated(path, column, text, count=3000, **options):
        """A file whose sentences all hold one text."""
        other = {"truth": {"prediction": None}, "prediction": {"truth": None}}.get(column, {})
        rows = [row(number, **other) for number in range(count)]
        table = pyarrow.Table.from_pylist(rows, schema=PREDICTIONS_SCHEMA)
        repeated = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * count, pyarrow.int32()), [text])
        place = table.schema.get_field_index(column)
        if column in ("truth", "prediction"):
            sizes = pyarrow.array([[1, len(text)]] * count, pyarrow.list_(pyarrow.int32()))
            repeated = pyarrow.StructArray.from_arrays([sizes, repeated], ["size", "counts"])
        pyarrow.parquet.write_table(table.set_column(place, column, repeated), path, **options)
        return path

    @pytest.mark.parametrize("column", ["expression", "sample_id", "domain", "problem", "truth", "prediction"])
    def test_a_repeated_text_is_not_written_out(self, column, tmp_path):
        # As a mask: a million runs of one pixel each.
        path = self.write_repeated(tmp_path / "p.parquet", column, "111" + "0" * ((1 << 20) - 3))
        assert path.stat().st_size < 1 << 20
        pool = pyarrow.default_memory_pool()
        before = pool.bytes_allocated()
        with pytest.raises(ValueError, match=r"p\.parquet.*(at most 10,000 are read|64 MiB)"):
            load_predictions(path, 64 << 20)
        assert pool.bytes_allocated() - before < 64 << 20

    def test_repeated_texts_of_usual_length_are_read(self, tmp_path):
        path = self.write_repeated(tmp_path / "p.parquet", "expression", "the red roof")
        assert {sentence.expression for sentence in load_predictions(path, 4 << 20)} == {"the red roof"}

    def test_the_whole_size_counts(self, tmp_path):
        path = self.write_repeated(tmp_path / "p.parquet", "expression", "x" * 10_000)
        assert len(load_predictions(path)) == 3000
        with pytest.raises(ValueError, match="larger than 200,000 sentences or 16 MiB: evaluate in parts"):
            load_predictions(path, 16 << 20)

    @pytest.mark.parametrize("codec", ["gzip", "zstd", "brotli"])
    def test_codecs_that_can_expand_without_limit_are_refused(self, codec, write):
        path = write(row(0))
        pyarrow.parquet.write_table(pyarrow.parquet.read_table(path), path, compression=codec)
        with pytest.raises(ValueError, match=f"with {codec.upper()} compression; evaluate again"):
            load_predictions(path)

    def test_a_list_of_millions_of_values_is_refused(self, write):
        long = {"size": [1] * 1_000_000, "counts": "0"}
        with pytest.raises(ValueError, match=r"truth\.size\.list\.element has 1,000,00\d values of 2 sentences"):
            load_predictions(write(row(0), row(1, truth=long)))

    def test_rows_of_several_groups_keep_their_numbers(self, tmp_path):
        rows = [row(number) for number in range(600)] + [row(600, iou=101.0)]
        path = tmp_path / "p.parquet"
        table = pyarrow.Table.from_pylist(rows, schema=PREDICTIONS_SCHEMA)
        pyarrow.parquet.write_table(table, path, row_group_size=100)
        with pytest.raises(ValueError, match="sentence 600: iou is 101"):
            load_predictions(path)
        pyarrow.parquet.write_table(table.slice(0, 600), path, row_group_size=100)
        assert [sentence.sample_id for sentence in load_predictions(path)] == [f"pair_{n}_0" for n in range(600)]
