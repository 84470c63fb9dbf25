# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""evaluate.py: nothing lost, nothing twice, whatever is damaged, shared out or interrupted."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from datasets import Dataset
from PIL import Image
from transformers import AutoModel, AutoProcessor

from dataset_scripts.export import ExportOptions, export_dataset
from dataset_scripts.readers import GeneratedPairs, TablePairs, make_rows, pair_features, read_content
from dataset_scripts.synthesis import Generator, to_pair, write_raw
from mtrefseg.build.presets import preset_model
from mtrefseg.view.drawing import MARGIN, heading
from mtrefseg.view.predictions import load_predictions
from mtrefseg.view.report_images import draw_case
from mtrs_iou import decode_rle, score_masks
from trainer import evaluate, evaluation
from trainer.data import load_sample
from trainer.errors import TrainingError
from trainer.evaluation import BatchReader, identity_of, predict, read_pair, reporting
from trainer.evaluation.folder import EvaluationFolder, append_result, total_seconds
from trainer.evaluation.image_sheet import CASES, choose_cases
from trainer.evaluation.paper_scores import PAPER_MEASURE, SCORES, latex_report, markdown_report, paper_rows
from trainer.evaluation.reporting import PREDICTIONS, SHEET, collect
from trainer.evaluation.selection import RewordedPairs


ROOT = Path(__file__).parents[2]
GENERATOR = Generator(size=128, domains=("RS",), split="validation")
PAIRS = 5


@pytest.fixture(scope="module")
def checkpoint(small_processor, overrides, tmp_path_factory):
    """A tiny model whose masks are not empty."""
    torch.manual_seed(0)
    model = preset_model("tiny", small_processor, **overrides)
    torch.nn.init.normal_(model.vision_model.mask_decoder.pixel_decoder.mask_projection.weight, std=2.0)
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    model.save_pretrained(folder)
    small_processor.save_pretrained(folder)
    return folder


@pytest.fixture
def raw(tmp_path):
    """A raw split folder."""
    (folder,) = write_raw(GENERATOR, tmp_path / "raw", PAIRS, png=True)
    return folder


@pytest.fixture
def run(checkpoint, tmp_path, monkeypatch, capsys):
    """A function that runs the command in this process, and gives its report and what it printed; the errors alone
    for another exit code than 0."""

    def run(name, *arguments, data="generated", code=0):
        output = tmp_path / name
        common = ["--model", checkpoint, "--data", data, "--output_dir", output, "--batch_size", 2]
        if data == "generated":
            common += ["--setting", "RS", "--generated_pairs", PAIRS, "--generated_size", 128]
        monkeypatch.setattr(torch, "set_num_threads", lambda count: None)  # It would last.
        monkeypatch.setattr(sys, "argv", ["trainer/evaluate.py", *map(str, [*common, *arguments])])
        assert evaluate.main() == code
        if code:
            return capsys.readouterr().err
        return json.loads((output / "report.json").read_text()), capsys.readouterr().out

    return run


def comparable(report):
    return {key: value for key, value in report.items() if key not in ("run", "identity")}


def predictions_of(folder):
    return pyarrow.parquet.read_table(folder / PREDICTIONS).to_pylist()


def write_short(path):
    path.write_bytes(path.read_bytes()[:300])


def test_sentences_are_scored_in_other_words_that_their_names_decide(run, tmp_path):
    report, _ = run("reworded", "--reworded")
    rows = predictions_of(tmp_path / "reworded")
    own = [text for row in range(PAIRS) for text in [each.text for each in GENERATOR.pair(row).expressions]]
    assert len(rows) == len(own)
    assert np.mean([row["expression"] != text for row, text in zip(rows, own)]) > 0.9
    assert report["options"]["reworded"] is True
    assert "in other words" in (tmp_path / "reworded" / "table.md").read_text()
    source = RewordedPairs(GeneratedPairs(GENERATOR, PAIRS))
    assert [row["expression"] for row in rows[:2]] == [each.text for each in source[0].expressions[:2]]
    assert len(source) == PAIRS


def test_the_report_holds_the_scores_of_the_model(run, checkpoint, tmp_path):
    report, said = run("out", "--bootstrap", 20)
    model, processor = AutoModel.from_pretrained(checkpoint).eval(), AutoProcessor.from_pretrained(checkpoint)
    masks, truths, scores = [], [], []
    for row in range(PAIRS):
        pair = load_sample(GeneratedPairs(GENERATOR), row)
        inputs = processor(pair.image_t1, pair.image_t2, text=[pair.expressions], domain="remote_sensing")
        with torch.no_grad():
            (result,) = processor.post_process_referring_segmentation(model(**inputs), [(128, 128)])
        masks += list(result["masks"].numpy())
        scores += result["no_target_scores"].tolist()
        truths += pair.masks
    expected = score_masks(masks, truths, scores=scores, boundary=True)
    assert expected["mIoU"] > 1
    found = report["scores"]
    assert found["num_samples"] == len(masks)
    for name in (*SCORES, "N-acc", "T-acc", "boundary_IoU", "mIoU_nonempty", "no_target_AUROC"):
        assert found[name] == (None if expected[name] is None else pytest.approx(expected[name], abs=0.2)), name
    assert found.keys() >= {"by_domain", "by_change_type", "by_mask_size", "confidence_intervals"}
    assert report["data"] | {"sha256": ""} == {
        "name": "generated",
        "setting": "RS",
        "split": "validation",
        "pairs": PAIRS,
        "sentences": len(masks),
        "sha256": "",
    }
    assert {len(value) for value in (report["data"]["sha256"], *report["model"]["sha256"].values())} == {64}
    assert "model.safetensors" in report["model"]["sha256"]
    assert report["run"].keys() == {
        "command", "seed", "device", "hardware", "processes", "seconds", "sentences_per_second"
    }  # fmt: skip
    assert report["run"]["command"].startswith(f"python trainer/evaluate.py --model {checkpoint} --data generated")
    assert report["versions"]["torch"] == torch.__version__
    assert f"mIoU       {found['mIoU']:.2f}" in said

    rows = predictions_of(tmp_path / "out")
    again = score_masks([row["prediction"] for row in rows], [row["truth"] for row in rows])
    assert again["mIoU"] == found["mIoU"] == pytest.approx(np.mean([row["iou"] for row in rows]))
    assert [row["expression"] for row in rows[:2]] == load_sample(GeneratedPairs(GENERATOR), 0).expressions[:2]
    assert (decode_rle(rows[0]["truth"]) == truths[0]).all()
    with Image.open(tmp_path / "out" / SHEET) as sheet:
        case = draw_case(load_predictions(tmp_path / "out" / PREDICTIONS)[0], None)
        # Three headings, each with one sentence.
        assert sheet.size == (case.width, 3 * (heading("").height + case.height) + MARGIN)
    assert not (tmp_path / "out" / "unfinished").exists()


def test_raw_folders_and_exports_score_the_same(run, raw, tmp_path):
    reports = [run("split", data=raw)[0], run("root", "--setting", "RS", data=raw.parent)[0]]
    for name, with_pairs in (("sentences", False), ("pairs", True)):
        export_dataset(raw.parent, tmp_path / "exported" / name, ExportOptions(with_pairs=with_pairs))
        reports.append(run(name, data=tmp_path / "exported" / name)[0])
    for report in reports:
        assert report["scores"] == reports[0]["scores"]
        assert report["data"]["sha256"] == reports[0]["data"]["sha256"]
    assert reports[0]["scores"]["num_samples"] > PAIRS
    # The images are without loss, so that even the generator's own score the same.
    assert run("generated")[0]["scores"] == reports[0]["scores"]


def test_what_cannot_be_read_is_named_and_counts_as_wrong(run, raw, tmp_path):
    complete, _ = run("complete", data=raw)
    names = sorted(path.stem for path in (raw / "referring_expression").iterdir())
    contents = {name: json.loads((raw / "referring_expression" / f"{name}.json").read_text()) for name in names}
    counts = {name: len(content["referring_expressions"]) for name, content in contents.items()}
    write_short(next((raw / "A").glob(f"{names[0]}.*")))
    next((raw / "B").glob(f"{names[1]}.*")).unlink()
    masks = sorted((raw / "masks").rglob(f"*{names[2]}*/*")) or sorted((raw / "masks").glob(f"{names[2]}*"))
    write_short(masks[0])
    contents[names[3]]["referring_expressions"][0] = "the house [SEG]"
    (raw / "referring_expression" / f"{names[3]}.json").write_text(json.dumps(contents[names[3]]))
    copy = raw / "referring_expression" / "zzz.json"
    copy.write_text(json.dumps({**contents[names[4]], "sample_id": names[4]}))
    report, said = run("damaged", data=raw)
    assert report["scores"]["num_samples"] == complete["scores"]["num_samples"]
    wrong = {entry["sample_id"]: entry["problem"] for entry in report["counted_as_wrong"]}
    expected = {f"{name}_{index}" for name in names[:2] for index in range(counts[name])}
    assert wrong.keys() == expected | {f"{names[2]}_0", f"{names[3]}_0"}
    assert wrong[f"{names[0]}_0"].startswith("unreadable_image: ")
    assert wrong[f"{names[1]}_0"].startswith(f"missing_image: there is no B/{names[1]}")
    assert wrong[f"{names[2]}_0"].startswith("unreadable_mask: ")
    assert wrong[f"{names[3]}_0"].startswith("refused_sentence: ")
    assert report["scores"]["num_missing_predictions"] == len(wrong)
    (left_out,) = report["left_out"]
    assert "zzz.json: duplicate_id" in left_out
    assert f"left out: {left_out}" in said
    assert all(f"counted as wrong: {name} (" in said for name in wrong)
    before, after = (
        {row["sample_id"]: row for row in predictions_of(tmp_path / name)} for name in ("complete", "damaged")
    )
    assert before.keys() == after.keys()
    for name, row in after.items():
        assert (row["prediction"] is None) == (name in wrong)
        assert row["iou"] == (0 if name in wrong else pytest.approx(before[name]["iou"], abs=0.5))
    # A damaged image takes the prediction away, not the truth.
    assert after[f"{names[0]}_0"]["truth"] == before[f"{names[0]}_0"]["truth"]


def test_a_damaged_image_in_a_table_counts_as_wrong():
    record = to_pair(GENERATOR.pair(0), "validation", "referring")
    rows = make_rows(record, read_content(record), "pairs")
    rows[0]["image_t2"]["bytes"] = rows[0]["image_t2"]["bytes"][:300]
    pair = read_pair(TablePairs("test", Dataset.from_list(rows, features=pair_features()))[0])
    assert pair.images is None
    assert len(pair.problems) == len(record.expressions) == sum("image_t2" in problem for problem in pair.problems)
    assert all(truth["size"] == [128, 128] for truth in pair.truths)


def test_processes_and_attempts_are_joined_exactly(checkpoint, tmp_path):
    source = GeneratedPairs(GENERATOR, num_pairs=PAIRS)
    model, processor = AutoModel.from_pretrained(checkpoint).eval(), AutoProcessor.from_pretrained(checkpoint)
    results = [predict(batch, model, processor, None) for batch in BatchReader(source, processor, 2, range(3))]
    joined = []
    for name, shares in (("one", {(1, 0): [0, 1, 2]}), ("two", {(1, 1): [1], (1, 0): [0], (2, 0): [1, 2]})):
        folder = EvaluationFolder(tmp_path / name, {})
        folder.begin()
        for (attempt, process), numbers in shares.items():
            for number in numbers:
                append_result(folder.file(attempt, process), {**results[number], "seconds": 1.0 + number})
        joined.append(collect(folder.results(), 3, bootstrap=10))
    assert joined[0][:2] == joined[1][:2]
    assert (joined[0][2].pop("seconds"), joined[1][2].pop("seconds")) == (3.0, 5.0)
    assert joined[0][2] == joined[1][2]
    with pytest.raises(TrainingError, match="1 of 4 batches are missing"):
        collect(folder.results(), 4, bootstrap=0)
    assert total_seconds([(1, 2.0), (1, 3.0), (2, 1.0)]) == 4.0


def test_a_stopped_run_goes_on_and_a_finished_one_does_nothing(run, tmp_path, monkeypatch):
    complete, _ = run("complete")
    calls = []

    def stop_at(limit):
        def stopping(batch, *arguments):
            if len(calls) == limit:
                raise KeyboardInterrupt
            calls.append(batch.number)
            return predict(batch, *arguments)

        monkeypatch.setattr(evaluation, "predict", stopping)

    stop_at(2)
    run("stopped", code=130)
    (part,) = (tmp_path / "stopped" / "unfinished").glob("*.jsonl")
    # The second line was cut short.
    part.write_text(part.read_text()[:-40])
    assert "is from another evaluation (options differ)" in run("stopped", "--no_target_threshold", 0.5, code=2)
    stop_at(100)
    report, _ = run("stopped")
    assert calls == [0, 1, 1, 2]
    assert comparable(report) == comparable(complete)
    assert predictions_of(tmp_path / "stopped") == predictions_of(tmp_path / "complete")
    written = (tmp_path / "stopped" / "report.json").stat().st_mtime_ns
    again, said = run("stopped")
    assert said == f"Already finished, nothing to do: {tmp_path / 'stopped'}\n"
    assert len(calls) == 4
    assert (tmp_path / "stopped" / "report.json").stat().st_mtime_ns == written
    assert "another evaluation" in run("stopped", "--bootstrap", 5, code=2)


def test_another_version_of_the_project_does_not_resume(monkeypatch):
    source = GeneratedPairs(GENERATOR, 1)
    identity = identity_of({}, source, {}, "cpu")
    monkeypatch.setattr(reporting, "__version__", "0.0.0")
    assert identity_of({}, source, {}, "cpu") != identity


def test_wrong_names_are_refused(run, raw):
    said = run("out", "--split", "test", data=raw, code=2)
    assert "RS_synthetic_val (validation)" in said
    for words in ((), ("--model", "/nowhere"), ("--model", str(raw))):
        said = run("out", *words, data="/nowhere", code=2)
        assert said.startswith("evaluate.py: error: ")
        assert said.count("\n") == 1


def test_max_pairs_takes_evenly_spaced_pairs(run):
    complete, _ = run("complete")
    part, _ = run("part", "--max_pairs", 2)
    assert part["data"]["pairs"] == 2 < complete["data"]["pairs"]
    assert part["identity"]["data"] != complete["identity"]["data"]
    run("nothing", "--max_pairs", PAIRS)


def test_tables_hold_the_papers_rows_and_ones_own():
    scores = dict.fromkeys((*SCORES, "mIoU_nonempty", "T-acc"), 12.5) | {"N-acc": None}
    for setting, count in (("TV", 25), ("NS", 25), ("RS", 25)):
        assert len(paper_rows(setting)) == count
        markdown = markdown_report(setting, "my_model", "50 % of | mine", scores)
        lines = [line for line in markdown.splitlines() if line.startswith("|")]
        cells = [line.replace("\\|", "").strip("|").split("|") for line in lines]
        assert {len(each) for each in cells} == {len(SCORES) + 4}
        assert sum(line.endswith("| (a) |") for line in lines) == count
        assert lines[-1] == "| **my_model** |  |  |" + " 12.50 |" * len(SCORES) + " **(b)** |"
        assert f"(a) {PAPER_MEASURE.format(setting=setting)}." in markdown
        assert "N-acc -, T-acc 12.50" in markdown
        latex = latex_report(setting, "my_model", "50 % of mine", scores)
        assert r"my\_model & " in latex
        assert r"50 \% of mine" in latex
        assert latex.count(" & (a) \\\\") == count
        assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    table = Path(__file__).parents[3] / "shared" / "paper" / "benchmark_tables.csv"
    if table.is_file():
        rows = list(csv.DictReader(io.StringIO(table.read_text())))
        assert [row for setting in ("TV", "NS", "RS") for row in paper_rows(setting)] == rows
    assert [row["mIoU"] for row in paper_rows("NS") if row["model"] == "MTRefSeg-R1"] == ["59.87"]


def test_the_sheet_shows_different_pairs():
    samples = [
        {"key": f"{n:03d}", "iou": n % 100, "wrong_share": n / 1000, "pair": n // 2, "reference_area": n % 3}
        for n in range(300)
    ]
    chosen = choose_cases(samples)
    assert {kind: len(cases) for kind, cases in chosen.items()} == dict.fromkeys(("best", "median", "worst"), CASES)
    assert len({case["pair"] for cases in chosen.values() for case in cases}) == 3 * CASES
    assert [case["key"] for case in chosen["worst"][:2]] == ["200", "100"]
    assert all(case["iou"] >= 97 and case["reference_area"] for case in chosen["best"])
    assert all(45 <= case["iou"] <= 55 for case in chosen["median"])
    assert choose_cases([]) == {"best": [], "median": [], "worst": []}


@pytest.mark.skipif("MTREFSEG_SLOW_TESTS" not in os.environ, reason="takes a minute: set MTREFSEG_SLOW_TESTS")
def test_two_processes_report_as_one(checkpoint, tmp_path):
    launcher = ["-m", "accelerate.commands.launch", "--config_file", "trainer/accelerate/cpu_two_processes.yaml"]
    reports = []
    for name, prefix in (("one", []), ("two", launcher)):
        arguments = ["--model", checkpoint, "--output_dir", tmp_path / name, "--batch_size", 2]
        arguments += ["--generated_pairs", 9, "--generated_size", 128, "--bootstrap", 20]
        subprocess.run(
            [sys.executable, *prefix, "trainer/evaluate.py", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            check=True,
            timeout=300,
        )
        reports.append(json.loads((tmp_path / name / "report.json").read_text()))
    assert [report["run"]["processes"] for report in reports] == [1, 2]
    assert comparable(reports[0]) == comparable(reports[1])
    assert predictions_of(tmp_path / "one") == predictions_of(tmp_path / "two")
