# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Shows the state of a run: pairs by step, questions and their cost, and why pairs were skipped or failed.

```bash
craft-agent status WORK
```
"""

import argparse

from dataset_scripts.readers import printable_line
from mtrefseg.option_values import named_path

from ..audit.store import AuditStore
from ..state.store import STEPS, Store


MOST_REASONS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `status`."""
    parser.add_argument("work", metavar="WORK", type=named_path, help="folder of a run")


def run(arguments: argparse.Namespace) -> int:
    """Runs `status`; raises `CraftError` if the folder holds no run."""
    print_status(Store(arguments.work))
    return 0


def print_status(store: Store) -> dict[str, int]:
    """
    Prints the state of a run.

    Args:
        store (`Store`): The run.

    Returns:
        `dict[str, int]`: Number of pairs by step.
    """
    settings = store.settings
    steps = dict.fromkeys(STEPS, 0)
    for row in store.rows("SELECT step, COUNT(*) AS pairs FROM pairs GROUP BY step"):
        steps[row["step"]] = row["pairs"]
    print(printable_line(f"perceiver {settings.perceiver}, segmenter {settings.segmenter}, pairs in {settings.pairs}"))
    print("pairs: " + ", ".join(f"{count:,} {step}" for step, count in steps.items() if count))
    for row in store.rows(
        """SELECT kind, COUNT(*) AS asked, SUM(problem != '') AS unusable, SUM(requests) AS requests,
        SUM(prompt_tokens) AS input, SUM(completion_tokens) AS output, SUM(seconds) AS seconds
        FROM exchanges GROUP BY kind ORDER BY kind"""
    ):
        print(
            f"{row['kind']:9} {row['asked']:>8,} asked {row['unusable']:>6,} unusable {row['requests']:>8,} requests "
            f"{row['input']:>11,} + {row['output']:,} tokens {row['seconds']:>9,.1f} s"
        )
    for row in store.rows(
        f"SELECT problem, COUNT(*) AS requests FROM failures GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_REASONS}"
    ):
        print(printable_line(f"requests without an answer: {row['requests']:,}: {row['problem']}"))
    if settings.input_price or settings.output_price:
        print(f"cost: {cost_of(store):,.2f} US dollars at the given prices")
    samples = store.rows("SELECT COUNT(*) AS samples FROM samples")[0]["samples"]
    unseen = samples - len(AuditStore(store.work).judged_counts())
    advice = f"run `craft-agent audit {store.work}`"
    if samples and not unseen:
        advice = f"to use those that were accepted, run `craft-agent export {store.work} OUT`"
    print(f"samples: {samples:,}, {unseen:,} of which nobody has judged; {advice}")
    rows = store.rows(
        f"""SELECT step, reason, COUNT(*) AS pairs, MIN(pair_id) AS example FROM pairs
        WHERE step IN ('skipped', 'failed') GROUP BY step, reason ORDER BY pairs DESC, reason LIMIT {MOST_REASONS}"""
    )
    for row in rows:
        print(printable_line(f"{row['step']}: {row['pairs']:,} pairs, such as {row['example']}: {row['reason']}"))
    return steps


def cost_of(store: Store) -> float:
    """The cost of all answers in US dollars, at the prices of the run."""
    [row] = store.rows(
        "SELECT COALESCE(SUM(prompt_tokens), 0) AS input, COALESCE(SUM(completion_tokens), 0) AS output FROM exchanges"
    )
    settings = store.settings
    return float(row["input"] * settings.input_price + row["output"] * settings.output_price) / 1e6
