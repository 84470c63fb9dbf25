# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The tab *Scene*: large images and GeoTIFF in; masks, polygons and a view with pan and zoom out."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import numpy.typing as npt
from gradio.processing_utils import save_bytes_to_cache
from PIL import Image

from mtrefseg.errors import UserError
from mtrefseg.scenes import SceneOptions, ScenePredictor, SceneResult, draw_layers, segment_pair
from mtrefseg.scenes.sentences import change_type_of
from mtrefseg.view.gradio_theme import START_VIEWS
from mtrefseg.view.pair_view import ShownAnswer, pair_view_html

from .answers import EVERY_CHANGE_LABEL, NOTHING_CHANGED, NOTHING_FITS
from .limits import MAX_SENTENCES, check_image, check_sentences, refusal
from .segment_tab import MODEL_QUEUE, SCENES, SegmentTab
from .segmenting import NAMES, Segmenter
from .solved_examples import FOLDER
from .upload_fields import SCENE_ENDINGS, SceneInput


MAX_WINDOWS = 256
"""Larger scenes are cut into as many windows, which are shrunk."""
REPORT = "result.json"
FILES = ("masks.tif", "masks.qml", "objects.gpkg", "objects.qml", "objects.geojson", "overview.webp", REPORT)
WAYS = {"objects": " · selected among all objects", "shrunk scene": " · answered in the shrunk scene"}
"""How a sentence was answered if not in the windows alone."""
Shown = tuple[str, list[str], dict[str, Any]]
EMPTY = (
    '<p class="empty"><span>Upload two files and press <b>Ask</b>, or press <b>Example</b>. Both dates and the masks '
    "appear here; you can zoom in.</span></p>"
)


class SceneTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open.

    Args:
        segmenter ([`Segmenter`]): Holds the model.
        tab (`gradio.Tab`): The tab; what stands in *Ask* is taken over when it is chosen, where fields are empty.
        ask ([`SegmentTab`]): The tab *Ask*.
    """

    def __init__(self, segmenter: Segmenter, tab: gr.Tab, ask: SegmentTab) -> None:
        self.segmenter = segmenter
        with gr.Row():
            with gr.Column(min_width=280, scale=5):
                self._build_inputs()
            with gr.Column(min_width=280, scale=12):
                self._build_outputs()
        self._connect(tab, ask)

    def _connect(self, tab: gr.Tab, ask: SegmentTab) -> None:
        asked = [*self.files, self.sentences, self.domain]
        options: dict[str, Any] = {
            "fn": self.segment,
            "inputs": asked,
            "outputs": [self.view, self.results, self.numbers],
            "concurrency_limit": 1,
            "concurrency_id": MODEL_QUEUE,
            "show_progress_on": self.view,
            "scroll_to_output": True,
        }
        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        paths = [str(FOLDER / f"scene_{date}.tif") for date in ("t1", "t2")]
        example = (*paths, "the houses that appeared\nthe houses that disappeared", "remote_sensing")
        answered = [
            self.button.click(
                **options,
                api_name="segment_scene",
                api_description="Segments a large or georeferenced pair in windows; returns GeoTIFF and polygons.",
            ),
            self.example.click(lambda: example, None, asked, **quiet).then(**options, api_visibility="private"),
        ]
        for event in answered:
            event.success(lambda: gr.Accordion(visible=True), None, self.downloads, **quiet)
        tab.select(
            self.take_over,
            [*self.files, self.sentences, ask.image_t1, ask.image_t2, ask.sentences],
            [*self.files, self.sentences],
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )

    def take_over(
        self,
        file_t1: str | None,
        file_t2: str | None,
        sentences: str,
        image_t1: str | None,
        image_t2: str | None,
        asked: str,
    ) -> tuple[Any, Any, str]:
        """Fills empty fields with what stands in the tab *Ask*."""
        files = (gr.skip(), gr.skip()) if file_t1 or file_t2 else (image_t1, image_t2)
        return (*files, sentences if sentences.strip() else asked)

    def _build_inputs(self) -> None:
        gr.Markdown(
            "For GeoTIFF and other large images. The images are processed in overlapping windows; for GeoTIFF, the "
            "results are georeferenced.",
            elem_classes="note",
        )
        self.files = [
            SceneInput(label=name, file_types=list(SCENE_ENDINGS), height=104, elem_id=f"scene-t{number}")
            for number, name in enumerate(NAMES, start=1)
        ]
        self.sentences = gr.Textbox(
            label="What changed? One sentence per line",
            info="Leave this empty to segment every change.",
            placeholder="the houses that appeared\nthe largest house that appeared",
            lines=4,
            max_lines=MAX_SENTENCES,
            elem_id="scene-sentences",
        )
        self.domain = gr.Radio(SCENES, value="remote_sensing", label="What the images show")
        with gr.Row():
            self.button = gr.Button("Ask", variant="primary", min_width=120, elem_id="segment-scene")
            self.example = gr.Button("Example", min_width=120, elem_id="scene-example")

    def _build_outputs(self) -> None:
        self.view = gr.HTML(
            label="Scene",
            elem_id="scene-view",
            value=EMPTY,
            js_on_load=START_VIEWS,
            apply_default_css=False,
        )
        with gr.Accordion("Files and numbers", open=False, visible=False) as self.downloads:
            self.results = gr.Files(label="Masks (GeoTIFF), objects (GeoPackage, GeoJSON), numbers", interactive=False)
            self.numbers = gr.JSON(label="Numbers", max_height=300)

    def segment(self, image_t1: str | None, image_t2: str | None, sentences: str, domain: str) -> Shown:
        """Segments the scene and fills the page."""
        paths = (image_t1, image_t2)
        for path, name in zip(paths, NAMES):
            if path is None:
                raise refusal(f"{name} is missing: upload a file, or press Example.")
        try:
            texts = check_sentences(sentences, self.segmenter.special_tokens) if sentences.strip() else None
            return self._answer([str(path) for path in paths], texts, domain or None)
        except UserError as error:
            raise refusal(_without_paths(str(error), [str(path) for path in paths])) from error

    def _answer(self, paths: Sequence[str], texts: Sequence[str] | None, domain: str | None) -> Shown:
        segmenter = self.segmenter
        for path, name in zip(paths, NAMES, strict=True):
            check_image(path, name)
        options = SceneOptions(most_windows=MAX_WINDOWS, progress=False)
        predictor = ScenePredictor(segmenter.model, segmenter.processor, domain=domain)
        with tempfile.TemporaryDirectory() as folder:
            with segmenter.lock:
                result = segment_pair(*paths, texts, predictor, options, Path(folder))
            _hide_paths(result, paths)
            result.write_files()
            numbers = json.loads((Path(folder) / REPORT).read_text(encoding="utf-8"))
            earlier, later, masks = draw_layers(paths, options.reading, result)
            files = [
                save_bytes_to_cache(path.read_bytes(), path.name, self.results.GRADIO_CACHE)
                for path in (Path(folder) / name for name in FILES)
                if path.is_file()
            ]
        return _view(result, (earlier, later), masks), files, numbers


def _view(result: SceneResult, images: tuple[Image.Image, Image.Image], masks: Sequence[npt.NDArray[np.bool_]]) -> str:
    answers = []
    for one, mask in zip(result.sentences, masks, strict=True):
        ground = "" if one.area_m2 is None else f" · {one.area_m2:,.0f} m²"
        plural = "" if len(one.objects) == 1 else "s"
        note = f"{len(one.objects)} object{plural}{ground} · score {one.score:.2f}{WAYS.get(one.answered_by, '')}"
        if not one.area_pixels:
            note = NOTHING_FITS if one.asked else NOTHING_CHANGED
        answers.append(
            ShownAnswer(
                one.text or EVERY_CHANGE_LABEL, mask, note, change_type_of(one.asked), is_closest=one.is_closest
            )
        )
    windows = result.report["windows"]
    said = [f"Segmented in {windows} window{'' if windows == 1 else 's'}", *dict.fromkeys(result.report["notes"])]
    return pair_view_html(images, answers, ". ".join(said) + ".")


def _hide_paths(result: SceneResult, paths: Sequence[str]) -> None:
    """Visitors see names, not where their files lie."""
    report = result.report
    report["image_t1"], report["image_t2"] = (Path(path).name for path in paths)
    report["notes"] = [_without_paths(note, paths) for note in report["notes"]]


def _without_paths(text: str, paths: Sequence[str]) -> str:
    for path, name in zip(paths, NAMES, strict=True):
        text = text.replace(path, name)
    return text
