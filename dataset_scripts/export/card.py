# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The card of an exported dataset: the YAML block that `load_dataset` and the Hub need, and a description for
readers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets import DatasetInfo, SplitDict, SplitInfo
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard, DatasetCardData

from dataset_scripts.readers import CHANGE_TYPES, CITATION, DOMAINS, FEATURES, PAIRS_SUFFIX, VIEWS, ReadingReport

from .shard_writer import ShardSummary


PLACEHOLDER = "OWNER/NAME"
"""The name in the card of a dataset that is not on the Hub."""

_TEMPLATE = Path(__file__).with_name("card_template.md")
_TAGS = [
    "referring-segmentation",
    "change-detection",
    "bi-temporal",
    "multi-temporal-referring-segmentation",
    "remote-sensing",
    "geospatial",
]
_SIZE_CATEGORIES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
_SETTING_CONTENTS = {"TV": "normal scenes and remote sensing", "NS": "normal scenes", "RS": "remote sensing"}
_COLUMNS = {
    "sample_id": ("text", "name of the row, unique in its split and domain"),
    "pair_id": ("text", "name of the pair of images; rows of one pair follow one another"),
    "image_t1": ("image", "the earlier image"),
    "image_t2": ("image", "the later image"),
    "mask": ("mask", "the described change"),
    "masks": ("masks", "the described changes, one for each sentence"),
    "expression": ("text", "the sentence"),
    "expressions": ("texts", "the sentences"),
    "change_type": (", ".join(CHANGE_TYPES), "what happened to the object"),
    "change_types": (", ".join(CHANGE_TYPES), "what happened to the object, for each sentence"),
    "domain": (", ".join(DOMAINS), "normal scene or remote sensing; null if unknown"),
    "view": (", ".join(VIEWS), "where the camera was"),
    "source": ("text", "the dataset that the images come from"),
    "noisy": ("true or false", "whether mask or sentence were corrupted on purpose"),
    "skipped_sentences": ("number", "unusable sentences of the pair, which have no row; their changes have no mask"),
}


@dataclass(frozen=True)
class CardFacts:
    """
    The facts in a card.

    Args:
        name (`str`): Title of the dataset.
        repository (`str`, *optional*): Where the raw folders are published; `None` for other data.
        license (`str`): The Hub's identifier of a licence, such as "apache-2.0" or "unknown".
        is_pretrain (`bool`): Whether it is a stage-1 set.
        parts (`Mapping[str, Mapping[str, Sequence[str]]]`): As in `ExportPlan`, without empty parts.
        summaries (`Mapping[tuple[str, str], ShardSummary]`): The sums over the files of a configuration and split.
        report (`ReadingReport`): What was skipped and repaired.
    """

    name: str
    repository: str | None
    license: str
    is_pretrain: bool
    parts: Mapping[str, Mapping[str, Sequence[str]]]
    summaries: Mapping[tuple[str, str], ShardSummary]
    report: ReadingReport

    def total(self, config: str, split: str) -> ShardSummary:
        """The sum over the parts of a configuration and split."""
        return add_up(self.summaries[part, split] for part in self.parts[config][split])

    def layout(self, config: str) -> str:
        """The key of a configuration's features in `schema.FEATURES`."""
        if self.is_pretrain:
            return "pretrain"
        return "pairs" if config.endswith(PAIRS_SUFFIX) else "referring"


def add_up(summaries: Iterable[ShardSummary]) -> ShardSummary:
    """The sum over several files, without their hashes and reports."""
    total = ShardSummary()
    change_types: Counter[str] = Counter()
    for summary in summaries:
        total.pairs += summary.pairs
        total.rows += summary.rows
        total.no_target += summary.no_target
        total.num_bytes += summary.num_bytes
        total.file_bytes += summary.file_bytes
        change_types.update(summary.change_types)
    total.change_types = dict(change_types)
    return total


def make_card(facts: CardFacts) -> str:
    """
    Writes the card.

    Args:
        facts (`CardFacts`): The facts.

    Returns:
        `str`: The content of a `README.md`: a YAML head with the configurations, features and sizes, and the text.
    """
    example_config = _default_config(facts)
    layout = facts.layout(example_config)
    card = DatasetCard.from_template(
        _card_data(facts),
        template_path=str(_TEMPLATE),
        pretty_name=facts.name,
        is_pretrain=facts.is_pretrain,
        is_published=facts.repository is not None,
        location=PLACEHOLDER,
        example_config=example_config,
        example_split=next(iter(facts.parts[example_config])),
        example_column="mask" if layout == "pretrain" else "expression",
        configs_table=_configs_table(facts),
        columns_table=_columns_table(facts),
        sizes_table=_sizes_table(facts),
        report_table=facts.report.table(),
        license_note=_license_note(facts),
        citation=CITATION.strip(),
    )
    return f"{str(card).rstrip()}\n"


def _card_data(facts: CardFacts) -> DatasetCardData:
    largest = max(facts.parts, key=lambda config: _num_rows(facts, config))
    data = DatasetCardData(
        language=["en"],
        license=facts.license,
        pretty_name=facts.name,
        size_categories=[_size_category(_num_rows(facts, largest))],
        source_datasets=[facts.repository or "original"],
        task_categories=["image-segmentation"],
        tags=_TAGS,
    )
    infos = DatasetInfosDict()
    configs = MetadataConfigs()
    for config, splits in facts.parts.items():
        totals = {split: facts.total(config, split) for split in splits}
        infos[config] = DatasetInfo(
            features=FEATURES[facts.layout(config)](),
            splits=SplitDict(
                {
                    split: SplitInfo(split, num_bytes=total.num_bytes, num_examples=total.rows)
                    for split, total in totals.items()
                }
            ),
            download_size=sum(total.file_bytes for total in totals.values()),
            dataset_size=sum(total.num_bytes for total in totals.values()),
        )
        configs[config] = {
            "data_files": [
                {"split": split, "path": [f"data/{part}/{split}-*.parquet" for part in parts]}
                for split, parts in splits.items()
            ]
        }
        if config == _default_config(facts):
            configs[config]["default"] = True
    infos.to_dataset_card_data(data)
    configs.to_dataset_card_data(data)
    return data


def _default_config(facts: CardFacts) -> str:
    return next(iter(facts.parts))


def _num_rows(facts: CardFacts, config: str) -> int:
    return sum(facts.total(config, split).rows for split in facts.parts[config])


def _size_category(rows: int) -> str:
    return next((name for limit, name in _SIZE_CATEGORIES if rows < limit), "1M<n<10M")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _configs_table(facts: CardFacts) -> str:
    rows = []
    for config in facts.parts:
        unit = "one row per sentence" if facts.layout(config) == "referring" else "one row per pair"
        rows.append((f"`{config}`", _SETTING_CONTENTS[config.removesuffix(PAIRS_SUFFIX)], unit))
    return _table(("configuration", "images", "rows"), rows)


def _columns_table(facts: CardFacts) -> str:
    rows: dict[str, tuple[str, str, str]] = {}
    for config in facts.parts:
        for name in FEATURES[facts.layout(config)]():
            values, meaning = _COLUMNS[name]
            if name == "mask" and facts.is_pretrain:
                meaning = "everything that changed"
            rows[name] = (f"`{name}`", values, meaning)
    return _table(("column", "values", "meaning"), rows.values())


def _sizes_table(facts: CardFacts) -> str:
    if facts.is_pretrain:
        rows = [
            (f"`{config}`", split, f"{total.pairs:,}", f"{total.no_target:,}")
            for config, splits in facts.parts.items()
            for split in splits
            for total in (facts.total(config, split),)
        ]
        return _table(("configuration", "split", "pairs", "without any change"), rows)
    rows_of_sentences = []
    for config, splits in facts.parts.items():
        for split in splits:
            total = facts.total(config, split)
            counts = [total.pairs, sum(total.change_types.values()), total.no_target]
            counts += [total.change_types.get(change_type, 0) for change_type in CHANGE_TYPES]
            rows_of_sentences.append((f"`{config}`", split, *(f"{count:,}" for count in counts)))
    head = ("configuration", "split", "pairs", "expressions", "no target")
    return _table((*head, *(change_type.replace("_", " ") for change_type in CHANGE_TYPES)), rows_of_sentences)


def _license_note(facts: CardFacts) -> str:
    if facts.license == "unknown":
        return "The licence of this data is unknown: ask the authors of the images before you share them."
    return ""
