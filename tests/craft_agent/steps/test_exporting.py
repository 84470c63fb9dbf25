# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image

from craft_agent.audit.decisions import Decision
from craft_agent.audit.funnel import draw_funnel, read_funnel
from craft_agent.audit.store import AuditStore
from craft_agent.command_line import main
from craft_agent.errors import CraftError
from craft_agent.state.pairs_folder import PairFiles, hash_pair
from craft_agent.state.store import Store
from craft_agent.steps.exporting import PROVENANCE, export_work
from dataset_scripts.quality import Verdict, validate
from tests.craft_agent.small_work import make_work


@pytest.fixture
def work(tmp_path):
    work = make_work(tmp_path)
    store = AuditStore(work)
    store.decide("place_000_0", "ann", Decision("accept"))
    store.decide("place_000_1", "ann", Decision("accept", expressions=("the blue block that left",)))
    store.decide("place_001_0", "ann", Decision("reject", "wrong_mask"))
    store.decide("place_002_0", "ann", Decision("accept"))
    store.decide("place_002_0", "bob", Decision("reject", "other"))
    store.decide("place_002_1", "ann", Decision("accept"))
    store.decide("place_002_1", "bob", Decision("accept"))
    return work


def test_only_what_people_accepted_is_exported_and_the_data_tools_find_it_good(work, tmp_path):
    summary = export_work(work, tmp_path / "out")
    assert (summary.pairs, summary.samples, summary.sentences) == (2, 3, 5)
    for folder in (summary.parquet, summary.raw.parent):
        failed = [check for check in validate(folder).checks if check.verdict is Verdict.FAIL]
        assert failed == []
    rows = load_dataset(str(summary.parquet), "RS", split="train")
    assert [(row["sample_id"], row["expression"]) for row in rows] == [
        ("place_000_0", "the red block that appeared"),
        ("place_000_1", "the only red block that appeared"),
        ("place_000_2", "the blue block that left"),
        ("place_002_0", "the blue block that disappeared"),
        ("place_002_1", "the only blue block that disappeared"),
    ]
    sample = Store(work).samples("place_000")[0]
    assert np.array_equal(np.asarray(rows[0]["mask"]) > 127, sample.mask)
    assert rows.features["change_type"].int2str(rows[2]["change_type"]) == "disappear"
    image = tmp_path / "pairs" / "A" / "place_000.png"
    assert np.array_equal(np.asarray(rows[0]["image_t1"]), np.asarray(Image.open(image)))
    assert (summary.raw / "A" / "place_000.png").read_bytes() == image.read_bytes()
    card = (summary.parquet / "README.md").read_text()
    assert card.index("## How it was made") < card.index("## Citation")
    assert "| ann, bob | 2 | 1 |" in card


def test_every_sentence_says_where_it_comes_from(work, tmp_path):
    summary = export_work(work, tmp_path / "out")
    written = (tmp_path / "out" / PROVENANCE).read_text(encoding="utf-8")
    assert written == (summary.parquet / PROVENANCE).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in written.splitlines()]
    rows = load_dataset(str(summary.parquet), "RS", split="train")
    assert [line["sample_id"] for line in lines] == rows["sample_id"][:]
    assert lines[2]["edited"] == ["expressions"]
    assert [each["auditor"] for each in lines[3]["audit"]] == ["ann", "bob"]
    assert [line["paraphrase"] for line in lines] == [0, 1, 0, 0, 1]


def test_two_auditors_may_be_asked_for(work, tmp_path):
    summary = export_work(work, tmp_path / "out", auditors=2, split="val")
    assert (summary.samples, summary.raw.name) == (1, "RS_craft_val")
    assert load_dataset(str(summary.parquet), "RS", split="validation").num_rows == 2


def test_an_export_replaces_its_like_and_nothing_else(work, tmp_path):
    export_work(work, tmp_path / "out")
    (tmp_path / "out.incomplete").mkdir()
    AuditStore(work).undo("ann")
    assert export_work(work, tmp_path / "out").samples == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pairs", "work"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(CraftError, match="something other"):
        export_work(work, tmp_path / "mine")
    with pytest.raises(CraftError, match="folder of pairs"):
        export_work(work, tmp_path / "pairs" / "out")
    (tmp_path / "out" / "notes.txt").write_text("x")
    with pytest.raises(CraftError, match=r"notes\.txt is not part of the earlier export"):
        export_work(work, tmp_path / "out")
    assert (tmp_path / "out" / "notes.txt").is_file()


def test_without_an_accepted_sample_nothing_is_written(tmp_path):
    work = make_work(tmp_path, pairs=1)
    with pytest.raises(CraftError, match="no sample"):
        export_work(work, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.incomplete").exists()


def test_pairs_whose_files_were_changed_are_left_out_and_named(work, tmp_path):
    (tmp_path / "pairs" / "A" / "place_000.png").unlink()
    summary = export_work(work, tmp_path / "out")
    assert (summary.changed, summary.pairs) == (("place_000",), 1)


@pytest.mark.parametrize("words", [(), ("--format", "coco")])
def test_if_all_images_are_missing_the_audit_is_not_blamed(words, work, tmp_path, capsys):
    (tmp_path / "pairs").rename(tmp_path / "elsewhere")
    assert main(["export", *words, str(work), str(tmp_path / "out")]) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if ": error: " in line]
    assert f"missing in {tmp_path / 'pairs'}" in line
    assert "craft-agent audit" not in line


def test_all_pairs_that_are_left_out_are_counted(work, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("craft_agent.commands.export.NAMED_PAIRS", 1)
    for name in ("place_000", "place_002"):
        (tmp_path / "pairs" / "A" / f"{name}.png").unlink()
    AuditStore(work).decide("place_001_2", "ann", Decision("accept"))
    assert main(["export", "--format", "coco", str(work), str(tmp_path / "out")]) == 0
    assert "since the run: 2 pairs: place_000 …" in capsys.readouterr().out


def test_the_funnel_counts_what_every_step_let_through(work):
    stages = read_funnel(Store(work)).stages
    assert [stage.count for stage in stages] == [3, 3, 9, 9, 9, 5, 3]
    assert dict(stages[-1].lost) == {"rejected": 1, "disagreed": 1}
    assert dict(stages[-2].lost) == {"not judged yet": 4}
    figure = draw_funnel(read_funnel(Store(work)), "title")
    drawn = [text.get_text() for text in figure.axes[0].texts]
    assert "less 1 disagreed · 1 rejected" in drawn


def test_the_raw_layout_is_that_of_the_project(work, tmp_path):
    summary = export_work(work, tmp_path / "out")
    content = json.loads((summary.raw / "referring_expression" / "place_000.json").read_text())
    assert content["mask"] == ["place_000/0.png", "place_000/1.png", "place_000/2.png"]
    assert content["domain"] == "RS"
    assert all((summary.raw / "masks" / name).is_file() for name in content["mask"])


def test_a_name_that_another_one_begins_with_keeps_its_images(tmp_path):
    """Of "place_000.png" and "place_000.png.bmp", each is a pair of its own."""
    work, images = make_work(tmp_path, pairs=2), tmp_path / "pairs"
    for side in ("A", "B"):
        with Image.open(images / side / "place_001.png") as image:
            image.save(images / side / "place_000.png.bmp")
    store = Store(work)
    files = PairFiles("place_000.png", "A/place_000.png.bmp", "B/place_000.png.bmp")
    with store.database.transaction() as connection:
        connection.execute(
            "UPDATE pairs SET pair_id = ?, file_t1 = ?, file_t2 = ?, sha256_t1 = ?, sha256_t2 = ? WHERE pair_id = ?",
            (files.pair_id, files.file_t1, files.file_t2, *hash_pair(images, files), "place_001"),
        )
        connection.execute("UPDATE samples SET pair_id = ? WHERE pair_id = 'place_001'", (files.pair_id,))
    for sample_id in ("place_000_0", "place_001_0"):
        AuditStore(work).decide(sample_id, "ann", Decision("accept"))
    rows = load_dataset(str(export_work(work, tmp_path / "out").parquet), "RS", split="train")
    assert rows["sample_id"][2] == "place_000.png_0"
    with Image.open(images / "A" / "place_000.png.bmp") as image:
        assert np.array_equal(np.asarray(rows[2]["image_t1"]), np.asarray(image))
