# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg benchmark`: models in one table, predictions of others, and what is wrong with them."""

import csv
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from mtrefseg.view.predictions import load_predictions
from mtrs_iou import decode_rle, encode_rle
from tests.dataset_scripts.image_folders import make_image_folder
from trainer.baselines import registry
from trainer.baselines.untrained import WholeImage
from trainer.benchmark import running
from trainer.benchmark.command import main, parse_arguments
from trainer.benchmark.comparison import groups_of, interval, open_folders, significance
from trainer.benchmark.prediction_files import open_predictions
from trainer.benchmark.sentence_kinds import kind_of
from trainer.errors import TrainingError
from trainer.evaluation_inputs import open_source


PLUGIN = Path(__file__).with_name("brightness.py")
DATA = ["--generated_pairs", "6", "--generated_size", "128"]


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of three models on six generated pairs, in two settings."""
    folder = tmp_path_factory.mktemp("benchmark")
    models = ["nothing", "whole_image", "brighter:,least=40"]
    arguments = ["run", "--models", *models, "--settings", "TV", "RS", "--plugin", str(PLUGIN)]
    registered = dict(registry._REGISTERED)
    assert main([*arguments, *DATA, "--output_dir", str(folder)]) == 0
    registry._REGISTERED.clear()
    registry._REGISTERED.update(registered)
    return folder


def test_a_model_of_thirty_lines_has_a_row(scored: Path) -> None:
    assert len(PLUGIN.read_text(encoding="utf-8").splitlines()) <= 30
    report = json.loads((scored / "TV" / "brighter-by-40" / "report.json").read_text(encoding="utf-8"))
    assert report["model"] == {"name": "brighter by 40", "sha256": {"least": "40"}}
    assert report["data"]["pairs"] == 6
    answers = (scored / "TV" / "brighter-by-40" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(answers) == report["data"]["sentences"]
    assert json.loads(answers[0])["answer"] == "brighter"
    assert report["unusable_answers"] == 0


def test_what_reads_nothing_scores_as_it_must(scored: Path) -> None:
    nothing = json.loads((scored / "TV" / "nothing" / "report.json").read_text(encoding="utf-8"))["scores"]
    assert (nothing["N-acc"], nothing["T-acc"], nothing["mIoU_nonempty"]) == (100, 0, 0)
    whole = json.loads((scored / "TV" / "whole-image" / "report.json").read_text(encoding="utf-8"))["scores"]
    assert (whole["N-acc"], whole["T-acc"]) == (0, 100)


def test_a_finished_row_is_left_and_a_stopped_one_goes_on(scored: Path, tmp_path: Path) -> None:
    report = scored / "TV" / "nothing" / "report.json"
    before = report.stat().st_mtime_ns
    arguments = ["run", "--models", "nothing", *DATA]
    assert main([*arguments, "--output_dir", str(scored)]) == 0
    assert report.stat().st_mtime_ns == before
    assert main([*arguments, "--output_dir", str(tmp_path)]) == 0
    again = json.loads((tmp_path / "TV" / "nothing" / "report.json").read_text(encoding="utf-8"))
    assert again["scores"] == json.loads(report.read_text(encoding="utf-8"))["scores"]


def test_a_changed_plugin_is_another_model(scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shutil.copytree(scored, tmp_path / "scored")
    changed = tmp_path / PLUGIN.name
    changed.write_text(PLUGIN.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    arguments = ["run", "--models", "brighter:,least=40", "--plugin", str(changed), *DATA, "--output_dir", str(out)]
    assert main(arguments) == 2
    assert "brighter-by-40" in capsys.readouterr().err


def test_predictions_for_pairs_of_one_id_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for domain in ("NS", "RS"):
        folder = tmp_path / "data" / f"{domain}_mine_val"
        for name in ("A/1.png", "B/1.png", "masks/1/0.png"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(folder / name)
        (folder / "referring_expression").mkdir()
        record = {"sample_id": "1", "referring_expressions": ["the new line"]}
        (folder / "referring_expression" / "1.json").write_text(json.dumps(record), encoding="utf-8")
    predictions = tmp_path / "mine"
    predictions.mkdir()
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(predictions / "1_0.png")
    arguments = ["score", str(predictions), "--data", str(tmp_path / "data"), "--output_dir", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "the id 1 is used by a pair of NS and by one of RS" in capsys.readouterr().err
    assert main([*arguments, "--setting", "NS"]) == 0


class OneOfTwo:
    """What connects two processes, for two threads that share the work."""

    num_processes = 2
    device = torch.device("cpu")

    def __init__(self, rank: int, barrier: threading.Barrier) -> None:
        self.process_index, self.is_main_process = rank, rank == 0
        self.wait_for_everyone = barrier.wait


def test_two_processes_give_what_one_gives(scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier, said = threading.Barrier(2, timeout=300), {}

    def broadcast(values: list[Any]) -> list[Any]:
        if threading.current_thread().name == "0":
            said["values"] = values
        barrier.wait()
        return said["values"]

    monkeypatch.setattr("trainer.evaluation.folder.broadcast_object_list", broadcast)
    monkeypatch.setattr(running, "PAIRS_AT_ONCE", 1)
    arguments = parse_arguments(
        ["run", "--models", "whole_image", *DATA, "--output_dir", str(tmp_path)], "mtrefseg benchmark"
    )
    arguments.setting = "TV"

    def work(rank: int) -> None:
        source = open_source(arguments, "TV")
        running.run_row(WholeImage(), source, tmp_path / "row", arguments, OneOfTwo(rank, barrier))

    threads = [threading.Thread(target=work, args=(rank,), name=str(rank)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    two = json.loads((tmp_path / "row" / "report.json").read_text(encoding="utf-8"))
    one = json.loads((scored / "TV" / "whole-image" / "report.json").read_text(encoding="utf-8"))
    assert two["run"]["processes"] == 2
    assert two["scores"] == one["scores"]
    assert two["data"] == one["data"]


def test_the_table_has_all_rows_and_those_of_the_paper(scored: Path, tmp_path: Path, capfd: Any) -> None:
    assert main(["table", str(scored), "--out", str(tmp_path)]) == 0
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    for words in ("## TV", "## RS", "brighter by 40", "LAVT (Swin-B, BERT)", "(a)", "(b)", "mIoU by sentence"):
        assert words in text
    assert r"\begin{tabular}" in (tmp_path / "table.tex").read_text(encoding="utf-8")
    assert Image.open(tmp_path / "table.png").size[0] > 300
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["setting"], row["model"]) for row in rows].count(("RS", "nothing")) == 1
    assert len(rows) == 6
    best = next(row for row in rows if row["setting"] == "TV")
    assert best["p_against_best"] == ""


def test_intervals_and_significance(scored: Path) -> None:
    models = {model.name: model for model in open_folders([scored / "TV"])}
    low, high = interval(models["nothing"].ious)
    assert low <= models["nothing"].scores["mIoU"] <= high
    assert interval(models["nothing"].ious) == (low, high)
    assert significance(models["nothing"], models["nothing"]) == 1.0
    assert 1 / 2001 <= significance(models["nothing"], models["whole image"]) <= 1
    total = sum(count for _, count in groups_of(models["nothing"])["sentence"].values())
    assert total == len(models["nothing"].sentences)


def test_the_order_of_the_sentences_does_not_matter(scored: Path) -> None:
    models = {model.name: model for model in open_folders([scored / "TV"])}
    whole, nothing = models["whole image"], models["nothing"]
    turned = type(whole)(whole.folder, whole.report, whole.sentences[::-1])
    assert significance(nothing, turned) == significance(nothing, whole)
    assert significance(whole, turned) == 1.0
    shorter = type(whole)(whole.folder, whole.report, whole.sentences[1:])
    with pytest.raises(TrainingError, match="not scored on the same sentences"):
        significance(nothing, shorter)


def test_a_table_does_not_replace_that_of_a_model(scored: Path, tmp_path: Path, capfd: Any) -> None:
    folders = [str(scored / "TV" / name) for name in ("nothing", "whole-image")]
    before = (scored / "TV" / "nothing" / "table.md").read_bytes()
    assert main(["table", *folders]) == 2
    assert "name a folder with --out" in capfd.readouterr().err
    assert (scored / "TV" / "nothing" / "table.md").read_bytes() == before
    assert main(["table", *folders, "--out", str(tmp_path / "both")]) == 0


@pytest.mark.parametrize(
    "models",
    [
        ["nothing", "nothing"],
        ["nothing", "image_difference:,threshold=20", "image_difference:,threshold=20"],
        ["nothing", "mtrefseg:a/best", "mtrefseg:b/best"],
        ["nothing", "brighter", "brighter:,least=30"],
    ],
)
def test_models_of_one_name_are_refused_before_the_first_one_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "best").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--models", *models, "--plugin", str(PLUGIN), *DATA, "--output_dir", "out"]) == 2
    assert f"--models {models[-2]} and {models[-1]} would both write to the folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_plugins_that_register_one_name_are_both_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path(shutil.copy(PLUGIN, tmp_path / "other.py"))
    arguments = ["run", "--models", "brighter", *DATA, "--output_dir", str(tmp_path / "out")]
    assert main([*arguments, "--plugin", str(PLUGIN), str(other)]) == 2
    assert f"--plugin {other}: a segmenter named 'brighter' exists already ({PLUGIN})" in capsys.readouterr().err
    taken = tmp_path / "taken.py"
    taken.write_text(PLUGIN.read_text(encoding="utf-8").replace('"brighter")', '"nothing")'), encoding="utf-8")
    assert main([*arguments, "--plugin", str(taken)]) == 2
    assert f"--plugin {taken}: a segmenter named 'nothing' exists already (it is built in)" in capsys.readouterr().err


def test_one_model_with_two_thresholds_has_two_rows(tmp_path: Path) -> None:
    models = ["image_difference", "image_difference:,threshold=20"]
    assert main(["run", "--models", *models, *DATA, "--output_dir", str(tmp_path)]) == 0
    assert {path.name for path in (tmp_path / "TV").iterdir()} == {"image-difference", "image-difference-threshold-20"}


def test_significance_is_small_where_one_is_always_better(scored: Path) -> None:
    model = open_folders([scored / "TV"])[0]
    better = type(model)(model.folder, model.report, model.sentences)
    better.__dict__["ious"] = model.ious + 5.0
    # Six pairs: only two of the 64 exchanges are as large.
    assert significance(better, model) == pytest.approx(2 / 64, abs=0.02)


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("the car that appeared", "plain"),
        ("the red car that appeared", "color"),
        ("the red car in the top left that appeared", "place"),
        ("the leftmost car that appeared", "rank"),
        ("the car next to the house that appeared", "relation"),
        ("which purple thing is new?", "color"),
    ],
)
def test_kinds_of_sentences(sentence: str, kind: str) -> None:
    assert kind_of(sentence, "RS", True) == kind
    assert kind_of(sentence, None, False) == "no-target"


class Predictions:
    """The truth of the six pairs, as predictions in each form, with faults if asked for."""

    def __init__(self, scored: Path) -> None:
        sentences = load_predictions(scored / "TV" / "nothing" / "predictions.parquet")
        self.masks = {sentence.sample_id: decode_rle(sentence.truth or {}) for sentence in sentences}
        self.names = sorted(self.masks)

    def plant_faults(self) -> None:
        """One sample is missing, one is not in the data, one has another size."""
        self.masks["another_0"] = self.masks.pop(self.names[0])
        self.masks[self.names[1]] = np.zeros((64, 128), dtype=bool)

    def write(self, form: str, folder: Path) -> Path:
        if form == "folder":
            path = folder / "masks"
            path.mkdir()
            for name, mask in self.masks.items():
                Image.fromarray(mask.astype(np.uint8) * 255).save(path / f"{name}.png")
            return path
        rles = {name: encode_rle(mask) for name, mask in self.masks.items()}
        if form == "json":
            path = folder / "results.json"
            entries = [{"image_id": name, "segmentation": rle, "score": 0.5} for name, rle in rles.items()]
            path.write_text(json.dumps(entries), encoding="utf-8")
            return path
        path = folder / "masks.parquet"
        rows = [{"sample_id": name, "prediction": rle} for name, rle in rles.items()]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path


@pytest.mark.parametrize("form", ["parquet", "folder", "json"])
def test_predictions_of_others_are_scored(scored: Path, tmp_path: Path, form: str) -> None:
    path = Predictions(scored).write(form, tmp_path)
    assert main(["score", str(path), "--name", "theirs", *DATA, "--output_dir", str(tmp_path / "out")]) == 0
    scores = json.loads((tmp_path / "out" / "TV" / "theirs" / "report.json").read_text(encoding="utf-8"))["scores"]
    assert scores["mIoU"] == scores["Pr@90"] == 100


@pytest.mark.parametrize("form", ["parquet", "folder", "json"])
def test_three_planted_faults_are_named(scored: Path, tmp_path: Path, form: str, capfd: Any) -> None:
    predictions = Predictions(scored)
    predictions.plant_faults()
    path = predictions.write(form, tmp_path)
    arguments = ["score", str(path), "--name", "theirs", *DATA, "--output_dir", str(tmp_path / "out")]
    assert main(arguments) == 1
    said = "".join(capfd.readouterr())
    assert f"missing: {predictions.names[0]} (counts as wrong)" in said
    assert "extra: another_0 is not in the data" in said
    assert f"wrong: {predictions.names[1]}: the mask has 128x64 pixels, the images 128x128" in said
    report = json.loads((tmp_path / "out" / "TV" / "theirs" / "report.json").read_text(encoding="utf-8"))
    count = report["data"]["sentences"]
    assert report["scores"]["mIoU"] == pytest.approx(100 * (count - 2) / count)
    assert main(arguments) == 1  # Finished before, and still faulty.


def test_predictions_that_partly_lack_no_target_scores_are_refused_at_once(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Predictions(scored).write("parquet", tmp_path)
    rows = pyarrow.parquet.read_table(path).to_pylist()
    rows = [{**row, "no_target_score": 0.5} for row in rows]
    rows[3]["no_target_score"] = None
    extra = {**rows[0], "sample_id": "another_0", "no_target_score": None}

    def write(rows: list[dict[str, Any]]) -> None:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)

    arguments = ["score", str(path), "--name", "theirs", *DATA, "--output_dir", str(tmp_path / "out")]
    write(rows)
    with monkeypatch.context() as patch:
        patch.setattr("trainer.benchmark.running.read_batch", None)  # No pair is read.
        assert main(arguments) == 2
    error = capsys.readouterr().err
    assert f"for {len(rows) - 1} of {len(rows)} sentences, but none for {rows[3]['sample_id']}" in error
    assert not (tmp_path / "out").exists()
    rows[3]["no_target_score"] = 0.5
    write([*rows, extra])
    assert main(arguments) == 1  # What is not in the data is named, but needs no score.


def test_a_no_target_score_that_is_text_is_a_wrong_prediction(scored: Path, tmp_path: Path, capfd: Any) -> None:
    path = Predictions(scored).write("parquet", tmp_path)
    rows = [{**row, "no_target_score": "0.5"} for row in pyarrow.parquet.read_table(path).to_pylist()]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert main(["score", str(path), "--name", "theirs", *DATA, "--output_dir", str(tmp_path / "out")]) == 1
    said = "".join(capfd.readouterr())
    assert said.count("no_target_score is '0.5', but must be a number from 0 to 1 (counts as wrong)") == len(rows)


@pytest.mark.parametrize("segmentation", [None, 7, "x", [[1, 2, 3, 4, 5, 6]]])
def test_a_result_without_a_mask_is_one_wrong_sample(
    scored: Path, tmp_path: Path, segmentation: Any, capfd: Any
) -> None:
    predictions = Predictions(scored)
    path = predictions.write("json", tmp_path)
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries[0]["segmentation"] = segmentation
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert main(["score", str(path), "--name", "theirs", *DATA, "--output_dir", str(tmp_path / "out")]) == 1
    folder = tmp_path / "out" / "TV" / "theirs"
    faults = json.loads((folder / "faults.json").read_text(encoding="utf-8"))
    assert (faults["missing"], list(faults["wrong"])) == ([], [entries[0]["image_id"]])
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["scores"]["mIoU"] == pytest.approx(100 * (1 - 1 / len(entries)))


def test_faults_of_earlier_predictions_are_removed(scored: Path, tmp_path: Path) -> None:
    predictions = Predictions(scored)
    truths = dict(predictions.masks)
    predictions.plant_faults()
    path = predictions.write("json", tmp_path)
    arguments = ["score", str(path), "--name", "theirs", *DATA, "--output_dir", str(tmp_path / "out")]
    assert main(arguments) == 1
    folder = tmp_path / "out" / "TV" / "theirs"
    assert (folder / "faults.json").is_file()
    (folder / "report.json").unlink()
    predictions.masks = truths
    predictions.write("json", tmp_path)
    assert main(arguments) == 0
    assert not (folder / "faults.json").exists()
    assert main(arguments) == 0  # Finished before, without faults.


def test_masks_in_sub_folders_have_the_names_of_their_samples(tmp_path: Path, capfd: Any) -> None:
    data = make_image_folder(tmp_path / "data" / "validation", pairs=2, sentences=1).parent
    predictions = tmp_path / "mine"
    (predictions / "t1").mkdir(parents=True)
    for number in range(2):
        shutil.copy(data / "validation" / "masks" / f"{number}_0.png", predictions / "t1")
    arguments = ["score", str(predictions), "--data", str(data), "--output_dir", str(tmp_path / "out")]
    assert main(arguments) == 0, capfd.readouterr()
    report = json.loads((tmp_path / "out" / "TV" / "mine" / "report.json").read_text(encoding="utf-8"))
    assert report["scores"]["mIoU"] == 100


def test_masks_in_other_sub_folders_go_by_their_own_names(tmp_path: Path) -> None:
    for name in ("a/1_0.png", "b/2_0.png", "c/2_0.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / name)
    predictions = open_predictions(tmp_path)
    assert predictions.take("2_0") is None  # There are two files of this name.
    assert predictions.take("1_0") is not None
    assert sorted(predictions) == ["b/2_0", "c/2_0"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.parquet", None, "There are no predictions"),
        ("results.txt", "x", "neither"),
        ("results.json", "{}", "must hold a list"),
        ("results.json", '[{"image_id": "a"}]', "entry 0 has no image_id or no segmentation"),
        ("masks.parquet", "x", "cannot be read as Parquet"),
    ],
)
def test_unreadable_predictions_are_named(
    tmp_path: Path, name: str, content: str | None, message: str, capfd: Any
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert main(["score", str(tmp_path / name), *DATA, "--output_dir", str(tmp_path / "out")]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
