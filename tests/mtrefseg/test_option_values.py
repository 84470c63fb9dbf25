"""Tests of the parser that commands share."""

import argparse
from pathlib import Path

import pytest

from craft_agent.command_line import main as craft_main
from dataset_scripts.command_line import main
from mtrefseg.cli.main import main as mtrefseg_main
from mtrefseg.option_values import OneLineParser, named_path
from trainer.evaluate import main as evaluate_main


TEXT = """Does things.

```bash
mtrefseg do --this
```

Then more."""


def test_code_in_help_is_indented():
    parser = OneLineParser(description=TEXT, formatter_class=argparse.RawDescriptionHelpFormatter)
    assert "Does things.\n\n    mtrefseg do --this\n\nThen more." in parser.format_help()
    assert OneLineParser().description is None


def test_help_of_data_tools_has_no_fences(capsys):
    for tool in ("describe", "synth", "export"):
        with pytest.raises(SystemExit, match="0"):
            main([tool, "--help"])
        shown = capsys.readouterr().out
        assert "```" not in shown
        assert "\n    mtrefseg data " in shown


def test_options_have_two_spellings(tmp_path):
    parser = OneLineParser()
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--output_dir")
    parser.add_argument("words", nargs="*")
    for given in (["--batch_size", "2", "--output-dir=a_b"], ["--batch-size=2", "--output_dir", "a_b"]):
        assert vars(parser.parse_args(given)) == {"batch_size": 2, "output_dir": "a_b", "words": []}
    assert parser.parse_args(["--", "--batch_size"]).words == ["--batch_size"]
    assert parser.parse_known_args(["--other_size", "2"])[1] == ["--other_size"]
    assert main(["synth", str(tmp_path), "--pairs", "1", "--size", "128", "--num_proc", "1"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (mtrefseg_main, "predict", "a.png", "b.png", "--out", ""),
        (mtrefseg_main, "series", "a.png", "b.png", "--out="),
        (mtrefseg_main, "convert", "weights", "", "--original-config", "c", "--tokenizer", "t"),
        (main, "validate", " "),
        (craft_main, "run", "pairs", "--out", ""),
        (evaluate_main, "--model", "m", "--output-dir", ""),
    ],
)
def test_an_empty_path_is_not_the_current_folder(arguments, capsys):
    command, *given = arguments
    with pytest.raises(SystemExit, match="2"):
        command(given)
    (line,) = capsys.readouterr().err.splitlines()
    assert "the path is empty; the current folder is ." in line


def test_paths():
    assert named_path("a/b") == Path("a/b")
