# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Opens pairs by name. All user data are opened by this module."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape as escape_pattern
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_scripts.errors import DataError
from mtrefseg.io import read_json

from .image_file import ImageFile
from .image_folder import METADATA, MetadataReader, metadata_of
from .pair import Expression, Pair, check_pairs
from .pair_source import FilePairs, GeneratedPairs, PairSource, Part, TablePairs
from .parquet_pairs import CARD, ParquetPairs, check_parquet_files, find_parquet_files, listed_files, read_configs
from .raw_layout import list_pairs, list_setting
from .reading_report import Finding, ReadingReport, Reason, printable_line
from .schema import DOMAINS, PAIRS_SUFFIX
from .split_folders import EXPRESSIONS_FOLDER, SPLIT_NAMES, SplitFolder, find_split_folders, fingerprint


if TYPE_CHECKING:
    from datasets import Dataset


GENERATED = "generated"
"""The name of generated pairs as a dataset."""
COMPOSED = "composed:"
"""Prefix of the folders of images from which pairs are composed."""

# Imported by name on first use, because readers of files do not need them, and because they import this package.
_BUILDERS = {
    "kkk2026/MTRefSeg-21K": ("dataset_scripts.mtrefseg_21k", "MTRefSeg21K"),
    "kkk2026/MTRefSeg_Pretrained": ("dataset_scripts.mtrefseg_pretrain", "MTRefSegPretrain"),
}
_REFERRING, _PRETRAIN = _BUILDERS
_LOST = (
    Reason.UNREADABLE_JSON,
    Reason.PATH_ESCAPE,
    Reason.MISSING_IMAGE,
    Reason.MISSING_MASK,
    Reason.MASK_PATH_ESCAPE,
)
"""
Reasons for which a sentence is lost when a folder is listed. Blank sentences, and pairs with the id of an earlier one,
are not included.
"""


def is_made(name: str | Path) -> bool:
    """Whether a name refers to generated or composed pairs."""
    return str(name) == GENERATED or str(name).startswith(COMPOSED)


def open_pairs(
    name: str | Path,
    split: str | None = None,
    setting: str = "TV",
    *,
    is_stage1: bool = False,
    checked: bool = True,
    num_pairs: int | None = None,
    generator: Mapping[str, Any] | None = None,
) -> PairSource:
    """
    Opens pairs.

    Args:
        name (`str` or `Path`): A folder (the raw layout, its root or one split folder; images with `metadata.jsonl`;
            or exported Parquet with its `README.md`), a Hub id, "generated", or "composed:FOLDER" with one folder of
            images with instance masks, or several with commas between them.
        split (`str`, *optional*): One of `schema.SPLITS`. Without it, all pairs of all splits of a folder are listed
            in place, unchecked.
        setting (`str`, *optional*, defaults to `"TV"`): Benchmark setting: "TV" for all pairs, "NS" or "RS" for those
            of one domain.
        is_stage1 (`bool`, *optional*, defaults to `False`): Opens pairs with the mask of every change; if there are
            none, pairs with sentences, whose masks are united; if `checked`, those without skipped sentences.
        checked (`bool`, *optional*, defaults to `True`): Skips unusable items. Raw folders are prepared once
            for this and kept in the cache of `datasets`, except those whose masks are united. With `False` nothing is
            skipped: unreadable items fail when they are read, and items that could not be listed come last, with
            [`Pair.problem`].
        num_pairs (`int`, *optional*): How many pairs are generated or composed; without it they are infinite.
        generator (`Mapping[str, Any]`, *optional*): Settings of the generator or composer: "seed", "size", "domains"
            and so on. `split` is added to it, and `setting` selects among its domains.

    Returns:
        `PairSource`: The pairs; its `report` lists what was skipped or repaired.

    Raises:
        [`DataError`]: If there is no such dataset, configuration or split, or it is empty.

    Example:

    ```python
    >>> pairs = open_pairs("dataset_scripts/sample", split="validation", setting="RS")
    >>> image_t1, image_t2 = pairs[0].load_images()
    ```
    """
    name = str(name)
    if is_made(name):
        return _open_made(name, split, setting, is_stage1, num_pairs, generator or {})
    folder = Path(name)
    if split is None:
        return _list_folder(folder)
    label = folder.resolve().name if folder.is_dir() else name.replace("/", "_")
    if not checked and name == _REFERRING:
        folder = Path(_download(name, setting))
    # Parquet without a card that lists it, such as an index, is not an export.
    if folder.is_dir() and (not (folder / CARD).is_file() or next(folder.rglob("*.parquet"), None) is None):
        readers = _image_folder_readers(folder, ReadingReport())
        if readers:
            return _open_images(folder, label, readers, split, setting, is_stage1, checked)
        split_folders = _split_folders(folder)
        if not is_stage1 and all(split_folder.is_pretrain for split_folder in split_folders):
            raise DataError(
                f"{folder} has masks of every change, but no sentences: put them into {METADATA} (one row a sentence) "
                f"or {EXPRESSIONS_FOLDER}/*.json. `mtrefseg data describe --thing NOUN` writes sentences about masks."
            )
        if not checked:
            return _open_raw(folder, label, split_folders, split, setting, is_stage1)
    elif not folder.is_dir() and (name.startswith((".", "/")) or name.count("/") != 1):
        raise DataError(f"{name} is neither a folder nor a Hub id; name the folder that holds the data.")
    else:
        split_folders = None
    if split_folders is not None or name in _BUILDERS:
        table = _prepare_raw(name, split_folders, split, setting, is_stage1)
    else:
        table = _load_table(name, split, setting, is_stage1)
    return TablePairs(label, table, split, is_stage1)


# --- generated and composed pairs ---


def _open_made(
    name: str, split: str | None, setting: str, is_stage1: bool, num_pairs: int | None, settings: Mapping[str, Any]
) -> GeneratedPairs:
    domains = tuple(domain for domain in settings.get("domains", DOMAINS) if setting in ("TV", domain))
    settings = {**settings, "domains": domains, **({} if split is None else {"split": split})}
    try:
        if name == GENERATED:
            if setting != "TV" and not domains:
                raise DataError(f"{name}: the setting {setting} needs pairs of this domain; add it to the domains.")
            synthesis = import_module("dataset_scripts.synthesis")
            return GeneratedPairs(synthesis.Generator(**settings), num_pairs, GENERATED, is_stage1)
        composer = import_module("dataset_scripts.compose").Composer
        known = {key: value for key, value in settings.items() if key in composer.__dataclass_fields__}
        folders = tuple(Path(folder) for folder in name.removeprefix(COMPOSED).split(",") if folder)
        domain = _domain_of(name, folders, domains if setting == "TV" else (setting,))
        if setting not in ("TV", domain):
            raise DataError(f"{name} holds pairs of {domain}, not of {setting}: choose another setting.")
        maker = composer(folders=folders, domain=domain, **known)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error
    return GeneratedPairs(maker, num_pairs, "composed", is_stage1)


def _domain_of(name: str, folders: Sequence[Path], domains: Sequence[str]) -> str:
    """The domain in the names of the folders ("rs_harbours"), or else the only requested one."""
    named = {domain for folder in folders for domain in DOMAINS if domain in folder.name.upper().split("_")}
    found = sorted(named) or list(domains)
    if len(found) != 1:
        raise DataError(
            f"{name}: all folders must be of one domain; begin their names with ns_ or rs_, or choose a setting."
        )
    return found[0]


# --- all of a folder ---


def _list_folder(folder: Path) -> PairSource:
    """All pairs of all splits of a folder, unchecked."""
    report = ReadingReport()
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name the folder that holds the data.")
    name = folder.resolve().name
    readers = _image_folder_readers(folder, report)
    if readers:
        parts = [(Part(reader.name, reader.split, len(pairs)), pairs) for reader, pairs in readers]
        return _file_pairs(name, "image folder", parts, report)
    files = find_parquet_files(folder)
    if files:
        return ParquetPairs(name, files, report)
    return _file_pairs(name, "raw layout", _raw_parts(folder, report), report)


def _split_folders(folder: Path) -> list[SplitFolder]:
    """The split folders of the raw layout, the last layout that is tried for a folder."""
    try:
        return find_split_folders(folder)
    except DataError as error:
        # craft-agent exports the raw layout and Parquet side by side. Other folders have README.md, too.
        cards = [path for path in sorted(folder.iterdir()) if (path / CARD).is_file()]
        inner = [path for path in cards if next(path.rglob("*.parquet"), None) is not None]
        if inner:
            raise DataError(f"{folder} holds no pairs itself, but {inner[0]} does: name that folder.") from error
        raise DataError(
            f"{folder} contains no pairs in a known layout: neither folders A and B, Image1 and Image2, im1 and im2, "
            f"T1 and T2, or time1 and time2 (in it or in its sub-folders), nor "
            f"{METADATA} (in it or in train, validation, test), nor README.md with configurations of Parquet files."
        ) from error


def _file_pairs(
    name: str, kind: str, listed: Sequence[tuple[Part, Sequence[Pair]]], report: ReadingReport
) -> FilePairs:
    pairs = [pair for _, part in listed for pair in part]
    return FilePairs(name, kind, pairs, [part for part, _ in listed], report)


def _raw_parts(folder: Path, report: ReadingReport) -> list[tuple[Part, Sequence[Pair]]]:
    """The split folders. Pairs of a folder without a domain get the domain of the other folder that contains them."""
    parts: list[tuple[Part, Sequence[Pair]]] = []
    domains: dict[str, dict[str, str | None]] = {}
    for split_folder in sorted(_split_folders(folder), key=lambda split_folder: split_folder.domain is None):
        known = domains.setdefault(f"{split_folder.split} {split_folder.is_pretrain}", {})
        pairs = list_pairs(split_folder, report, known)
        if split_folder.domain is not None:
            for pair in pairs:
                same = known.get(pair.pair_id, split_folder.domain) == split_folder.domain
                known[pair.pair_id] = split_folder.domain if same else None
        parts.append((Part(split_folder.name, split_folder.split, len(pairs)), pairs))
    return sorted(parts, key=lambda part: part[0].name)


def _image_folder_readers(folder: Path, report: ReadingReport) -> list[tuple[MetadataReader, list[Pair]]]:
    """A reader for every `metadata.jsonl`, and its pairs."""
    found = []
    if metadata_of(folder) is not None:
        found.append((folder, folder.resolve().name, SPLIT_NAMES.get(folder.resolve().name.lower(), "train")))
    for path in sorted(folder.iterdir()):
        if path.name.lower() in SPLIT_NAMES and path.is_dir() and metadata_of(path) is not None:
            found.append((path, path.name, SPLIT_NAMES[path.name.lower()]))
    readers = [MetadataReader(path, folder.resolve(), name, split, report) for path, name, split in found]
    if readers and readers[0].folder == folder and folder.resolve().name.lower() not in SPLIT_NAMES:
        readers[0].split = _split_of_rows(readers[0])
    return [(reader, reader.list_pairs()) for reader in readers]


def _split_of_rows(reader: MetadataReader) -> str:
    """The split of a folder's own rows: that of the sub-folder with their images, else that of the folder."""
    found = {reader.split_of_row(row) for _, row in reader.rows}
    if len(found) > 1:
        raise DataError(
            f"{reader.metadata} names images of {' and '.join(sorted(found))}: write a {METADATA} into the folder of "
            "each split, with names relative to it."
        )
    return found.pop() if found else reader.split


# --- one split of a benchmark setting ---


def _open_images(
    folder: Path,
    label: str,
    readers: Sequence[tuple[MetadataReader, Sequence[Pair]]],
    split: str,
    setting: str,
    is_stage1: bool,
    checked: bool,
) -> FilePairs:
    """Pairs of a folder of images with `metadata.jsonl`."""
    # All readers share a report, but problems of other splits concern neither these pairs nor their scores.
    names = {reader.name for reader, _ in readers if reader.split == split}
    report = readers[0][0].report.part(names)
    fitting = [
        pair for _, pairs in readers for pair in pairs if pair.split == split and setting in ("TV", pair.domain)
    ]
    with_masks = [pair for pair in fitting if pair.change_mask is not None]
    pairs = (with_masks or fitting) if is_stage1 else [pair for pair in fitting if pair.change_mask is None]
    lost = [_lost(finding, [], None) for finding in report.skipped if finding.reason in _LOST]
    if checked:
        pairs, lost = list(check_pairs(pairs, report, is_stage1)), []
        if report.findings:
            import datasets

            datasets.logging.get_logger(__name__).warning(f"{folder}:\n{report.table()}")
    if not pairs and not lost:
        if fitting and not is_stage1 and all(pair.change_mask is not None for pair in fitting):
            columns = sorted({column for reader, _ in readers for _, row in reader.rows for column in row})
            raise DataError(
                f"{folder} has no sentences: no row of {METADATA} has the column expression. Its columns are "
                f"{printable_line(', '.join(columns))}."
            )
        raise _nothing_found(folder, split, setting, [(reader.name, reader.split) for reader, _ in readers])
    return FilePairs(
        label, "image folder", [*pairs, *lost], report=report, is_stage1=is_stage1, identity=fingerprint([folder])
    )


def _open_raw(
    folder: Path, label: str, split_folders: Sequence[SplitFolder], split: str, setting: str, is_stage1: bool
) -> FilePairs:
    """Pairs of raw folders, unchecked."""
    report = ReadingReport()
    is_pretrain = is_stage1 and _has_change_masks(split_folders)
    pairs = list_setting(split_folders, setting, split, is_pretrain, report)
    lost = [_lost_raw(finding, split_folders) for finding in report.skipped if finding.reason in _LOST]
    if not pairs and not lost:
        raise _nothing_found(folder, split, setting, [(each.name, each.split) for each in split_folders])
    identity = fingerprint([split_folder.path for split_folder in split_folders])
    return FilePairs(label, "raw layout", [*pairs, *lost], report=report, is_stage1=is_stage1, identity=identity)


def _has_change_masks(split_folders: Sequence[SplitFolder]) -> bool:
    """Whether raw folders hold a stage-1 set; otherwise the masks of sentences are united."""
    return any(split_folder.is_pretrain for split_folder in split_folders)


def _nothing_found(folder: Path, split: str, setting: str, parts: Sequence[tuple[str, str]]) -> DataError:
    found = ", ".join(f"{name} ({part_split})" for name, part_split in parts)
    return DataError(
        f"{folder} holds no usable pair of split {split!r} and setting {setting}; it has {found}: choose another "
        "split or setting."
    )


def _lost_raw(finding: Finding, folders: Sequence[SplitFolder]) -> Pair:
    """The lost sentences of a raw folder: a single one, or all sentences of a pair's JSON file."""
    folder = next(folder for folder in folders if folder.name == finding.split)
    texts: list[str] = []
    if finding.sample.lower().endswith(".json"):
        try:
            content = read_json(folder.path / EXPRESSIONS_FOLDER / finding.sample)
            texts = [str(text) for text in content["referring_expressions"]]
        except (OSError, ValueError, KeyError, TypeError):
            texts = []  # Their number is unknown, so it counts as one.
    return _lost(finding, texts, folder.domain)


def _lost(finding: Finding, texts: Sequence[str], domain: str | None) -> Pair:
    name = finding.sample.removesuffix(".json")
    nothing = ImageFile(name, b"")
    names = [f"{name}_{index}" for index in range(len(texts))] or [name]
    return Pair(
        pair_id=name,
        split="",
        domain=domain,
        view="unknown",
        source="unknown",
        image_t1=nothing,
        image_t2=nothing,
        expressions=tuple(
            Expression(text, nothing, "unknown", index, sample_id=sample_id)
            for index, (text, sample_id) in enumerate(zip(texts or [""], names))
        ),
        folder=finding.split,
        problem=f"{finding.reason.value}: {finding.detail}",
    )


# --- tables ---


def _builder(name: str) -> Any:
    """The class of the builder of a published dataset."""
    module, builder = _BUILDERS[name]
    return getattr(import_module(module), builder)


def _download(name: str, setting: str) -> str:
    """The folder of the published raw files of a setting, in the Hub's cache."""
    from huggingface_hub import snapshot_download

    with _library_errors(name):
        return snapshot_download(name, repo_type="dataset", allow_patterns=_builder(name).DOWNLOADS[setting])


def _prepare_raw(
    name: str, split_folders: Sequence[SplitFolder] | None, split: str, setting: str, is_stage1: bool
) -> "Dataset":
    """A raw dataset from its builder, which checks every file once and keeps the result in the cache."""
    if split_folders is None:
        is_pretrain, data_dir = name == _PRETRAIN, None
        if is_pretrain and not is_stage1:
            raise DataError(f"{name} has no sentences: it is for stage 1.")
    else:
        is_pretrain, data_dir = is_stage1 and _has_change_masks(split_folders), name
    config = setting if is_pretrain else setting + PAIRS_SUFFIX
    builder = _builder(_PRETRAIN if is_pretrain else _REFERRING)(config_name=config, data_dir=data_dir)
    with _library_errors(name):
        builder.download_and_prepare()
    found = list(builder.info.splits or {})
    if split not in found:
        raise DataError(f"{name} has no split {split!r} for setting {setting}; it has {', '.join(found)}.")
    return builder.as_dataset(split=split)


def _load_table(name: str, split: str, setting: str, is_stage1: bool) -> "Dataset":
    """An export, with one row per pair if it has such a configuration."""
    folder = Path(name)
    if (folder / CARD).is_file():
        read_configs(folder / CARD)  # Raises for cards that would fill the memory, which the library does not detect.
    with _library_errors(name):
        # `load_dataset` interprets paths of folders as patterns, and uses a folder with a card from
        # its cache even if files have changed since. Therefore files are opened by their names.
        if folder.is_dir() and (escape_pattern(name) != name or listed_files(folder)):
            table = _load_files(folder, split, setting)
        else:
            table = _load_configuration(name, split, setting)
    columns = table.features.keys()
    shared = {"pair_id", "image_t1", "image_t2", "domain"}
    layouts = [{"masks", "expressions", "change_types"}, {"mask", "expression", "change_type"}]
    layouts += [{"mask"}] if is_stage1 else []
    missing = min((sorted((shared | layout) - columns) for layout in layouts), key=len)
    if missing:
        kind = "masks of every change (stage 1)" if is_stage1 else "sentences"
        raise DataError(
            f"{name} has the columns {', '.join(columns)}, which are not those of {kind}; {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing."
        )
    return table


def _load_configuration(name: str, split: str, setting: str) -> "Dataset":
    import datasets

    known = datasets.get_dataset_config_names(name)
    config = _choose_configuration(name, known, setting)
    splits = datasets.get_dataset_split_names(name, config)
    if split not in splits:
        raise DataError(f"{name} has no split {split!r} for setting {setting}; it has {', '.join(splits)}.")
    return _load_checked(split, path=name, name=config)


def _load_files(folder: Path, split: str, setting: str) -> "Dataset":
    from datasets.info import DatasetInfosDict

    listed = listed_files(folder)
    config = _choose_configuration(str(folder), sorted({config for config, _, _ in listed}), setting)
    files = {found: paths for name, found, paths in listed if name == config}
    if split not in files:
        raise DataError(f"{folder} has no split {split!r} for setting {setting}; it has {', '.join(files)}.")
    patterns = [escape_pattern(os.path.abspath(path)) for path in files[split]]
    info = DatasetInfosDict.from_directory(str(folder)).get(config)
    return _load_checked(split, path="parquet", data_files={split: patterns}, features=info and info.features)


def _load_checked(split: str, **dataset: Any) -> "Dataset":
    """A split of a dataset. Its files, of all splits, are checked before `datasets` reads them into its cache."""
    import datasets

    builder = datasets.load_dataset_builder(**dataset)
    if not os.path.exists(builder.cache_dir):
        files = [file for files in (builder.config.data_files or {}).values() for file in files]
        check_parquet_files(file for file in files if file.endswith(".parquet") and os.path.isfile(file))
    return datasets.load_dataset(**dataset, split=split)


def _choose_configuration(name: str, known: Sequence[str], setting: str) -> str:
    """The configuration of a setting, with one row per pair if it exists."""
    config = next((config for config in (setting + PAIRS_SUFFIX, setting) if config in known), None)
    if config is None:
        raise DataError(f"{name} has no configuration {setting!r}; it has {', '.join(known) or 'none'}.")
    return config


@contextmanager
def _library_errors(name: str) -> Iterator[None]:
    """Converts errors of `datasets` to a [`DataError`]: for unusual cards and damaged files it raises almost any
    class."""
    from datasets.exceptions import DatasetGenerationError

    try:
        yield
    except DataError:
        raise
    except Exception as error:
        # The library hides the reason behind "An error occurred while generating the dataset".
        reason = error.__cause__ if isinstance(error, DatasetGenerationError) and error.__cause__ else error
        if isinstance(reason, DataError):
            raise reason from error
        detail = printable_line(" ".join(str(reason).split()) or type(reason).__name__)
        raise DataError(f"{name} cannot be opened as a dataset: {detail}") from error
