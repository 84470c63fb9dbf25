# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Estimates the questions, tokens and cost of a run before anything is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_scripts.readers import UnusableError

from ..backends.offline.perceiver import OfflinePerceiver
from ..backends.offline.segmenter import OfflineSegmenter
from ..backends.protocols import Question, Segmentation
from ..geometry import box_mask, box_of
from ..prompts.templates import Prompts
from ..records import Box, ChangeType, ImagePair, Round, Verdict
from ..state.database import FILE_NAME
from ..state.journal import MemoryJournal
from ..state.pairs_folder import PairFiles, hash_pair, load_pair
from ..state.settings import RunSettings
from ..state.store import Store
from ..steps.asking import Asker
from ..steps.correction import Aim, review_question, surroundings
from ..steps.grid import plan_grid
from ..steps.perception import cell_question, whole_question
from ..steps.refinement import ground_question, refine_question


DIFFERENCES = 4.0
"""Assumed number of differences per pair until the run has found some."""
ROUNDS = 1.5
"""Assumed number of rounds per difference until then."""
PIXELS_PER_TOKEN = 28 * 28
"""Typical of current vision-language models; others differ by a factor of two or more."""
LETTERS_PER_TOKEN = 4
OUTPUT_TOKENS = {"perceive": 200, "review": 120, "refine": 90, "ground": 50}
MEASURED_PAIRS = 3


@dataclass(frozen=True)
class Estimate:
    """
    The expected size of a run.

    Args:
        pairs (`int`): Number of pairs to process.
        differences, rounds (`float`): Assumed differences per pair, and rounds per difference.
        questions (`int`): Number of questions to the perceiver.
        input_tokens, output_tokens (`int`): Tokens of all questions and answers.
        cost (`float`): In US dollars; 0 without prices.
    """

    pairs: int
    differences: float
    rounds: float
    questions: int
    input_tokens: int
    output_tokens: int
    cost: float

    def table(self) -> str:
        """The estimate as text."""
        return (
            f"{self.pairs:,} pairs to do, assuming {self.differences:.1f} differences per pair and {self.rounds:.1f} "
            f"rounds per difference\nabout {self.questions:,} questions, {self.input_tokens:,} input tokens, "
            f"{self.output_tokens:,} output tokens, {self.cost:,.2f} US dollars\n"
            f"(assuming {PIXELS_PER_TOKEN} image pixels per token; a model may need half or twice as many tokens)"
        )


def estimate_run(
    folder: Path, listed: Sequence[PairFiles], settings: RunSettings, prompts: Prompts, work: Path
) -> Estimate:
    """
    Estimates a run from the questions about a few of its pairs.

    Args:
        folder (`Path`): The folder of pairs.
        listed (`Sequence[PairFiles]`): The pairs in it.
        settings (`RunSettings`): Settings of the run.
        prompts (`Prompts`): The texts of the questions.
        work (`Path`): The folder of the run. If it exists, finished pairs are not counted, and give the averages.

    Returns:
        `Estimate`: The expected size.
    """
    store = Store(work) if (work / FILE_NAME).is_file() else None
    differences, rounds = _experience(store)
    todo = [files for files in listed if not files.problem and not _is_done(folder, files, store)]
    counted = [_count(pair, settings, prompts, differences, rounds) for pair in _some(folder, todo)]
    means = np.mean(counted, axis=0) if counted else np.zeros(3)
    questions, input_tokens, output_tokens = (int(value) for value in np.ceil(means * len(todo)))
    cost = (input_tokens * settings.input_price + output_tokens * settings.output_price) / 1e6
    return Estimate(len(todo), differences, rounds, questions, input_tokens, output_tokens, cost)


def _is_done(folder: Path, files: PairFiles, store: Store | None) -> bool:
    """Whether a pair is finished. One that was skipped is not if its files have been repaired since."""
    rows = store.rows("SELECT step FROM pairs WHERE pair_id = ?", files.pair_id) if store is not None else []
    if store is None or not rows:
        return False
    step = rows[0]["step"]
    return step == "refined" or (step == "skipped" and not store.is_repaired(files.pair_id, hash_pair(folder, files)))


def _experience(store: Store | None) -> tuple[float, float]:
    """Average differences per pair and rounds per difference so far."""
    if store is None:
        return DIFFERENCES, ROUNDS
    [row] = store.rows(
        """SELECT (SELECT COUNT(*) FROM candidates) AS candidates, (SELECT COUNT(*) FROM proposals) AS proposals,
        (SELECT COUNT(*) FROM rounds) AS rounds,
        (SELECT COUNT(*) FROM pairs WHERE step IN ('perceived', 'segmented', 'refined')) AS perceived"""
    )
    differences = row["candidates"] / row["perceived"] if row["perceived"] else DIFFERENCES
    rounds = row["rounds"] / row["proposals"] if row["proposals"] else ROUNDS
    return differences, rounds


def _some(folder: Path, todo: Sequence[PairFiles]) -> list[ImagePair]:
    """A few readable pairs, spread over the folder."""
    pairs: list[ImagePair] = []
    for files in todo[:: max(1, len(todo) // MEASURED_PAIRS)]:
        try:
            pairs.append(load_pair(folder, files, hash_pair(folder, files)))
        except UnusableError:
            continue
        if len(pairs) == MEASURED_PAIRS:
            break
    return pairs


def _count(
    pair: ImagePair, settings: RunSettings, prompts: Prompts, differences: float, rounds: float
) -> tuple[float, float, float]:
    """Questions, input tokens and output tokens for a pair."""
    # The real questions are built, but not asked.
    asker = Asker(OfflinePerceiver(), OfflineSegmenter(), prompts, MemoryJournal())
    grid = plan_grid(pair.size, settings.grid)
    width, height = pair.size
    box = Box(width // 3, height // 3, width // 3 + max(1, width // 8), height // 3 + max(1, height // 8))
    mask = box_mask(box, pair.size)
    aim = Aim("the white car that appeared at the top-left", "white car", ChangeType.APPEAR, box)
    chosen = Round(0, aim.expression, aim.thing, aim.change_type, box, (), mask, 1.0, Verdict.ACCEPT, 1.0, "")
    part = surroundings(box_of(mask), pair)
    review = review_question(pair, aim, Segmentation(mask, 1.0), part, asker)
    several: list[tuple[Question, float]] = [
        (whole_question(pair, grid, asker), 1.0),
        *((cell_question(pair, cell, asker), 1.0) for cell in grid.cells),
        (review, differences * rounds),
        (refine_question(pair, chosen, (), asker, settings.paraphrases, ""), differences),
        (ground_question(pair, aim.expression, asker), differences * (1 + settings.paraphrases)),
    ]
    return (
        sum(times for _, times in several),
        sum(times * _input_tokens(question) for question, times in several),
        sum(times * OUTPUT_TOKENS[question.kind] for question, times in several),
    )


def _input_tokens(question: Question) -> float:
    pixels = sum(image.width * image.height for image in question.images)
    return pixels / PIXELS_PER_TOKEN + len(question.prompt) / LETTERS_PER_TOKEN
