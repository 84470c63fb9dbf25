# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The tab *Benchmark*: the sentences of an evaluation, worst first, each with images, truth and prediction."""

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from dataset_scripts.readers import GENERATED, open_pairs
from mtrefseg.serve.pair_cache import PairCache, digest_of
from mtrefseg.view.gradio_theme import START_VIEWS
from mtrefseg.view.pair_images import PairImages
from mtrefseg.view.predictions import (
    ScoredSentence,
    change_types_of,
    check_predictions,
    domains_of,
    filter_predictions,
    iou_histogram,
    load_predictions,
    mean_iou,
    worst_first,
)
from mtrefseg.view.report_cases import case_html
from mtrefseg.view.report_images import CHANGE_NAMES, DOMAIN_NAMES, describe

from .limits import DELETE_AFTER, refusal
from .upload_fields import ReportInput


REPORT = Path(__file__).with_name("examples") / "predictions.parquet"
ANY = "any"
MAX_ROWS = 200
SHOWN_SIDE = 512  # longer side of the images, in pixels
# Cache for the texts and masks of all visitors' reports; Python needs a few times as much memory.
MAX_BYTES = 1 << 26
COLUMNS = {"#": "14%", "IoU": "18%", "sentence": "68%"}
Row = list[str | int | float]


class BenchmarkTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open.

    Args:
        tab (`gradio.Tab`): The tab; the report is shown as soon as it is chosen.
    """

    def __init__(self, tab: gr.Tab) -> None:
        self.reports: PairCache[list[ScoredSentence]] = PairCache(MAX_BYTES, DELETE_AFTER)
        gr.Markdown(
            "All sentences of an evaluation, the worst first. The example is an evaluation of the shipped weights on "
            "generated pairs. To see your own, upload the `predictions.parquet` that `mtrefseg evaluate` wrote. IoU "
            "compares the predicted mask with the ground truth: 100 means identical, 0 means no overlap.",
            elem_classes="note",
        )
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                self.file = ReportInput(
                    label="predictions.parquet", file_count="single", value=str(REPORT), height=120
                )
            with gr.Column(scale=3, min_width=280):
                self._build_filters()
        with gr.Row():
            with gr.Column(scale=5, min_width=280):
                self._build_list()
            with gr.Column(scale=7, min_width=280):
                self._build_case()
        self._connect(tab)

    def _build_list(self) -> None:
        self.histogram = gr.HTML(elem_id="histogram", padding=False)
        self.rows = gr.Dataframe(
            label=f"Click a row to see its images (at most the {MAX_ROWS} worst are listed)",
            headers=list(COLUMNS),
            column_widths=list(COLUMNS.values()),
            wrap=True,
            interactive=False,
            type="array",
            buttons=[],
            max_height=460,
            elem_id="report-rows",
        )

    def _build_filters(self) -> None:
        with gr.Row():
            self.text = gr.Textbox("", label="Words in the sentence", max_lines=1, min_width=320)
            # All that are known: programs may choose only what stands here, and know their report.
            self.domain = gr.Dropdown(_choices(DOMAIN_NAMES, DOMAIN_NAMES), value=ANY, label="Domain", min_width=120)
            self.change_type = gr.Dropdown(
                _choices(CHANGE_NAMES, CHANGE_NAMES), value=ANY, label="Change", min_width=120
            )
        with gr.Row(elem_id="report-range"):
            self.least = gr.Slider(0, 100, 0, step=5, label="IoU from", min_width=220)
            self.most = gr.Slider(0, 100, 100, step=5, label="IoU to", min_width=220)
            self.button = gr.Button("Show", variant="primary", scale=0, min_width=120, elem_id="show-report")

    def _build_case(self) -> None:
        self.caption = gr.HTML(elem_id="case", padding=False)
        self.case = gr.HTML(label="Selected sentence", js_on_load=START_VIEWS, apply_default_css=False)
        self.rank = gr.Slider(1, MAX_ROWS, 1, step=1, label="Rank (1 is the worst)", interactive=True)

    def _connect(self, tab: gr.Tab) -> None:
        chosen = [self.file, self.domain, self.change_type, self.least, self.most, self.text]
        options: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "report"}
        # Programs get objects instead of what the page shows.
        found = gr.JSON(visible=False)
        gr.on(
            [],
            self.report_object,
            chosen,
            found,
            api_name="browse_report",
            api_description="Lists the sentences of an evaluation that match the filters, worst first.",
            **options,
        )
        gr.on(
            [self.button.click, self.text.submit, tab.select],
            self.browse,
            chosen,
            [self.histogram, self.rows, self.rank, self.domain, self.change_type],
            api_visibility="private",
            **options,
        ).success(self.show, [*chosen, self.rank], [self.caption, self.case], api_visibility="private", **options)
        self.rank.input(
            self.show,
            [*chosen, self.rank],
            [self.caption, self.case],
            api_visibility="private",
            trigger_mode="always_last",
            **options,
        )
        self.rows.select(self.pick, None, self.rank, api_visibility="private", show_progress="hidden").then(
            self.show, [*chosen, self.rank], [self.caption, self.case], api_visibility="private", **options
        )

    def browse(
        self,
        report: str | None,
        domain: str,
        change_type: str,
        least: float,
        most: float,
        text: str,
        request: gr.Request,
    ) -> tuple[str, list[Row], gr.Slider, gr.Dropdown, gr.Dropdown]:
        """Fills the list and the histogram."""
        sentences = self._load(report, request.session_hash or "")
        chosen = _choose(sentences, domain, change_type, least, most, text)
        rows: list[Row] = [
            [rank, round(each.iou, 1), each.expression] for rank, each in enumerate(chosen[:MAX_ROWS], start=1)
        ]
        return (
            _histogram(chosen, len(sentences)),
            rows,
            gr.Slider(1, max(2, len(rows)), 1, step=1),
            gr.Dropdown(_choices(domains_of(sentences), DOMAIN_NAMES), value=domain),
            gr.Dropdown(_choices(change_types_of(sentences), CHANGE_NAMES), value=change_type),
        )

    def report_object(
        self,
        report: str | None,
        domain: str,
        change_type: str,
        least: float,
        most: float,
        text: str,
        request: gr.Request,
    ) -> dict[str, Any]:
        """The chosen sentences for a program."""
        sentences = self._load(report, request.session_hash or "")
        chosen = _choose(sentences, domain, change_type, least, most, text)
        rows = [
            {
                "rank": rank,
                "iou": each.iou,
                "expression": each.expression,
                "change_type": each.change_type,
                "domain": each.domain,
                "sample_id": each.sample_id,
                "facts": describe(each),
            }
            for rank, each in enumerate(chosen[:MAX_ROWS], start=1)
        ]
        return {
            "total": len(sentences),
            "chosen": len(chosen),
            "mean_iou": mean_iou(chosen) if chosen else None,
            "histogram": list(iou_histogram(chosen)) if chosen else [],
            "sentences": rows,
        }

    def show(
        self,
        report: str | None,
        domain: str,
        change_type: str,
        least: float,
        most: float,
        text: str,
        rank: float,
        request: gr.Request,
    ) -> tuple[str, str]:
        """Draws one of the chosen sentences."""
        sentences = self._load(report, request.session_hash or "")
        chosen = _choose(sentences, domain, change_type, least, most, text)[:MAX_ROWS]
        if not chosen:
            return "", ""
        sentence = chosen[min(max(int(rank), 1), len(chosen)) - 1]
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in describe(sentence))
        caption = f'<p class="sentence" dir="auto">{escape(sentence.expression)}</p><ul class="facts">{facts}</ul>'
        return caption, case_html(sentence, _generated_images().find(sentence), SHOWN_SIDE)

    def pick(self, event: gr.SelectData) -> int:
        """The rank of the line that was chosen."""
        return int(event.row_value[0])

    def _load(self, path: str | None, visitor: str) -> list[ScoredSentence]:
        if path is None:
            raise refusal("Upload the predictions.parquet of an evaluation first.")
        try:
            key = digest_of(path)
            sentences = self.reports.get(visitor, key)
            if sentences is None:
                check_predictions(path, MAX_BYTES)
                sentences = worst_first(load_predictions(path, MAX_BYTES))
                self.reports.put(visitor, key, sentences)
        except (OSError, ValueError) as error:
            # Do not reveal the path on the server.
            raise refusal(str(error).replace(str(path), Path(path).name)) from error
        return sentences


@cache
def _generated_images() -> PairImages:
    """Draws generated pairs again; the generator is imported when the first of them is shown."""
    return PairImages(open_pairs(GENERATED))


def _choose(
    sentences: list[ScoredSentence], domain: str, change_type: str, least: float, most: float, text: str
) -> list[ScoredSentence]:
    """The sentences that pass the filters, in their order."""
    return filter_predictions(
        sentences,
        None if domain == ANY else domain,
        None if change_type == ANY else change_type,
        least,
        most,
        text,
    )


def _choices(values: Iterable[str], names: Mapping[str, str]) -> list[str | tuple[str, str]]:
    """What a filter offers: anything, or one of some values by its name."""
    return [ANY, *((names.get(value, value), value) for value in values)]


def _histogram(chosen: list[ScoredSentence], total: int) -> str:
    """How many sentences were chosen, and how their IoU is spread, as HTML."""
    if not chosen:
        return '<p class="summary" role="status">No sentence passes these filters.</p>'
    counts = iou_histogram(chosen)
    step = 100 // len(counts)
    bars = "".join(
        f'<li><b>{count or ""}</b><i style="height:{count / max(counts):.3f}em"></i>'
        f"<em>{number * step}<span>–{(number + 1) * step}</span></em></li>"
        for number, count in enumerate(counts)
    )
    said = ", ".join(f"{number * step} to {(number + 1) * step}: {count}" for number, count in enumerate(counts))
    return (
        f'<p class="summary" role="status"><b>{len(chosen):,} of {total:,} sentences</b>, mean IoU '
        f"{mean_iou(chosen):.1f}. Number of sentences by IoU:</p>"
        f'<div role="img" aria-label="Sentences by IoU. {said}">'
        f'<ol class="bars" aria-hidden="true">{bars}</ol></div>'
    )
