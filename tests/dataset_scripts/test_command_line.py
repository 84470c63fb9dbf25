# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the machine refuses ends with one line and exit code 2; code 1 is kept for what `validate` finds."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from craft_agent.command_line import main as craft_main
from dataset_scripts.command_line import main


ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "dataset_scripts" / "sample"


def test_output_below_a_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    assert main(["synth", str(tmp_path / "file"), "--pairs", "1", "--size", "128"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"mtrefseg: error: {tmp_path / 'file'}")
    assert last.endswith("Not a directory")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([], "mtrefseg data"),
        (["nothing"], "mtrefseg data"),
        (["synth", "out", "--pairs", "x"], "mtrefseg data synth"),
        (["stats"], "mtrefseg data stats"),
    ],
)
def test_a_wrong_command_line_is_one_line(words: list[str], command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mtrefseg: error: ")
    assert line.endswith(f"(see {command} --help)")


@pytest.mark.parametrize(("main", "program"), [(main, "mtrefseg"), (craft_main, "craft-agent")])
def test_an_interrupt_is_one_line_of_the_same_words(
    main: Callable[[Sequence[str]], int],
    program: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dataset_scripts.command_line.import_module", interrupt)  # The imports of a tool take seconds.
    assert main(["stats", "folder"]) == 130
    assert capsys.readouterr().err == f"{program}: interrupted\n"


def test_reader_that_has_enough_is_no_finding() -> None:
    command = [sys.executable, "-m", "dataset_scripts", "validate", str(SAMPLE)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 141
    assert "Error" not in errors


def test_an_unknown_option_names_the_help_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["stats", "folder", "--split", "validation"])
    problem = "unrecognized arguments: --split validation (see mtrefseg data stats --help)"
    assert capsys.readouterr().err == f"mtrefseg: error: {problem}\n"
