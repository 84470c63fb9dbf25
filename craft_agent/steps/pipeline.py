# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Takes a pair through the steps (a), (b) and (c), starting where it stands. All engines use it."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from dataset_scripts.readers import Reason, UnusableError

from ..backends.protocols import Perceiver, Segmenter
from ..errors import CraftError, TransientError
from ..prompts.templates import Prompts
from ..records import Candidate, ImagePair, Proposal
from ..state.claims import ClaimedPair
from ..state.journal import Journal
from ..state.rows import StepResult, perceived, refined, segmented
from ..state.settings import RunSettings
from .asking import Asker
from .correction import correct_all
from .perception import perceive
from .refinement import refine_all


MOST_ATTEMPTS = 5
"""A pair is given up after its answers were delayed this many times."""


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
    Where the steps of a claimed pair are read and written: `state.Claims` in the database, or `engines.ray_worker` in
    a worker that sends everything to the process with the database.
    """

    settings: RunSettings

    def candidates(self, pair_id: str) -> list[Candidate]:
        """The result of step (a) for a pair."""
        ...

    def proposals(self, pair_id: str) -> list[Proposal]:
        """The result of step (b) for a pair."""
        ...

    def save(self, pair_id: str, result: StepResult) -> None:
        """Stores the result of a step and the pair's new step."""
        ...

    def put_back(self, pair_id: str, reason: str, attempts: int) -> None:
        """Ends the claim; the pair will be claimed again later."""
        ...

    def give_up(self, pair_id: str, step: str, reason: str, trace: str = "") -> None:
        """Ends the work on a pair: "skipped" until its files change, or "failed" until it is retried."""
        ...


class PairPipeline:
    """
    Processes claimed pairs and stores every result.

    Args:
        store (`PairStore`): Where results are stored.
        backends (`Backends`): The models.
        prompts (`Prompts`): The texts of the questions.
        load (`Callable[[ClaimedPair], ImagePair]`): Decodes the images of a pair; may raise `UnusableError`.
        stopping (`Callable[[], bool]`, *optional*): Whether to stop after the current step.
    """

    def __init__(
        self,
        store: PairStore,
        backends: Backends,
        prompts: Prompts,
        load: Callable[[ClaimedPair], ImagePair],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._settings = store.settings
        self._asker = Asker(backends.perceiver, backends.segmenter, prompts, store, store.settings.attempts)
        self._load = load
        self._stopping = stopping

    def run(self, claimed: ClaimedPair) -> str:
        """
        Processes a pair as far as possible. An unexpected error fails this pair only.

        Args:
            claimed (`ClaimedPair`): The pair.

        Returns:
            `str`: "refined", "skipped", "failed" or "put_back".

        Raises:
            CraftError: If no pair can be processed, such as `PermanentError`. This pair is put back.
        """
        store, pair_id = self._store, claimed.files.pair_id
        try:
            return self._run(claimed)
        except UnusableError as error:
            return give_up_unusable(store, pair_id, error)
        except TransientError as error:
            attempts = claimed.attempts + 1
            if attempts >= MOST_ATTEMPTS:
                store.give_up(pair_id, "failed", f"no answer after {attempts} attempts: {error}")
                return "failed"
            store.put_back(pair_id, str(error), attempts)
            return "put_back"
        except CraftError:
            store.put_back(pair_id, "interrupted", claimed.attempts)
            raise
        except Exception as error:  # noqa: BLE001 # Whatever is wrong with one pair must not stop the others.
            reason = " ".join(f"unexpected {type(error).__name__}: {error}".split())
            store.give_up(pair_id, "failed", reason, traceback.format_exc())
            return "failed"
        except BaseException:
            store.put_back(pair_id, "interrupted", claimed.attempts)
            raise

    def _run(self, claimed: ClaimedPair) -> str:
        pair_id, step = claimed.files.pair_id, claimed.step
        pair = self._load(claimed)
        while step != "refined":
            if self._stopping():
                self._store.put_back(pair_id, "", claimed.attempts)
                return "put_back"
            result = self._take_step(pair, step)
            if result is None:
                self._store.give_up(pair_id, "failed", "the perceiver answered no question about it")
                return "failed"
            self._store.save(pair_id, result)
            step = result.after
        return step

    def _take_step(self, pair: ImagePair, step: str) -> StepResult | None:
        """The result of the next step; `None` if no question was answered."""
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


def give_up_unusable(store: PairStore, pair_id: str, error: UnusableError) -> str:
    """Gives up a pair whose images cannot be used; returns "failed" if files are missing, which may be restored, else
    "skipped"."""
    end = "failed" if error.reason is Reason.MISSING_IMAGE else "skipped"
    store.give_up(pair_id, end, error.detail)
    return end


def provenance_of(settings: RunSettings) -> dict[str, object]:
    """The part of a sample's provenance that is the same for the whole run."""
    return {
        "perceiver": settings.perceiver,
        "segmenter": settings.segmenter,
        "prompts": settings.prompts,
        "backend": settings.backend,
    }
