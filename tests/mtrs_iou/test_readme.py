# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import csv
import doctest
import re
from pathlib import Path
from typing import Any

import evaluate
import pytest
from huggingface_hub import metadata_load

from mtrs_iou import score_masks


ROOT = Path(__file__).parents[2]
README = (ROOT / "mtrs_iou" / "README.md").read_text(encoding="utf-8")
TABLES = ROOT.parent / "shared" / "paper" / "benchmark_tables.csv"
SCORES = ["mIoU", "oIoU", "Pr@50", "Pr@60", "Pr@70", "Pr@80", "Pr@90"]


def everything() -> dict[str, Any]:
    masks = [[[0, 1]], [[0, 0]]]
    labels = {"domains": ["NS", "RS"], "change_types": ["appear", "appear"], "scores": [0.1, 0.2]}
    return score_masks(masks, masks, **labels, boundary=True, bootstrap=2, per_sample=True)


def test_the_examples_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(tmp_path))
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(README, {}, "README.md", "README.md", 0))
    assert runner.summarize(verbose=False).attempted > 20
    assert runner.summarize(verbose=False).failed == 0


def test_the_front_matter_is_that_of_a_metric_space() -> None:
    fields = metadata_load(ROOT / "mtrs_iou" / "README.md")
    assert fields is not None
    assert {"evaluate", "metric"} <= set(fields["tags"])
    assert (fields["sdk"], fields["app_file"]) == ("gradio", "app.py")
    assert len(fields["short_description"]) <= 60
    pins = (ROOT / "mtrs_iou" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(re.split("[<>=]", pin)[0] for pin in pins[1:]) == [
        "datasets",
        "evaluate",
        "gradio",
        "numpy",
        "pillow",
    ]


def test_every_key_of_the_result_is_explained() -> None:
    explained = set(re.findall(r"`([\w@-]+)`", README)) | {"Pr@60", "Pr@70", "Pr@80"}
    assert not set(everything()) - explained - {"per_sample"}
    assert "`per_sample`" in README


def test_the_printed_values_are_those_of_the_paper() -> None:
    if not TABLES.exists():
        pytest.skip(f"{TABLES} is not there")
    with TABLES.open(encoding="utf-8") as file:
        paper = {
            (row["setting"], row["model"], row["group"]): [row[score] for score in SCORES]
            for row in csv.DictReader(file)
        }
    rows = re.findall(r"^\| (TV|NS|RS) \| ([\w-]+)(, fine-tuned)? \| (.*) \|$", README, flags=re.MULTILINE)
    assert len(rows) == 9
    for setting, model, tuned, values in rows:
        groups = ["lvlm_finetuned"] if tuned else ["specialist", "ours"]
        assert [each.strip() for each in values.split("|")] in [paper.get((setting, model, group)) for group in groups]
