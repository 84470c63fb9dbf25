# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
CRAFT-Agent: from plain image pairs to a dataset of change sentences and masks.

```bash
craft-agent run PAIRS --out WORK      # PAIRS holds A/ (earlier) and B/ (later); run it again to resume
craft-agent status WORK               # the state of the run
craft-agent audit WORK                # opens a page to accept, correct or reject samples
craft-agent export WORK OUT           # accepted samples: raw layout and Parquet with a dataset card
craft-agent export --format coco WORK OUT   # for other tools: coco, label-studio, cvat
craft-agent import --format coco FILE WORK  # import annotations from these tools
craft-agent stats WORK                # how many samples passed each step, as a table and a chart
```

Exit codes: 0 done; 1 some pairs failed and can be retried; 2 bad input, or models that cannot be used, with one line
on stderr that says what to change; 130 interrupted. Results go to stdout, progress to stderr.
"""

import argparse
from collections.abc import Sequence

from dataset_scripts.command_line import run_tool
from mtrefseg.option_values import OneLineParser


_COMMANDS = {
    "run": ("run", "find changes, segment them, write sentences"),
    "status": ("status", "show the state of a run"),
    "audit": ("audit", "serve a page to review samples"),
    "export": ("export", "export accepted samples as a dataset"),
    "import": ("import_annotations", "import annotations from other tools: COCO, Label Studio, CVAT"),
    "stats": ("stats", "show how many samples passed each step"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """
    Runs the command line.

    Args:
        argv (`Sequence[str]`, *optional*): Arguments; those of the process if left out.

    Returns:
        `int`: The exit code.
    """
    parser = OneLineParser(
        prog="craft-agent", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return run_tool(parser, "craft_agent.commands", _COMMANDS, argv)
