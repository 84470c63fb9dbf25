"""Tests of the parser that commands share."""

import argparse

import pytest

from dataset_scripts.command_line import main
from mtrefseg.option_values import OneLineParser


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
