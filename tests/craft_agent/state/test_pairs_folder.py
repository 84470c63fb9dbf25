# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import os
import unicodedata

import pytest
from PIL import Image

from craft_agent.backends.offline.perceiver import OfflinePerceiver
from craft_agent.backends.offline.segmenter import OfflineSegmenter
from craft_agent.engines.local import run_local
from craft_agent.errors import CraftError
from craft_agent.prompts.templates import Prompts
from craft_agent.state.pairs_folder import list_pairs, unused_files
from craft_agent.steps.pipeline import Backends
from tests.craft_agent.runs import start
from tests.craft_agent.small_work import draw_pairs


def finish(store):
    run_local(store, Backends(OfflinePerceiver(), OfflineSegmenter()), Prompts(), workers=2)
    return {row["pair_id"]: (row["step"], row["reason"]) for row in store.rows("SELECT * FROM pairs")}


def test_a_hostile_folder_is_accounted_for_to_the_last_file(tmp_path):
    images = draw_pairs(tmp_path / "pairs", pairs=1)
    good = Image.open(images / "A" / "place_000.png").convert("RGB")
    for side in ("A", "B"):
        (images / side / ".hidden.png").write_bytes(b"x")
        (images / side / "notes.txt").write_text("x")
        good.save(images / side / "two names.with dots.png")
        (images / side / "broken.png").write_bytes(b"not an image")
        good.save(images / side / f"sizes.{'png' if side == 'A' else 'jpg'}")
    good.save(images / "A" / "alone.png")
    good.resize((60, 40)).save(images / "B" / "sizes.jpg")
    good.save(images / "A" / "twice.png")
    good.save(images / "A" / "twice.jpg")
    good.save(images / "B" / "twice.png")
    good.save(images / "A" / f"{'long' * 40}.png")
    good.save(images / "A" / f"{'长' * 80}.png")
    content = (images / "A" / "place_000.png").read_bytes()
    for side in ("A", "B"):
        (images / side / "cut.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "secret.png").write_bytes(content)
    for side in ("A", "B"):
        (images / side / "linked.png").symlink_to(tmp_path / "secret.png")
        with open(os.fsencode(images / side) + b"/\xff.png", "wb") as file:
            file.write(content)
    ends = finish(start(images, tmp_path / "work"))
    assert ends.pop("place_000") == ("refined", "")
    assert ends.pop("two names.with dots") == ("refined", "")
    assert {step for step, _ in ends.values()} == {"skipped"}
    reasons = {pair_id[:6]: reason for pair_id, (_, reason) in ends.items()}
    for pair_id, reason in (
        ("alone", "B/ has no file"),
        ("broken", "A/broken.png"),
        ("cut", "A/cut.png"),
        ("linked", "leads out"),
        ("longlo", "longer than"),
        ("长" * 6, "longer than 120 characters or 200 bytes"),
        ("sizes", "t1 has 200x150 pixels, t2 60x40"),
        ("twice", "A/twice.jpg and A/twice.png"),
        ("\\udcff", "not UTF-8"),
    ):
        assert reason in reasons[pair_id]


def test_a_pair_whose_missing_image_is_added_is_processed(tmp_path):
    images = draw_pairs(tmp_path / "pairs", pairs=2)
    path = images / "B" / "place_001.png"
    content = path.read_bytes()
    path.unlink()
    store = start(images, tmp_path / "work")
    before = finish(store)
    assert before["place_001"] == ("skipped", "B/ has no file that matches A/place_001.png")
    assert store.known_pairs() == {"place_000"}
    path.write_bytes(content)
    assert finish(start(images, tmp_path / "work")) == {**before, "place_001": ("refined", "")}


@pytest.mark.parametrize("problem", ["damaged", "broken link"])
def test_a_pair_whose_file_is_repaired_is_processed(tmp_path, problem):
    images = draw_pairs(tmp_path / "pairs", pairs=2)
    path = images / "B" / "place_001.png"
    content = path.read_bytes()
    path.unlink()
    if problem == "damaged":
        path.write_bytes(content[:99])
    else:
        path.symlink_to(images / "B" / "nothing")
    before = finish(start(images, tmp_path / "work"))
    assert before["place_001"][0] == "skipped"
    assert finish(start(images, tmp_path / "work")) == before
    path.unlink()
    path.write_bytes(content)
    assert finish(start(images, tmp_path / "work")) == {**before, "place_001": ("refined", "")}


def test_a_file_that_is_changed_fails_until_it_is_put_back(tmp_path):
    images = draw_pairs(tmp_path / "pairs", pairs=1)
    store = start(images, tmp_path / "work")
    path = images / "B" / "place_000.png"
    content = path.read_bytes()
    path.write_bytes((images / "A" / "place_000.png").read_bytes())
    assert "has changed" in finish(store)["place_000"][1]
    path.write_bytes(content)
    assert store.retry_failed() == 1
    assert finish(store)["place_000"] == ("refined", "")


def test_names_that_differ_in_case_or_unicode_form_and_unused_files_are_named(tmp_path):
    images = draw_pairs(tmp_path / "pairs", pairs=1)
    good = Image.open(images / "A" / "place_000.png")
    good.save(images / "A" / f"{unicodedata.normalize('NFC', 'café')}.png")
    good.save(images / "B" / f"{unicodedata.normalize('NFD', 'café')}.jpg")
    good.save(images / "A" / "House.png")
    good.save(images / "B" / "house.png")
    (images / "A" / "sub").mkdir()
    (images / "B" / "scan.psd").write_bytes(b"x")
    problems = [files.problem for files in list_pairs(images) if files.problem]
    assert len(problems) == 4
    assert all("differs only in case or Unicode form" in problem for problem in problems)
    assert unused_files(images) == ["A/sub/", "B/scan.psd"]


def test_a_named_pipe_is_skipped_and_not_waited_for(tmp_path):
    images = draw_pairs(tmp_path / "pairs", pairs=1)
    for side in ("A", "B"):
        os.mkfifo(images / side / "pipe.png")
    ends = finish(start(images, tmp_path / "work"))
    assert ends["pipe"] == ("skipped", "A/pipe.png is not a regular file")
    assert ends["place_000"] == ("refined", "")


@pytest.mark.parametrize("sides", [(), ("A",), ("A", "B")])
def test_a_folder_without_images_is_refused(tmp_path, sides):
    for side in sides:
        (tmp_path / side).mkdir()
    with pytest.raises(CraftError, match="has no"):
        list_pairs(tmp_path)
