# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Compares models on the same pairs: `mtrefseg benchmark run`, `score` and `table`.

```bash
mtrefseg benchmark run --models mtrefseg:mtrefseg-r1 image_difference nothing --settings TV NS RS \\
    --data path/to/MTRefSeg-21K --output_dir outputs/benchmark
mtrefseg benchmark score predictions.parquet --name theirs --data path/to/MTRefSeg-21K --output_dir outputs/benchmark
mtrefseg benchmark table outputs/benchmark
```

`run` writes one folder per setting and model, with the files of `mtrefseg evaluate`; the same command resumes a
stopped run and skips finished folders. `accelerate launch -m mtrefseg benchmark run ...` shares the pairs among
processes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtrefseg.errors import run_command
from mtrefseg.io import sha256_of, write_json
from mtrefseg.option_values import OneLineParser, named_path, positive
from trainer.errors import TrainingError
from trainer.evaluation_inputs import add_data_options, connect_processes, not_negative, open_source
from trainer.loop.checks import check_dataset


if TYPE_CHECKING:
    from dataset_scripts.readers import PairSource


def parse_arguments(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Reads the command line."""
    parser = OneLineParser(prog=program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=OneLineParser)
    run = commands.add_parser("run", help="run models and score their predictions")
    run.add_argument("--models", nargs="+", required=True, metavar="NAME[:MODEL[,OPTION=VALUE]]", help="models to run")
    run.add_argument("--plugin", nargs="+", type=named_path, default=[], help="Python files that register models")
    score = commands.add_parser("score", help="score existing predictions")
    score.add_argument(
        "predictions",
        type=named_path,
        metavar="PREDICTIONS",
        help="Parquet with RLE, COCO results, or a folder of PNGs",
    )
    score.add_argument("--name", help="name in tables; by default the file name")
    for command in (run, score):
        add_data_options(command, many_settings=command is run)
        command.add_argument(
            "--limit", type=positive, help="maximum number of pairs per setting, evenly spaced; all by default"
        )
        command.add_argument(
            "--output_dir", required=True, type=named_path, help="folder for the results of all models"
        )
        command.add_argument(
            "--bootstrap", type=not_negative, default=0, help="resamples for 95 %% intervals (default: 0, none)"
        )
    table = commands.add_parser("table", help="compare scored models in a table")
    table.add_argument("folders", nargs="+", type=named_path, metavar="FOLDER", help="folders of results")
    table.add_argument(
        "--out", type=named_path, help="output folder (default: the first one; required if that is one model's)"
    )
    return parser.parse_args(arguments)


def run_models(arguments: argparse.Namespace) -> int:
    """`benchmark run`: one model after another, each on all settings."""
    from trainer.baselines import load_plugin, open_segmenter, parse_segmenter

    # Wrong names are detected before the first model runs, and before PyTorch is imported.
    check_dataset("data", arguments.data)
    for path in arguments.plugin:
        load_plugin(path)
    for text in arguments.models:
        parse_segmenter(text)

    from tqdm.auto import tqdm

    from trainer.evaluation import summary

    from .running import check_names, claim_folder, folder_name, run_row

    accelerator = connect_processes()
    check_names(arguments.models)  # Now, because plugins are opened, on the device of each process.
    taken: dict[str, str] = {}
    for text in arguments.models:
        segmenter = open_segmenter(text)
        claim_folder(taken, segmenter.name, text)  # In case a plugin got another name this time.
        for setting in arguments.settings:
            folder = arguments.output_dir / setting / folder_name(segmenter.name)
            of_setting = argparse.Namespace(**{**vars(arguments), "setting": setting})
            with accelerator.main_process_first():
                source = open_source(arguments, setting, arguments.limit)
            report = run_row(segmenter, source, folder, of_setting, accelerator)
            if accelerator.is_main_process:
                said = "finished before" if report is None else summary(report, folder)
                tqdm.write(f"{segmenter.name}, {setting}\n{said}")
        del segmenter  # Two large models at once may not fit in memory.
    accelerator.end_training()
    return 0


def score_predictions(arguments: argparse.Namespace) -> int:
    """`benchmark score`: returns 1 if predictions are missing, extra or wrong, and names them."""
    from .prediction_files import Faults, answers_from, check_no_target_scores, open_predictions

    # The input is read before PyTorch is imported, which takes seconds.
    path: Path = arguments.predictions
    predictions = open_predictions(path)
    name = arguments.name or path.stem
    check_dataset("data", arguments.data)
    source = open_source(arguments, arguments.setting, arguments.limit)
    _refuse_shared_ids(source)
    check_no_target_scores(path, predictions, source)

    from tqdm.auto import tqdm

    from trainer.evaluation import EvaluationFolder, append_result, identity_of, score_answers, summary

    from .running import PAIRS_AT_ONCE, finish_row, folder_name, read_batch, row_options

    files = sorted(path.rglob("*.png")) if path.is_dir() else [path]
    hashes = {str(file.relative_to(path.parent)): sha256_of(file) for file in files}
    identity = identity_of(hashes, source, row_options(arguments, source), "cpu")
    folder = EvaluationFolder(arguments.output_dir / arguments.setting / folder_name(name), identity)
    faults_path = folder.folder / "faults.json"
    if folder.is_finished():
        tqdm.write(f"Already finished, nothing to do: {folder.folder}")
        return 1 if faults_path.is_file() else 0
    folder.begin()
    started = time.perf_counter()
    faults, file = Faults(), folder.file(folder.next_attempt(), 0)
    num_batches = -(-len(source) // PAIRS_AT_ONCE)
    done = {result["batch"] for result in folder.results()}
    for number in tqdm(range(num_batches), desc=name, unit="batch"):
        pairs = read_batch(source, number)
        answers = [answers_from(predictions, pair, faults) for pair in pairs]
        if number not in done:
            append_result(file, {**score_answers(number, pairs, answers), "seconds": time.perf_counter() - started})
    faults.extra = sorted(predictions)
    if faults:
        write_json(faults_path, vars(faults))
    else:
        faults_path.unlink(missing_ok=True)  # Of earlier predictions, whose report was removed.
    report = finish_row(folder, num_batches, name, source, arguments, identity, 1)
    tqdm.write("\n".join([*faults.lines(), summary(report, folder.folder)]))
    return 1 if faults else 0


def _refuse_shared_ids(source: "PairSource") -> None:
    """Raises a `TrainingError` if pairs of both domains have one id, by which predictions are named."""
    for name, places in source.positions.items():
        if len({domain for domain, _ in places}) > 1:
            raise TrainingError(
                f"the id {name} is used by a pair of NS and by one of RS, so their predictions cannot be told apart: "
                "score them separately, with --setting NS and with --setting RS."
            )


def make_table(arguments: argparse.Namespace) -> int:
    """`benchmark table`: prints the table, and writes it as Markdown, LaTeX, CSV and an image."""
    from .comparison import open_folders

    models = open_folders(arguments.folders)  # Before PyTorch is imported, which takes seconds.
    out = arguments.out or arguments.folders[0]
    if any(model.folder.resolve() == out.resolve() for model in models):
        # The files of an evaluation include a table.md and a table.tex of its own.
        raise TrainingError(f"{out} holds the results of one model, with its own table: name a folder with --out.")

    from tqdm.auto import tqdm

    from .table import write_table

    tqdm.write(f"{write_table(models, out)}\nwritten to {out}")
    return 0


def main(arguments: Sequence[str] | None = None, program: str = "mtrefseg benchmark") -> int:
    """
    Runs `benchmark` with a command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 1 predictions were missing, extra or wrong, 2 bad input, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else arguments
    commands = {"run": run_models, "score": score_predictions, "table": make_table}

    def benchmark() -> int:
        parsed = parse_arguments(given, program)
        return commands[parsed.command](parsed)

    return run_command(program, benchmark)
