# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
CRAFT-Agent: from plain pairs of pictures to a data set of change sentences and masks.

```bash
craft-agent run PAIRS --out WORK      # PAIRS holds A/ (earlier) and B/ (later); run it again to go on
craft-agent status WORK               # where the run stands
craft-agent audit WORK                # a page on which people accept, correct or reject
craft-agent export WORK OUT           # what people accepted: raw layout and Parquet with a card
craft-agent stats WORK                # what every step let through, as a table and a chart
```

Exit codes: 0 done; 1 some pairs failed and can be tried again; 2 bad input, or models that will never answer, with one
line on stderr that says what to change; 130 interrupted. Results go to stdout, progress to stderr.
"""

import argparse
from collections.abc import Sequence

from dataset_scripts.command_line import run_tool
from dataset_scripts.errors import DataError

from .errors import CraftError, PermanentError


_COMMANDS = {
    "run": ("commands.run", "find changes, segment them, write sentences"),
    "status": ("commands.status", "say where a run stands"),
    "audit": ("audit.page", "open the page on which people audit the samples"),
    "export": ("commands.export", "write the audited samples as a data set"),
    "stats": ("commands.stats", "say what every step let through, and draw it"),
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
    bad_input = (CraftError, DataError, PermanentError)
    told = "interrupted; run the same command again to go on"
    return run_tool(parser, "craft_agent", _COMMANDS, argv, bad_input, told)
