# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws the statistics of a dataset on one page."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset_scripts.errors import DataError
from dataset_scripts.quality import (
    AREA_EDGES,
    UNKNOWN,
    DatasetFacts,
    PairFacts,
    frequent_words,
    sentences_of,
)
from dataset_scripts.readers import SPLITS
from mtrefseg import looks
from mtrefseg.looks import to_hex

from .plot_style import DOTS_PER_INCH, GREY, HAIRLINE, INK, PAPER, STYLE


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All lengths are in inches, from the upper left corner of the page.
PAGE = (10.0, 12.5)  # shorter if the first row is short
FIRST_ROWS = {1: 0.9, 2: 1.25}  # height of the first row of plots by its number of bars
FIRST_ROW = 1.75
MARGIN = 0.6
HALF = 4.15  # width of one of two columns; the gap between them is 0.5
THIRD = 2.6
LABELS = 1.15  # space for the names of bars
NUMBERS = 0.4  # space for the numbers of an axis
TITLE = 0.3  # from a title to its drawing

BAR = to_hex(looks.QUIET)
PLACE_COLORS = (to_hex(looks.PAPER), "#a9c1d9", to_hex(looks.ACCENT), "#142b45")
SPLIT_COLORS = {name: to_hex(color) for name, color in looks.SPLIT_COLORS.items()}
TYPE_COLORS = {name: to_hex(color) for name, color in looks.CHANGE_COLORS.items()}
TYPE_LABELS = {"appear": "appear", "disappear": "disappear", "state_change": "state change", UNKNOWN: "unknown"}
DOMAIN_LABELS = {"NS": "normal scenes (NS)", "RS": "remote sensing (RS)", UNKNOWN: "unknown domain"}
STAGE_ONE = "stage 1"
MOST_WORDS = 12
MOST_BARS = 7
MOST_SENTENCES = 20


def draw_page(facts: DatasetFacts, title: str) -> "Figure":
    """
    Draws the page.

    Args:
        facts (`DatasetFacts`): From [`measure_dataset`], with at least one pair.
        title (`str`): Name of the dataset.

    Returns:
        `matplotlib.figure.Figure`: 10 × 12.5 inches at most, at 160 dots per inch, not attached to any window.
    """
    matplotlib = import_matplotlib()
    pairs = facts.distinct_pairs()
    right = MARGIN + HALF + 0.5
    first = FIRST_ROWS.get(len({(_kind(pair), pair.domain) for pair in pairs}), FIRST_ROW)
    second, third, fourth = (top - FIRST_ROW + first for top in (4.4, 7.2, 10.3))
    with matplotlib.rc_context(STYLE):
        size = (PAGE[0], PAGE[1] - FIRST_ROW + first)
        figure: Figure = matplotlib.figure.Figure(figsize=size, dpi=DOTS_PER_INCH)
        _draw_header(_panel(figure, MARGIN, 0.3, PAGE[0] - 2 * MARGIN, 1.1), pairs, title)
        _draw_counts(_panel(figure, MARGIN, 1.85, HALF, first, "Pairs and sentences", LABELS), pairs)
        _draw_change_types(_panel(figure, right, 1.85, HALF, first, "Change types, share of sentences", 0.85), pairs)
        _draw_areas(_panel(figure, MARGIN, second, HALF, 1.7, "Area of masks, share of masks", NUMBERS), pairs)
        lengths = _panel(figure, right, second, HALF, 1.7, "Length of sentences, share of sentences", NUMBERS)
        _draw_sentence_lengths(lengths, pairs)
        _draw_places(figure, MARGIN, third, facts)
        _draw_words(_panel(figure, right, third, HALF, 2.1, "Frequent words, share of sentences", 0.85), pairs)
        numbers = _panel(figure, MARGIN, fourth, THIRD, 1.35, "Sentences per pair, share of pairs", NUMBERS)
        _draw_sentences_per_pair(numbers, pairs)
        middle, last = MARGIN + THIRD + 0.5, MARGIN + 2 * (THIRD + 0.5)
        _draw_sizes(_panel(figure, middle, fourth, THIRD, 1.5, "Pairs by size of the images", 0.95), pairs)
        _draw_sources(_panel(figure, last, fourth, THIRD, 1.5, "Pairs by source", LABELS), pairs)
    return figure


def import_matplotlib() -> Any:
    """
    Imports matplotlib, with the parts that draw without a window.

    Raises:
        [`DataError`]: If it is missing.
    """
    try:
        import matplotlib
        import matplotlib.colors
        import matplotlib.figure
    except ImportError as error:
        raise DataError("The page needs matplotlib; `pip install matplotlib`.") from error
    return matplotlib


def _panel(
    figure: "Figure", left: float, top: float, width: float, height: float, title: str = "", gutter: float = 0
) -> "Axes":
    """A plot under its title; `gutter` is the space for labels on its left, within `width`."""
    page_width, page_height = figure.get_size_inches()
    if title:
        figure.text(left / page_width, 1 - top / page_height, title, fontsize=10, fontweight="bold", va="top")
        top += TITLE
    bottom = 1 - (top + height) / page_height
    return figure.add_axes(
        ((left + gutter) / page_width, bottom, (width - gutter) / page_width, height / page_height), label=title
    )


def _draw_header(axis: "Axes", pairs: Sequence[PairFacts], title: str) -> None:
    """The title and the most important numbers."""
    sentences = sentences_of(pairs)
    targets = [sentence.mask.fraction for sentence in sentences if sentence.mask.pixels]
    sides = [side for pair in pairs for side in pair.image_t1.size]
    numbers = [(f"{len(pairs):,}", "pairs")]
    if sentences:
        referring = sum(bool(pair.sentences) for pair in pairs)
        numbers += [
            (f"{len(sentences):,}", "sentences"),
            (f"{len(sentences) / referring:.1f}", "sentences per pair"),
            (_percent(1 - len(targets) / len(sentences)), "no-target sentences"),
        ]
    if targets:
        numbers.append((_percent(float(np.median(targets))), "median area of masks"))
    numbers.append(("–".join(f"{side}" for side in sorted({min(sides), max(sides)})), "pixels per side"))
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(0, 1))
    axis.text(0, 1, _plain(title, 60), fontsize=18, fontweight="bold", va="top")
    axis.plot([0, 1], [0.56, 0.56], color=HAIRLINE, linewidth=0.8, clip_on=False)
    for place, (value, label) in enumerate(numbers):
        axis.text(place / len(numbers), 0.36, value, fontsize=16, va="top")
        axis.text(place / len(numbers), -0.06, label, color=GREY, va="bottom")


def _draw_counts(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """Pairs and sentences of every split and domain."""
    groups = Counter((_kind(pair), pair.domain) for pair in pairs)
    sentences = Counter((_kind(pair), pair.domain) for pair in pairs for _ in pair.sentences)
    order = sorted(groups, key=lambda group: (_kind_order(group[0]), group[1]))
    for row, group in enumerate(order):
        color = SPLIT_COLORS.get(group[0], GREY)
        for shift, count, noun, opacity in (
            (-0.19, groups[group], "pairs", 1.0),
            (0.19, sentences[group], "sentences", 0.45),
        ):
            if count:
                axis.barh(row + shift, count, height=0.33, color=color, alpha=opacity)
                axis.text(count, row + shift, f" {count:,} {noun}", va="center", fontsize=7)
    labels = [kind if domain == UNKNOWN else f"{kind} · {domain}" for kind, domain in order]
    _name_bars(axis, labels, max(*groups.values(), *sentences.values(), 1), room=1.35, rows=_rows(axis, 3))


def _draw_change_types(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """Share of every change type, split by split."""
    splits = {split: sentences_of(members) for split, members in _splits(pairs).items()}
    counts = {split: Counter(sentence.change_type for sentence in sentences) for split, sentences in splits.items()}
    used = [name for name in TYPE_COLORS if any(count[name] for count in counts.values())]
    if not used:
        _say_nothing(axis)
        return
    lefts = dict.fromkeys(splits, 0.0)
    for name in used:
        shares = {split: count[name] / max(count.total(), 1) for split, count in counts.items()}
        axis.barh(
            range(len(splits)),
            list(shares.values()),
            left=list(lefts.values()),
            height=0.6,
            color=TYPE_COLORS[name],
            edgecolor=PAPER,
            label=TYPE_LABELS[name],
        )
        for row, (split, share) in enumerate(shares.items()):
            if share >= 0.06:
                ink = PAPER if name == "appear" else INK
                axis.text(lefts[split] + share / 2, row, f"{100 * share:.0f} %", ha="center", va="center", color=ink)
            lefts[split] += share
    rows = _rows(axis, 2)
    _name_bars(axis, list(splits), 1, room=1, rows=rows)
    axis.legend(
        loc="upper left",
        bbox_to_anchor=(0, 1 - len(splits) / max(len(splits), rows)),
        ncols=len(used),
        borderaxespad=0,
        borderpad=0,
        handlelength=1,
        handleheight=1,
        handletextpad=0.5,
        columnspacing=1.2,
    )


def _draw_areas(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """Histogram of the areas of masks that are not empty, on a logarithmic scale."""
    for split, members in _splits(pairs, with_stage_one=True).items():
        masks = [sentence.mask for sentence in sentences_of(members)]
        masks += [pair.change_mask for pair in members if pair.change_mask is not None]
        areas = np.array([mask.fraction for mask in masks if mask.pixels])
        label = f"{split} ({_percent(1 - len(areas) / len(masks))} empty)"
        _draw_histogram(axis, np.clip(areas, AREA_EDGES[0], 1), AREA_EDGES, split, label)
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.set_xticks([10.0**power for power in range(-5, 1)], ["0.001 %", "0.01 %", "0.1 %", "1 %", "10 %", "100 %"])
    axis.set(xlim=(AREA_EDGES[0], 1), xlabel="share of the image")
    axis.legend(loc="upper left")
    _count_in_percent(axis)


def _draw_sentence_lengths(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """Histogram of the lengths of sentences in words."""
    lengths = {
        split: [len(sentence.text.split()) for sentence in sentences_of(members)]
        for split, members in _splits(pairs).items()
    }
    if not lengths:
        _say_nothing(axis)
        return
    last = max(10, *(int(np.percentile(values, 99.5)) for values in lengths.values()))
    edges = np.arange(0.5, last + 1)
    for split, values in lengths.items():
        _draw_histogram(axis, np.clip(values, 1, last), edges, split, f"{split} (median {np.median(values):.0f})")
    axis.locator_params(axis="x", integer=True)
    axis.set(xlim=(edges[0], edges[-1]), xlabel=f"words (last bar: {last} or more)")
    axis.legend(loc="upper right")
    _count_in_percent(axis)


def _draw_places(figure: "Figure", left: float, top: float, facts: DatasetFacts) -> None:
    """A map for each domain of where masks lie."""
    colors = import_matplotlib().colors.LinearSegmentedColormap.from_list("places", PLACE_COLORS)
    columns = max(len(facts.places), 2)
    side = (HALF + 0.15) / columns - 0.15
    for column, domain in enumerate(sorted(facts.places)):
        title = "Where masks lie (darker: more often)" if not column else ""
        shift = 0 if title else TITLE
        axis = _panel(figure, left + column * (side + 0.15), top + shift, side, side, title)
        axis.imshow(
            facts.places[domain] / max(facts.places[domain].max(), 1), cmap=colors, interpolation="bicubic", vmin=0
        )
        axis.set(xticks=[], yticks=[])
        axis.set_xlabel(DOMAIN_LABELS[domain], color=INK, labelpad=5)
        axis.spines[:].set(visible=True, color=HAIRLINE)


def _draw_words(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """The most frequent words."""
    sentences = sentences_of(pairs)
    words = frequent_words(sentences, MOST_WORDS)
    _draw_bars(axis, [(word, count, _percent(count / len(sentences))) for word, count in words])


def _draw_sentences_per_pair(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """The number of sentences per pair."""
    splits = {split: [len(pair.sentences) for pair in members] for split, members in _splits(pairs).items()}
    if not splits:
        _say_nothing(axis)
        return
    most = max(max(counts) for counts in splits.values())
    edges = np.arange(0.5, min(most, MOST_SENTENCES) + 1)
    for split, counts in splits.items():
        _draw_histogram(axis, np.clip(counts, 1, MOST_SENTENCES), edges, split, split)
    axis.locator_params(axis="x", integer=True, nbins=6)
    last = f" (last bar: {MOST_SENTENCES} or more)" if most > MOST_SENTENCES else ""
    axis.set(xlim=(edges[0], edges[-1]), xlabel=f"sentences{last}")
    _count_in_percent(axis)


def _draw_sizes(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """The most frequent sizes of images."""
    sizes = Counter("{} × {}".format(*pair.image_t1.size) for pair in pairs)
    _draw_bars(axis, _most_common(sizes))


def _draw_sources(axis: "Axes", pairs: Sequence[PairFacts]) -> None:
    """The source datasets of the pairs."""
    _draw_bars(axis, _most_common(Counter(pair.source for pair in pairs)))


def _most_common(counts: "Counter[str]") -> list[tuple[str, float, str]]:
    """The highest counts, and the sum of the others."""
    rows = counts.most_common()
    if len(rows) > MOST_BARS:
        others = rows[MOST_BARS - 1 :]
        rows = [*rows[: MOST_BARS - 1], (f"{len(others):,} others", sum(count for _, count in others))]
    return [(name, count, f"{count:,}") for name, count in rows]


def _draw_bars(axis: "Axes", rows: Sequence[tuple[str, float, str]]) -> None:
    """Horizontal bars: label, length and the text next to it."""
    for row, (_, value, text) in enumerate(rows):
        axis.barh(row, value, height=0.64, color=BAR)
        axis.text(value, row, f" {text}", va="center", fontsize=7)
    if rows:
        _name_bars(axis, [label for label, _, _ in rows], max(value for _, value, _ in rows), room=1.2, rows=5)
    else:
        _say_nothing(axis)


def _name_bars(axis: "Axes", labels: Sequence[str], longest: float, room: float, rows: float) -> None:
    """Labels of horizontal bars, whose values are written next to them. A few bars are as thick as those of `rows`."""
    axis.set_yticks(range(len(labels)), [_plain(label, 20) for label in labels], color=INK)
    axis.set(xlim=(0, room * longest), ylim=(max(len(labels), rows) - 0.5, -0.5), xticks=[])
    axis.spines["bottom"].set_visible(False)


def _rows(axis: "Axes", rows: float) -> float:
    """The number of bars that fit in a plot of the first row, if `rows` of them fit at its full height."""
    height = axis.figure.get_size_inches()[1] * axis.get_position().height
    return rows * height / FIRST_ROW


def _draw_histogram(axis: "Axes", values: Any, edges: Any, split: str, label: str) -> None:
    """The histogram of a split as shares: a line over its own tint."""
    counts = np.histogram(values, edges)[0]
    shares = counts / max(counts.sum(), 1)
    color = SPLIT_COLORS.get(split, GREY)
    axis.stairs(shares, edges, fill=True, color=color, alpha=0.15)
    axis.stairs(shares, edges, color=color, linewidth=1.5, label=label)


def _say_nothing(axis: "Axes") -> None:
    """The note instead of a plot for stage 1, which has no sentences."""
    axis.set_axis_off()
    axis.text(0, 1, "no sentences", color=GREY, va="top")


def _splits(pairs: Sequence[PairFacts], with_stage_one: bool = False) -> dict[str, list[PairFacts]]:
    """The pairs of every split, with those of stage 1 last."""
    splits: dict[str, list[PairFacts]] = {}
    for pair in sorted(pairs, key=lambda pair: _kind_order(_kind(pair))):
        if with_stage_one or pair.change_mask is None:
            splits.setdefault(_kind(pair), []).append(pair)
    return splits


def _kind(pair: PairFacts) -> str:
    """The pair's split, or stage 1."""
    return pair.split if pair.change_mask is None else STAGE_ONE


def _kind_order(kind: str) -> int:
    """Stage 1 after all splits."""
    return SPLITS.index(kind) if kind != STAGE_ONE else len(SPLIT_COLORS)


def _count_in_percent(axis: "Axes") -> None:
    """Draws grid and labels of an axis in percent."""
    axis.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axis.locator_params(axis="y", nbins=4)
    axis.grid(axis="y")


def _percent(share: float) -> str:
    """A share in percent with two significant digits."""
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 or not percent else f"{percent:.2g} %"


def _plain(text: str, most: int) -> str:
    """Text escaped for matplotlib and shortened to `most` characters."""
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return short.replace("$", r"\$")
