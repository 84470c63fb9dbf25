# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds changes in pairs of pictures, segments them, and writes sentences:

```bash
craft-agent run PAIRS --out WORK                                        # offline: no model, to try it
craft-agent run PAIRS --out WORK --dry-run --perceiver chat ...         # what would be asked, and what it would cost
```

PAIRS holds A/ (earlier) and B/ (later); files of one name belong together. Run the same command again after any end,
however sudden: nothing is lost and nothing asked twice. Several processes of one machine may work on one WORK at once.
"""

import argparse
from functools import partial
from pathlib import Path

from tqdm import tqdm

from dataset_scripts.schema import DOMAINS, VIEWS

from ..engines.local_engine import run_local
from ..errors import CraftError
from ..prompts.templates import FOLDER, Prompts
from ..state.pairs_folder import PairFiles, hash_pair, list_pairs
from ..state.settings import RunSettings
from ..state.store import Store
from ..steps.pipeline import Backends
from .backend_options import (
    add_backend_arguments,
    backend_names,
    backend_settings,
    make_perceiver,
    make_segmenter,
)
from .estimate import estimate_run
from .status import print_status


LISTED_AT_ONCE = 200
MOST_CELLS_A_SIDE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `run`."""
    parser.add_argument("pairs", metavar="PAIRS", type=Path, help="folder with A/ (earlier) and B/ (later)")
    parser.add_argument("--out", metavar="WORK", type=Path, required=True, help="folder of the run: new, or to go on")
    parser.add_argument("--dry-run", action="store_true", help="ask nothing; estimate questions, tokens and cost")
    add_backend_arguments(parser)
    parser.add_argument("--prompts", metavar="FOLDER", type=Path, default=FOLDER, help="other texts of the questions")
    parser.add_argument("--grid", metavar="N", type=int, help="cells a side; by default 3, more for large pictures")
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="tries to segment a change (%(default)s)")
    parser.add_argument(
        "--attempts",
        metavar="N",
        type=int,
        default=2,
        help="times to ask for an answer that can be read (%(default)s)",
    )
    parser.add_argument("--paraphrases", metavar="N", type=int, default=2, help="further sentences (%(default)s)")
    parser.add_argument(
        "--grounding-iou",
        metavar="IOU",
        type=float,
        default=0.5,
        help="how well a sentence must lead back to its region (%(default)s)",
    )
    parser.add_argument("--domain", choices=DOMAINS, help="normal scenes or remote sensing")
    parser.add_argument("--view", choices=VIEWS, default="unknown", help="where the camera was")
    parser.add_argument("--source", metavar="NAME", default="unknown", help="the data set that the pictures are of")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="pairs at once (%(default)s)")
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="this machine, or many by Ray Data"
    )
    parser.add_argument(
        "--shared", metavar="FOLDER", help="with --engine ray: absolute path or address (s3://…) all machines see"
    )
    parser.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help="with --engine ray: of a running cluster, or auto; else one is started",
    )
    parser.add_argument(
        "--gpus-per-worker", metavar="N", type=float, default=0.0, help="with --engine ray, such as 0.5 (%(default)s)"
    )
    parser.add_argument("--retry-failed", action="store_true", help="also take up the pairs that failed before")
    for name in ("input", "output"):
        parser.add_argument(
            f"--{name}-price", metavar="USD", type=float, default=0.0, help=f"of a million {name} tokens, for the cost"
        )


def run(arguments: argparse.Namespace) -> int:
    """
    Runs `run`.

    Args:
        arguments (`argparse.Namespace`): Of `add_arguments`.

    Returns:
        `int`: 0, or 1 if pairs failed.

    Raises:
        CraftError: If the input is bad.
        PermanentError: If the models will never answer.
    """
    _check(arguments)
    listed = list_pairs(arguments.pairs)
    prompts = Prompts(arguments.prompts)
    settings = _settings(arguments, prompts)
    if arguments.dry_run:
        print(estimate_run(arguments.pairs, listed, settings, prompts, arguments.out).table())
        return 0
    # With Ray, the models are needed where the workers are.
    backends = None if arguments.engine == "ray" else _make_backends(arguments)
    store = Store.create(arguments.out, settings)
    _add_new(store, arguments.pairs, listed)
    store.free_dead_claims()
    if arguments.retry_failed:
        store.retry_failed()
    if backends is None:
        _run_ray(store, arguments, prompts)
    else:
        run_local(store, backends, prompts, arguments.workers)
    steps = print_status(store)
    return 1 if steps["failed"] else 0


def _make_backends(arguments: argparse.Namespace) -> Backends:
    return Backends(make_perceiver(arguments), make_segmenter(arguments))


def _run_ray(store: Store, arguments: argparse.Namespace, prompts: Prompts) -> None:
    from ..engines.ray_engine import RayOptions, run_ray

    shared = arguments.shared or str((store.work / "shared").resolve())
    options = RayOptions(shared, arguments.workers, arguments.ray_address, arguments.gpus_per_worker)
    run_ray(store, partial(_make_backends, arguments), prompts, options)


def _check(arguments: argparse.Namespace) -> None:
    least = {"rounds": 1, "attempts": 1, "workers": 1, "paraphrases": 0}
    for name, lowest in {**least, "input_price": 0, "output_price": 0, "gpus_per_worker": 0}.items():
        value = getattr(arguments, name)
        if not value >= lowest:
            raise CraftError(f"--{name.replace('_', '-')} {value} must be at least {lowest}")
    if not 0 < arguments.grounding_iou <= 1:
        raise CraftError(f"--grounding-iou {arguments.grounding_iou} must be above 0 and at most 1")
    if arguments.grid is not None and not 1 <= arguments.grid <= MOST_CELLS_A_SIDE:
        raise CraftError(f"--grid {arguments.grid} must be from 1 to {MOST_CELLS_A_SIDE}")
    if arguments.gpus_per_worker > 1 and arguments.gpus_per_worker % 1:
        raise CraftError(f"--gpus-per-worker {arguments.gpus_per_worker} must be a share of one or a whole number")
    if arguments.engine != "ray" and (arguments.shared or arguments.ray_address or arguments.gpus_per_worker):
        raise CraftError("--shared, --ray-address and --gpus-per-worker need --engine ray")
    if not arguments.pairs.is_dir():
        raise CraftError(f"{arguments.pairs} is no folder; name the one that holds A/ and B/")
    work, pairs = arguments.out.resolve(), arguments.pairs.resolve()
    if any(work.is_relative_to(pairs / side) for side in ("A", "B")):
        raise CraftError(f"{arguments.out} lies among the pictures; name another folder with --out")


def _settings(arguments: argparse.Namespace, prompts: Prompts) -> RunSettings:
    perceiver, segmenter = backend_names(arguments)
    return RunSettings(
        pairs=str(arguments.pairs.resolve()),
        perceiver=perceiver,
        segmenter=segmenter,
        backend=backend_settings(arguments),
        prompts=prompts.versions,
        grid=arguments.grid,
        rounds=arguments.rounds,
        attempts=arguments.attempts,
        paraphrases=arguments.paraphrases,
        grounding_iou=arguments.grounding_iou,
        domain=arguments.domain,
        view=arguments.view,
        source=arguments.source,
        input_price=arguments.input_price,
        output_price=arguments.output_price,
    )


def _add_new(store: Store, folder: Path, listed: list[PairFiles]) -> None:
    """Lists the pairs that the run does not know yet. Those that it knows keep the hashes they had."""
    known = store.known_pairs()
    new = [files for files in listed if files.pair_id not in known]
    with tqdm(total=len(new), desc="Listing", unit=" pairs", disable=not new) as bar:
        for start in range(0, len(new), LISTED_AT_ONCE):
            group = new[start : start + LISTED_AT_ONCE]
            hashes = []
            for files in group:
                hashes.append(hash_pair(folder, files))
                bar.update()
            store.add_pairs(group, hashes)
