# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Shows how many samples passed each step and how well the auditors agree, and draws a chart:

```bash
craft-agent stats WORK --out funnel.png
```
"""

import argparse

from mtrefseg.option_values import named_path

from ..audit.funnel import agreement_table, read_funnel, save_funnel
from ..audit.store import AuditStore
from ..state.store import Store
from .status import cost_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `stats`."""
    parser.add_argument("work", metavar="WORK", type=named_path, help="folder of a run")
    parser.add_argument("--out", metavar="PNG", type=named_path, help="also draw a chart (needs matplotlib)")


def run(arguments: argparse.Namespace) -> int:
    """Runs `stats`; raises `CraftError` if the folder holds no run, or matplotlib is missing for the chart."""
    store = Store(arguments.work)
    funnel = read_funnel(store)
    print(funnel.table())
    agreement = agreement_table(AuditStore(arguments.work))
    if agreement:
        print(agreement)
    [row] = store.rows("SELECT COALESCE(SUM(seconds), 0), COUNT(*) FROM pairs WHERE step = 'refined'")
    if row[1]:
        print(f"{row[0] / row[1]:.2f} s per pair, {cost_of(store) / row[1]:.4f} US dollars per pair")
    if arguments.out is not None:
        save_funnel(funnel, f"{store.settings.perceiver} and {store.settings.segmenter}", arguments.out)
        print(arguments.out)
    return 0
