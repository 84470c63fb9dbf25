# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Writes sentences for pairs that have masks, into a new folder in the raw layout:

```bash
mtrefseg data describe levir/ data/described --domain RS --thing building --change appear
mtrefseg data describe mtrefseg/ data/more --domain NS --sentences 24
```

The first command turns a change detection dataset, whose masks show every change without sentences, into referring
data. The second one keeps the sentences of a dataset and adds further ones for the same masks. With `--mosaics N`,
pieces of several pairs are put side by side, for a model that works on windows of large scenes.
"""

import argparse
import logging

from dataset_scripts.errors import DataError
from dataset_scripts.synthesis import write_raw
from mtrefseg.option_values import named_path, positive

from .describer import Describer


logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `describe`."""
    parser.add_argument("data", type=named_path, metavar="DATA", help="folder with pairs and masks")
    parser.add_argument("out", type=named_path, metavar="OUT", help="folder to write")
    parser.add_argument("--domain", choices=("NS", "RS"), required=True, help="normal scenes or remote sensing")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train")
    parser.add_argument(
        "--thing",
        default="",
        metavar="NOUN",
        help="kind of object in the masks, such as building, for pairs without sentences",
    )
    parser.add_argument(
        "--change",
        choices=("appear", "disappear", "state_change"),
        help="with --thing: change type of these objects (default: appear)",
    )
    parser.add_argument("--pairs", type=positive, help="number of pairs, from the first (default: all)")
    parser.add_argument(
        "--mosaics",
        type=positive,
        default=0,
        metavar="N",
        help="describe N mosaics of 256 x 256 pixels, made of pieces of the pairs, instead of the pairs",
    )
    parser.add_argument(
        "--sentences", type=positive, default=12, help="maximum number of new sentences per pair (default: 12)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same sentences (default: 0)")
    parser.add_argument("--png", action="store_true", help="save images as lossless PNG instead of JPEG")
    parser.add_argument("--num-proc", type=positive, default=1, help="number of processes (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Runs `describe`. Returns the exit code."""
    logging.basicConfig(format="%(message)s")
    if arguments.change and not arguments.thing:
        raise DataError("--change is about the objects that --thing names: add --thing, or leave it out.")
    describer = Describer(
        data=arguments.data,
        domain=arguments.domain,
        seed=arguments.seed,
        split=arguments.split,
        most_expressions=arguments.sentences,
        thing=arguments.thing,
        change=arguments.change or "appear",
        mosaics=arguments.mosaics,
    )
    count = min(len(describer), arguments.pairs or len(describer))
    folders = write_raw(describer, arguments.out, count, png=arguments.png, processes=arguments.num_proc)
    if describer.num_of_other_domain:
        logger.warning(
            "pairs left out because they are not of %s: %d", arguments.domain, describer.num_of_other_domain
        )
    if describer.source.report.findings:
        logger.warning(describer.source.report.table())
    for folder in folders:
        print(folder)
    return 0
