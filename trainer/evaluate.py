# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Scores a checkpoint at the original size of the images: every sentence once, with any number of processes.

```bash
python trainer/evaluate.py --model mtrefseg-r1 --data path/to/MTRefSeg-21K --setting TV --output_dir outputs/tv
accelerate launch trainer/evaluate.py --model mtrefseg-r1 --data generated --output_dir outputs/generated
```

The output folder gets `report.json` (all scores, with data and options), `predictions.parquet` (the mask of each
sentence), `table.md` and `table.tex` (with the paper's numbers) and `sheet.png` (best, median and worst cases). A
sentence whose images or masks cannot be read counts as wrong, and the report names it. The same command resumes a
stopped run; a finished one is not changed.

Results do not depend on the number of processes. On CPUs each process uses one core, so start one per core.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

from mtrefseg.errors import run_command
from mtrefseg.option_values import OneLineParser, named_path, positive
from trainer.evaluation_inputs import (
    add_data_options,
    connect_processes,
    not_negative,
    open_source,
    resolve_checkpoint,
)
from trainer.loop.checks import check_checkpoint, check_dataset


if TYPE_CHECKING:
    from accelerate import Accelerator

    from dataset_scripts.readers import PairSource
    from modeling_mtrefseg import MTRefSegProcessor


def parse_arguments(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Reads the command line."""
    parser = OneLineParser(prog=program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder or Hub id of a checkpoint")
    parser.add_argument("--output_dir", required=True, type=named_path, help="folder for the results")
    add_data_options(parser)
    parser.add_argument("--max_pairs", type=positive, help="maximum number of pairs, evenly spaced; all by default")
    parser.add_argument(
        "--batch_size", type=positive, default=8, help="pairs per batch, each with all its sentences (default: 8)"
    )
    parser.add_argument(
        "--num_workers", type=not_negative, default=0, help="data loading processes per process (default: 0)"
    )
    parser.add_argument(
        "--no_target_threshold",
        type=float,
        help="masks with a higher no-target score are emptied (default: the model's)",
    )
    parser.add_argument(
        "--bootstrap", type=not_negative, default=0, help="resamples for 95 %% intervals (default: 0, none)"
    )
    parser.add_argument(
        "--reworded", action="store_true", help="reword each sentence with words and forms not used in training"
    )
    parser.add_argument(
        "--whole_sentences",
        action="store_true",
        help="pass whole sentences to the network, including colours, places and ranks; overrides the processor",
    )
    parsed = parser.parse_args(arguments)
    if parsed.no_target_threshold is not None and not 0 <= parsed.no_target_threshold <= 1:
        parser.error("--no_target_threshold must be from 0 to 1")
    return parsed


def run(arguments: argparse.Namespace, accelerator: "Accelerator") -> str:
    """Evaluates, and returns the summary to print; "" on all processes except the main one."""
    from mtrefseg.build.loading import load_processor
    from trainer.evaluation import (
        EvaluationFolder,
        collect,
        identity_of,
        make_report,
        model_hash,
        summary,
        write_report,
    )
    from trainer.evaluation.selection import RewordedPairs

    with accelerator.main_process_first():
        checkpoint = resolve_checkpoint(arguments.model)
        source = open_source(arguments, arguments.setting, arguments.max_pairs)
    if arguments.reworded:
        source = RewordedPairs(source)
    options = _options_that_matter(arguments)
    identity = identity_of(model_hash(checkpoint), source, options, accelerator.device.type)
    folder = EvaluationFolder(arguments.output_dir, identity)
    if folder.is_finished():
        return f"Already finished, nothing to do: {arguments.output_dir}" if accelerator.is_main_process else ""
    num_batches = -(-len(source) // arguments.batch_size)
    own, file = folder.share(accelerator, num_batches)

    processor = load_processor(checkpoint)
    if arguments.whole_sentences:
        processor.choose_objects = False
    _predict_batches(arguments, accelerator, checkpoint, processor, source, own, file)
    accelerator.wait_for_everyone()
    if not accelerator.is_main_process:
        return ""
    scores, samples, facts = collect(folder.results(), num_batches, arguments.bootstrap)
    images = processor.image_processor
    used = {**options, "threshold": images.threshold}
    if used["no_target_threshold"] is None:
        used["no_target_threshold"] = images.no_target_threshold
    report = make_report(arguments, scores, samples, facts, source, used, identity, accelerator.num_processes)
    write_report(arguments.output_dir, report, samples, source)
    folder.finish()
    return summary(report, arguments.output_dir)


def _predict_batches(
    arguments: argparse.Namespace,
    accelerator: "Accelerator",
    checkpoint: Path,
    processor: "MTRefSegProcessor",
    source: "PairSource",
    numbers: Sequence[int],
    file: Path,
) -> None:
    """Predicts the batches with these numbers and appends each result to a file."""
    from torch.utils.data import DataLoader
    from tqdm.auto import tqdm

    import trainer.baselines.models  # noqa: F401  # So that the checkpoints of baselines can be loaded, too.
    from mtrefseg.build.loading import load_model
    from mtrefseg.build.memory import keep_freed_memory
    from trainer.evaluation import BatchReader, append_result, predict

    keep_freed_memory(accelerator.device)
    model = load_model(checkpoint, processor, accelerator.device, dtype="float32")
    reader = BatchReader(source, processor, arguments.batch_size, numbers)
    loader = DataLoader(reader, batch_size=None, num_workers=arguments.num_workers)
    started = time.perf_counter()
    for batch in tqdm(loader, desc="Evaluation", unit="batch", disable=not accelerator.is_main_process):
        result = predict(batch, model, processor, arguments.no_target_threshold)
        append_result(file, {**result, "seconds": time.perf_counter() - started})


def _options_that_matter(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that affect the result. An evaluation with other values cannot resume this one."""
    names = ("setting", "split", "batch_size", "no_target_threshold", "bootstrap")
    options = {name: getattr(arguments, name) for name in names}
    return options | {name: True for name in ("reworded", "whole_sentences") if getattr(arguments, name)}


def main(arguments: Sequence[str] | None = None, program: str = "evaluate.py") -> int:
    """
    Evaluates with a command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    return run_command(program, lambda: evaluate(sys.argv[1:] if arguments is None else arguments, program))


def evaluate(arguments: Sequence[str], program: str) -> None:
    """Connects the processes, evaluates and prints the summary; see [`main`]."""
    options = parse_arguments(arguments, program)
    check_checkpoint("model", options.model)
    check_dataset("data", options.data)

    from tqdm.auto import tqdm

    accelerator = connect_processes()
    summary = run(options, accelerator)
    if summary:
        tqdm.write(summary)
    accelerator.end_training()


if __name__ == "__main__":
    sys.exit(main())
