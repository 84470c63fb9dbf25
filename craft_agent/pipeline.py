# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The steps of one pair, each taken from where the pair stands."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from dataset_scripts.reading_report import Reason, UnusableError

from .asking import Asker, Journal
from .correction import correct_all
from .errors import TransientError
from .pairs_folder import load_pair
from .perception import perceive
from .prompting import Prompts
from .protocols import Perceiver, Segmenter
from .records import ImagePair
from .refinement import refine_all
from .run_settings import RunSettings
from .store import ClaimedPair, Store, Worker


MOST_ATTEMPTS = 5
"""How often a pair is put back before it is given up."""


@dataclass(frozen=True)
class Backends:
    """
    The models of a run.

    Args:
        perceiver (`Perceiver`): Answers questions.
        segmenter (`Segmenter`): Finds pixels.
    """

    perceiver: Perceiver
    segmenter: Segmenter


class PairPipeline:
    """
    Takes pairs through steps (a), (b) and (c), and writes every step into the store.

    Args:
        store (`Store`): The run.
        worker (`Worker`): Who has claimed the pairs.
        backends (`Backends`): The models.
        prompts (`Prompts`): The texts of the questions.
        stopping (`Callable[[], bool]`): Whether to stop after the step that is under way.
    """

    def __init__(
        self, store: Store, worker: Worker, backends: Backends, prompts: Prompts, stopping: Callable[[], bool]
    ) -> None:
        self._store = store
        self._worker = worker
        self._settings = store.settings
        self._asker = make_asker(self._settings, backends, prompts, store)
        self._stopping = stopping

    def run(self, claimed: ClaimedPair) -> str:
        """
        Takes a claimed pair as far as it goes.

        Args:
            claimed (`ClaimedPair`): The pair.

        Returns:
            `str`: The step that it is at, or "put_back".

        Raises:
            PermanentError: If no pair will ever be answered. This one is free again.
        """
        pair_id = claimed.files.pair_id
        try:
            pair = load_pair(Path(self._settings.pairs), claimed.files, claimed.sha256)
        except UnusableError as error:
            # A file may be put back; one that is damaged will not mend.
            end = "failed" if error.reason is Reason.MISSING_PICTURE else "skipped"
            self._store.give_up(self._worker, pair_id, end, error.detail)
            return end
        step = claimed.step
        try:
            while step not in ("refined", "failed") and not self._stopping():
                step = self._advance(pair, step)
        except TransientError as error:
            attempts = claimed.attempts + 1
            if attempts >= MOST_ATTEMPTS:
                self._store.give_up(self._worker, pair_id, "failed", f"no answer after {attempts} attempts: {error}")
                return "failed"
            self._store.put_back(self._worker, pair_id, str(error), attempts)
            return "put_back"
        except BaseException:
            self._store.put_back(self._worker, pair_id, "interrupted", claimed.attempts)
            raise
        if step not in ("refined", "failed"):
            self._store.put_back(self._worker, pair_id, "", claimed.attempts)
            return "put_back"
        return step

    def _advance(self, pair: ImagePair, step: str) -> str:
        """Takes the next step, and returns it when it is stored."""
        started = perf_counter()
        store, worker, settings = self._store, self._worker, self._settings
        if step == "new":
            candidates = perceive(pair, self._asker, settings.grid)
            if candidates is None:
                store.give_up(worker, pair.pair_id, "failed", "the perceiver answered no question about it")
                return "failed"
            store.save_candidates(worker, pair.pair_id, candidates, perf_counter() - started)
            return "perceived"
        if step == "perceived":
            proposals = correct_all(pair, store.candidates(pair.pair_id), self._asker, settings.rounds)
            store.save_proposals(worker, pair.pair_id, proposals, perf_counter() - started)
            return "segmented"
        samples, outcomes = refine_all(
            pair,
            store.proposals(pair.pair_id),
            self._asker,
            settings.paraphrases,
            settings.grounding_iou,
            provenance_of(settings),
        )
        store.save_samples(worker, pair.pair_id, samples, outcomes, perf_counter() - started)
        return "refined"


def make_asker(settings: RunSettings, backends: Backends, prompts: Prompts, journal: Journal) -> Asker:
    """What asks the models as the settings say."""
    return Asker(backends.perceiver, backends.segmenter, prompts, journal, settings.attempts)


def provenance_of(settings: RunSettings) -> dict[str, object]:
    """What every sample of a run says of its making."""
    return {
        "perceiver": settings.perceiver,
        "segmenter": settings.segmenter,
        "prompts": settings.prompts,
        "backend": settings.backend,
    }
