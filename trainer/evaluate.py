# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Scores a checkpoint at the images' own size: every sentence once, on any number of processes.

```bash
python trainer/evaluate.py --model mtrefseg-r1 --data path/to/MTRefSeg-21K --setting TV --output_dir outputs/tv
accelerate launch trainer/evaluate.py --model mtrefseg-r1 --data generated --output_dir outputs/generated
```

Into the output folder go `report.json` (all scores, and of what), `predictions.parquet` (the mask of each sentence),
`table.md` and `table.tex` (beside the paper's numbers) and `sheet.png` (best, median and worst cases). A sentence
whose images or masks cannot be read counts as wrong, and the report names it. A run that was stopped is continued by
the same command; one that is finished is left as it is.

The number of processes does not change a digit. On CPUs each of them takes one core, so start one a core.
"""

import argparse
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs, broadcast_object_list
from huggingface_hub import snapshot_download
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import AutoModel, AutoProcessor

from dataset_scripts.errors import DataError
from dataset_scripts.readers import SETTINGS, SPLITS, PairSource, open_pairs
from trainer.arguments import GENERATED
from trainer.errors import TrainingError
from trainer.evaluation import (
    BatchReader,
    EvaluationFolder,
    append,
    collect,
    identity_of,
    make_report,
    model_hash,
    predict,
    summary,
    write_report,
)


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder or Hub id of a checkpoint")
    parser.add_argument("--data", default=GENERATED, help="Hub id, folder (export, raw, images) or 'generated'")
    parser.add_argument("--setting", default="TV", choices=SETTINGS, help="benchmark setting")
    parser.add_argument("--split", default="validation", choices=SPLITS)
    parser.add_argument("--output_dir", required=True, type=Path)
    parser.add_argument("--batch_size", type=int, default=8, help="pairs of a batch, each with all its sentences")
    parser.add_argument("--num_workers", type=int, default=0, help="processes that read pairs, for each that predicts")
    parser.add_argument("--no_target_threshold", type=float, help="score above which a mask is emptied")
    parser.add_argument("--bootstrap", type=int, default=0, help="resamples for 95 %% intervals, 0 for none")
    parser.add_argument("--seed", type=int, default=0, help="of the generated pairs")
    parser.add_argument("--generated_pairs", type=int, default=1000, help="how many pairs are generated")
    parser.add_argument("--generated_size", type=int, default=256, help="their width and height in pixels")
    arguments = parser.parse_args()
    for name, least in (("batch_size", 1), ("num_workers", 0), ("bootstrap", 0), ("generated_pairs", 1), ("seed", 0)):
        if getattr(arguments, name) < least:
            parser.error(f"--{name} must be {least} or more")
    if arguments.no_target_threshold is not None and not 0 <= arguments.no_target_threshold <= 1:
        parser.error("--no_target_threshold must be from 0 to 1")
    return arguments


def open_source(arguments: argparse.Namespace) -> PairSource:
    """Opens the pairs that the command line names."""
    return open_pairs(
        arguments.data,
        arguments.split,
        arguments.setting,
        checked=False,
        num_pairs=arguments.generated_pairs,
        generator={"seed": arguments.seed, "size": arguments.generated_size},
    )


def run(arguments: argparse.Namespace, accelerator: Accelerator) -> str:
    """Evaluates, and gives what there is to say in the end; "" on all processes but the main one."""
    with accelerator.main_process_first():
        is_folder = Path(arguments.model).is_dir()
        checkpoint = Path(arguments.model if is_folder else snapshot_download(arguments.model))
        source = open_source(arguments)
    names = ("setting", "split", "batch_size", "no_target_threshold", "bootstrap")
    options = {name: getattr(arguments, name) for name in names}
    identity = identity_of(model_hash(checkpoint), source, options, accelerator.device.type)
    folder = EvaluationFolder(arguments.output_dir, identity)
    if folder.is_finished():
        return f"Finished before, nothing to do: {arguments.output_dir}" if accelerator.is_main_process else ""
    accelerator.wait_for_everyone()
    before: list[Any] = [0, set()]
    if accelerator.is_main_process:
        folder.begin()
        before = [folder.next_attempt(), {result["batch"] for result in folder.results()}]
    attempt, done = broadcast_object_list(before)
    processor = AutoProcessor.from_pretrained(checkpoint)
    model = AutoModel.from_pretrained(checkpoint, dtype="float32").to(accelerator.device).eval()

    num_batches = -(-len(source) // arguments.batch_size)
    remaining = [number for number in range(num_batches) if number not in done]
    own = remaining[accelerator.process_index :: accelerator.num_processes]
    reader = BatchReader(source, processor, arguments.batch_size, own)
    loader = DataLoader(reader, batch_size=None, num_workers=arguments.num_workers)
    started, file = time.perf_counter(), folder.file(attempt, accelerator.process_index)
    for batch in tqdm(loader, desc="Evaluation", unit="batch", disable=not accelerator.is_main_process):
        result = predict(batch, model, processor, arguments.no_target_threshold)
        append(file, {**result, "seconds": time.perf_counter() - started})
    accelerator.wait_for_everyone()
    if not accelerator.is_main_process:
        return ""
    scores, samples, facts = collect(folder.results(), num_batches, arguments.bootstrap)
    report = make_report(arguments, scores, samples, facts, source, processor, identity, accelerator.num_processes)
    write_report(arguments.output_dir, report, samples, source)
    folder.finish()
    return summary(report, arguments.output_dir)


def main() -> None:
    """Evaluates as the command line says."""
    arguments = parse_arguments()
    # Without a word, accelerate would not connect the processes of a machine without accelerators.
    is_cpu = not torch.accelerator.is_available()
    if is_cpu:
        torch.set_num_threads(1)  # The number of threads decides how sums are rounded.
    accelerator = Accelerator(cpu=is_cpu, kwargs_handlers=[InitProcessGroupKwargs(timeout=timedelta(days=1))])
    try:
        if accelerator.num_processes != int(os.environ.get("WORLD_SIZE", "1")):
            raise TrainingError(f"{os.environ['WORLD_SIZE']} processes were started, but they are not connected.")
        said = run(arguments, accelerator)
    except (DataError, TrainingError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error
    if said:
        tqdm.write(said)
    accelerator.end_training()


if __name__ == "__main__":
    main()
