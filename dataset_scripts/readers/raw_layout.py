# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads the raw folder layout of MTRefSeg-21K and of its stage-1 set, and handles its irregularities.

A split folder contains `A/` (t1), `B/` (t2), `masks/` and `referring_expression/*.json`; without the last one it is a
stage-1 set, whose images and masks are matched by their stems and may be in folders with other names
(`split_folders`). Split and domain are taken from the name of the folder:
"NS_FINAL_CLEAN_train", "train_FINAL_CLEAN", "MTRefSeg_pretrain_RS". A JSON file describes one pair:

```json
{"sample_id": "0001", "img_A": "0001.jpg", "img_B": "0001.png", "referring_expressions": ["the new house"],
 "mask": ["0001/0.png"], "change_types": ["appear"], "domain": "RS", "view": "aerial", "source": "LEVIR-CD"}
```

All keys except `referring_expressions` may be missing; `masks` and `{"path": ...}` entries are also supported, and so
is `noisy`, a list of booleans that mark deliberately corrupted sentences. `skipped_sentences` is the number of
sentences of the pair that the file lacks; see [`Pair`]. Files are found by name or, with another suffix, by stem.
Hidden files, `Thumbs.db` and `__MACOSX` are ignored. `reading_report.EXPLANATIONS` lists the reasons to skip or repair
items.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from dataset_scripts.errors import DataError
from mtrefseg.io import PLAIN_SUFFIXES, fold, read_json, read_regular, to_utf8

from .annotations import AnnotationReader, is_unicode
from .file_names import LONGEST_NAME, leads_out
from .image_file import ImageFile
from .pair import Expression, Pair
from .reading_report import ReadingReport, Reason, UnusableError
from .schema import CHANGE_TYPES, DOMAINS, SKIPPED_SENTENCES, VIEWS
from .split_folders import EXPRESSIONS_FOLDER, SplitFolder, is_hidden, is_regular, select_folders


def list_setting(
    folders: Sequence[SplitFolder], setting: str, split: str, is_pretrain: bool, report: ReadingReport
) -> list[Pair]:
    """
    Lists the pairs of one split of a benchmark setting without opening their images.

    Args:
        folders (`Sequence[SplitFolder]`): All split folders of the dataset.
        setting, split, is_pretrain: As in `select_folders`.
        report (`ReadingReport`): Collects skipped and repaired items.

    Returns:
        `list[Pair]`: The pairs of [`list_pairs`]. Pair ids are unique in each domain. The domain of a pair in a folder
        without a domain is that of its JSON file, or else that of the other folder that contains its id.
    """
    selected = select_folders(folders, setting, split, is_pretrain)
    domains: dict[str, str | None] = {}
    if any(folder.domain is None for folder in selected):
        domains = _domains_by_membership(folders, split, is_pretrain)
    seen: dict[str | None, set[str]] = {}
    records: list[Pair] = []
    for folder in selected:
        records += list_pairs(folder, report, domains, seen.setdefault(folder.domain, set()))
    report_shared_ids(records, report)
    return records


def report_shared_ids(records: Iterable[Pair], report: ReadingReport) -> None:
    """Reports pairs that have the same id as a pair in the folder of the other domain."""
    folders: dict[str, str] = {}
    for record in records:
        folder = folders.setdefault(record.pair_id, record.folder)
        if folder != record.folder:
            report.repair(Reason.SHARED_ID, record.folder, record.pair_id, f"a pair of {folder} has the same id")


def list_pairs(
    folder: SplitFolder,
    report: ReadingReport,
    domains: Mapping[str, str | None] | None = None,
    seen: set[str] | None = None,
) -> list[Pair]:
    """
    Lists the pairs of a split folder from file names and JSON files, without opening images and masks.

    Args:
        folder (`SplitFolder`): The folder.
        report (`ReadingReport`): Collects skipped and repaired items.
        domains (`Mapping[str, str | None]`, *optional*): Domain by pair id, for a folder without a domain.
        seen (`set[str]`, *optional*): Pair ids in use; new ones are added.

    Returns:
        `list[Pair]`: Sorted by the name of the JSON file (stage 1: by stem). Of two pairs with the same id the first
        is listed, even if its images are damaged.
    """
    lister = _Lister(folder, report, domains or {}, set() if seen is None else seen)
    return lister.list_pretrain() if folder.is_pretrain else lister.list_referring()


def _domains_by_membership(folders: Sequence[SplitFolder], split: str, is_pretrain: bool) -> dict[str, str | None]:
    """Domain by pair id; `None` for an id that both domains have."""
    domains: dict[str, str | None] = {}
    for domain in DOMAINS:
        for folder in select_folders(folders, domain, split, is_pretrain):
            for record in list_pairs(folder, ReadingReport()):
                domains[record.pair_id] = None if domains.get(record.pair_id, domain) != domain else domain
    return domains


class _Index:
    """
    The images below a folder, by their names relative to it. Symbolic links to folders are not followed.

    Attributes:
        is_exact (`bool`): Whether only exact names are found.
        similar (`dict[str, str]`): For a name, the file that was found although its name
            differs in case or Unicode form.
    """

    def __init__(self, folder: SplitFolder, kind: str) -> None:
        self.kind = kind
        self._prefix = f"{folder.name}/{kind}"
        self._root = folder.root
        self._entries: dict[str, os.DirEntry[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._by_fold: dict[str, list[str]] = {}
        self._unread: list[str] = []
        self._hidden: list[str] = []
        self._used: set[str] = set()
        self.is_exact = False
        self.similar: dict[str, str] = {}
        top = folder.path / kind
        self._is_outside = not top.resolve().is_relative_to(folder.root)
        if top.is_dir():
            self._add(str(top), "")

    def _add(self, folder: str, prefix: str) -> None:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            name = prefix + entry.name
            if is_hidden(entry.name):
                # Metadata files of macOS begin with "._".
                if name.lower().endswith(PLAIN_SUFFIXES) and not entry.name.startswith("._") and is_regular(entry):
                    self._hidden.append(name)
                continue
            if entry.is_dir(follow_symlinks=False):
                self._add(entry.path, f"{name}/")
            elif name.lower().endswith(PLAIN_SUFFIXES) and is_regular(entry):
                self._entries[name] = entry
                self._by_stem.setdefault(_without_suffix(name), []).append(name)
                self._by_fold.setdefault(fold(_without_suffix(name)), []).append(name)
            else:
                self._unread.append(name)

    def stems(self) -> set[str]:
        """The names without the suffixes of image files."""
        return set(self._by_stem)

    def names(self, stem: str) -> list[str]:
        """The names that have this stem, sorted."""
        return self._by_stem[stem]

    def is_used(self, stem: str) -> bool:
        """Whether the files with this stem have been found, if there are any."""
        return self._used.issuperset(self._by_stem.get(stem, ()))

    def unused(self, with_images: bool) -> list[tuple[str, str]]:
        """The unused files with the reason, sorted by name; without images, only files that are not images."""
        reasons = dict.fromkeys(self._unread, f"not a file that ends in {', '.join(PLAIN_SUFFIXES)}")
        reasons |= dict.fromkeys(self._hidden, "its name begins with a dot; rename it")
        if with_images:
            reasons |= dict.fromkeys(self._entries.keys() - self._used, "no pair names it")
        return sorted((f"{self.kind}/{name}", reason) for name, reason in reasons.items())

    def find(self, value: str, is_new: bool = False) -> ImageFile | None:
        """
        The image with this name or, with another suffix, with this stem; or else the only one whose name only differs
        in case or Unicode form.

        Args:
            value (`str`): The name, relative to the folder.
            is_new (`bool`, *optional*, defaults to `False`): Whether a different name must not have been found
                before.

        Raises:
            UnusableError: If the name or a symbolic link leads out of the dataset's folder.
        """
        name = _safe_name(value, self._prefix)
        own = f"{self.kind}/"  # Some include the folder.
        if name.startswith(own) and not self._by_stem.get(_without_suffix(name)) and name not in self._entries:
            name = name.removeprefix(own)
        if name not in self._entries:
            names = self._by_stem.get(name) or self._by_stem.get(_without_suffix(name))
            if names is None:
                names = self._similar(name)
                if not names or (is_new and self._used.intersection(names)):
                    return None
                self.similar[name] = names[0]
            name = names[0]
        self._used.add(name)
        entry = self._entries[name]
        path = Path(entry.path)
        if self._is_outside or (entry.is_symlink() and not path.resolve().is_relative_to(self._root)):
            raise UnusableError(Reason.PATH_ESCAPE, f"{self._prefix}/{name} is a link out of the dataset's folder")
        return ImageFile(name=f"{self._prefix}/{name}", source=path)

    def _similar(self, name: str) -> list[str]:
        """The file whose name only differs in case or Unicode form, if there is exactly one."""
        if self.is_exact:
            return []
        names = self._by_fold.get(fold(name)) or self._by_fold.get(fold(_without_suffix(name))) or []
        return names if len({_without_suffix(each) for each in names}) == 1 else []


def _without_suffix(name: str) -> str:
    """The name without the suffix of an image file. Other dots are part of the name."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in PLAIN_SUFFIXES else name


def _safe_name(value: str, where: str) -> str:
    """A relative name with forward slashes; `UnusableError` if it leads out of its folder."""
    name = value.replace("\\", "/")
    if leads_out(name):
        # Reports are published, so absolute paths, which reveal details of a machine, are not shown.
        shown = value if ".." in name.split("/") else f"…/{PureWindowsPath(name).name}"
        raise UnusableError(Reason.PATH_ESCAPE, f'"{shown}" leads out of {where}; name a file in it')
    return PurePosixPath(name).as_posix()


class _Lister:
    """Lists the pairs of one split folder."""

    def __init__(
        self, folder: SplitFolder, report: ReadingReport, domains: Mapping[str, str | None], seen: set[str]
    ) -> None:
        self.folder = folder
        self.report = report
        self._values = AnnotationReader(folder.name, report)
        self.domains = domains
        self.seen = seen
        self.images_t1, self.images_t2, self.masks = (_Index(folder, place) for place in folder.places)

    def list_pretrain(self) -> list[Pair]:
        """The pairs of a stage-1 folder."""
        indexes = (self.images_t1, self.images_t2, self.masks)
        stems = set[str]().union(*(index.stems() for index in indexes))
        if self.folder.list_file is not None:
            stems = self._listed(stems, self.folder.list_file)
        # Exact names go first, so that similar ones cannot use their files.
        lacking = {stem: sum(stem not in index.stems() for index in indexes) for stem in stems}
        records = []
        for stem in sorted(stems, key=lambda stem: (lacking[stem] > 0, stem not in self.images_t1.stems(), stem)):
            # A pair whose names differ in case or Unicode form was already made from the first of them.
            if lacking[stem] < len(indexes) and all(index.is_used(stem) for index in indexes):
                continue
            try:
                records.append(self._pretrain_pair(stem))
            except UnusableError as error:
                self.report.skip(error.reason, self.folder.name, stem, error.detail)
        if self.folder.list_file is None or self.folder.other_lists is not None:  # Once for all lists of a folder.
            self._report_files(indexes, is_pretrain=True)
        return sorted(records, key=lambda record: record.pair_id)

    def _listed(self, stems: set[str], list_file: Path) -> set[str]:
        """The stems that belong to the split of a list. Stems in no list are reported once."""
        members = _read_list(list_file, stems, self.folder)
        if self.folder.other_lists is not None:
            named = members.union(*(_read_list(other, stems, self.folder) for other in self.folder.other_lists))
            for stem in sorted(stems - named):
                detail = f"no list in {list_file.parent.name}/ names it"
                self.report.skip(Reason.NOT_LISTED, self.folder.name, stem, detail)
        return members

    def list_referring(self) -> list[Pair]:
        """The pairs of a folder with sentences."""
        paths = sorted((self.folder.path / EXPRESSIONS_FOLDER).iterdir())
        # If the names of pairs differ only in case, one must not get the files of the other.
        is_exact = len({fold(path.name) for path in paths}) < len(paths)
        for index in (self.images_t1, self.images_t2, self.masks):
            index.is_exact = is_exact
        records = []
        for path in paths:
            if path.suffix.lower() == ".json" and not is_hidden(path.name):
                try:
                    records.append(self._referring_pair(path))
                except UnusableError as error:
                    self.report.skip(error.reason, self.folder.name, path.name, error.detail)
            elif not is_hidden(path.name):
                self.report.leave_out(self.folder.name, f"{EXPRESSIONS_FOLDER}/{path.name}", "not a JSON file")
        self._report_files((self.images_t1, self.images_t2, self.masks), is_pretrain=False)
        return records

    def _report_files(self, indexes: Sequence[_Index], is_pretrain: bool) -> None:
        """Reports unused files, and similar names. Images without a partner in a stage-1 folder are
        reported as such."""
        for where, name, detail in self.folder.ignored:
            self.report.leave_out(where, name, detail)
        for index in indexes:
            for name, found in index.similar.items():
                detail = f"the file is called {found!a}"
                self.report.repair(Reason.SIMILAR_NAME, self.folder.name, f"{index.kind}/{name}", detail)
            for name, detail in index.unused(with_images=not is_pretrain):
                self.report.leave_out(self.folder.name, name, detail)

    def _pretrain_pair(self, stem: str) -> Pair:
        images = self._images(stem, stem, is_new=True)
        mask = self.masks.find(stem, is_new=True)
        if mask is None:
            where = f"{self.masks.kind}/{stem}"
            raise UnusableError(Reason.MISSING_MASK, f"there is no {where} with the suffix of an image")
        self._claim(stem)
        for index in (self.images_t1, self.images_t2, self.masks):
            names = index.names(stem) if stem in index.stems() else []
            for name in names[1:]:
                detail = f"{index.kind}/{names[0]} has the same stem and is used"
                self.report.skip(Reason.DUPLICATE_ID, self.folder.name, f"{index.kind}/{name}", detail)
        return self._record(stem, {}, images, (), mask)

    def _referring_pair(self, path: Path) -> Pair:
        content = _read_json(path, self.folder.root)
        stem = path.stem
        sample_id = _text(content, "sample_id", stem)
        _safe_name(sample_id, "masks")
        images = self._images(_text(content, "img_A", stem), _text(content, "img_B", stem))
        texts = content.get("referring_expressions")
        if not isinstance(texts, list):
            raise UnusableError(Reason.UNREADABLE_JSON, "referring_expressions is not a list of sentences")
        entries = _mask_entries(content)
        self._claim(sample_id)
        if len(entries) > len(texts):
            detail = f"{len(entries)} masks for {len(texts)} sentences"
            self.report.repair(Reason.EXTRA_MASKS, self.folder.name, sample_id, detail)
        change_types = self._parallel(content, "change_types", len(texts), sample_id)
        noisy = self._parallel(content, "noisy", len(texts), sample_id)
        expressions = []
        for index, text in enumerate(texts):
            sample = f"{sample_id}_{index}"
            try:
                sentence = self._values.sentence(text, sample)
                mask = self._mask(entries, index, sample_id, stem)
            except UnusableError as error:
                self.report.skip(error.reason, self.folder.name, sample, error.detail)
                continue
            change_type = self._values.label(change_types[index], CHANGE_TYPES, "change_types", sample) or "unknown"
            is_noisy = self._values.label(noisy[index], (False, True), "noisy", sample) or False
            expressions.append(Expression(sentence, mask, change_type, index, is_noisy))
        if not expressions:
            raise UnusableError(Reason.NO_EXPRESSION_LEFT, "it holds no expression that can be used")
        record = self._record(sample_id, content, images, tuple(expressions), None)
        missing = content.get(SKIPPED_SENTENCES)
        missing = missing if isinstance(missing, int) and missing > 0 else 0
        return replace(record, skipped_sentences=missing + len(texts) - len(expressions))

    def _record(
        self,
        pair_id: str,
        content: dict[str, Any],
        images: tuple[ImageFile, ImageFile],
        expressions: tuple[Expression, ...],
        change_mask: ImageFile | None,
    ) -> Pair:
        domain = self._values.label(content.get("domain"), DOMAINS, "domain", pair_id)
        if self.folder.domain is not None and domain not in (None, self.folder.domain):
            detail = f"its file says {domain}, its folder {self.folder.domain}; that of the folder is used"
            self._values.repair_label(detail, pair_id)
        return Pair(
            pair_id=pair_id,
            split=self.folder.split,
            domain=self.folder.domain or domain or self.domains.get(pair_id),
            view=self._values.label(content.get("view"), VIEWS, "view", pair_id) or "unknown",
            source=self._source(content.get("source"), pair_id),
            image_t1=images[0],
            image_t2=images[1],
            expressions=expressions,
            change_mask=change_mask,
            folder=self.folder.name,
        )

    def _claim(self, pair_id: str) -> None:
        if not is_unicode(pair_id):
            raise UnusableError(Reason.UNREADABLE_JSON, "its name is not valid Unicode; rename it")
        if pair_id in self.seen:
            raise UnusableError(Reason.DUPLICATE_ID, f'another pair has the id "{pair_id}"')
        self.seen.add(pair_id)

    def _images(self, name_t1: str, name_t2: str, is_new: bool = False) -> tuple[ImageFile, ImageFile]:
        image_t1 = self.images_t1.find(name_t1, is_new)
        image_t2 = self.images_t2.find(name_t2, is_new)
        if image_t1 is None or image_t2 is None:
            missing = [
                f"{index.kind}/{name}"
                for index, name, image in (
                    (self.images_t1, name_t1, image_t1),
                    (self.images_t2, name_t2, image_t2),
                )
                if image is None
            ]
            raise UnusableError(Reason.MISSING_IMAGE, f"there is no {' and no '.join(missing)}")
        return image_t1, image_t2

    def _mask(self, entries: Sequence[Any], index: int, sample_id: str, stem: str) -> ImageFile:
        """The first mask that exists: the one named in the JSON file, the numbered one of the pair, the one for all
        sentences. There is none for all where the file names masks, but too few."""
        entry = entries[index] if index < len(entries) else None
        for_all = () if 0 < len(entries) <= index else (sample_id, stem)
        if isinstance(entry, dict) and "path" in entry:
            entry = entry["path"]
        if entry is not None and not isinstance(entry, str):
            raise UnusableError(Reason.MISSING_MASK, f"entry {index} of the masks is not a file name")
        named = [] if entry is None else [entry]
        for name in (*named, f"{sample_id}/{index}", f"{stem}/{index}", *for_all):
            try:
                mask = self.masks.find(name)
            except UnusableError as error:
                raise UnusableError(Reason.MASK_PATH_ESCAPE, error.detail) from None
            if mask is not None:
                if name != (entry or name):
                    detail = f"there is no {self.masks.kind}/{entry}; {mask.name} is read"
                    self.report.repair(Reason.OTHER_MASK, self.folder.name, f"{sample_id}_{index}", detail)
                return mask
        raise UnusableError(Reason.MISSING_MASK, f"there is no {self.masks.kind}/{entry or f'{sample_id}/{index}'}")

    def _parallel(self, content: dict[str, Any], key: str, count: int, sample: str) -> list[Any]:
        """One value for each sentence, `None` where there is none."""
        values = content.get(key)
        if values is None:
            return [None] * count
        if not isinstance(values, list) or len(values) != count:
            detail = f"{key} is not a list of {count}, one for each expression"
            self._values.repair_label(detail, sample)
            values = values if isinstance(values, list) else []
        return [*values[:count], *[None] * (count - len(values))]

    def _source(self, value: Any, sample: str) -> str:
        if value is None or (isinstance(value, str) and is_unicode(value)):
            return value or "unknown"
        self._values.repair_label("source is not text", sample)
        return "unknown"


def _read_list(path: Path, stems: set[str], folder: SplitFolder) -> set[str]:
    """The stems in a list: one image per line, with or without its folder and its suffix; paths of t2 and the
    mask may follow it."""
    if path.is_symlink() and not path.resolve().is_relative_to(folder.root):
        raise DataError(f"{path} is a link out of the dataset's folder; copy the file.")
    try:
        lines = to_utf8(read_regular(path)).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}; save it as UTF-8, one name per line.") from error
    members = set()
    similar: dict[str, list[str]] = {}
    for stem in stems:
        similar.setdefault(fold(stem), []).append(stem)
    for line in filter(str.strip, lines):
        # A name may contain spaces, also at its ends, so the complete line is tried first.
        named = []
        for text in (line, line.strip(), re.split("[,;]", line)[0].strip(), line.split()[0]):
            parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
            if len(parts) > 1 and parts[0] in folder.places:
                parts = parts[1:]
            named.append(_without_suffix("/".join(parts)))
        found = [stem for stem in named if stem in stems]
        # Its case or Unicode form may differ.
        found += [similar[fold(stem)][0] for stem in named if len(similar.get(fold(stem), ())) == 1]
        members.add(found[0] if found else named[-1])
    return members


def _read_json(path: Path, root: Path) -> dict[str, Any]:
    try:
        # RuntimeError: a link to itself.
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise UnusableError(Reason.PATH_ESCAPE, f"{path.name} is a link out of the dataset's folder")
        content = read_json(path)
    except UnicodeDecodeError as error:
        detail = f"byte {error.start} is not {error.encoding.upper()}; save the file as UTF-8"
        raise UnusableError(Reason.UNREADABLE_JSON, detail) from error
    except UnusableError:
        raise
    except OSError as error:
        raise UnusableError(Reason.UNREADABLE_JSON, f"it cannot be opened: {error.strerror}") from error
    except RuntimeError as error:
        raise UnusableError(Reason.UNREADABLE_JSON, "it is a link that leads in a circle") from error
    except ValueError as error:
        raise UnusableError(Reason.UNREADABLE_JSON, f"its JSON cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UnusableError(Reason.UNREADABLE_JSON, "it holds no JSON object")
    return content


def _text(content: dict[str, Any], key: str, default: str) -> str:
    """A name in the JSON file. An empty one counts as missing, and a number is read as its digits."""
    value = content.get(key)
    if value is None or value == "":
        return default
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not is_unicode(value):
        raise UnusableError(Reason.UNREADABLE_JSON, f"{key} is not text")
    if len(value) > LONGEST_NAME:
        raise UnusableError(Reason.UNREADABLE_JSON, f"{key} has more than {LONGEST_NAME} characters")
    return value


def _mask_entries(content: dict[str, Any]) -> list[Any]:
    entries = content.get("mask")
    if entries is None:
        entries = content.get("masks")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise UnusableError(Reason.UNREADABLE_JSON, "mask is not a list of file names")
    return entries
