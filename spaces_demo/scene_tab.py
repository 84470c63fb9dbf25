# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The tab *Scene*: large images and GeoTIFF in; masks, polygons and a view with pan and zoom out."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from mtrefseg.errors import UserError
from mtrefseg.scenes import SceneOptions, ScenePredictor, SceneResult, draw_layers, segment_pair

from .answers import answers_list
from .limits import MAX_FILE_SIZE, MAX_PIXELS, MAX_SENTENCES, check_image, check_sentences, refusal
from .scene_view import SCRIPT, scene_html
from .segment_tab import EXAMPLES, MODEL_QUEUE, SCENES
from .segmenting import NAMES, Segmenter
from .upload_fields import SCENE_ENDINGS, SceneInput


MAX_WINDOWS = 256
"""Larger scenes are cut into as many windows, which are shrunk."""
REPORT = "result.json"
FILES = ("masks.tif", "objects.gpkg", "objects.qml", "objects.geojson", "overview.webp", REPORT)
Shown = tuple[str, str, list[str], dict[str, Any]]


class SceneTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open.

    Args:
        segmenter ([`Segmenter`]): Holds the model.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        gr.Markdown(
            "For GeoTIFF and for images that are much larger than the model's canvas: they are cut into windows that "
            f"overlap, as `mtrefseg predict` does it. At most {MAX_PIXELS // 1_000_000} million pixels and "
            f"{MAX_FILE_SIZE.removesuffix('mb')} MB an image."
        )
        with gr.Row():
            with gr.Column(min_width=300):
                self._build_inputs()
            with gr.Column(min_width=300, scale=2):
                self._build_outputs()
        self.button.click(
            self.segment,
            [*self.files, self.sentences, self.domain],
            [self.view, self.legend, self.results, self.numbers],
            api_name="segment_scene",
            api_description="Segments a large or georeferenced pair in windows; gives GeoTIFF and polygons.",
            concurrency_limit=1,
            concurrency_id=MODEL_QUEUE,
            show_progress_on=self.view,
            scroll_to_output=True,
        )

    def _build_inputs(self) -> None:
        with gr.Row():
            self.files = [
                SceneInput(
                    label=name, file_types=list(SCENE_ENDINGS), height=120, min_width=130, elem_id=f"scene-t{number}"
                )
                for number, name in enumerate(NAMES, start=1)
            ]
        self.sentences = gr.Textbox(
            label="What changed? One sentence a line",
            info=f"At most {MAX_SENTENCES} sentences. None: every change.",
            placeholder="the houses that appeared\nthe largest house that appeared",
            lines=3,
            max_lines=MAX_SENTENCES,
        )
        self.domain = gr.Radio(SCENES, value="remote_sensing", label="What the images show")
        self.button = gr.Button("Segment the scene", variant="primary", elem_id="segment-scene")
        paths = [str(EXAMPLES / f"scene_{date}.tif") for date in ("t1", "t2")]
        gr.Examples(
            [[*paths, "the houses that appeared\nthe houses that disappeared"]],
            inputs=[*self.files, self.sentences],
            label="Example: a generated scene of 2,048 x 2,048 pixels with a place on the ground",
            cache_examples=False,
            elem_id="scene-example",
        )

    def _build_outputs(self) -> None:
        self.view = gr.HTML(
            label="The scene",
            elem_id="scene-view",
            js_on_load=SCRIPT.read_text(encoding="utf-8"),
            min_height=120,
        )
        self.legend = gr.HTML(label="Answers", elem_id="scene-legend", padding=False)
        self.results = gr.Files(label="Masks (GeoTIFF), objects (GeoPackage, GeoJSON), numbers", interactive=False)
        with gr.Accordion("Numbers", open=False):
            self.numbers = gr.JSON(label="Numbers", max_height=300)

    def segment(self, image_t1: str | None, image_t2: str | None, sentences: str, domain: str) -> Shown:
        """Segments the scene and fills the page."""
        paths = (image_t1, image_t2)
        for path, name in zip(paths, NAMES):
            if path is None:
                raise refusal(f"{name} is missing: drop a file into its field, or choose the example.")
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
            layers = draw_layers(paths, options.reading, result)
            files = [
                save_bytes_to_cache(path.read_bytes(), path.name, self.results.GRADIO_CACHE)
                for path in (Path(folder) / name for name in FILES)
                if path.is_file()
            ]
        for note in result.report["notes"]:
            gr.Info(note)
        return scene_html(layers), _legend(result), files, numbers


def _legend(result: SceneResult) -> str:
    entries = []
    for one in result.sentences:
        ground = "" if one.area_m2 is None else f" · {one.area_m2:,.0f} m²"
        plural = "" if len(one.objects) == 1 else "s"
        said = f"{len(one.objects)} object{plural}{ground} · score {one.score:.2f} · answered by {one.answered_by}"
        entries.append((one.text, bool(one.area_pixels), said))
    windows = result.report["windows"]
    return answers_list(entries, f"Segmented in {windows} window{'' if windows == 1 else 's'}.")


def _hide_paths(result: SceneResult, paths: Sequence[str]) -> None:
    """Visitors see names, not where their files lie."""
    report = result.report
    report["image_t1"], report["image_t2"] = (Path(path).name for path in paths)
    report["notes"] = [_without_paths(note, paths) for note in report["notes"]]


def _without_paths(text: str, paths: Sequence[str]) -> str:
    for path, name in zip(paths, NAMES, strict=True):
        text = text.replace(path, name)
    return text
