# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Pairs made of drawn images: the same whenever they are made, with masks that are exactly what changed."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from dataset_scripts.compose import Composer
from dataset_scripts.errors import DataError
from dataset_scripts.readers import open_pairs
from dataset_scripts.synthesis import SyntheticPair
from dataset_scripts.synthesis.language.observation import Observation
from tests.dataset_scripts.compose.coco_folders import write_folder
from tests.oracles.checker import refer
from tests.oracles.checker_grammar import SentenceError


SIZE = 128
ROOT = Path(__file__).resolve().parents[3]


def digest(pair: SyntheticPair) -> str:
    """Of everything that a pair holds."""
    parts = [np.asarray(pair.image_t1).tobytes(), np.asarray(pair.image_t2).tobytes()]
    parts += [one.text.encode() + one.mask.tobytes() for one in pair.expressions]
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("coco") / "streets", images=16)


@pytest.fixture(scope="module")
def above(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("coco") / "parking", images=16, categories=("car",), seed=1)


@pytest.fixture(scope="module")
def pairs(normal: Path, above: Path) -> list[SyntheticPair]:
    composers = (Composer([normal], "NS", size=SIZE), Composer([above], "RS", size=SIZE))
    return [composer.pair(index) for composer in composers for index in range(40)]


def test_same_settings_give_the_same_bytes_in_another_process(normal: Path) -> None:
    code = (
        "import sys, hashlib, numpy as np; from dataset_scripts.compose import Composer\n"
        "for index in (3, 2):\n"
        "    pair = Composer([sys.argv[1]], 'NS', size=128, seed=5).pair(index)\n"
        "    parts = [np.asarray(pair.image_t1).tobytes(), np.asarray(pair.image_t2).tobytes()]\n"
        "    parts += [one.text.encode() + one.mask.tobytes() for one in pair.expressions]\n"
        "    print(hashlib.sha256(b''.join(parts)).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(normal)]
    other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    composer = Composer([normal], "NS", size=SIZE, seed=5)
    assert other.stdout.split() == [digest(composer.pair(3)), digest(composer.pair(2))]


def test_what_was_made_before_does_not_matter(normal: Path) -> None:
    composer = Composer([normal], "NS", size=SIZE)
    ahead = [digest(composer.pair(index)) for index in range(6)]
    # Another cache, another order, and a worker's copy.
    small = Composer([normal], "NS", size=SIZE, cache_bytes=1)
    assert [digest(small.pair(index)) for index in reversed(range(6))] == ahead[::-1]
    copy = pickle.loads(pickle.dumps(composer))  # noqa: S301
    assert [digest(copy.pair(index)) for index in (4, 1)] == [ahead[4], ahead[1]]


def test_seed_split_and_index_each_give_other_pairs(normal: Path) -> None:
    settings: list[dict[str, Any]] = [{}, {"seed": 1}, {"split": "test"}]
    composers = [Composer([normal], "NS", size=SIZE, **changes) for changes in settings]
    made = [composer.pair(index) for composer in composers for index in (0, 1)]
    assert len({digest(pair) for pair in made}) == len({pair.pair_id for pair in made}) == 6


def test_every_sentence_refers_to_exactly_its_mask(pairs: list[SyntheticPair]) -> None:
    for pair in pairs:
        for expression in pair.expressions:
            try:
                reference = refer(expression.text, pair.scene, pair.numbers_t1, pair.numbers_t2)
            except SentenceError:
                # Kinds that the generator does not know are only asked for where there are none.
                assert not expression.mask.any()
                continue
            assert np.array_equal(reference.mask, expression.mask), (pair.pair_id, expression.text)
            assert reference.change_type in (None, expression.change_type)


def test_masks_are_the_differences_of_the_maps(pairs: list[SyntheticPair]) -> None:
    for pair in pairs:
        observation = Observation(pair.scene, pair.numbers_t1, pair.numbers_t2)
        known = {0} | {thing.number for thing in pair.scene.things}
        assert set(np.unique(pair.numbers_t1)) | set(np.unique(pair.numbers_t2)) <= known
        union = np.zeros((SIZE, SIZE), bool)
        for thing in pair.scene.things:
            first, second = pair.numbers_t1 == thing.number, pair.numbers_t2 == thing.number
            assert thing.state_t1 is not None or not first.any()
            assert thing.state_t2 is not None or not second.any()
            if thing.change is not None:
                expected = {"appear": second, "disappear": first, "state_change": first | second}[thing.change]
                assert np.array_equal(observation.mask(thing.number), expected)
                union |= expected
        assert np.array_equal(pair.change_mask, union)
        assert all(not (one.mask & ~union).any() for one in pair.expressions)


def test_the_mix_is_as_promised(pairs: list[SyntheticPair]) -> None:
    assert Counter(pair.domain for pair in pairs) == {"NS": 40, "RS": 40}
    assert all(pair.expressions for pair in pairs)
    assert all(pair.image_t1.size == pair.image_t2.size == (SIZE, SIZE) for pair in pairs)
    assert {pair.source for pair in pairs} == {"composed streets", "composed parking"}
    changes = [{thing.change for thing in pair.scene.things} - {None} for pair in pairs]
    assert 0 < sum(not one for one in changes) < 20
    assert {"appear", "disappear", "state_change"} <= set.union(*changes)
    # Things that were there already, or that came at both times, have to be distinguished.
    unchanged = [sum(thing.change is None for thing in pair.scene.things) for pair in pairs]
    assert sum(count > 0 for count in unchanged) > 60


@pytest.mark.parametrize("domain", ["NS", "RS"])
def test_the_two_times_differ_only_where_something_was_done(domain: Any, normal: Path) -> None:
    composer = Composer([normal], domain, size=SIZE)
    compared = 0
    for index in range(12):
        made = composer._make_canvas(np.random.default_rng(index))
        assert made is not None
        canvas = made[0]
        differs = (canvas.images[1] != canvas.images[2]).any(axis=2)
        # Edges are soft over a few pixels.
        touched = cv2.dilate(canvas.taken.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        assert not (differs & ~touched).any()
        shown = canvas.numbers[1] != canvas.numbers[2]
        changed = [thing.number for thing in canvas.things if thing.change in ("appear", "disappear")]
        others = np.isin(canvas.numbers[1], [0, *changed]) | np.isin(canvas.numbers[2], changed)
        assert not (shown & ~others).any()
        compared += int(shown.any())
    assert compared > 4


def test_what_is_pasted_looks_like_its_own_image_and_not_like_the_ground(above: Path) -> None:
    ground = np.array((112, 116, 108))
    for pair in Composer([above], "RS", size=SIZE).pairs(stop=12):
        for thing in pair.scene.things:
            mask = pair.numbers_t2 == thing.number
            if thing.change == "appear" and mask.sum() > 100:
                inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
                outer = np.asarray(pair.image_t2)[pair.numbers_t2 == 0]
                gap = np.asarray(pair.image_t2)[inner].mean(axis=0) - outer.mean(axis=0)
                assert np.abs(gap).max() > 20, (pair.pair_id, ground)


@pytest.mark.parametrize("domain", ["NS", "RS"])
def test_an_exchange_is_one_thing_that_left_and_one_that_came_at_the_same_place(domain: Any, normal: Path) -> None:
    composer = Composer([normal], domain, size=SIZE)
    exchanged = 0
    for index in range(20):
        editor, _ = composer._open(np.random.default_rng(index))
        canvas = editor.canvas
        before = canvas.numbers[1].copy()
        if editor.exchange(2) == 2:
            exchanged += 1
            old, new = [thing for thing in canvas.things if thing.change is not None]
            assert (old.kind, old.change, new.change) == (new.kind, "disappear", "appear")
            assert np.array_equal(canvas.numbers[1], before)
            assert ((canvas.numbers[1] == old.number) & (canvas.numbers[2] == new.number)).sum() > 40
            assert not (canvas.numbers[2] == old.number).any()
    assert exchanged > 2


def test_unknown_categories_are_called_by_their_names(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "coco", categories=("garden_gnome",), images=10)
    texts = [one.text for pair in Composer([folder], "NS", size=SIZE).pairs(stop=10) for one in pair.expressions]
    assert any("garden gnome " in text for text in texts)


def test_copied_images_are_the_same_data_for_a_resumed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hash_of_labels() -> str:
        return open_pairs("composed:ns_coco", "train", num_pairs=4).hash_of_labels()

    monkeypatch.chdir(tmp_path)
    file = write_folder(tmp_path / "ns_coco", images=8) / "annotations.json"
    before = hash_of_labels()
    os.utime(file, (0, 0))
    assert hash_of_labels() == before
    file.write_text(file.read_text().replace("person", "garden_gnome"))
    assert hash_of_labels() != before


def test_of_crowds_nothing_is_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "coco", categories=("person",), images=8)
    file = folder / "annotations.json"
    content = json.loads(file.read_text())
    for annotation in content["annotations"][::6]:
        annotation["iscrowd"] = 1
    file.write_text(json.dumps(content))
    for pair in Composer([folder], "NS", size=SIZE).pairs(stop=12):
        assert not any("person" in one.text or "people" in one.text for one in pair.expressions)


def test_of_kinds_that_may_be_one_another_nothing_is_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "coco", categories=("car",), images=8)
    file = folder / "annotations.json"
    content = json.loads(file.read_text())
    content["categories"].append({"id": 2, "name": "vehicle"})
    for annotation in content["annotations"][::2]:
        annotation["category_id"] = 2
    file.write_text(json.dumps(content))
    for pair in Composer([folder], "RS", size=SIZE).pairs(stop=8):
        kinds = {thing.kind for thing in pair.scene.things}
        if kinds == {"car", "vehicle"}:
            assert not any("car" in one.text or "vehicle" in one.text for one in pair.expressions)


def test_backgrounds_are_used(normal: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    random = np.random.default_rng(0)
    for index in range(12):
        pixels = (np.array((120, 121, 118)) + random.normal(0, 4, (300, 400, 1))).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "empty" / f"{index}.png")
    composer = Composer([normal], "NS", size=SIZE, backgrounds=[tmp_path / "empty"])
    found = [pair for pair in composer.pairs(stop=30) if pair.source == f"composed {tmp_path.name}"]
    assert found
    assert any(thing.change for pair in found for thing in pair.scene.things)


def test_damaged_images_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_folder(tmp_path / "coco", images=10, categories=("person",))
    composer = Composer([folder], "NS", size=SIZE)
    # Damage that their headers do not tell.
    for source in composer.library.images[:3]:
        source.file.write_bytes(source.file.read_bytes()[:2000])
    for index in range(15):
        composer.pair(index)
    named = [record.getMessage() for record in caplog.records]
    assert len(named) == len(set(named)) > 0
    assert all("cannot be decoded" in message for message in named)
    damaged = Composer([folder], "NS", size=SIZE)
    assert sum(damaged.library.skipped.counts.values()) == 3
    for source in damaged.library.images:
        source.file.write_bytes(source.file.read_bytes()[:2000])
    with pytest.raises(DataError, match="cannot be decoded"):
        damaged.pair(0)


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 64},
        {"size": 2000},
        {"domain": "XX"},
        {"split": "dev"},
        {"seed": -1},
        {"most_expressions": 0},
        {"plain_share": 2.0},
        {"no_target_share": -1.0},
        {"folders": ()},
        {"folders": "coco"},
    ],
)
def test_settings_out_of_range_are_refused(normal: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Composer(**{"folders": [normal], "domain": "NS", **settings})


def test_a_split_without_images_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "coco", images=1)
    composed = []
    for split in ("train", "validation", "test"):
        try:
            composed.append(Composer([folder], "NS", split=split))  # type: ignore[arg-type]
        except DataError:
            missing = split
    assert len(composed) == 1
    with pytest.raises(DataError, match=missing):
        Composer([folder], "NS", split=missing)  # type: ignore[arg-type]
