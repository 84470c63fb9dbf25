# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Writes what people accepted: the raw layout, Parquet with a dataset card, and the provenance of every sentence.

Everything is written to a temporary folder beside the target and renamed when it is complete.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tqdm import tqdm

from dataset_scripts.export import ExportOptions, export_dataset
from mtrefseg.io import encode_mask, folder_written_whole, write_json, write_text

from ..audit.funnel import agreement_table, read_funnel
from ..audit.store import AuditStore
from ..backends.model_names import DIFFERENCE
from ..errors import CraftError
from ..records import Sample
from ..state.pairs_folder import PairFiles, hash_pair
from ..state.serialization import dump
from ..state.settings import RunSettings
from ..state.store import Store


PROVENANCE = "provenance.jsonl"
OURS = ("raw", "parquet", PROVENANCE)
"""What an export consists of."""
CITATION_HEAD = "\n## Citation\n"


@dataclass(frozen=True)
class ExportSummary:
    """
    What was exported.

    Args:
        raw, parquet (`Path`): The split folder in the raw layout, and the Parquet dataset.
        pairs, samples, sentences (`int`): Their numbers.
        changed (`tuple[str, ...]`): Pairs that were left out because their files have changed since the run.
    """

    raw: Path
    parquet: Path
    pairs: int
    samples: int
    sentences: int
    changed: tuple[str, ...]


def export_work(
    work: Path, out: Path, auditors: int = 1, split: str = "train", license_name: str | None = None, num_proc: int = 1
) -> ExportSummary:
    """
    Exports the audited samples of a run.

    Args:
        work (`Path`): The folder of the run.
        out (`Path`): A new folder, or that of an earlier export, which is replaced.
        auditors (`int`, *optional*, defaults to 1): How many people must have accepted a sample. Samples on which they
            differ are left out.
        split (`str`, *optional*, defaults to `"train"`): "train", "val" or "test".
        license_name (`str`, *optional*): The licence of the data, as named on the Hub.
        num_proc (`int`, *optional*, defaults to 1): Number of processes that write Parquet.

    Returns:
        `ExportSummary`: What was written.

    Raises:
        CraftError: If no sample is accepted, all images are missing, or `out` holds something else.
    """
    store, audit = Store(work), AuditStore(work)
    check_target(store, out, PROVENANCE)
    # The earlier export is removed with everything in it.
    ours = {*OURS, ".DS_Store", "Thumbs.db"}
    added = [path for path in sorted(out.iterdir()) if path.name not in ours] if out.exists() else []
    if added:
        raise CraftError(f"{added[0]} is not part of the earlier export; move it, or name a new folder")
    settings = store.settings
    name = "_".join(filter(None, (settings.domain, "craft", split)))
    with folder_written_whole(out) as building:
        # The name of the folder becomes the title of the card.
        raw = building / "raw" / out.name
        summary = _write_raw(store, audit.accepted_samples(auditors), raw / name, building)
        if not summary.samples:
            check_changed(store, summary.changed)
            raise CraftError(
                f"no sample of {work} is accepted by {auditors} {'person' if auditors == 1 else 'people'} without "
                f"disagreement; run `craft-agent audit {work}` first"
            )
        export_dataset(raw, building / "parquet", ExportOptions(kind="referring", license=license_name), num_proc)
        shutil.copyfile(building / PROVENANCE, building / "parquet" / PROVENANCE)
        card = building / "parquet" / "README.md"
        text = card.read_text(encoding="utf-8")
        section = _card_section(store, audit, settings, summary, auditors)
        write_text(card, text.replace(CITATION_HEAD, f"{section}{CITATION_HEAD}", 1))
    return ExportSummary(
        out / "raw" / out.name / name,
        out / "parquet",
        summary.pairs,
        summary.samples,
        summary.sentences,
        summary.changed,
    )


def check_target(store: Store, out: Path, marker: str) -> None:
    """
    Checks that a folder may be replaced by an export.

    Args:
        store (`Store`): The run.
        out (`Path`): The folder.
        marker (`str`): The file by which an earlier export is recognised.

    Raises:
        CraftError: If it holds something else, lies inside the folder of pairs, or contains the pairs or the run.
    """
    if not out.name:
        raise CraftError(f"{out} has no name; name a new folder")
    if out.exists() and not (out / marker).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise CraftError(f"{out} holds something other than an earlier export; name a new folder")
    target, pairs = out.resolve(), Path(store.settings.pairs).resolve()
    if target.is_relative_to(pairs):
        raise CraftError(f"{out} is inside the folder of pairs; name a folder outside of it")
    # An earlier export is removed with everything in it.
    for name, folder in (("pairs", pairs), ("run", store.work.resolve())):
        if folder.is_relative_to(target):
            raise CraftError(f"{out} contains the folder of the {name}, {folder}; name a new folder")


def check_changed(store: Store, changed: Sequence[str]) -> None:
    """Raises `CraftError` if an export has no sample because the files of these pairs are missing or have changed."""
    if changed:
        raise CraftError(
            f"all {len(changed):,} pairs with samples to export, such as {changed[0]}, are missing in "
            f"{store.settings.pairs} or have changed since the run; restore their files, or, if the folder was moved, "
            "repeat `craft-agent run` with its new name"
        )


def _write_raw(store: Store, samples: Iterator[Sample], folder: Path, building: Path) -> ExportSummary:
    """Writes the raw layout, and one line of provenance per sentence."""
    for name in ("A", "B", "masks", "referring_expression"):
        (folder / name).mkdir(parents=True)
    pairs = written = sentences = 0
    changed = []
    with (building / PROVENANCE).open("w", encoding="utf-8") as sidecar:
        groups = groupby(samples, key=lambda sample: sample.pair_id)
        for pair_id, group in tqdm(groups, desc="Exporting", unit=" pairs"):
            if not copy_images(store, pair_id, folder):
                changed.append(pair_id)
                continue
            of_pair = list(group)
            lines = _write_pair(of_pair, _file_names(store, pair_id), store.settings, folder)
            sidecar.writelines(f"{line}\n" for line in lines)
            pairs, written, sentences = pairs + 1, written + len(of_pair), sentences + len(lines)
        sidecar.flush()
        os.fsync(sidecar.fileno())
    return ExportSummary(folder, folder, pairs, written, sentences, tuple(changed))


def copy_images(store: Store, pair_id: str, folder: Path) -> bool:
    """Copies the files of a pair unchanged; returns `False` if they have changed since the run."""
    [row] = store.rows("SELECT * FROM pairs WHERE pair_id = ?", pair_id)
    source = Path(store.settings.pairs)
    files = PairFiles(pair_id, row["file_t1"], row["file_t2"])
    if hash_pair(source, files) != (row["sha256_t1"], row["sha256_t2"]):
        return False
    for name in (files.file_t1, files.file_t2):
        shutil.copyfile(source / name, folder / name)
    return True


def _file_names(store: Store, pair_id: str) -> dict[str, str]:
    """The names of the images as the raw layout says them. Without them, "a.png.jpg" of the pair "a.png" is not found
    beside "a.png"."""
    [row] = store.rows("SELECT file_t1, file_t2 FROM pairs WHERE pair_id = ?", pair_id)
    return {"img_A": Path(row["file_t1"]).name, "img_B": Path(row["file_t2"]).name}


def _write_pair(samples: list[Sample], names: dict[str, str], settings: RunSettings, folder: Path) -> list[str]:
    """Writes the masks and sentences of a pair; returns the lines of provenance."""
    pair_id = samples[0].pair_id
    (folder / "masks" / pair_id).mkdir()
    expressions: list[str] = []
    masks, change_types, lines = [], [], []
    for sample in samples:
        mask_file = encode_mask(sample.mask)
        for number, expression in enumerate(sample.expressions):
            index = len(expressions)
            (folder / "masks" / pair_id / f"{index}.png").write_bytes(mask_file)
            expressions.append(expression)
            masks.append(f"{pair_id}/{index}.png")
            change_types.append(sample.change_type.value)
            lines.append(
                dump(
                    {
                        "sample_id": f"{pair_id}_{index}",
                        "region": sample.sample_id,
                        "paraphrase": number,
                        **sample.provenance,
                    }
                )
            )
    content = {
        "sample_id": pair_id,
        **names,
        "referring_expressions": expressions,
        "mask": masks,
        "change_types": change_types,
        "view": settings.view,
        "source": settings.source,
    }
    if settings.domain is not None:
        content["domain"] = settings.domain
    write_json(folder / "referring_expression" / f"{pair_id}.json", content)
    return lines


def _card_section(
    store: Store, audit: AuditStore, settings: RunSettings, summary: ExportSummary, auditors: int
) -> str:
    funnel = "\n".join(f"| {stage.name} | {stage.count:,} |" for stage in read_funnel(store).stages)
    prompts = ", ".join(f"{name} {version}" for name, version in sorted(settings.prompts.items()))
    offline = ""
    if settings.perceiver == DIFFERENCE:
        offline = (
            "\n\nThe perceiver uses no trained weights: it detects differences of pixels and names colours and "
            "places, but not objects. It may report shadows and seasons as changes; only the audit removes them."
        )
    elif settings.perceiver.startswith("offline"):
        offline = (
            "\n\nThe perceiver is a model that detects changes. It names colours and places, but not objects, and may "
            "report changes that nobody asks for; only the audit removes them."
        )
    return f"""
## How it was made

Proposed by models with CRAFT-Agent and audited by people. Perceiver: `{settings.perceiver}`; segmenter:
`{settings.segmenter}`; prompts: {prompts or "none"}. A sample is included if {auditors} or more people accepted it,
edited or not, and nobody disagreed. `{PROVENANCE}` lists the models, rounds, scores and people behind each sentence
by `sample_id`; `paraphrase` is 0 for the first sentence of a region.{offline}

| step | count |
| --- | --- |
{funnel}
| samples exported | {summary.samples:,} |
| sentences exported | {summary.sentences:,} |

{agreement_table(audit)}
"""
