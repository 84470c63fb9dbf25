# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Four tasks on the same pairs, each with its exact truth: what sets multi-temporal referring segmentation apart.

- **open vocabulary**: a name of a list of classes, at t2 ("house"): all of them;
- **referring**: a description of one thing at t2 ("the red house"), whether it changed or not;
- **reasoning**: an implicit question about t2 ("where does somebody live?"): all that answer it;
- **multi-temporal referring**: the change that a sentence describes ("the houses that appeared").

```bash
python -m benchmarks.quality.task_comparison --models mtrefseg:mtrefseg-r1 image_difference nothing
```

It draws `docs/images/tasks.webp` (one pair, all tasks, truth above the answers of the first model) and writes the mean
IoU of every model on every task to `results/tasks.csv`. Models are named as for `mtrefseg benchmark run`; all of them
are given both images. The things named have changed in part only, so that the truths of the four tasks differ.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from tqdm import tqdm

from benchmarks.tables import RESULTS, ROOT, write_rows
from craft_agent.geometry import mask_iou
from dataset_scripts.synthesis import Generator, SyntheticPair
from dataset_scripts.synthesis.language.lexicon import NOUNS
from dataset_scripts.synthesis.language.observation import Observation, Sighting
from mtrefseg.looks import MASK_COLORS
from mtrefseg.view.drawing import font_of, paint_masks
from trainer.baselines import load_plugin, open_segmenter
from trainer.evaluation import Segmenter, ask


BoolMask = npt.NDArray[np.bool_]
TASKS = ("open vocabulary", "referring", "reasoning", "multi-temporal referring")
FIGURE = ROOT / "docs" / "images" / "tasks.webp"
CSV = RESULTS / "tasks.csv"
# Implicit questions that only the things of one kind answer, in the scenes where these kinds are drawn.
QUESTIONS = {
    "house": "where does somebody live?",
    "warehouse": "where are goods stored?",
    "greenhouse": "where do vegetables grow under glass?",
    "car": "what takes a family of four to the beach?",
    "truck": "what carries heavy goods on the road?",
    "bus": "what takes dozens of passengers?",
    "tree": "what gives shade and drops its leaves?",
    "person": "who could answer a question?",
    "chair": "where could I sit down?",
    "bicycle": "what needs pedalling?",
    "bench": "where could two people sit outside?",
    "box": "what could be packed for moving house?",
}
SMALLEST = 36 / 256**2
SIDE, CAPTION, GAP = 256, 66, 8


@dataclass(frozen=True)
class Question:
    """
    What a task asks about a pair.

    Args:
        task (`str`): One of `TASKS`.
        text (`str`): What is asked.
        truth (`np.ndarray`): bool (height, width).
    """

    task: str
    text: str
    truth: BoolMask


def questions_of(pair: SyntheticPair) -> list[Question]:
    """The four questions about a pair; none where no kind of thing has come in part and has a thing with a colour of
    its own that was there before."""
    observation = Observation(pair.scene, pair.numbers_t1, pair.numbers_t2)
    smallest = SMALLEST * pair.numbers_t2.size
    for kind, question in QUESTIONS.items():
        if kind in pair.scene.unnamed_kinds:
            continue
        seen = [one for one in observation.sightings if one.kind == kind and one.area_t2 > 0]
        new = [one for one in seen if one.change == "appear"]
        old = [one for one in seen if one.change is None]
        alone = _alone_in_color(old, seen)
        # Too small, or hidden at one time: it would be doubtful what is meant.
        if not new or alone is None or any(one.area_t2 < smallest for one in seen):
            continue
        if any(one.area_t1 < smallest for one in old):
            continue
        singular, plural = NOUNS[kind][0]
        came = f"the {singular} that appeared" if len(new) == 1 else f"the {plural} that appeared"
        color = alone.after.color if alone.after is not None else ""
        return [
            Question(TASKS[0], singular, _at_t2(pair, seen)),
            Question(TASKS[1], f"the {color} {singular}", _at_t2(pair, [alone])),
            Question(TASKS[2], question, _at_t2(pair, seen)),
            Question(TASKS[3], came, _at_t2(pair, new)),
        ]
    return []


def _alone_in_color(candidates: Sequence[Sighting], seen: Sequence[Sighting]) -> Sighting | None:
    """The first thing whose colour no other one of its kind has at t2."""
    colors = [one.after.color for one in seen if one.after is not None]
    for one in candidates:
        color = None if one.after is None else one.after.color
        if color is not None and colors.count(color) == 1:
            return one
    return None


def _at_t2(pair: SyntheticPair, things: Sequence[Sighting]) -> BoolMask:
    return np.isin(pair.numbers_t2, [thing.number for thing in things])


def find_pairs(count: int, size: int, seed: int) -> Iterator[tuple[SyntheticPair, list[Question]]]:
    """
    Validation pairs that can be asked all four questions.

    Args:
        count (`int`): How many.
        size (`int`): Side of the images in pixels.
        seed (`int`): Of the generator.

    Yields:
        `tuple`: The pair and its questions.
    """
    found = 0
    for pair in Generator(seed=seed, size=size, split="validation").pairs():
        questions = questions_of(pair)
        if questions:
            yield pair, questions
            found += 1
            if found == count:
                return


def measure(segmenters: Sequence[Segmenter], pairs: int, size: int, seed: int) -> list[dict[str, str]]:
    """
    Asks models the questions of all tasks.

    Args:
        segmenters (`Sequence[Segmenter]`): The models.
        pairs, size, seed (`int`): See [`find_pairs`].

    Returns:
        `list[dict]`: A row per model: its mean IoU, 0 to 100, on each task.
    """
    ious = np.zeros((len(segmenters), len(TASKS), pairs))
    for number, (pair, questions) in enumerate(tqdm(find_pairs(pairs, size, seed), total=pairs, unit="pair")):
        texts = [question.text for question in questions]
        for row, segmenter in enumerate(segmenters):
            for task, answer in enumerate(ask(segmenter, pair.image_t1, pair.image_t2, texts, pair.domain)):
                ious[row, task, number] = mask_iou(answer.mask, questions[task].truth)
    return [
        {"model": segmenter.name, **{task: f"{100 * mean:.2f}" for task, mean in zip(TASKS, ious[row].mean(-1))}}
        | {"pairs": str(pairs), "size": str(size), "seed": str(seed)}
        for row, segmenter in enumerate(segmenters)
    ]


def draw(segmenter: Segmenter, pair: SyntheticPair, questions: Sequence[Question]) -> Image.Image:
    """
    One pair, all tasks: the images, then for each task its question, its truth and the answer of a model.

    Args:
        segmenter ([`Segmenter`]): The model.
        pair (`SyntheticPair`): The pair.
        questions (`Sequence[Question]`): Of [`questions_of`].
    """
    answers = ask(segmenter, pair.image_t1, pair.image_t2, [one.text for one in questions], pair.domain)
    columns = len(TASKS) + 1
    sheet = Image.new("RGB", (columns * SIDE + (columns - 1) * GAP, CAPTION + 2 * SIDE + GAP), "white")
    writer = ImageDraw.Draw(sheet)
    writer.text((0, 4), "t1 above, t2 below", fill="black", font=font_of(17))
    for row, image in enumerate((pair.image_t1, pair.image_t2)):
        sheet.paste(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (0, CAPTION + row * (SIDE + GAP)))
    for place, (question, answer) in enumerate(zip(questions, answers), 1):
        left = place * (SIDE + GAP)
        writer.text((left, 4), question.task, fill="#555555", font=font_of(15))
        writer.text((left, 24), f"“{question.text}”", fill="black", font=font_of(15))
        share = 100 * mask_iou(answer.mask, question.truth)
        writer.text((left, 44), f"truth; below {segmenter.name}, IoU {share:.0f}", fill="#555555", font=font_of(13))
        for row, mask in enumerate((question.truth, answer.mask)):
            shown = pair.image_t2.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            painted = paint_masks(shown, [mask], [MASK_COLORS[row]], numbered=False)
            sheet.paste(painted, (left, CAPTION + row * (SIDE + GAP)))
    return sheet


def main() -> None:
    """Measures, and draws the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["mtrefseg:mtrefseg-r1", "image_difference"])
    parser.add_argument("--plugin", nargs="+", type=Path, default=[], help="files of Python that register models")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--size", type=int, default=256, help="side of the images in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shown", type=int, default=1, help="which of the pairs the figure shows, from 0")
    parser.add_argument("--figure", type=Path, default=FIGURE)
    parser.add_argument("--csv", type=Path, default=CSV)
    arguments = parser.parse_args()
    for path in arguments.plugin:
        load_plugin(path)
    segmenters = [open_segmenter(text) for text in arguments.models]
    rows = measure(segmenters, arguments.pairs, arguments.size, arguments.seed)
    write_rows(arguments.csv, rows)
    *_, (pair, questions) = find_pairs(arguments.shown + 1, arguments.size, arguments.seed)
    draw(segmenters[0], pair, questions).save(arguments.figure, quality=60, method=6)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
