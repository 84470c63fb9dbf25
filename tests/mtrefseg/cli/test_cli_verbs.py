# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What all verbs of `mtrefseg` have in common: help, usage errors, the order of arguments, the default model."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mtrefseg.build import shipped
from mtrefseg.cli import common, predict
from mtrefseg.cli.main import VERBS, main
from mtrefseg.cli.parsing import VerbParser


ROOT = Path(__file__).parents[3]
HELPS = [["--help"], ["--version"], *([verb, "--help"] for verb in VERBS)]
USAGE_ERRORS = [
    [],
    ["segment"],
    ["predict"],
    ["predict", "t1.png", "t2.png", "--out", "out", "--colour"],
    ["explain", "t1.png", "t2.png", "--out", "out"],
    ["report", "predictions.parquet", "--out", "out", "--limit", "0"],
    ["convert", "weights"],
    ["export", "--format", "caffe", "out"],
    ["info", "tiny"],
    ["demo", "--port", "x"],
    ["demo", "--auth", "nobody"],
    ["serve", "--port", "x"],
    ["serve", "--queue", "0"],
    ["serve", "--timeout", "0"],
    ["train"],
    ["train", "everything"],
    ["evaluate", "--model", "mtrefseg-r1"],
    ["evaluate", "--model", "mtrefseg-r1", "--output_dir", "out", "--batch_size", "0"],
    ["benchmark"],
    ["benchmark", "run", "--models", "nothing"],
    ["benchmark", "score", "theirs.parquet", "--output_dir", "out", "--limit", "0"],
    ["data", "improve"],
    ["craft", "improve"],
]
WRONG_PATHS = [
    ["predict", "no.tif", "no.tif", "the house", "--out", "out"],
    ["predict", "--manifest", "no.csv", "--out", "out"],
    ["series", "no.tif", "no2.tif", "the house", "--out", "out"],
    ["convert", "no.bin", "out", "--original-config", "no.json", "--tokenizer", "no"],
    ["export", "--int8", "--calibration", "no/where/at/all", "out"],
    ["train", "finetune", "--train_data", "no"],
    ["train", "pretrain", "--model_name_or_path", "no"],
    ["train", "distill", "--model_name_or_path", "no"],
    ["evaluate", "--model", str(ROOT / "mtrefseg-r1"), "--data", "no", "--output_dir", "out"],
    ["benchmark", "run", "--models", "nothing", "--data", "no", "--output_dir", "out"],
    ["benchmark", "run", "--models", "no", "--output_dir", "out"],
    ["benchmark", "run", "--models", "nothing", "--plugin", "no.py", "--output_dir", "out"],
    ["benchmark", "score", "no.parquet", "--output_dir", "out"],
    ["benchmark", "score", "there.json", "--data", "no", "--output_dir", "out"],
    ["benchmark", "table", "no"],
]
COUNT = """
import json, sys
from mtrefseg.cli.main import main
try:
    code = main(json.loads(sys.argv[1]))
except SystemExit as stop:
    code = stop.code
heavy = ("torch", "transformers", "datasets", "numpy", "trl", "gradio", "fastapi", "pydantic", "uvicorn")
print(json.dumps([code, sorted(name for name in heavy if name in sys.modules), len(sys.modules)]))
"""


@pytest.mark.parametrize(
    ("arguments", "code"), [(words, 0) for words in HELPS] + [(words, 2) for words in USAGE_ERRORS], ids=str
)
def test_help_and_usage_errors_import_nothing_heavy(arguments: list[str], code: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", COUNT, json.dumps(arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    *said, last = run.stdout.splitlines()
    assert json.loads(last)[:2] == [code, []]
    assert json.loads(last)[2] < 400  # Python itself begins with about 50; `import torch` loads more than 1,000.
    assert said if code == 0 else run.stderr.count("\n") <= 3


@pytest.mark.parametrize("arguments", WRONG_PATHS, ids=str)
def test_wrong_paths_and_names_are_found_before_pytorch_is_imported(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("[]")
    run = subprocess.run(
        [sys.executable, "-c", COUNT, json.dumps(arguments)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    code, heavy, _ = json.loads(run.stdout.splitlines()[-1])
    assert (code, set(heavy) - {"numpy"}) == (2, set())
    assert ": error: " in run.stderr.splitlines()[-1]
    assert "no" in run.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "tool",
    [
        *("data export", "data validate", "data stats", "data browse", "data synth", "data compose"),
        *("craft run", "craft audit", "craft export", "craft status"),
    ],
)
def test_the_help_of_a_tool_imports_no_large_library(tool: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", COUNT, json.dumps([*tool.split(), "--help"])],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    code, heavy, _ = json.loads(run.stdout.splitlines()[-1])
    assert (code, set(heavy) - {"numpy"}) == (0, set())


def test_sentences_and_options_come_in_any_order() -> None:
    pieces = [["t1.png"], ["t2.png"], ["a sentence"], ["--out", "out"], ["--threshold=0.4"]]
    for order in itertools.permutations(pieces):
        words = [word for piece in order for word in piece]
        options = predict.make_parser().parse(words)
        positionals = [word for word in words if word in ("t1.png", "t2.png", "a sentence")]
        assert [options.image_t1, options.image_t2, *options.texts] == positionals
        assert (options.out, options.threshold) == (Path("out"), 0.4)


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["t1.png", "t2.png", "--out", "out"], []),
        (["t1.png", "t2.png", "one", "--out", "out", "two"], ["one", "two"]),
        (["t1.png", "t2.png", "--out", "out", "--", "-one", "two"], ["-one", "two"]),
        (["--out", "out", "--", "t1.png", "t2.png", "--help"], ["--help"]),
        (["t1.png", "--out", "out", "t2.png", "- the dash that appeared"], ["- the dash that appeared"]),
    ],
)
def test_sentences_may_follow_options_and_two_dashes(words: list[str], texts: list[str]) -> None:
    options = predict.make_parser().parse(words)
    assert (options.image_t1, options.image_t2, options.texts) == ("t1.png", "t2.png", texts)


def test_too_many_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = VerbParser("try", "Tries.")
    parser.positionals.add_argument("one")
    with pytest.raises(SystemExit) as stop:
        parser.parse(["1", "2"])
    assert stop.value.code == 2
    assert "unrecognized arguments: 2" in capsys.readouterr().err


def test_a_copy_of_the_package_finds_the_model_of_the_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `pip install .`, commands in the clone use its weights."""
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "site" / "mtrefseg" / "build" / "shipped.py"))
    monkeypatch.chdir(ROOT)
    assert common.default_model() == str(ROOT / "mtrefseg-r1")


@pytest.mark.parametrize("is_shipped", [True, False])
def test_the_default_model_is_the_shipped_one_or_that_of_the_hub(
    is_shipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = str(ROOT / "mtrefseg-r1")
    if not is_shipped:
        monkeypatch.setattr(shipped, "__file__", str(tmp_path / "site" / "mtrefseg" / "build" / "shipped.py"))
        expected = common.HUB_MODEL
    assert common.default_model() == expected
    printed = capsys.readouterr()
    assert printed.out == ""
    assert expected in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("verb", "module", "words", "passed"),
    [
        ("data", "dataset_scripts.command_line", ["stats", "-x"], (["stats", "-x"],)),
        ("craft", "craft_agent.__main__", ["run", "--out"], (["run", "--out"],)),
        ("evaluate", "trainer.evaluate", ["--model", "m"], (["--model", "m"], "mtrefseg evaluate")),
        ("benchmark", "trainer.benchmark.command", ["table", "x"], (["table", "x"], "mtrefseg benchmark")),
        ("train", "trainer.finetune", ["finetune", "--help"], (["--help"], "mtrefseg train finetune")),
        ("train", "trainer.pretrain", ["pretrain", "x", "--"], (["x", "--"], "mtrefseg train pretrain")),
        ("train", "trainer.pretrain_scenes", ["pretrain_scenes"], ([], "mtrefseg train pretrain_scenes")),
    ],
)
def test_verbs_of_other_folders_get_all_arguments(
    verb: str, module: str, words: list[str], passed: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def called(*arguments: Any) -> int:
        calls.append(arguments)
        return 7

    other = ModuleType(module)
    other.main = called  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module, other)
    monkeypatch.setattr(sys, "argv", ["mtrefseg", verb, *words])
    assert main([verb, *words]) == 7
    assert calls == [passed]
    if verb in ("evaluate", "train"):
        assert sys.argv == [module.replace(".", "/") + ".py", *passed[0]]


def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "dataset_scripts.command_line", None)
    assert main(["data", "--help"]) == 2
    assert 'pip install "mtrefseg[data]"' in capsys.readouterr().err
