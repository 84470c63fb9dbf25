# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads annotations of another tool into a run, new or existing.

A region with the name of a sample is that sample, corrected or not; any other one becomes a new sample. Everything is
checked before anything is written.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dataset_scripts.readers import UnusableError

from ..audit.decisions import AUDITORS_PER_SAMPLE, AuditSample, Decision, check_auditor
from ..audit.store import AuditStore
from ..audit.team import AuditTeam
from ..errors import CraftError
from ..geometry import box_of, place_of
from ..records import KEPT, Candidate, Proposal, Sample
from ..state.database import FILE_NAME
from ..state.pairs_folder import PairFiles, hash_pair, list_pairs, load_pair
from ..state.rows import Row, insert_rows, perceived, refined, segmented
from ..state.settings import RunSettings
from ..state.store import Store, insert_pairs
from .annotations import AnnotatedPair, AnnotationFile, Region
from .formats import find_format


@dataclass(frozen=True)
class ImportOptions:
    """
    How annotations are read.

    Args:
        format_name (`str`): One of `FORMATS`.
        auditor (`str`, *optional*): Who made or checked the annotations; they count as accepted by this person.
            Without a name, new regions wait for the audit, and corrections of samples are refused.
        pairs (`Path`, *optional*): For a new run, the folder with `A/` and `B/`; by default that of the file.
        domain (`str`, *optional*): For a new run, "NS" or "RS".
    """

    format_name: str
    auditor: str = ""
    pairs: Path | None = None
    domain: str | None = None


@dataclass(frozen=True)
class ImportSummary:
    """
    What was read.

    Args:
        pairs (`int`): Pairs in the file.
        new, edited, same (`int`): Regions that became new samples, that correct a sample, and that equal one.
    """

    pairs: int
    new: int
    edited: int
    same: int


@dataclass
class _Plan:
    """
    What will be written.

    Args:
        new (`list[tuple[str, int, Region]]`): Pair, index of the candidate, and region of each new sample.
        edits (`list[tuple[str, Region]]`): The sample that each correction is about.
        same (`list[str]`): The samples that stay as they are.
    """

    new: list[tuple[str, int, Region]] = field(default_factory=list)
    edits: list[tuple[str, Region]] = field(default_factory=list)
    same: list[str] = field(default_factory=list)


def import_annotations(path: Path, work: Path, options: ImportOptions) -> ImportSummary:
    """
    Reads annotations into a run.

    Args:
        path (`Path`): The file.
        work (`Path`): The folder of a run, or a new one.
        options (`ImportOptions`): How.

    Returns:
        `ImportSummary`: What was read.

    Raises:
        CraftError: If the file is wrong, does not fit the images or the run, or two others have judged a sample. Then
            nothing is written.
    """
    if options.auditor:
        check_auditor(options.auditor)
    file = AnnotationFile(path)
    pairs = _gather(file, find_format(options.format_name).read(path))
    if not pairs:
        raise file.error("the file", "it holds no pair: export it again with its images")
    # Without pairs, it is an import that was interrupted.
    is_new = not (work / FILE_NAME).is_file() or not Store(work).rows("SELECT 1 FROM pairs LIMIT 1")
    if not is_new and (options.pairs is not None or options.domain is not None):
        raise CraftError(f"{work} already contains a run: leave out --pairs and --domain, which are for a new one")
    folder = (options.pairs or path.parent) if is_new else Path(Store(work).settings.pairs)
    files = _check_images(file, pairs, folder, None if is_new else Store(work))
    plan = _plan(file, pairs, None if is_new else Store(work), options)
    store = _start(work, folder, options) if is_new else Store(work)
    # One at a time, because each holds its mask.
    new = (_new_sample(*each, path.name, options.format_name) for each in plan.new)
    _write(store, new, files if is_new else {})
    if options.auditor:
        _decide(store, plan, options.auditor)
    return ImportSummary(len(pairs), len(plan.new), len(plan.edits), len(plan.same))


def _gather(file: AnnotationFile, parts: Iterable[AnnotatedPair]) -> dict[str, AnnotatedPair]:
    """The pairs by id; the parts of a pair must agree on its size, and name no sample twice."""
    pairs: dict[str, AnnotatedPair] = {}
    for part in parts:
        known = pairs.get(part.pair_id)
        if known is not None:
            if known.size != part.size:
                raise file.error(part.entry, f"{known.entry} shows the same pair at another size: correct one of them")
            for mine, other in ((part.file_t1, known.file_t1), (part.file_t2, known.file_t2)):
                if mine and other and mine != other:
                    both = f"{mine} and {other} ({known.entry})"
                    problem = f"{both} have the same name, {part.pair_id}: rename one of them"
                    raise file.error(part.entry, problem)
            part = AnnotatedPair(
                part.pair_id,
                known.file_t1 or part.file_t1,
                known.file_t2 or part.file_t2,
                part.size,
                known.regions + part.regions,
                known.entry,
            )
        names = [region.sample_id for region in part.regions if region.sample_id]
        twice = next((region for region in part.regions if names.count(region.sample_id) > 1), None)
        if twice is not None:
            raise file.error(twice.entry, f"another region is {twice.sample_id}, too: clear the sample_id of the copy")
        pairs[part.pair_id] = part
    return pairs


def _check_images(
    file: AnnotationFile, pairs: dict[str, AnnotatedPair], folder: Path, store: Store | None
) -> dict[str, tuple[PairFiles, tuple[str, str]]]:
    """The files of the pairs with their hashes; raises `CraftError` if images are missing or have other sizes."""
    known: dict[str, tuple[str, str]] = {}
    if store is None:
        listed = {files.pair_id: (files, "") for files in list_pairs(folder)}
    else:
        rows = store.rows("SELECT pair_id, file_t1, file_t2, step, sha256_t1, sha256_t2 FROM pairs")
        listed = {row[0]: (PairFiles(*row[:3]), "" if row["step"] == "refined" else row["step"]) for row in rows}
        known = {row[0]: (row["sha256_t1"], row["sha256_t2"]) for row in rows}
    found = {}
    for pair_id, pair in pairs.items():
        if pair_id not in listed:
            raise file.error(pair.entry, f"{store.work if store else folder} has no pair {pair_id}: correct its name")
        _check_times(file, pair, listed)
        files, step = listed[pair_id]
        if step:
            raise file.error(pair.entry, f"the pair {pair_id} of the run is {step}: finish the run, or leave it out")
        if files.problem:
            raise file.error(pair.entry, f"the pair {pair_id} of {folder} cannot be used ({files.problem})")
        hashes = known.get(pair_id) or hash_pair(folder, files)
        try:
            size = load_pair(folder, files, hashes).size
        except UnusableError as error:
            raise file.error(pair.entry, f"its images cannot be used ({error.detail}): replace them") from error
        if size != pair.size:
            sides = f"{pair.size[0]} x {pair.size[1]}, but the images of {pair_id} {size[0]} x {size[1]}"
            raise file.error(pair.entry, f"its size is {sides}: annotate the images of the run")
        found[pair_id] = (files, hashes)
    return found


def _check_times(file: AnnotationFile, pair: AnnotatedPair, known: Container[str]) -> None:
    """Raises `CraftError` if the file shows another earlier image than the pair has, or t1 and t2 exchanged: it would
    be imported with images that its sentences are not about."""
    if not pair.file_t1 or not pair.file_t2:
        return
    other, own = (file.pair_id(pair.entry, name) for name in (pair.file_t1, pair.file_t2))
    parents = {name.replace("\\", "/").rpartition("/")[0] for name in (pair.file_t1, pair.file_t2)}
    # In one folder, both have different names, such as those of the frames of a camera.
    if len(parents) == 2 and own == pair.pair_id != other and other in known:
        problem = f"its t1, {pair.file_t1}, is that of the pair {other}: name the image of {pair.pair_id}"
        raise file.error(pair.entry, problem)
    folders = tuple(Path(name.replace("\\", "/")).parent.name for name in (pair.file_t1, pair.file_t2))
    if folders == ("B", "A"):
        raise file.error(pair.entry, f"its t1 is {pair.file_t1} and its t2 {pair.file_t2}: swap them")


def _plan(file: AnnotationFile, pairs: dict[str, AnnotatedPair], store: Store | None, options: ImportOptions) -> _Plan:
    plan = _Plan()
    for pair_id, pair in pairs.items():
        samples = [] if store is None else store.samples(pair_id)
        following = 0 if store is None else _next_candidate(store, pair_id)
        for region in pair.regions:
            sample = _find(region, samples)
            if sample is None:
                plan.new.append((pair_id, following, region))
                following += 1
                continue
            _check_seat(file, region, sample, store, options.auditor)
            if _decision(region, sample) is None:
                plan.same.append(sample.sample_id)
                continue
            if not options.auditor:
                raise file.error(region.entry, f"it corrects {sample.sample_id}: name the person with --auditor")
            plan.edits.append((sample.sample_id, region))
    return plan


def _find(region: Region, samples: Sequence[Sample]) -> Sample | None:
    """The sample that a region is: by its name, or else because it was imported before."""
    named = (each for each in samples if each.sample_id == region.sample_id)
    return next(named, None) or next((each for each in samples if _decision(region, each) is None), None)


def _decision(region: Region, sample: Sample | AuditSample) -> Decision | None:
    """The decision that corrects a sample; `None` if nothing differs."""
    changes = (
        None if region.expressions == sample.expressions else region.expressions,
        None if region.change_type is sample.change_type else region.change_type,
        None if np.array_equal(region.mask, sample.mask) else region.mask,
    )
    return None if changes == (None, None, None) else Decision("accept", None, "", *changes)


def _check_seat(file: AnnotationFile, region: Region, sample: Sample, store: Store | None, auditor: str) -> None:
    """Raises `CraftError` if an auditor may not judge a sample because others have; an adjudicator always may."""
    if store is None or not auditor or AuditTeam(store.work).is_adjudicator(auditor):
        return
    decisions = AuditStore(store.work).decisions(sample.sample_id)
    others = [each.auditor for each in decisions if each.auditor != auditor and not each.final]
    if len(others) >= AUDITORS_PER_SAMPLE:
        names = " and ".join(others)
        problem = f"{sample.sample_id} has already been judged by {names}: delete it from the file"
        raise file.error(region.entry, problem)


def _next_candidate(store: Store, pair_id: str) -> int:
    rows = store.rows("SELECT MAX(candidate) AS last FROM candidates WHERE pair_id = ?", pair_id)
    return 0 if rows[0]["last"] is None else int(rows[0]["last"]) + 1


def _sample_id(pair_id: str, candidate: int) -> str:
    return f"{pair_id}_{candidate}"


def _new_sample(pair_id: str, candidate: int, region: Region, name: str, format_name: str) -> Sample:
    provenance = {"imported": {"format": format_name, "file": name, "entry": region.entry}}
    sample_id = _sample_id(pair_id, candidate)
    return Sample(sample_id, pair_id, candidate, region.expressions, region.change_type, region.mask, provenance)


def _start(work: Path, folder: Path, options: ImportOptions) -> Store:
    name = f"imported from {options.format_name}"
    return Store.create(work, RunSettings(str(folder.resolve()), name, name, domain=options.domain))


def _write(store: Store, samples: Iterable[Sample], new: dict[str, tuple[PairFiles, tuple[str, str]]]) -> None:
    """Writes new pairs, which are finished, and new samples with the rows that lead to a sample, so that all counts
    agree; all of it or nothing."""
    with store.database.transaction() as connection:
        insert_pairs(connection, [files for files, _ in new.values()], [hashes for _, hashes in new.values()])
        for sample in samples:
            tables: dict[str, list[Row]] = {}
            candidate = _candidate(sample)
            proposal = Proposal(candidate, (), None, KEPT)
            for result in (
                perceived(sample.pair_id, [candidate], 0.0),
                segmented(sample.pair_id, [proposal], 0.0),
                refined(sample.pair_id, [sample], {sample.candidate: "refined"}, 0.0),
            ):
                tables.update({name: list(rows) for name, rows in result.tables.items()})
            insert_rows(connection, tables)
        connection.executemany("UPDATE pairs SET step = 'refined' WHERE pair_id = ?", [(each,) for each in new])


def _decide(store: Store, plan: _Plan, auditor: str) -> None:
    """Records that an auditor accepts all regions, as they are or corrected. As on the page, an adjudicator's decision
    is final."""
    audit, is_final = AuditStore(store.work), AuditTeam(store.work).is_adjudicator(auditor)

    def decide(sample_id: str, decision: Decision) -> None:
        # An export shows the newest edits, so somebody who imports it has seen what others decided.
        has_seen = is_final or any(each.auditor != auditor for each in audit.decisions(sample_id))
        audit.decide(sample_id, auditor, replace(decision, settled=has_seen), is_final)

    for sample_id in (*(_sample_id(pair_id, candidate) for pair_id, candidate, _ in plan.new), *plan.same):
        decide(sample_id, Decision("accept"))
    for sample_id, region in plan.edits:
        decide(sample_id, _decision(region, audit.sample(sample_id)) or Decision("accept"))


def _candidate(sample: Sample) -> Candidate:
    box, (height, width) = box_of(sample.mask), sample.mask.shape
    sentence, position = sample.expressions[0], place_of(box, (width, height))
    return Candidate(sample.candidate, sentence, sentence, position, sample.change_type, 1.0, box, cells=("whole",))
