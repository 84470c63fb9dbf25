# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Whatever a user can fix ends with one line: all errors about it have one base."""

import pkgutil

import pytest

from mtrefseg.errors import BAD_INPUT, PIPE_CLOSED, UserError, run_command


@pytest.mark.parametrize(
    "name",
    [
        "craft_agent.errors:CraftError",
        "craft_agent.errors:PermanentError",
        "craft_agent.errors:RefusedError",
        "craft_agent.errors:TransientError",
        "dataset_scripts.errors:DataError",
        "dataset_scripts.readers.reading_report:UnusableError",
        "mtrefseg.build.loading:CheckpointError",
        "publishing.loading:PublishError",
        "mtrefseg.serve.limits:InputError",
        "trainer.ablation.folder:TrainingFailedError",
        "trainer.errors:TrainingError",
    ],
)
def test_errors_have_one_base(name: str) -> None:
    assert issubclass(pkgutil.resolve_name(name), UserError)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("a\n b"), "try: error: a b"),
        (OSError(36, "File name too long", "x" * 300), f"try: error: {'x' * 300}: File name too long"),
        (OSError("no reason"), "try: error: no reason"),
    ],
)
def test_commands_end_with_one_line(error: Exception, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise error

    assert run_command("try", fail) == BAD_INPUT
    assert capsys.readouterr().err.splitlines() == [line]


def test_a_command_needs_no_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)  # As in `mtrefseg ... >&-`, and in programs without a console.
    assert run_command("try", lambda: None) == 0


def test_the_code_of_a_closed_pipe() -> None:
    assert PIPE_CLOSED == 128 + 13
