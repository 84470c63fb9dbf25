# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Segments many pairs, on this machine or on a cluster. The folder of each pair is written atomically; a run that was
killed continues where it stopped, and a pair that fails is a row of the table.
"""

import errno
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from filelock import FileLock, Timeout
from tqdm import tqdm

from mtrefseg.errors import UserError, one_line, readable
from mtrefseg.io import folder_written_whole, written_whole

from .api import load_predictor
from .output import REPORT
from .predicting import ScenePredictor
from .reading import ManifestRow, read_manifest
from .segmenting import SceneOptions, segment_pair


_ENGINES = ("local", "ray")
RESULTS, PAIRS = "results.parquet", "pairs"
_LOCK = ".lock"  # The system releases it at the end of the process, also of a killed one.
# Some network file systems have no locks.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
# Options that do not change results: a run that had too little memory may be continued with smaller batches.
_WITHOUT_EFFECT = ("batch_size", "progress")
_FAILURES = (UserError, OSError, ValueError, RuntimeError, MemoryError)
_SCHEMA = pyarrow.schema(
    [
        ("id", pyarrow.string()),
        ("t1", pyarrow.string()),
        ("t2", pyarrow.string()),
        ("sentence", pyarrow.string()),
        ("status", pyarrow.string()),
        ("error", pyarrow.string()),
        ("answered_by", pyarrow.string()),
        ("score", pyarrow.float64()),
        ("no_target_score", pyarrow.float64()),
        ("is_closest", pyarrow.bool_()),
        ("area_pixels", pyarrow.int64()),
        ("area_fraction", pyarrow.float64()),
        ("area_m2", pyarrow.float64()),
        ("objects", pyarrow.int64()),
        ("folder", pyarrow.string()),
    ]
)


@dataclass(frozen=True)
class ManifestSettings:
    """
    How all pairs are segmented.

    Args:
        out (`str`): Folder for the results.
        options ([`SceneOptions`]): How a pair is segmented.
        model (`dict`): Arguments of [`load_predictor`].
    """

    out: str
    options: SceneOptions
    model: dict[str, Any] = field(default_factory=dict)

    def fingerprint(self, row: ManifestRow) -> str:
        """Changes if a pair must be segmented again."""
        known = {name: value for name, value in asdict(row).items() if name != "problem"}
        options = {name: value for name, value in asdict(self.options).items() if name not in _WITHOUT_EFFECT}
        described = json.dumps([known, options, self.model], sort_keys=True, default=str)
        return hashlib.sha256(described.encode()).hexdigest()[:16]


class PairWorker:
    """
    Loads the model and segments pairs; Ray creates one in each actor.

    Args:
        settings ([`ManifestSettings`]): Settings of the run.
        predictor ([`ScenePredictor`], *optional*): A loaded model; by default it is loaded on first use.
    """

    def __init__(self, settings: ManifestSettings, predictor: ScenePredictor | None = None) -> None:
        self.settings = settings
        self.predictor = predictor

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """For Ray Data: takes one pair as JSON and returns its entry of the table as JSON."""
        rows = [json.loads(text) for text in batch["row"]]
        entries = [self.segment(ManifestRow(**{**row, "sentences": tuple(row["sentences"])})) for row in rows]
        return {"id": batch["id"], "entry": [json.dumps(entry) for entry in entries]}

    def segment(self, row: ManifestRow) -> dict[str, Any]:
        """
        Segments a pair, unless its folder already exists.

        Returns:
            `dict`: Content of `result.json`, or `{"error": ...}`.
        """
        if row.problem:
            return {"error": row.problem}
        done = finished(self.settings, row)
        if done is not None:
            return done
        folder = pair_folder(self.settings, row)
        try:
            if self.predictor is None:
                self.predictor = load_predictor(**self.settings.model)
            more = {"fingerprint": self.settings.fingerprint(row)}
            with folder_written_whole(folder, folder.with_name(f".{row.id}.incomplete")) as unfinished:
                segment_pair(
                    row.t1, row.t2, row.sentences or None, self.predictor, self.settings.options, unfinished, more=more
                )
        except _FAILURES as error:
            return {"error": one_line(error)}
        return finished(self.settings, row) or {"error": "its result cannot be read"}


def run_manifest(
    rows: Sequence[ManifestRow],
    settings: ManifestSettings,
    engine: str = "local",
    workers: int = 1,
    predictor: ScenePredictor | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """
    Segments all pairs of a manifest and writes `results.parquet`: a row for each sentence of each pair, in the order
    of the manifest.

    Args:
        rows (`Sequence[ManifestRow]`): The pairs.
        settings ([`ManifestSettings`]): How they are segmented.
        engine (`str`, *optional*, defaults to `"local"`): `"ray"` runs on the machines of a Ray cluster, which must
            all have access to the folder for the results.
        workers (`int`, *optional*, defaults to 1): Number of Ray actors, each with a model.
        predictor ([`ScenePredictor`], *optional*): A loaded model, for the local engine.
        say (`Callable`, *optional*): Called with notes for the user.

    Returns:
        `Path`: `results.parquet`.

    Raises:
        [`UserError`]: If the table cannot be written, or another run is writing into the folder.
        ValueError: If the engine is unknown.
    """
    if engine not in _ENGINES:
        raise ValueError(f"`engine` must be 'local' or 'ray', not {engine!r}.")
    out = Path(settings.out)
    (out / PAIRS).mkdir(parents=True, exist_ok=True)
    with _locked(out, say):
        return _run_locked(rows, settings, engine, workers, predictor, say)


@contextmanager
def _locked(out: Path, say: Callable[[str], None] | None) -> Iterator[None]:
    """Holds the folder for the results: two runs would remove each other's unfinished pairs. Where the file system has
    no locks, a note says so."""
    lock = FileLock(out / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"{out} is in use by another run: wait until it has ended, or name another folder") from error
    except (OSError, NotImplementedError) as error:  # The latter from filelock before 4, for ENOSYS.
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise UserError(f"cannot write into {out}: {one_line(error)}") from error
        if say is not None:
            say(f"{out} is on a file system without locks: start no second run into it before this one has ended")
    try:
        yield
    finally:
        (out / _LOCK).unlink(missing_ok=True)
        lock.release()


def _run_locked(
    rows: Sequence[ManifestRow],
    settings: ManifestSettings,
    engine: str,
    workers: int,
    predictor: ScenePredictor | None,
    say: Callable[[str], None] | None,
) -> Path:
    """[`run_manifest`] in a folder that no other run uses."""
    out = Path(settings.out)
    entries = {row: done for row in rows if (done := finished(settings, row)) is not None}
    open_rows = [row for row in rows if row not in entries]
    if entries and say is not None:
        say(f"{len(entries)} of {len(rows)} pairs were already finished")
    if open_rows:
        if engine == "ray":
            finishing = _with_ray(open_rows, settings, workers)
        else:
            finishing = _on_this_machine(open_rows, settings, predictor)
        for row, entry in tqdm(finishing, total=len(open_rows), desc="pairs", unit="pair", disable=None):
            entries[row] = entry
            if "error" in entry and say is not None:
                with tqdm.external_write_mode():  # So that notes do not interrupt the bar.
                    say(f"{row.id}: {entry['error']}")
    table = [line for row in rows for line in _table_rows(settings, row, entries[row])]
    try:
        with written_whole(out / RESULTS) as file:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table, _SCHEMA), file)
    except OSError as error:
        raise UserError(f"cannot write {out / RESULTS}: {error}") from error
    return out / RESULTS


def pair_folder(settings: ManifestSettings, row: ManifestRow) -> Path:
    """Folder of the files of a pair."""
    return Path(settings.out) / PAIRS / row.id


def finished(settings: ManifestSettings, row: ManifestRow) -> dict[str, Any] | None:
    """Result of an earlier run with the same settings, `None` if there is none."""
    if row.problem:
        return None
    try:
        report = json.loads((pair_folder(settings, row) / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_report = isinstance(report, dict) and isinstance(report.get("results"), list)
    return report if is_report and report.get("fingerprint") == settings.fingerprint(row) else None


def _on_this_machine(
    rows: Iterable[ManifestRow], settings: ManifestSettings, predictor: ScenePredictor | None
) -> Iterator[tuple[ManifestRow, dict[str, Any]]]:
    worker = PairWorker(settings, predictor)
    for row in rows:
        yield row, worker.segment(row)


def _with_ray(
    rows: Sequence[ManifestRow], settings: ManifestSettings, workers: int
) -> Iterator[tuple[ManifestRow, dict[str, Any]]]:
    """Runs Ray Data with actors that load the model; each gets one pair at a time."""
    try:
        import ray
    except ImportError as error:
        raise UserError("--engine ray needs more packages: pip install 'mtrefseg[ray]'") from error
    if not ray.is_initialized():
        ray.init(include_dashboard=False, configure_logging=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    items = [{"id": number, "row": json.dumps(asdict(row))} for number, row in enumerate(rows)]
    dataset = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        PairWorker,
        fn_constructor_args=(settings,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(items))),
        num_cpus=1,
    )
    for answer in dataset.iter_rows():
        yield rows[answer["id"]], json.loads(answer["entry"])


def _table_rows(settings: ManifestSettings, row: ManifestRow, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # Parquet contains UTF-8 only, which the names of files need not be.
    named = {"id": readable(row.id), "t1": readable(row.t1), "t2": readable(row.t2)}
    if "error" in entry:
        for text in row.sentences or (None,):
            yield {**named, "sentence": text and readable(text), "status": "failed", "error": readable(entry["error"])}
        return
    folder = pair_folder(settings, row).relative_to(settings.out).as_posix()
    for result in entry["results"]:
        kept = {name: result[name] for name in _SCHEMA.names if name in result}
        yield {**named, "sentence": result["text"], "status": "done", "folder": folder, **kept}


__all__ = ["ManifestRow", "ManifestSettings", "PairWorker", "read_manifest", "run_manifest"]
