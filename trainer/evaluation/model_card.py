# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes the card of a trained model: data, hardware, command, and its scores as a model index."""

import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import transformers
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from dataset_scripts.readers import COMPOSED, is_made


TASK = "image-segmentation"

_USAGE = """from transformers import AutoModel, AutoProcessor

model = AutoModel.from_pretrained("{repository}", trust_remote_code=True)
processor = AutoProcessor.from_pretrained("{repository}", trust_remote_code=True)"""
_USAGE_STAGE1 = """from modeling_mtrefseg import MTRefSegProcessor, MTRefSegVisionModel

model = MTRefSegVisionModel.from_pretrained("{repository}")
processor = MTRefSegProcessor.from_pretrained("{repository}")"""

_SUMMARY = """An [MTRefSeg](https://huggingface.co/papers/2606.00987) model. It takes an earlier and a later image
of the same place and a sentence, and returns the mask of the change that the sentence describes."""
_SUMMARY_STAGE1 = """The vision part of an [MTRefSeg](https://huggingface.co/papers/2606.00987) model (stage 1).
It takes an earlier and a later image of the same place and returns the mask of every change."""
_TEXT = """---
{header}
---

# {name}

{summary}

```python
{usage}
```

## Training

| | |
|---|---|
| data | {data} |
| steps | {steps} |
| hardware | {hardware} |
| engine | {engine} |
| software | PyTorch {torch}, transformers {transformers} |

```bash
{command}
```

## Scores

{scores}
"""


def write_card(
    folder: str | os.PathLike,
    *,
    name: str,
    repository: str,
    train_data: Sequence[str],
    eval_data: Sequence[str],
    scores: Mapping[str, float],
    steps: int,
    engine: str,
    is_stage1: bool,
) -> None:
    """
    Writes `README.md`.

    Args:
        folder (`str`): The output folder.
        name (`str`): Name of the model.
        repository (`str`): Hub id or folder from which it is loaded.
        train_data, eval_data (`Sequence[str]`): Names of the datasets.
        scores (`Mapping[str, float]`): Validation scores by name, 0 to 100.
        steps (`int`): Number of training steps.
        engine (`str`): The engine and the number of processes.
        is_stage1 (`bool`): Whether the model is only the vision part.
    """
    rows = [f"| {metric} | {value:.2f} |" for metric, value in scores.items()]
    text = _TEXT.format(
        header=_header(name, train_data, eval_data, scores),
        name=name,
        usage=(_USAGE_STAGE1 if is_stage1 else _USAGE).format(repository=repository),
        summary=_SUMMARY_STAGE1 if is_stage1 else _SUMMARY,
        data=", ".join(map(shown_name, train_data)),
        steps=f"{steps:,}",
        hardware=hardware(),
        engine=engine,
        torch=torch.__version__,
        transformers=transformers.__version__,
        command=shlex.join(["accelerate", "launch", *_own_paths(sys.argv)]),
        scores="\n".join(["| score | value |", "|---|---|", *rows]) if rows else "Not evaluated.",
    )
    Path(folder).mkdir(parents=True, exist_ok=True)
    ModelCard(text).save(Path(folder, "README.md"))


def _header(name: str, train_data: Sequence[str], eval_data: Sequence[str], scores: Mapping[str, float]) -> str:
    """The metadata of the card, which the Hub reads, in YAML; see `write_card`."""
    hub_data = [dataset for dataset in train_data if not is_made(dataset) and not Path(dataset).exists()]
    results = [
        EvalResult(
            task_type=TASK,
            task_name="multi-temporal referring segmentation",
            dataset_type=shown_name(eval_data[0]) if len(eval_data) == 1 else "mixture",
            dataset_name=", ".join(map(shown_name, eval_data)),
            dataset_split="validation",
            metric_type=metric,
            metric_value=round(value, 2),
        )
        for metric, value in scores.items()
    ]
    data = ModelCardData(
        model_name=name,
        library_name="transformers",
        pipeline_tag=TASK,
        language="en",
        tags=["mtrefseg", "change-detection", "referring-segmentation", "remote-sensing"],
        datasets=hub_data or None,
        eval_results=results or None,
    )
    return data.to_yaml().strip()


def shown_name(dataset: str) -> str:
    """The name of a dataset in the card; for a folder, its last component, also after `COMPOSED`."""
    if dataset.startswith(COMPOSED):
        return COMPOSED + ",".join(map(shown_name, dataset.removeprefix(COMPOSED).split(",")))
    return Path(dataset).resolve().name if Path(dataset).exists() else dataset


def hardware() -> str:
    """The hardware in words."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return f"{os.cpu_count()} CPU cores ({platform.machine()})"


def _own_paths(arguments: Sequence[str]) -> list[str]:
    """A command line whose absolute paths are relative to the working folder, or reduced to their last component:
    those that are an argument, follow `=` or `COMPOSED`, or are in a list with commas."""
    return ["".join(map(_own_path, re.split(f"(=|,|^{COMPOSED})", argument))) for argument in arguments]


def _own_path(text: str) -> str:
    path, here = Path(text), Path.cwd()
    if not path.is_absolute():
        return text
    return str(path.relative_to(here)) if here in path.parents else path.name
