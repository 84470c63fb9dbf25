# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The base of the builders: reads raw folders, local or from the Hub, and reports what is skipped."""

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import datasets
from datasets.utils import tqdm
from huggingface_hub import snapshot_download

from dataset_scripts.errors import DataError
from mtrefseg.io import write_json

from .pair import Pair, check_pairs
from .raw_layout import list_setting
from .reading_report import ReadingReport
from .rows import make_rows, read_content
from .schema import CITATION, FEATURES, PAIRS_SUFFIX, SPLITS
from .split_folders import find_split_folders, fingerprint


logger = datasets.logging.get_logger(__name__)

# Hidden, because `load_dataset` reads any visible file in a folder of Parquet files as data.
_REPORT_NAME = ".reading_report.json"


@dataclass
class RawConfig(datasets.BuilderConfig):
    """
    A configuration of a builder: a benchmark setting, "TV", "NS" or "RS"; with the suffix "_pairs", one row per pair.

    Args:
        data_dir (`str`, *optional*): The raw dataset's folder, or one of its split folders. Without it the published
            repository is downloaded.
        strict (`bool`, *optional*, defaults to `False`): Raise a `DataError` that lists all unusable items,
            instead of skipping them.
        repo_id (`str`): The repository to download.
        revision (`str`, *optional*, defaults to `"main"`): Branch, tag or commit of the repository. Data prepared from
            a branch are not updated when the branch changes; use a commit for reproducible data.
        report_file (`str`, *optional*): Path for a JSON report of read and skipped items.
    """

    strict: bool = False
    repo_id: str = ""
    revision: str = "main"
    report_file: str | None = None

    @property
    def setting(self) -> str:
        """The benchmark setting: one of `schema.SETTINGS`."""
        return self.name.removesuffix(PAIRS_SUFFIX)

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None) -> str:
        """The name of the cache folder, which depends on the files of the raw folder."""
        kwargs = {key: value for key, value in config_kwargs.items() if key != "report_file"}
        if self.data_dir is not None:
            kwargs["fingerprint"] = fingerprint([folder.path for folder in find_split_folders(self.data_dir)])
        return str(super().create_config_id(kwargs, custom_features=custom_features))


class RawBuilder(datasets.GeneratorBasedBuilder):
    """
    Reads one setting of a raw dataset. All files are checked before the first row is made, so that the report is
    complete for any number of processes.

    Attributes:
        IS_PRETRAIN (`bool`): Whether stage-1 folders are read.
        DOWNLOADS (`dict[str, list[str]]`): Patterns of the files that a setting needs of the published repository.
    """

    BUILDER_CONFIG_CLASS = RawConfig
    # Increased when files are read differently, because prepared data are cached by version.
    VERSION = datasets.Version("1.2.0")
    DEFAULT_CONFIG_NAME = "TV"
    IS_PRETRAIN: ClassVar[bool]
    DOWNLOADS: ClassVar[dict[str, list[str]]]

    config: RawConfig
    _report: ReadingReport | None = None

    @property
    def layout(self) -> str:
        """The key of the features in `schema.FEATURES`."""
        if self.IS_PRETRAIN:
            return "pretrain"
        return "pairs" if self.config.name.endswith(PAIRS_SUFFIX) else "referring"

    @property
    def reading_report(self) -> ReadingReport | None:
        """Report of read, skipped and repaired items; `None` before the data are prepared."""
        return self._report

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description=self.config.description,
            features=FEATURES[self.layout](),
            homepage=f"https://huggingface.co/datasets/{self.config.repo_id}",
            citation=CITATION,
        )

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[datasets.SplitGenerator]:
        root = self.config.data_dir or self._download(dl_manager)
        folders = find_split_folders(root)
        report = ReadingReport()
        generators = []
        for split in SPLITS:
            listed = list_setting(folders, self.config.setting, split, self.IS_PRETRAIN, report)
            checked = check_pairs(listed, report)
            records = list(tqdm(checked, total=len(listed), desc=f"Checking {split}", disable=not listed or None))
            if records:
                # `datasets` splits the list between processes, and between the workers of a stream.
                generators.append(datasets.SplitGenerator(name=split, gen_kwargs={"records": records}))
        if self.config.strict:
            report.raise_if_skipped()
        if not generators:
            found = ", ".join(folder.name for folder in folders)
            kind = "stage-1 pair" if self.IS_PRETRAIN else "pair with sentences"
            raise DataError(
                f'{root} holds no usable {kind} for the configuration "{self.config.name}" (its split folders are '
                f"{found}); use another configuration or folder.\n{report.table()}"
            )
        self._report = report
        if report.findings:
            logger.warning(f"{self.dataset_name}, {self.config.name}:\n{report.table()}")
        return generators

    def _generate_examples(self, records: list[Pair]) -> Iterator[tuple[str, dict[str, Any]]]:
        for record in records:
            for index, row in enumerate(make_rows(record, read_content(record), self.layout)):
                # Pairs of two folders may have the same id, but keys must be unique.
                yield f"{record.folder}/{record.pair_id}/{index}", row

    def _download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        super()._download_and_prepare(*args, **kwargs)
        if self._report is not None:
            with self._fs.open(posixpath.join(self._output_dir, _REPORT_NAME), "w", encoding="utf-8") as file:
                json.dump(self._report.to_json(), file)

    def download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        """Like `datasets.DatasetBuilder.download_and_prepare`. The report is written even if the dataset was in the
        cache."""
        super().download_and_prepare(*args, **kwargs)
        if self._report is None:
            with self._fs.open(posixpath.join(self._output_dir, _REPORT_NAME), encoding="utf-8") as file:
                self._report = ReadingReport.from_json(json.load(file))
        if self.config.report_file is not None:
            write_json(Path(self.config.report_file), self._report.to_json())

    def _download(self, dl_manager: datasets.DownloadManager) -> str:
        """The folder of the published files in the cache of the Hub. An interrupted download is resumed."""
        try:
            return snapshot_download(
                self.config.repo_id,
                repo_type="dataset",
                revision=self.config.revision,
                allow_patterns=self.DOWNLOADS[self.config.setting],
                token=dl_manager.download_config.token,
            )
        except OSError as error:
            raise DataError(
                f"{self.config.repo_id} (revision {self.config.revision}) cannot be downloaded; try again, or give a "
                f"local folder as data_dir: {error}"
            ) from error
