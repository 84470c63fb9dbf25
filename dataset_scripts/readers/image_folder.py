# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads image folders with `metadata.jsonl`: one row per sentence, in the same folder as the images.
`load_dataset("imagefolder")` reads the same folder.

```json
{"image_t1_file_name": "t1/0001.jpg", "image_t2_file_name": "t2/0001.jpg", "mask_file_name": "masks/0001_0.png",
 "expression": "the new house", "change_type": "appear", "domain": "RS", "view": "aerial", "source": "mine"}
```

The last four columns may be missing, and so may `pair_id` and `noisy`. Rows with the same two images are one
pair. If no row has an expression, then it is a stage-1 set, and every row is a pair.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtrefseg.io import PLAIN_SUFFIXES, parse_json, read_regular, to_utf8

from .annotations import AnnotationReader
from .file_names import LONGEST_NAME, FolderListing, leads_out
from .image_file import ImageFile
from .pair import Expression, Pair
from .reading_report import ReadingReport, Reason, UnusableError, printable, printable_line
from .schema import CHANGE_TYPES, DOMAINS, VIEWS
from .split_folders import SPLIT_NAMES, is_hidden


METADATA = "metadata.jsonl"
IMAGE_COLUMNS = ("image_t1_file_name", "image_t2_file_name")
MASK_COLUMN = "mask_file_name"
PAIR_COLUMNS = ("pair_id", "domain", "view", "source")
_COLUMNS = frozenset((*IMAGE_COLUMNS, MASK_COLUMN, *PAIR_COLUMNS, "expression", "change_type", "noisy"))
_CARD = "README.md"


def metadata_of(folder: Path) -> Path | None:
    """The `metadata.jsonl` of a folder, in upper or lower case, of any file type; `None` if it has none."""
    # A pipe is detected when it is opened; if it were ignored here, the folder would be read as another layout.
    if os.path.lexists(folder / METADATA):
        return folder / METADATA
    names = sorted(name for name in os.listdir(folder) if name.lower() == METADATA)
    return folder / names[0] if names else None


def is_image_folder(folder: Path) -> bool:
    """Whether a folder, or a folder of a split in it, has a `metadata.jsonl`."""
    splits = [path for path in folder.iterdir() if path.name.lower() in SPLIT_NAMES and path.is_dir()]
    return any(metadata_of(path) is not None for path in (folder, *splits))


@dataclass
class _Draft:
    """A pair while its rows are read."""

    names: tuple[str, ...]
    images: tuple[ImageFile, ImageFile]
    labels: dict[str, Any] = field(default_factory=dict)
    expressions: list[Expression] = field(default_factory=list)
    change_mask: ImageFile | None = None
    rows: int = 0


class MetadataReader:
    """
    Reads one `metadata.jsonl`.

    Args:
        folder (`Path`): Its folder.
        root (`Path`): The folder, without symbolic links in its path, which must contain all images.
        name (`str`): Name of the folder in messages, and `folder` of its pairs.
        split (`str`): One of `schema.SPLITS`.
        report (`ReadingReport`): Collects skipped and repaired items.

    Attributes:
        is_pretrain (`bool`): Whether it is a stage-1 set.
    """

    def __init__(self, folder: Path, root: Path, name: str, split: str, report: ReadingReport) -> None:
        self.folder = folder
        self.root = root
        self.name = name
        self.split = split
        self.report = report
        self._values = AnnotationReader(name, report)
        self.metadata = metadata_of(folder) or folder / METADATA
        self._listing = FolderListing()
        self._images: dict[tuple[str, ...], tuple[ImageFile, ImageFile]] = {}
        self._used: set[Path] = set()
        self.rows = self._read_rows()
        self.is_pretrain = not any("expression" in row for _, row in self.rows)
        other = sorted({column for _, row in self.rows for column in row}.difference(_COLUMNS))
        if self.is_pretrain and other:
            named = printable_line(", ".join(other))
            detail = f"these columns are ignored: {named}; put sentences into the column expression"
            report.leave_out(name, self.metadata.name, detail)

    def list_pairs(self) -> list[Pair]:
        """
        Lists the pairs without opening images and masks.

        Returns:
            `list[Pair]`: In the order of their first rows.
        """
        drafts: dict[tuple[Any, ...], _Draft] = {}
        for sample, row in self.rows:
            try:
                self._add_row(drafts, sample, row)
            except UnusableError as error:
                self.report.skip(error.reason, self.name, sample, error.detail)
        self._report_unused()
        records: dict[str, Pair] = {}
        for draft in drafts.values():
            record = self._record(draft, records)
            if record.pair_id in records:
                self.report.skip(Reason.DUPLICATE_ID, self.name, record.pair_id, "another pair has this pair_id")
            elif record.expressions or record.change_mask is not None:
                records[record.pair_id] = record
            else:
                detail = "none of its rows can be used"
                self.report.skip(Reason.NO_EXPRESSION_LEFT, self.name, record.pair_id, detail)
        return list(records.values())

    def split_of_row(self, row: Mapping[str, Any]) -> str:
        """The split of the sub-folder with the first image of a row ("train/t1/1.png"), else that of the reader."""
        name = row.get(IMAGE_COLUMNS[0])
        parts = [part for part in str(name).replace("\\", "/").split("/") if part not in ("", ".")]
        return SPLIT_NAMES.get(parts[0].lower(), self.split) if len(parts) > 1 else self.split

    def _read_rows(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The rows with their line numbers."""
        rows: list[tuple[str, Mapping[str, Any]]] = []
        try:
            lines = to_utf8(read_regular(self.metadata)).split(b"\n")
        except UnicodeDecodeError as error:
            detail = f"it is no {error.encoding}, as its first bytes say; save it as UTF-8"
            self.report.skip(Reason.UNREADABLE_JSON, self.name, METADATA, detail)
            return []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            sample = f"{METADATA}:{number}"
            try:
                row = parse_json(line)
            except ValueError as error:
                self.report.skip(Reason.UNREADABLE_JSON, self.name, sample, f"the line cannot be read: {error}")
                continue
            if isinstance(row, dict):
                rows.append((sample, row))
            else:
                self.report.skip(Reason.UNREADABLE_JSON, self.name, sample, "the line holds no JSON object")
        return rows

    def _add_row(self, drafts: dict[tuple[Any, ...], _Draft], sample: str, row: Mapping[str, Any]) -> None:
        """Adds a row to its pair."""
        names = tuple(self._text(row, column) for column in IMAGE_COLUMNS)
        if names not in self._images:
            found = [self._find(name, Reason.PATH_ESCAPE, Reason.MISSING_IMAGE) for name in names]
            self._images[names] = found[0], found[1]
        images = self._images[names]
        # The same file may be spelled in several ways.
        draft = drafts.setdefault(tuple(image.source for image in images), _Draft(names, images))
        self._add_labels(draft, sample, row)
        index = draft.rows
        draft.rows += 1
        text = "" if self.is_pretrain else self._values.sentence(row.get("expression"), sample)
        if row.get(MASK_COLUMN) is None:
            raise UnusableError(Reason.MISSING_MASK, f"it has no {MASK_COLUMN}; a no-target sentence has a black mask")
        mask = self._find(self._text(row, MASK_COLUMN), Reason.MASK_PATH_ESCAPE, Reason.MISSING_MASK)
        if self.is_pretrain:
            if draft.change_mask is not None:
                raise UnusableError(Reason.DUPLICATE_ID, "an earlier row names the same images")
            draft.change_mask = mask
            return
        change_type = self._values.label(row.get("change_type"), CHANGE_TYPES, "change_type", sample) or "unknown"
        is_noisy = self._values.label(row.get("noisy"), (False, True), "noisy", sample) or False
        draft.expressions.append(Expression(text, mask, change_type, index, is_noisy))

    def _add_labels(self, draft: _Draft, sample: str, row: Mapping[str, Any]) -> None:
        """Adds the values of a row to its pair if no earlier row had them."""
        for column in PAIR_COLUMNS:
            value, known = row.get(column), draft.labels.get(column)
            if value is not None and value != value:  # NaN, which pandas writes for a missing value.
                self._values.repair_label(f"{column} is NaN, as if it were missing", sample)
            elif known is None:
                draft.labels[column] = value
            elif value is not None and value != known:
                shown, earlier = (json.dumps(each)[:80] for each in (value, known))
                detail = f"{column} is {shown}, but {earlier} in an earlier row of the pair; the earlier one is used"
                self._values.repair_label(detail, sample)

    def _record(self, draft: _Draft, known: Mapping[str, Pair]) -> Pair:
        """The pair of a draft. Without `pair_id`, its name is that of t1, followed by that of t2 if several pairs
        share t1."""
        row = draft.labels
        names = [Path(name.replace("\\", "/")).with_suffix("").as_posix() for name in draft.names]
        default = names[0] if names[0] not in known else "+".join(names)
        return Pair(
            pair_id=printable(self._name(row, "pair_id", default) or default),
            split=self.split,
            domain=self._values.label(row.get("domain"), DOMAINS, "domain", default),
            view=self._values.label(row.get("view"), VIEWS, "view", default) or "unknown",
            source=printable(self._name(row, "source", default) or "unknown"),
            image_t1=draft.images[0],
            image_t2=draft.images[1],
            expressions=tuple(draft.expressions),
            change_mask=draft.change_mask,
            folder=self.name,
            skipped_sentences=0 if self.is_pretrain else draft.rows - len(draft.expressions),
        )

    def _find(self, name: str, escape: Reason, missing: Reason) -> ImageFile:
        """The file with this name below the folder."""
        if leads_out(name):
            raise UnusableError(escape, f'"{name}" leads out of the folder; name a file in it')
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        path = self._listing.find(self.folder, parts)
        if path is None:
            raise UnusableError(missing, f"there is no {name}")
        self._used.add(path)
        own_name = path.relative_to(self.folder).as_posix()
        if own_name != "/".join(parts):
            self.report.repair(Reason.SIMILAR_NAME, self.name, name, f"the file is called {own_name!a}")
        if not path.resolve().is_relative_to(self.root):
            raise UnusableError(escape, f"{name} is a link out of the folder; copy the file")
        if path.suffix.lower() not in PLAIN_SUFFIXES:
            raise UnusableError(missing, f"{name} has no suffix of an image: {', '.join(PLAIN_SUFFIXES)}")
        return ImageFile(name=f"{self.name}/{name}", source=path)

    def _report_unused(self) -> None:
        """Reports the files that are in no row."""
        folders = [self.folder]
        while folders:
            for path in sorted(folders.pop().iterdir()):
                if is_hidden(path.name) or path == self.metadata or path.name == _CARD:
                    continue
                if path.is_dir() and not path.is_symlink():
                    # A split with its own rows.
                    folders += [] if metadata_of(path) is not None else [path]
                elif path not in self._used:
                    name = path.relative_to(self.folder).as_posix()
                    self.report.leave_out(self.name, name, "no row names it")

    def _text(self, row: Mapping[str, Any], column: str) -> str:
        """A file name."""
        value = row.get(column)
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
            raise UnusableError(Reason.UNREADABLE_JSON, f"{column} is not a file name")
        return value

    def _name(self, row: Mapping[str, Any], column: str, sample: str) -> str | None:
        """A text or an integer, or `None` if it has neither; pandas writes NaN for a missing one."""
        value = row.get(column)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if text is None or (isinstance(text, str) and len(text) <= LONGEST_NAME):
            return text
        detail = (
            f"{column} has the value {json.dumps(value)[:80]}, which is not text of up to {LONGEST_NAME} characters"
        )
        self._values.repair_label(detail, sample)
        return None
