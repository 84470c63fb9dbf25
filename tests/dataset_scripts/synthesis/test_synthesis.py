# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The generator: deterministic, exact masks, and flags on corrupted sentences. A few dozen small images."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.errors import DataError
from dataset_scripts.readers import CHANGE_TYPES, DOMAINS, find_split_folders, open_pairs, pair_features
from dataset_scripts.synthesis import Generator, SyntheticPair, large_scene, stream, write_raw
from dataset_scripts.synthesis.contact_sheet import contact_sheet
from dataset_scripts.synthesis.render.camera import sample_camera, shifted, take_image
from dataset_scripts.synthesis.scene import Rendering
from tests.oracles.checker import refer
from tests.oracles.checker_grammar import parse


SIZE = 128


def digest(pair: SyntheticPair) -> str:
    """Of everything that a pair holds."""
    parts = [np.asarray(pair.image_t1).tobytes(), np.asarray(pair.image_t2).tobytes()]
    parts += [one.text.encode() + one.mask.tobytes() for one in pair.expressions]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def die(*_: object) -> None:
    """What a worker that is killed for want of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def pairs() -> list[SyntheticPair]:
    generator = Generator(seed=1, size=SIZE)
    return [generator.pair(index) for index in range(60)]


def test_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "from dataset_scripts.synthesis.generator import Generator; import hashlib, numpy as np\n"
        "for index in (3, 2):\n"
        "    pair = Generator(seed=5, size=128).pair(index)\n"
        "    parts = [np.asarray(pair.image_t1).tobytes(), np.asarray(pair.image_t2).tobytes()]\n"
        "    parts += [one.text.encode() + one.mask.tobytes() for one in pair.expressions]\n"
        "    print(hashlib.sha256(b''.join(parts)).hexdigest())"
    )
    root = Path(__file__).parents[3]
    other = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    generator = Generator(seed=5, size=SIZE)
    assert other.stdout.split() == [digest(generator.pair(3)), digest(generator.pair(2))]


def test_seed_split_and_index_each_give_other_pairs() -> None:
    settings = (Generator(0, SIZE), Generator(1, SIZE), Generator(0, SIZE, split="validation"))
    assert len({digest(generator.pair(index)) for generator in settings for index in (0, 2)}) == 6


def test_every_sentence_refers_to_exactly_its_mask(pairs: list[SyntheticPair]) -> None:
    for pair in pairs:
        for expression in pair.expressions:
            reference = refer(expression.text, pair.scene, pair.numbers_t1, pair.numbers_t2)
            assert np.array_equal(reference.mask, expression.mask), (pair.pair_id, expression.text)
            assert reference.change_type in (None, expression.change_type), (pair.pair_id, expression.text)


def test_the_mix_is_as_promised(pairs: list[SyntheticPair]) -> None:
    assert Counter(pair.domain for pair in pairs) == {"NS": 30, "RS": 30}
    expressions = [expression for pair in pairs for expression in pair.expressions]
    assert all(pair.expressions for pair in pairs)
    assert all(len({one.text for one in pair.expressions}) == len(pair.expressions) for pair in pairs)
    absent = sum(not one.mask.any() for one in expressions) / len(expressions)
    assert 0.02 < absent < 0.2
    assert {one.change_type for one in expressions} == {"appear", "disappear", "state_change"}
    # Other changes than the described one are there to be ignored.
    partly = [one for pair in pairs for one in pair.expressions if one.mask.sum() < pair.change_mask.sum()]
    assert len(partly) > len(expressions) / 2


def test_no_target_share_over_many_scenes() -> None:
    generator = Generator(seed=2, size=SIZE)
    expressions = [one for index in range(200) for one in generator.pair(index).expressions]
    share = sum(not one.mask.any() for one in expressions) / len(expressions)
    assert 0.06 < share < 0.10


@pytest.mark.parametrize("size", [128, 333, 1024])
@pytest.mark.parametrize("domain", DOMAINS)
def test_sizes(size: int, domain: str) -> None:
    pair = Generator(seed=3, size=size, domains=(domain,)).pair(0)
    assert pair.image_t1.size == pair.image_t2.size == (size, size)
    assert pair.image_t1.mode == pair.image_t2.mode == "RGB"
    assert all(one.mask.shape == (size, size) and one.mask.dtype == bool for one in pair.expressions)


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 64},
        {"size": 2000},
        {"domains": ()},
        {"domains": ("XX",)},
        {"split": "dev"},
        {"seed": -1},
        {"noise": 1.5},
        {"strength": -0.1},
        {"most_expressions": 0},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Generator(**settings)


def test_corrupted_sentences_are_flagged_and_differ() -> None:
    clean, corrupted = Generator(seed=4, size=SIZE), Generator(seed=4, size=SIZE, noise=1.0)
    changed_masks = changed_texts = 0
    for index in range(40):
        for one, other in zip(clean.pair(index).expressions, corrupted.pair(index).expressions, strict=True):
            same_mask, same_text = np.array_equal(one.mask, other.mask), one.text == other.text
            assert other.noisy
            assert not one.noisy
            assert same_mask != same_text
            # A wrong word is a word nevertheless.
            parse(other.text, corrupted.domain(index))
            changed_masks += not same_mask
            changed_texts += not same_text
    assert changed_masks > 10
    assert changed_texts > 10


def test_a_share_is_corrupted_and_the_rest_is_left_alone() -> None:
    clean, corrupted = Generator(seed=4, size=SIZE), Generator(seed=4, size=SIZE, noise=0.3)
    flags = []
    for index in range(24):
        for one, other in zip(clean.pair(index).expressions, corrupted.pair(index).expressions, strict=True):
            flags.append(other.noisy)
            if not other.noisy:
                assert one.text == other.text
                assert np.array_equal(one.mask, other.mask)
    assert 0.1 < np.mean(flags) < 0.5


def test_change_mask_is_every_change(pairs: list[SyntheticPair]) -> None:
    for pair in pairs[:20]:
        expected = np.zeros((SIZE, SIZE), dtype=bool)
        for thing in pair.scene.things:
            if thing.change in ("appear", "state_change"):
                expected |= pair.numbers_t2 == thing.number
            if thing.change in ("disappear", "state_change"):
                expected |= pair.numbers_t1 == thing.number
        assert np.array_equal(pair.change_mask, expected)


def test_things_are_only_seen_when_they_are_there(pairs: list[SyntheticPair]) -> None:
    for pair in pairs:
        for thing in pair.scene.things:
            if thing.state_t1 is None:
                assert thing.number not in pair.numbers_t1
            if thing.state_t2 is None:
                assert thing.number not in pair.numbers_t2


def test_camera_changes_pixels_only() -> None:
    grey = np.full((64, 64, 3), 120, np.uint8)
    numbers = np.zeros((64, 64), np.int16)
    numbers[20:40, 20:40] = 3
    rendering = Rendering(grey, numbers, np.zeros((64, 64), np.uint8))
    random = np.random.default_rng(0)
    images = [take_image(rendering, sample_camera(random), random) for _ in range(8)]
    assert all(image.size == (64, 64) and image.mode == "RGB" for image in images)
    assert len({np.asarray(image).mean().round(2) for image in images}) == 8
    plain = np.asarray(take_image(rendering, sample_camera(random, strength=0.0), random), dtype=np.float64)
    assert abs(plain.mean() - 120) < 2


def test_shift_moves_pixels_and_numbers_alike() -> None:
    numbers = np.zeros((128, 128), np.int16)
    numbers[30:90, 30:90] = 300
    image = np.repeat((numbers > 0)[..., None] * np.uint8(255), 3, axis=2)
    moved = shifted(Rendering(image, numbers, image[..., 0]), np.random.default_rng(1), 0.05)
    assert set(np.unique(moved.numbers)) == {0, 300}
    assert not np.array_equal(moved.numbers, numbers)
    assert np.mean((moved.image[..., 0] > 127) != (moved.numbers == 300)) < 0.01


def test_raw_folders_read_back(tmp_path: Path) -> None:
    generator = Generator(seed=6, size=SIZE, noise=0.2)
    folders = write_raw(generator, tmp_path, 6, png=True)
    assert sorted(folder.name for folder in folders) == ["NS_synthetic_train", "RS_synthetic_train"]
    pairs = open_pairs(tmp_path)
    records = list(pairs.usable())
    assert not pairs.report.findings
    expected = {pair.pair_id: pair for pair in generator.pairs(stop=6)}
    assert {record.pair_id for record in records} == set(expected)
    for record in records:
        pair = expected[record.pair_id]
        assert (record.domain, record.view, record.split) == (pair.domain, pair.view, "train")
        image = Image.open(io.BytesIO(record.image_t1.read_bytes()))
        assert np.array_equal(np.asarray(image), np.asarray(pair.image_t1))
        assert [one.text for one in record.expressions] == [one.text for one in pair.expressions]
        for read, made in zip(record.expressions, pair.expressions, strict=True):
            assert (read.change_type, read.noisy) == (made.change_type, made.noisy)
            assert np.array_equal(read.mask.read_mask((SIZE, SIZE))[0], made.mask)


def test_stage_1_folders_hold_every_change(tmp_path: Path) -> None:
    generator = Generator(seed=6, size=SIZE, domains=("RS",), split="validation")
    (folder,) = write_raw(generator, tmp_path, 2, kind="pretrain")
    assert folder.name == "RS_synthetic_pretrain_val"
    (found,) = find_split_folders(tmp_path)
    assert found.is_pretrain
    for record, pair in zip(open_pairs(found.path).usable(), generator.pairs(stop=2), strict=True):
        assert record.change_mask is not None
        assert np.array_equal(record.change_mask.read_mask((SIZE, SIZE))[0], pair.change_mask)


def test_a_stopped_run_is_continued_and_ends_equal(tmp_path: Path) -> None:
    generator = Generator(seed=7, size=SIZE, domains=("RS",))
    (whole,) = write_raw(generator, tmp_path / "whole", 4)
    (part,) = write_raw(generator, tmp_path / "part", 2)
    # As a killed process leaves it: images without the file that makes a pair count, and a half-written file.
    next(part.glob("referring_expression/*0001.json")).unlink()
    (part / "A" / "half.jpg.7.incomplete").write_bytes(b"x")
    write_raw(generator, tmp_path / "part", 4, processes=2)
    files = {path.relative_to(whole): path.read_bytes() for path in whole.rglob("*.*")}
    again = {path.relative_to(part): path.read_bytes() for path in part.rglob("*.*") if path.suffix != ".incomplete"}
    assert files == again


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    write_raw(Generator(seed=7, size=SIZE, domains=("RS",)), tmp_path, 1)
    with pytest.raises(DataError, match="other settings"):
        write_raw(Generator(seed=8, size=SIZE, domains=("RS",)), tmp_path, 1)
    foreign = tmp_path / "NS_synthetic_train"
    foreign.mkdir()
    (foreign / "precious.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        write_raw(Generator(seed=7, size=SIZE, domains=("NS",)), tmp_path, 1)
    assert [path.name for path in foreign.iterdir()] == ["precious.txt"]
    with pytest.raises(DataError, match="split folder itself"):
        write_raw(Generator(seed=7, size=SIZE), tmp_path / "RS_synthetic_train", 1)
    (tmp_path / "RS_synthetic_train" / "generator.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        write_raw(Generator(seed=7, size=SIZE, domains=("RS",)), tmp_path, 1)


def test_a_settings_clash_leaves_no_folder_behind(tmp_path: Path) -> None:
    write_raw(Generator(seed=7, size=SIZE, domains=("RS",)), tmp_path, 1)
    with pytest.raises(DataError, match="other settings"):
        write_raw(Generator(seed=7, size=SIZE), tmp_path, 2)
    assert not (tmp_path / "NS_synthetic_train").exists()


def test_a_killed_worker_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataset_scripts.synthesis.writing._write_pair", die)
    with pytest.raises(DataError, match="A worker was killed"):
        write_raw(Generator(seed=7, size=SIZE, domains=("RS",)), tmp_path, 40, processes=2)


def test_stream_is_split_among_workers_without_loss() -> None:
    generator = Generator(seed=8, size=SIZE)
    rows = list(stream(generator, stop=6))
    assert [row["pair_id"] for row in rows] == [generator.pair_id(index) for index in range(6)]
    assert set(rows[0]) == set(pair_features())
    assert rows[0]["change_types"] == [CHANGE_TYPES.index(one.change_type) for one in generator.pair(0).expressions]
    assert np.array_equal(np.asarray(rows[1]["masks"][0]) > 0, generator.pair(1).expressions[0].mask)
    sharded = stream(generator, stop=6, shards=3)
    assert sharded.num_shards == 3
    for bad in ({"shards": 0}, {"start": -1}):
        with pytest.raises(ValueError, match="at least"):
            stream(generator, **bad)
    parts = [{row["pair_id"] for row in sharded.shard(num_shards=3, index=index)} for index in range(3)]
    assert sorted(map(len, parts)) == [2, 2, 2]
    assert all({name[:2] for name in part} == {"NS", "RS"} for part in parts)
    assert set.union(*parts) == {row["pair_id"] for row in rows}
    endless = iter(stream(generator))
    assert [next(endless)["pair_id"] for _ in range(3)] == [row["pair_id"] for row in rows[:3]]


def test_stream_goes_straight_into_parquet(tmp_path: Path) -> None:
    generator = Generator(seed=9, size=SIZE)
    stream(generator, stop=3).cast(pair_features()).to_parquet(tmp_path / "pairs.parquet")
    read = load_dataset(
        "parquet", data_files=str(tmp_path / "pairs.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert read.features == pair_features()
    for row, pair in zip(read, generator.pairs(stop=3), strict=True):
        assert np.array_equal(np.asarray(row["image_t1"]), np.asarray(pair.image_t1))
        assert [np.asarray(mask).astype(bool).sum() for mask in row["masks"]] == [
            one.mask.sum() for one in pair.expressions
        ]


def test_contact_sheet_shows_every_pair(pairs: list[SyntheticPair]) -> None:
    one, four = contact_sheet(pairs[:1]), contact_sheet(pairs[:4])
    assert four.mode == "RGB"
    assert four.width == one.width
    assert four.height > 1.9 * one.height - 40


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = ["synth", str(tmp_path / "out"), "--pairs", "2", "--size", "128", "--domain", "RS", "--contact-sheet"]
    assert main([*arguments, str(sheet)]) == 0
    assert Image.open(sheet).width > 500
    settings = json.loads((tmp_path / "out" / "RS_synthetic_train" / "generator.json").read_text())
    assert settings["size"] == 128
    assert main(["synth", str(tmp_path / "out"), "--size", "5"]) == 2
    assert "size is 5" in capsys.readouterr().err
    assert main(["synth"]) == 2
    for option in ("--pairs", "--num-proc"):
        with pytest.raises(SystemExit, match="2"):
            main(["synth", str(tmp_path / "out"), option, "0"])
        assert "'0' is not a whole number of 1 or more" in capsys.readouterr().err
    assert main(["synth", str(tmp_path / "out"), "--kind", "pretrain", "--noise", "0.1"]) == 2
    assert main(["synth", "--contact-sheet", str(sheet), "--png"]) == 2


def test_options_that_a_scene_does_not_have_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = str(tmp_path / "scene")
    assert main(["synth", str(tmp_path), "--scene", scene, "--size", "512", "--num-proc", "2"]) == 2
    assert "leave out OUT, --size, --num-proc" in capsys.readouterr().err
    assert main(["synth", "--scene", scene, "--seed", "-1"]) == 2
    assert "seed is -1" in capsys.readouterr().err


def test_an_interrupted_scene_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rasterio = pytest.importorskip("rasterio")
    blank = np.zeros((3, 2048, 2048), dtype=np.uint8)
    monkeypatch.setattr(large_scene, "_generate", lambda generator: ([blank, blank], blank[:2]))

    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rasterio.io.DatasetWriter, "set_band_description", interrupt, raising=False)
        with pytest.raises(KeyboardInterrupt):
            large_scene.write_scene(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert sorted(large_scene.write_scene(tmp_path)) == sorted(tmp_path.iterdir())


def test_the_command_of_the_committed_sample_is_accepted_on_it(tmp_path: Path) -> None:
    """The settings in its folders must be all of today's generator."""
    sample = Path(__file__).parents[3] / "dataset_scripts" / "sample"
    out = shutil.copytree(sample, tmp_path / "sample")
    options = ["--pairs", "8", "--seed", "210", "--split", "validation", "--strength", "0.8"]
    assert main(["synth", str(out), *options]) == 0
    for path in sample.rglob("*"):
        assert path.is_dir() or (out / path.relative_to(sample)).read_bytes() == path.read_bytes(), path


def test_the_committed_sample_is_what_the_generator_makes() -> None:
    """If not, remove its folders and run the command in dataset_scripts/README.md."""
    sample = Path(__file__).parents[3] / "dataset_scripts" / "sample"
    pairs = open_pairs(sample)
    records = list(pairs.usable())
    assert not pairs.report.findings
    assert sum(path.stat().st_size for path in sample.rglob("*") if path.is_file()) < 1_000_000
    made = {pair.pair_id: pair for pair in Generator(seed=210, split="validation", strength=0.8).pairs(stop=8)}
    assert {record.pair_id for record in records} == set(made)
    for record in records:
        expressions = made[record.pair_id].expressions
        assert [one.text for one in record.expressions] == [one.text for one in expressions]
        for read, expected in zip(record.expressions, expressions, strict=True):
            assert np.array_equal(read.mask.read_mask((256, 256))[0], expected.mask)
        # JPEG encoders differ a little between releases.
        stored = np.asarray(Image.open(io.BytesIO(record.image_t2.read_bytes())), dtype=np.float64)
        assert np.abs(stored - np.asarray(made[record.pair_id].image_t2)).mean() < 6
