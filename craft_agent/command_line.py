# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
CRAFT-Agent: from plain image pairs to a dataset of change sentences and masks.

```bash
craft-agent run PAIRS --out WORK      # PAIRS holds A/ (earlier) and B/ (later); run it again to resume
craft-agent status WORK               # the state of the run
craft-agent audit WORK                # a page on which people accept, correct or reject
craft-agent export WORK OUT           # what people accepted: raw layout and Parquet with a card
craft-agent export --format coco WORK OUT   # the same for other tools: coco, label-studio, cvat
craft-agent import --format coco FILE WORK  # annotations from them
craft-agent stats WORK                # what every step let through, as a table and a chart
```

Exit codes: 0 done; 1 some pairs failed and can be retried; 2 bad input, or models that cannot be used, with one line
on stderr that says what to change; 130 interrupted. Results go to stdout, progress to stderr.
"""

import argparse
from collections.abc import Sequence

from dataset_scripts.command_line import run_tool


_COMMANDS = {
    "run": ("run", "find changes, segment them, write sentences"),
    "status": ("status", "show the state of a run"),
    "audit": ("audit", "serve the page on which people audit samples"),
    "export": ("export", "write the audited samples as a dataset"),
    "import": ("import_annotations", "read annotations of another tool: COCO, Label Studio, CVAT"),
    "stats": ("stats", "show what every step let through, and draw it"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """
    Runs the command line.

    Args:
        argv (`Sequence[str]`, *optional*): Arguments; those of the process if left out.

    Returns:
        `int`: The exit code.
    """
    parser = argparse.ArgumentParser(
        prog="craft-agent", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    interrupted = "interrupted; run the same command again to resume"
    return run_tool(parser, "craft_agent.commands", _COMMANDS, argv, interrupted)
