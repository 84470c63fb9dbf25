# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The leaderboard on generated pairs: trains the models of `trainer/ablation/leaderboard.yaml`, scores them and the
untrained baselines on the same pairs, and writes `benchmarks/results/leaderboard.csv` and the table of
`docs/leaderboard.md` after every row.

```bash
python -m benchmarks.quality.leaderboard             # all rows with seed 0, then seeds 1 and 2 of the four best
python -m benchmarks.quality.leaderboard --no_train  # writes the files again from existing results
```

The same command resumes where it was stopped, also in the middle of a training.
"""

import argparse
import json
import resource
import statistics
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from benchmarks.tables import RESULTS, ROOT, write_rows
from dataset_scripts.readers import Pair, open_pairs
from mtrefseg.build.loading import load_model, load_processor
from mtrefseg.io import write_json, write_text
from trainer.ablation.folder import TrainingFolder
from trainer.ablation.matrix import Run, plan, read_matrix
from trainer.baselines import open_segmenter
from trainer.benchmark.comparison import ScoredModel, interval, open_folders, significance
from trainer.benchmark.running import folder_name, run_row
from trainer.evaluation import markdown_row
from trainer.evaluation.calibration import choose, measure
from trainer.evaluation.selection import EvenlySpacedPairs
from trainer.names import GENERATED, MATRICES


CSV = RESULTS / "leaderboard.csv"
PAGE = ROOT / "docs" / "leaderboard.md"
BEGIN = "<!-- The table is written by `python -m benchmarks.quality.leaderboard`. -->"
END = "<!-- End of the table. -->"
# Cheap models, and those that the text of the page needs, come first.
ORDER = (
    "ours_without_stage1",
    "change_detector",
    "single_image",
    "early_fusion",
    "component_ranking",
    "change_attention",
    "ours",
    "ours_without_language_model",
    "ours_without_fusion",
)
UNTRAINED = {"image difference": "image_difference", "nothing": "nothing", "whole image": "whole_image"}
SHIPPED = "mtrefseg-r1 (as shipped)"
SIZE = 128
# The thresholds of every trained row are chosen on these training pairs; those of the benchmark have seed 0.
THRESHOLD_PAIRS, THRESHOLD_SEED = 100, 1
OPTIONS = argparse.Namespace(data=GENERATED, setting="TV", split="validation", seed=0, bootstrap=0, plugin=[])
BEST, SEEDS = 4, (0, 1, 2)
SCORES = ("mIoU", "oIoU", "Pr@50", "Pr@60", "Pr@70", "Pr@80", "Pr@90", "N-acc", "T-acc")
NAMES = {
    "ours": "ours (stages 1 and 2)",
    "ours_without_stage1": "ours without stage 1",
    "ours_without_fusion": "ours without fusion",
    "ours_without_language_model": "ours without language model",
    "early_fusion": "(a) early fusion",
    "change_attention": "(b) change-aware fusion, word attention",
    "single_image": "(c) single images, subtracted",
    "change_detector": "(d) change detector",
    "component_ranking": "(e) change detector, components ranked",
}
WHAT = {
    SHIPPED: "hours of training on generated and real pairs, 256 and 320 pixels: not of the same compute",
    "image difference": "no training",
    "nothing": "no training",
    "whole image": "no training",
}


def main() -> None:
    """Trains, scores and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output_dir", type=Path, default=Path("outputs/leaderboard"))
    parser.add_argument("--pairs", type=int, default=1000, help="generated pairs to score on")
    parser.add_argument("--steps", type=int, help="steps of each training; by default the matrix's")
    parser.add_argument("--no_train", action="store_true", help="only write the files again")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # The number of threads decides how sums are rounded.
    board = Leaderboard(arguments.output_dir, arguments.pairs, arguments.steps)
    if not arguments.no_train:
        for row in board.fill():
            print(row, flush=True)
            board.write()
    board.write()


class RememberedPairs(EvenlySpacedPairs):
    """Pairs that are made once for all rows."""

    @cache  # noqa: B019  # There is one of it, for as long as the command runs.
    def __getitem__(self, index: int) -> Pair:
        return super().__getitem__(index)


class Leaderboard:
    """
    Args:
        output_dir (`Path`): Holds `runs/` (trainings) and `scores/` (results).
        pairs (`int`): Generated pairs to score on.
        steps (`int`, *optional*): Steps of each training.
    """

    def __init__(self, output_dir: Path, pairs: int, steps: int | None) -> None:
        self.output_dir, self.pairs = output_dir, pairs
        matrix = read_matrix(MATRICES / "leaderboard.yaml")
        generator = {"seed": OPTIONS.seed, "size": SIZE}
        source = open_pairs(GENERATED, OPTIONS.split, OPTIONS.setting, num_pairs=pairs, generator=generator)
        self.source = RememberedPairs(source, pairs)
        generator = {"seed": THRESHOLD_SEED, "size": SIZE}
        source = open_pairs(GENERATED, "train", num_pairs=THRESHOLD_PAIRS, generator=generator)
        self.threshold_source = RememberedPairs(source, THRESHOLD_PAIRS)
        self.runs = {(run.name, run.seed): run for run in plan(matrix, SEEDS, steps)}

    def fill(self) -> Iterator[str]:
        """Trains and scores missing rows; yields the name of each finished row."""
        for name, model in UNTRAINED.items():
            yield self._score(name, model)
        for name in ORDER:
            yield self._train(self.runs[name, SEEDS[0]])
        yield self._score(SHIPPED, f"mtrefseg:mtrefseg-r1,name={SHIPPED}")
        scores = {name: self._result(_row_name(name, SEEDS[0])).scores["mIoU"] for name in ORDER}
        for seed in SEEDS[1:]:
            for name in sorted(scores, key=scores.__getitem__, reverse=True)[:BEST]:
                yield self._train(self.runs[name, seed])

    def write(self) -> None:
        """Writes the CSV file and the page with all finished rows."""
        rows = self._rows()
        if not rows:
            return
        write_rows(CSV, rows)
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        parts = [BEGIN, _markdown(rows), *self._findings(rows), END]
        write_text(PAGE, before + "\n\n".join(parts) + after)

    def _findings(self, rows: Sequence[dict[str, Any]]) -> list[str]:
        """What the rows say about our full model and about single images, in sentences."""
        scores = {row["model"]: float(row["mIoU"]) for row in rows}
        trained = [row["model"] for row in rows if row["what"] == "trained here"]
        findings = []
        if NAMES["ours"] in trained:
            place = trained.index(NAMES["ours"]) + 1
            first = "" if place == 1 else f", behind {', '.join(trained[: place - 1])}"
            findings.append(f"Our full model is number {place} of the {len(trained)} trained rows{first}.")
        pair = ("single_image", "change_attention")
        if all(NAMES[name] in scores for name in (*pair, "change_detector")):
            single, fused = (self._result(_row_name(name, SEEDS[0])) for name in pair)
            p_value = significance(fused, single)
            alone, both, blind = (scores[NAMES[name]] for name in (*pair, "change_detector"))
            verdict = "supports" if both > alone and p_value < 0.05 else "does not support"
            findings.append(
                f"Are single-image models enough? (c) sees each image alone and reaches {alone:.2f}. (b) has a "
                f"similar decoder and sees the fused features of both images: {both:.2f}, a difference of "
                f"{both - alone:+.2f} (p = {p_value:.4f}, seed 0). This {verdict} the claim that single-image "
                f"models are not enough. (d) finds changes and ignores the sentence: {blind:.2f}."
            )
        return findings

    def _train(self, run: Run) -> str:
        seconds = 0.0
        for training in run.trainings:
            folder = TrainingFolder(self.output_dir, training)
            before = _cpu_seconds()
            folder.train(lambda steps: None)
            seconds += _cpu_seconds() - before
        path = self._cost(run)
        spent = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else 0.0
        write_json(path, spent + seconds)
        self._choose_thresholds(folder.path)
        return self._score(
            _row_name(run.name, run.seed), f"mtrefseg:{folder.path},name={_row_name(run.name, run.seed)}"
        )

    def _choose_thresholds(self, folder: Path) -> None:
        """Saves the best thresholds with a trained model's processor, unless that was done."""
        processor = load_processor(folder)
        if processor.image_processor.no_target_threshold is None:
            model = load_model(folder, processor, torch.device("cpu"), dtype="float32")
            alone = (None,)  # The trained rows are compared by their masks, without selecting among changes.
            choice = choose(measure(self.threshold_source, model, processor, alone), fallback_thresholds=alone)
            processor.image_processor.threshold = choice.threshold
            processor.image_processor.no_target_threshold = choice.no_target_threshold
            processor.save_pretrained(folder)

    def _score(self, name: str, model: str) -> str:
        run_row(open_segmenter(model), self.source, self._folder(name), OPTIONS, Accelerator(cpu=True))
        return name

    def _cost(self, run: Run) -> Path:
        return TrainingFolder(self.output_dir, run.trainings[-1]).path / "cpu_seconds.json"

    def _folder(self, name: str) -> Path:
        return self.output_dir / "scores" / "TV" / folder_name(name)

    def _result(self, name: str) -> ScoredModel:
        return open_folders([self._folder(name)])[0]

    def _rows(self) -> list[dict[str, Any]]:
        """A row per model, the best first, with the mean over its seeds."""
        groups: dict[str, list[ScoredModel]] = {}
        for name in (*UNTRAINED, SHIPPED):
            if (self._folder(name) / "report.json").is_file():
                groups[name] = [self._result(name)]
        for (name, seed), _ in self.runs.items():
            if (self._folder(_row_name(name, seed)) / "report.json").is_file():
                groups.setdefault(name, []).append(self._result(_row_name(name, seed)))
        compared = {name: models for name, models in groups.items() if name != SHIPPED}
        order = sorted(compared, key=lambda name: _mean(compared[name], "mIoU"), reverse=True)
        best = compared[order[0]][0] if order else None
        return [self._row(name, groups[name], best) for name in [*order, *([SHIPPED] if SHIPPED in groups else [])]]

    def _row(self, name: str, models: Sequence[ScoredModel], best: ScoredModel | None) -> dict[str, Any]:
        low, high = interval(models[0].ious)
        is_compared = best is not None and models[0] is not best and name != SHIPPED
        runs = [self.runs[name, seed] for seed in SEEDS[: len(models)]] if name in NAMES else []
        seconds = [
            json.loads(self._cost(run).read_text(encoding="utf-8")) for run in runs if self._cost(run).is_file()
        ]
        mious = [model.scores["mIoU"] for model in models]
        return {
            "model": NAMES.get(name, name),
            "steps": " + ".join(str(training.steps) for training in runs[0].trainings) if runs else "",
            "cpu_minutes": f"{statistics.fmean(seconds) / 60:.1f}" if seconds else "",
            "seeds": len(models),
            **{score: f"{_mean(models, score):.2f}" for score in SCORES},
            "mIoU_spread": f"{statistics.stdev(mious):.2f}" if len(mious) > 1 else "",
            "mIoU_low": f"{low:.2f}",
            "mIoU_high": f"{high:.2f}",
            "p_against_best": f"{significance(best, models[0]):.4f}" if is_compared and best is not None else "",
            "sentences": len(models[0].sentences),
            "what": WHAT.get(name, "trained here"),
        }


def _row_name(name: str, seed: int) -> str:
    return f"{name} seed {seed}"


def _mean(models: Sequence[ScoredModel], score: str) -> float:
    return statistics.fmean(model.scores[score] or 0.0 for model in models)


def _markdown(rows: Sequence[dict[str, Any]]) -> str:
    header = ("model", "steps", "CPU minutes", "seeds", "mIoU", "95 %", "p", "oIoU", "Pr@50", "N-acc", "T-acc")
    lines = [markdown_row(header), markdown_row(["---", *["---:"] * (len(header) - 1)])]
    for row in rows:
        spread = f" ± {row['mIoU_spread']}" if row["mIoU_spread"] else ""
        cells = [row["model"], row["steps"], row["cpu_minutes"], str(row["seeds"]), row["mIoU"] + spread]
        cells += [f"{row['mIoU_low']} to {row['mIoU_high']}", row["p_against_best"]]
        lines.append(markdown_row([*cells, *(row[score] for score in ("oIoU", "Pr@50", "N-acc", "T-acc"))]))
    return "\n".join(lines)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
