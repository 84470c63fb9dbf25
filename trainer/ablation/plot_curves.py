# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Draws the curves of trainings: the parts of the loss, and the scores of the validation pairs, over the steps.

```bash
python -m trainer.ablation.plot_curves outputs/tiny_stage2 --out curves.png
python -m trainer.ablation.plot_curves outputs/tiny_stage1 outputs/tiny_stage2 --out curves.png   # one above another
```

A training that is running or was stopped is drawn up to its last checkpoint.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tqdm.auto import tqdm
from transformers.trainer_utils import get_last_checkpoint

from dataset_scripts.pages import DOTS_PER_INCH
from mtrefseg.errors import run_command
from mtrefseg.io import read_json
from trainer.errors import TrainingError

from .curves import CURVE_STYLE, look_of, prepare_panel


Curves = dict[str, dict[int, float]]
"""Values by step, by their name in the log."""
STATE = "trainer_state.json"
LOSSES = ("loss", "loss_mask", "loss_dice", "loss_no_target", "loss_language", "loss_change")
LEAST_LOSS = 0.01
"""Smaller losses are cut off: a language model that has memorised its answer would compress the rest of the panel."""
SCORES = ("mIoU", "Pr@50", "N-acc", "T-acc", "kind_mIoU", "kind_accuracy", "color_accuracy")
"""The scores that are drawn, those of stage 0 last."""
SMOOTHED = 20
"""Largest number of points over which a loss is averaged; at most a tenth of all points."""


def read_curves(folder: Path) -> Curves:
    """
    Reads the log of a training.

    Args:
        folder (`Path`): Its output folder, or one of its checkpoints.

    Returns:
        `dict[str, dict[int, float]]`: Values by step, by name.

    Raises:
        TrainingError: If there is no log yet.
    """
    places = [folder]
    if folder.is_dir() and (checkpoint := get_last_checkpoint(str(folder))):
        places.append(Path(checkpoint))
    state = next((place / STATE for place in places if (place / STATE).is_file()), None)
    if state is None:
        raise TrainingError(f"{folder} holds no {STATE} and no checkpoint; name the output folder of a training.")
    curves: Curves = {}
    for log in read_json(state)["log_history"]:
        for name, value in log.items():
            if isinstance(value, int | float):
                # The last step is scored again at the end.
                curves.setdefault(name, {})[int(log["step"])] = value
    return curves


def draw(trainings: Sequence[tuple[str, Curves]], path: Path) -> None:
    """
    Draws a row of two panels for each training.

    Args:
        trainings (`Sequence[tuple[str, dict]]`): Their names and curves.
        path (`Path`): The PNG.
    """
    with matplotlib.rc_context(CURVE_STYLE):
        figure = Figure(figsize=(10, 3.8 * len(trainings)), dpi=DOTS_PER_INCH, layout="constrained")
        panels = figure.subplots(len(trainings), 2, squeeze=False)
        for (name, curves), (left, right) in zip(trainings, panels):
            prepare_panel(left, f"{name}: training loss and its parts", "steps")
            _draw_losses(left, curves)
            prepare_panel(right, f"{name}: scores of the validation pairs", "steps")
            _draw_scores(right, curves)
        figure.savefig(path)


def smooth(values: np.ndarray) -> np.ndarray:
    """
    Centred moving means of a curve. They use fewer points near its ends, so that the curve keeps its start and end.
    """
    reach = min(SMOOTHED, len(values) // 10) // 2
    return np.array(
        [
            values[max(0, place - near) : place + near + 1].mean()
            for place in range(len(values))
            for near in [min(reach, place, len(values) - 1 - place)]
        ]
    )


def _draw_losses(panel: Axes, curves: Curves) -> None:
    for place, name in enumerate(LOSSES):
        if name not in curves:
            continue
        steps, values = (np.array(list(part)) for part in (curves[name].keys(), curves[name].values()))
        look = look_of(place)
        panel.plot(steps, values, **{**look, "linewidth": 0.6, "alpha": 0.35})
        panel.plot(steps, smooth(values), label=name.removeprefix("loss_") if place else "all", **look)
    panel.set_yscale("log")
    panel.set_ylim(bottom=max(LEAST_LOSS, panel.get_ylim()[0]))
    panel.set_xlim(left=0)
    _write_legend(panel)


def _draw_scores(panel: Axes, curves: Curves) -> None:
    drawn = [name for name in SCORES if f"eval_{name}" in curves]
    for place, name in enumerate(drawn):
        curve = curves[f"eval_{name}"]
        panel.plot(list(curve), list(curve.values()), marker="o", markersize=4, label=name, **look_of(place))
    panel.set_ylim(0, 102)
    panel.set_xlim(left=0)
    if drawn:
        _write_legend(panel)
    else:
        panel.text(0.5, 0.5, "no scores yet", transform=panel.transAxes, ha="center")


def _write_legend(panel: Axes) -> None:
    """Places the legend next to the panel, where it hides nothing."""
    panel.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def main() -> int:
    """Draws the curves of the command line, and returns the exit code."""
    return run_command("plot_curves", plot)


def plot() -> None:
    """Reads the command line, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="OUTPUT_DIR", help="output folders of training runs")
    parser.add_argument("--out", type=Path, default=Path("curves.png"), help="PNG file to write (default: curves.png)")
    arguments = parser.parse_args()
    trainings = [(folder.resolve().name, read_curves(folder)) for folder in arguments.folders]
    for folder, (_, curves) in zip(arguments.folders, trainings):
        if "loss" not in curves:
            raise TrainingError(f"{folder} holds no losses yet; try again after the first logging_steps.")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    draw(trainings, arguments.out)
    tqdm.write(f"drawn: {arguments.out}")


if __name__ == "__main__":
    sys.exit(main())
