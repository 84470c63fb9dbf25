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
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from dataset_scripts.errors import DataError

from .errors import CraftError, PermanentError


# Each command's module supplies `add_arguments(parser)` and `run(arguments) -> exit code`.
_COMMANDS = {
    "run": ("run_command", "find changes, segment them, write sentences"),
    "status": ("status_command", "say where a run stands"),
    "audit": ("audit_page", "open the page on which people audit the samples"),
    "export": ("export_command", "write the audited samples as a data set"),
    "stats": ("stats_command", "say what every step let through, and draw it"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """
    Runs the command line.

    Args:
        argv (`Sequence[str]`, *optional*): Arguments; those of the process if left out.

    Returns:
        `int`: The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="craft-agent", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        # Only the command that is asked for is imported: the others may need libraries that are not installed.
        if arguments[:1] == [name]:
            tool = import_module(f".{module}", __package__)
            command.description = tool.__doc__
            tool.add_arguments(command)
            command.set_defaults(run=tool.run)
    parsed = parser.parse_args(arguments)
    return _guarded(parsed.run, parsed)


def _guarded(run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Bad input, and what machine and models refuse, ends with one line instead of a traceback."""
    try:
        code = run(arguments)
        sys.stdout.flush()
        return code
    except (CraftError, DataError, PermanentError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever reads the results, such as `head`, has enough; otherwise Python complains again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return 130
