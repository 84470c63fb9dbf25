# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The steps of one pair, each taken from where the pair stands."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol

from dataset_scripts.reading_report import Reason, UnusableError

from ..backends.protocols import Perceiver, Segmenter
from ..errors import TransientError
from ..prompts.templates import Prompts
from ..records import Candidate, ImagePair, Proposal
from ..state.pairs_folder import load_pair
from ..state.rows import StepResult, perceived, refined, segmented
from ..state.settings import RunSettings
from ..state.store import ClaimedPair
from .asking import Asker, Journal
from .correction import correct_all
from .perception import perceive
from .refinement import refine_all


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


class PairStore(Journal, Protocol):
    """
    Where the steps of claimed pairs are read and written: `store.Claims` in SQLite, `pair_objects.PairObjects` in a
    folder that many machines share.
    """

    settings: RunSettings

    def candidates(self, pair_id: str) -> list[Candidate]:
        """What step (a) found in a pair."""
        ...

    def proposals(self, pair_id: str) -> list[Proposal]:
        """What step (b) made of it."""
        ...

    def save(self, pair_id: str, result: StepResult) -> None:
        """Ends a step."""
        ...

    def put_back(self, pair_id: str, reason: str, attempts: int) -> None:
        """Frees a pair to be taken up again later."""
        ...

    def give_up(self, pair_id: str, step: str, reason: str) -> None:
        """Ends the work on a pair; `step` is "skipped" for good, or "failed" until it is tried again."""
        ...


class PairPipeline:
    """
    Takes pairs through steps (a), (b) and (c), and writes every step down. All engines call it.

    Args:
        store (`PairStore`): Where it is written.
        backends (`Backends`): The models.
        prompts (`Prompts`): The texts of the questions.
        stopping (`Callable[[], bool]`, *optional*): Whether to stop after the step that is under way.
    """

    def __init__(
        self, store: PairStore, backends: Backends, prompts: Prompts, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._store = store
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
            self._store.give_up(pair_id, end, error.detail)
            return end
        step = claimed.step
        try:
            while step != "refined" and not self._stopping():
                result = self._advance(pair, step)
                if result is None:
                    self._store.give_up(pair_id, "failed", "the perceiver answered no question about it")
                    return "failed"
                self._store.save(pair_id, result)
                step = result.after
        except TransientError as error:
            attempts = claimed.attempts + 1
            if attempts >= MOST_ATTEMPTS:
                self._store.give_up(pair_id, "failed", f"no answer after {attempts} attempts: {error}")
                return "failed"
            self._store.put_back(pair_id, str(error), attempts)
            return "put_back"
        except BaseException:
            self._store.put_back(pair_id, "interrupted", claimed.attempts)
            raise
        if step != "refined":
            self._store.put_back(pair_id, "", claimed.attempts)
            return "put_back"
        return step

    def _advance(self, pair: ImagePair, step: str) -> StepResult | None:
        """Takes the next step; `None` if not one question was answered."""
        started = perf_counter()
        store, settings, pair_id = self._store, self._settings, pair.pair_id
        if step == "new":
            candidates = perceive(pair, self._asker, settings.grid)
            return None if candidates is None else perceived(pair_id, candidates, perf_counter() - started)
        if step == "perceived":
            proposals = correct_all(pair, store.candidates(pair_id), self._asker, settings.rounds)
            return segmented(pair_id, proposals, perf_counter() - started)
        samples, outcomes = refine_all(
            pair,
            store.proposals(pair_id),
            self._asker,
            settings.paraphrases,
            settings.grounding_iou,
            provenance_of(settings),
        )
        return refined(pair_id, samples, outcomes, perf_counter() - started)


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
