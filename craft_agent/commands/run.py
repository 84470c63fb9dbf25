# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds changes in image pairs, segments them, and writes sentences:

```bash
craft-agent run PAIRS --out WORK                                        # with the default offline model
craft-agent run PAIRS --out WORK --dry-run --perceiver chat ...         # estimates questions and cost
```

PAIRS contains A/ (earlier) and B/ (later); files with the same name form a pair. To resume after an interruption, run
the same command again: finished work is kept, and no question is repeated. Several processes on one machine may use
the same WORK.
"""

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from dataset_scripts.readers import DOMAINS, VIEWS, printable_line
from mtrefseg.errors import resumable
from mtrefseg.io import PLAIN_SUFFIXES
from mtrefseg.option_values import named_path

from ..errors import CraftError
from ..prompts.templates import FOLDER, Prompts
from ..state.pairs_folder import PairFiles, hash_pair, list_pairs, unused_files
from ..state.settings import RunSettings
from ..state.store import Store
from .backend_options import add_backend_arguments, backend_names, backend_settings, make_backends
from .status import print_status


LISTED_AT_ONCE = 200
MOST_CELLS_PER_SIDE = 16
NAMED_FILES = 5
LOG_NAME = "craft.log"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `run`."""
    parser.add_argument("pairs", metavar="PAIRS", type=named_path, help="folder with A/ (earlier) and B/ (later)")
    parser.add_argument(
        "--out", metavar="WORK", type=named_path, required=True, help="folder of the run: a new one, or one to resume"
    )
    parser.add_argument("--dry-run", action="store_true", help="only estimate questions, tokens and cost")
    parser.add_argument("--retry-failed", action="store_true", help="also process pairs that failed before")
    add_backend_arguments(parser)
    _add_step_arguments(parser.add_argument_group("steps"))
    data = parser.add_argument_group("metadata of the dataset")
    data.add_argument("--domain", choices=DOMAINS, help="normal scenes or remote sensing")
    data.add_argument("--view", choices=VIEWS, default="unknown", help="camera position")
    data.add_argument("--source", metavar="NAME", default="unknown", help="dataset that the images come from")
    cost = parser.add_argument_group("cost")
    for name in ("input", "output"):
        cost.add_argument(
            f"--{name}-price", metavar="USD", type=float, default=0.0, help=f"price of a million {name} tokens"
        )
    _add_engine_arguments(parser.add_argument_group("engine"))


def _add_step_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--prompts", metavar="FOLDER", type=named_path, default=FOLDER, help="folder with other prompts"
    )
    group.add_argument("--grid", metavar="N", type=int, help="cells per side (default: 3, more for large images)")
    group.add_argument(
        "--rounds",
        metavar="N",
        type=int,
        default=3,
        help="maximum number of attempts to segment a change (default: %(default)s)",
    )
    group.add_argument(
        "--attempts",
        metavar="N",
        type=int,
        default=2,
        help="maximum number of attempts to get a valid answer (default: %(default)s)",
    )
    group.add_argument(
        "--paraphrases",
        metavar="N",
        type=int,
        default=2,
        help="additional sentences per region (default: %(default)s)",
    )
    group.add_argument(
        "--grounding-iou",
        metavar="IOU",
        type=float,
        default=0.5,
        help="minimum IoU between a region and the region found by its sentence alone (default: %(default)s)",
    )


def _add_engine_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        metavar="N",
        type=int,
        default=2,
        help="number of pairs processed in parallel (default: %(default)s)",
    )
    group.add_argument("--engine", choices=("local", "ray"), default="local", help="local threads or Ray workers")
    group.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help='address of a Ray cluster, or "auto" (default: start Ray on this machine)',
    )
    group.add_argument(
        "--gpus-per-worker",
        metavar="N",
        type=float,
        default=0.0,
        help="with Ray: GPUs per worker, such as 0.5 (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """
    Runs `run`.

    Args:
        arguments (`argparse.Namespace`): The parsed options.

    Returns:
        `int`: 0, or 1 if pairs failed.

    Raises:
        CraftError: If the input is bad or the models cannot be used.
    """
    from ..engines import RayOptions, run_local, run_ray  # Here, so that the help is printed without loading them.

    _check(arguments)
    listed = list_pairs(arguments.pairs)
    prompts = Prompts(arguments.prompts)
    settings = _settings(arguments, prompts)
    if arguments.dry_run:
        from .estimate import estimate_run

        print(estimate_run(arguments.pairs, listed, settings, prompts, arguments.out).table())
        _print_unused(arguments.pairs)
        return 0
    # With Ray, only the workers need the models.
    backends = None if arguments.engine == "ray" else make_backends(arguments)
    store = Store.create(arguments.out, settings)
    _add_new(store, arguments.pairs, listed)
    store.release_dead_claims()
    if arguments.retry_failed:
        store.retry_failed()
    with _logging_to(store.work / LOG_NAME), resumable():
        if backends is None:
            options = RayOptions(arguments.workers, arguments.ray_address, arguments.gpus_per_worker)
            run_ray(store, partial(make_backends, arguments), prompts, options)
        else:
            run_local(store, backends, prompts, arguments.workers)
    steps = print_status(store)
    _print_unused(arguments.pairs)
    return 1 if steps["failed"] else 0


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Appends warnings of this package, with the tracebacks of unexpected errors, to a file."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("craft_agent")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _print_unused(folder: Path) -> None:
    unused = unused_files(folder)
    if unused:
        names = ", ".join(unused[:NAMED_FILES]) + (" …" if len(unused) > NAMED_FILES else "")
        kinds = f"folders, and files that do not end in {', '.join(PLAIN_SUFFIXES)}"
        print(printable_line(f"not used: {len(unused):,} entries of A/ and B/ ({kinds}): {names}"))


def _check(arguments: argparse.Namespace) -> None:
    least = {"rounds": 1, "attempts": 1, "workers": 1, "paraphrases": 0}
    for name, lowest in {**least, "input_price": 0, "output_price": 0, "gpus_per_worker": 0}.items():
        value = getattr(arguments, name)
        if not value >= lowest:
            raise CraftError(f"--{name.replace('_', '-')} {value} must be at least {lowest}")
    if not 0 < arguments.grounding_iou <= 1:
        raise CraftError(f"--grounding-iou {arguments.grounding_iou} must be above 0 and at most 1")
    if arguments.grid is not None and not 1 <= arguments.grid <= MOST_CELLS_PER_SIDE:
        raise CraftError(f"--grid {arguments.grid} must be from 1 to {MOST_CELLS_PER_SIDE}")
    if arguments.gpus_per_worker > 1 and arguments.gpus_per_worker % 1:
        raise CraftError(f"--gpus-per-worker {arguments.gpus_per_worker} must be a fraction below 1 or a whole number")
    if arguments.engine != "ray" and (arguments.ray_address or arguments.gpus_per_worker):
        raise CraftError("--ray-address and --gpus-per-worker need --engine ray")
    if not arguments.pairs.is_dir():
        raise CraftError(f"{arguments.pairs} is not a folder; name the one that holds A/ and B/")
    work, pairs = arguments.out.resolve(), arguments.pairs.resolve()
    if any(work.is_relative_to(pairs / side) for side in ("A", "B")):
        raise CraftError(f"{arguments.out} is inside the folder of images; name another folder with --out")


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
    """Adds the pairs that are not listed yet. The others keep the hashes of their first listing."""
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
