# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The tab *Benchmark*: the sentences of an evaluation, worst first, each with pictures, truth and prediction."""

from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from limits import refusal
from modeling_mtrefseg.pair_pictures_mtrefseg import GENERATED, open_pair_pictures
from modeling_mtrefseg.predictions_mtrefseg import (
    ScoredSentence,
    change_types_of,
    domains_of,
    filter_predictions,
    load_predictions,
    mean_iou,
    worst_first,
)
from modeling_mtrefseg.report_pictures_mtrefseg import draw_case, draw_histogram
from pair_cache import PairCache, digest_of
from upload_fields import ReportInput


REPORT = Path(__file__).with_name("examples") / "predictions.parquet"
ANY = "any"
MAX_ROWS = 200
MAX_REPORTS = 4
COLUMNS = {"rank": "60px", "IoU": "65px", "sentence": "300px", "change": "120px", "domain": "80px", "sample": "240px"}
Row = list[str | int | float]


class BenchmarkTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open.

    Args:
        tab (`gradio.Tab`): The tab; the report is shown as soon as it is chosen.
    """

    def __init__(self, tab: gr.Tab) -> None:
        self.reports: PairCache[list[ScoredSentence]] = PairCache(MAX_REPORTS)
        self.pictures = open_pair_pictures(GENERATED)
        gr.Markdown(
            "Browse a `predictions.parquet` that `trainer/evaluate.py` wrote; the one here is of the shipped "
            "checkpoint. Pictures appear for pairs that were generated."
        )
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                self._build_filters()
            with gr.Column(scale=2, min_width=300):
                self._build_results()
        self._connect(tab)

    def _build_filters(self) -> None:
        self.file = ReportInput(label="predictions.parquet", file_count="single", value=str(REPORT), height=120)
        with gr.Row():
            self.domain = gr.Dropdown([ANY], value=ANY, label="Domain", min_width=120)
            self.change_type = gr.Dropdown([ANY], value=ANY, label="Change", min_width=120)
        with gr.Row():
            self.least = gr.Slider(0, 100, 0, step=5, label="IoU ≥", min_width=120)
            self.most = gr.Slider(0, 100, 100, step=5, label="IoU ≤", min_width=120)
        self.text = gr.Textbox("", label="Words in the sentence", max_lines=1)
        self.button = gr.Button("Show", variant="primary", elem_id="show-report")

    def _build_results(self) -> None:
        self.summary = gr.Markdown(elem_id="report-summary")
        # A label would lie on the picture's own title.
        picture: dict[str, Any] = {"interactive": False, "show_label": False}
        self.case = gr.Image(
            label="Pictures, truth and prediction", format="jpeg", buttons=["fullscreen", "download"], **picture
        )
        self.rank = gr.Slider(1, MAX_ROWS, 1, step=1, label="Rank, from the worst", interactive=True)
        self.rows = gr.Dataframe(
            label=f"Worst first, at most {MAX_ROWS}",
            headers=list(COLUMNS),
            column_widths=list(COLUMNS.values()),
            wrap=True,
            interactive=False,
            type="array",
            max_height=360,
        )
        self.histogram = gr.Image(label="IoU of all that were chosen", format="png", buttons=[], **picture)

    def _connect(self, tab: gr.Tab) -> None:
        chosen = [self.file, self.domain, self.change_type, self.least, self.most, self.text]
        options: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "report"}
        gr.on(
            [self.button.click, self.text.submit, tab.select],
            self.browse,
            chosen,
            [self.summary, self.rows, self.histogram, self.rank, self.domain, self.change_type],
            api_name="browse_report",
            api_description="The sentences of an evaluation that pass some filters, worst first.",
            **options,
        ).success(self.show, [*chosen, self.rank], self.case, api_visibility="private", **options)
        self.rank.input(
            self.show,
            [*chosen, self.rank],
            self.case,
            api_name="report_case",
            api_description="One sentence of those that pass some filters, by its rank from the worst.",
            trigger_mode="always_last",
            **options,
        )
        self.rows.select(self.pick, None, self.rank, api_visibility="private", show_progress="hidden").then(
            self.show, [*chosen, self.rank], self.case, api_visibility="private", **options
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
    ) -> tuple[str, list[Row], Image.Image, gr.Slider, gr.Dropdown, gr.Dropdown]:
        """Fills the list and the histogram."""
        sentences = self._load(report, request.session_hash or "")
        chosen = _choose(sentences, domain, change_type, least, most, text)
        rows: list[Row] = [
            [rank, round(each.iou, 1), each.expression, each.change_type, each.domain or "", each.sample_id]
            for rank, each in enumerate(chosen[:MAX_ROWS], start=1)
        ]
        summary = f"**{len(chosen):,} of {len(sentences):,} sentences**, mean IoU {mean_iou(chosen):.1f}"
        return (
            summary if chosen else "No sentence passes these filters.",
            rows,
            draw_histogram(chosen),
            gr.Slider(1, max(2, len(rows)), 1, step=1),
            gr.Dropdown([ANY, *domains_of(sentences)], value=domain),
            gr.Dropdown([ANY, *change_types_of(sentences)], value=change_type),
        )

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
    ) -> Image.Image | None:
        """Draws one of the chosen sentences."""
        sentences = self._load(report, request.session_hash or "")
        chosen = _choose(sentences, domain, change_type, least, most, text)[:MAX_ROWS]
        if not chosen:
            return None
        sentence = chosen[min(max(int(rank), 1), len(chosen)) - 1]
        return draw_case(sentence, self.pictures.find(sentence))

    def pick(self, event: gr.SelectData) -> int:
        """The rank of the row that was chosen in the list."""
        return int(event.row_value[0])

    def _load(self, path: str | None, visitor: str) -> list[ScoredSentence]:
        if path is None:
            raise refusal("Choose the predictions.parquet of an evaluation first.")
        try:
            key = digest_of(path)
            sentences = self.reports.get(visitor, key)
            if sentences is None:
                sentences = worst_first(load_predictions(path))
                self.reports.put(visitor, key, sentences)
        except (OSError, ValueError) as error:
            # Where the server keeps the file is nobody's business.
            raise refusal(str(error).replace(str(path), Path(path).name)) from error
        return sentences


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
