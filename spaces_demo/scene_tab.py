# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The tab *Large scene*: large images and GeoTIFF in; masks, polygons and a view with pan and zoom out. It opens with an
example that is solved; `make images` solves it again.
"""

import json
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import numpy.typing as npt
from gradio.processing_utils import save_bytes_to_cache

from mtrefseg.errors import UserError
from mtrefseg.scenes import SceneOptions, ScenePredictor, SceneResult, draw_layers, segment_pair
from mtrefseg.scenes.output import GEOJSON, GEOPACKAGE, MASK_STYLE, MASKS, OVERVIEW, REPORT, STYLE
from mtrefseg.scenes.sentences import change_type_of
from mtrefseg.view.gradio_theme import START_VIEWS
from mtrefseg.view.pair_view import ShownAnswer, pair_view_html

from .answers import EVERY_CHANGE_LABEL, NOTHING_CHANGED, NOTHING_FITS
from .limits import MAX_SENTENCES, check_image, check_sentences, refusal
from .segment_tab import MODEL_QUEUE, SCENES, SegmentTab
from .segmenting import NAMES, Segmenter
from .solved_examples import EXAMPLES, FOLDER
from .upload_fields import SCENE_ENDINGS, SceneInput, is_scene_file


MAX_WINDOWS = 256
"""Larger scenes are cut into as many windows, which are shrunk."""
FILES = (MASKS, MASK_STYLE, GEOPACKAGE, STYLE, GEOJSON, OVERVIEW, REPORT)
WAYS = {"objects": " · selected among all objects", "shrunk scene": " · answered in the shrunk scene"}
"""How a sentence was answered if not in the windows alone."""
SCENE = FOLDER / "scene"
EXAMPLE = (SCENE / "scene_t1.tif", SCENE / "scene_t2.tif")
EXAMPLE_SENTENCES = (
    "the buildings that appeared",
    "the buildings that disappeared",
    "the largest building that appeared",
)
EXAMPLE_DOMAIN = "remote_sensing"
SOLVED = "Example with precomputed masks of mtrefseg-r1; press Ask to compute them again"
Shown = tuple[str, list[str], dict[str, Any]]
COMMAND_LINE_FIX = "add --align resize"
"""What the library advises for two sizes; the page has no such option."""
PAGE_FIX = "resize t2 to the size of t1 first"
EMPTY = (
    '<p class="empty"><span>Press <b>Ask</b>, or press <b>Example</b>. Both dates and the masks appear here; you can '
    "zoom in.</span></p>"
)


class SceneTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open.

    Args:
        segmenter ([`Segmenter`]): Holds the model.
        tab (`gradio.Tab`): The tab. When it is chosen, it shows the example, or takes over the images and sentences of
            the tab *Ask* if these are a visitor's own.
        ask ([`SegmentTab`]): The tab *Ask*.
    """

    def __init__(self, segmenter: Segmenter, tab: gr.Tab, ask: SegmentTab) -> None:
        self.segmenter = segmenter
        with gr.Row(elem_id="scene-columns"):
            with gr.Column(min_width=280, scale=5):
                self._build_inputs()
            with gr.Column(min_width=280, scale=12, elem_id="scene-answers"):
                self._build_outputs()
        self._connect(tab, ask)

    def _connect(self, tab: gr.Tab, ask: SegmentTab) -> None:
        asked = [*self.files, self.sentences, self.domain]
        shown = [self.view, self.results, self.numbers]
        options: dict[str, Any] = {
            "fn": self.segment,
            "inputs": asked,
            "outputs": shown,
            "concurrency_limit": 1,
            "concurrency_id": MODEL_QUEUE,
            "show_progress_on": self.view,
            "scroll_to_output": True,
        }
        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        self.button.click(
            **options,
            api_name="segment_scene",
            api_description="Segments a large or georeferenced pair in windows; returns GeoTIFF and polygons.",
        ).success(lambda: gr.Accordion(visible=True), None, self.downloads, **quiet)
        page = [*asked, *shown, self.downloads]
        self.example.click(self.show_example, None, page, **quiet)
        tab.select(self.open, [*self.files, ask.image_t1, ask.image_t2, ask.sentences], page, **quiet)

    def open(
        self, file_t1: str | None, file_t2: str | None, image_t1: str | None, image_t2: str | None, sentences: str
    ) -> tuple[Any, ...]:
        """Fills the page when the tab is chosen, unless it holds a visitor's own files."""
        if any(path and Path(path).name not in {each.name for each in EXAMPLE} for path in (file_t1, file_t2)):
            return tuple(gr.skip() for _ in range(8))
        examples = {Path(path).name for example in EXAMPLES for path in example.paths}
        asked = [Path(path) for path in (image_t1, image_t2) if path]
        is_own = len(asked) == 2 and not {path.name for path in asked} <= examples
        # Files of other formats would be refused here, and deleted although *Ask* needs them.
        if is_own and all(map(is_scene_file, asked)):
            return image_t1, image_t2, sentences, gr.skip(), EMPTY, None, None, gr.Accordion(visible=False)
        if file_t1 or file_t2:
            return tuple(gr.skip() for _ in range(8))
        return self.show_example()

    def show_example(self) -> tuple[Any, ...]:
        """Fills the page with the example and its answers; the model is not asked."""
        view, numbers = _solved()
        files = _cached(SCENE, self.results.GRADIO_CACHE)
        sentences = "\n".join(EXAMPLE_SENTENCES)
        return (*map(str, EXAMPLE), sentences, EXAMPLE_DOMAIN, view, files, numbers, gr.Accordion(visible=True))

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
            label="What changed?",
            info="One sentence per line. Leave this empty to segment every change.",
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

    def segment(self, image_t1: str | None, image_t2: str | None, sentences: str | None, domain: str) -> Shown:
        """Segments the scene and fills the page."""
        paths = (image_t1, image_t2)
        for path, name in zip(paths, NAMES):
            if path is None:
                raise refusal(f"{name} is missing: upload a file, or press Example.")
        try:
            texts = check_sentences(sentences, self.segmenter.special_tokens) if (sentences or "").strip() else None
            return self._answer([str(path) for path in paths], texts, domain or None)
        except UserError as error:
            message = _without_paths(str(error), [str(path) for path in paths])
            raise refusal(message.replace(COMMAND_LINE_FIX, PAGE_FIX)) from error

    def _answer(self, paths: Sequence[str], texts: Sequence[str] | None, domain: str | None) -> Shown:
        for path, name in zip(paths, NAMES, strict=True):
            check_image(path, name)
        with tempfile.TemporaryDirectory() as folder:
            segment_into(Path(folder), self.segmenter, paths, texts, domain)
            view, numbers = _view(paths, Path(folder))
            return view, _cached(Path(folder), self.results.GRADIO_CACHE), numbers


def segment_into(
    folder: Path, segmenter: Segmenter, paths: Sequence[str], texts: Sequence[str] | None, domain: str | None
) -> None:
    """
    Segments a scene and writes the files that visitors can download.

    Args:
        folder (`Path`): The folder for the files.
        segmenter ([`Segmenter`]): The model.
        paths (`Sequence[str]`): Files of t1 and t2.
        texts (`Sequence[str]`, *optional*): Checked sentences; `None` is every change.
        domain (`str`, *optional*): `"remote_sensing"` or `"normal_scene"`.

    Raises:
        [`UserError`]: If an image or a sentence is refused.
    """
    # Between batches of windows, the model answers others.
    predictor = ScenePredictor(segmenter.model, segmenter.processor, domain=domain, lock=segmenter.lock)
    result = segment_pair(*paths, texts, predictor, _options(), folder)
    _hide_paths(result, paths)
    result.write_files()


def write_example(segmenter: Segmenter) -> None:
    """Solves the example anew. The overview is left out: it is larger than the images."""
    segment_into(SCENE, segmenter, [str(path) for path in EXAMPLE], EXAMPLE_SENTENCES, EXAMPLE_DOMAIN)
    (SCENE / OVERVIEW).unlink()


def _options() -> SceneOptions:
    return SceneOptions(most_windows=MAX_WINDOWS, progress=False)


@lru_cache(maxsize=1)
def _solved() -> tuple[str, dict[str, Any]]:
    """View and numbers of the example."""
    return _view([str(path) for path in EXAMPLE], SCENE, SOLVED)


def _cached(folder: Path, cache: str) -> list[str]:
    """Copies of the files for visitors in gradio's cache, from where they are deleted with everything else."""
    paths = [folder / name for name in FILES]
    return [save_bytes_to_cache(path.read_bytes(), path.name, cache) for path in paths if path.is_file()]


def _view(paths: Sequence[str], folder: Path, status: str = "") -> tuple[str, dict[str, Any]]:
    """
    The view of a scene whose files lie in a folder, as HTML, and the content of `result.json`; `status` precedes the
    line about windows.
    """
    numbers: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    results = numbers["results"]
    *images, masks = draw_layers(paths, _options().reading, folder / MASKS, [one["band"] for one in results])
    answers = [_answer_of(one, mask) for one, mask in zip(results, masks, strict=True)]
    windows = numbers["windows"]
    said = [status] if status else []
    said += [f"Segmented in {windows} window{'' if windows == 1 else 's'}", *dict.fromkeys(numbers["notes"])]
    return pair_view_html((images[0], images[1]), answers, ". ".join(said) + "."), numbers


def _answer_of(one: dict[str, Any], mask: npt.NDArray[np.bool_]) -> ShownAnswer:
    """What is shown of an entry of `result.json`."""
    ground = "" if one["area_m2"] is None else f" · {one['area_m2']:,.0f} m²"
    plural = "" if one["objects"] == 1 else "s"
    note = f"{one['objects']} object{plural}{ground} · score {one['score']:.2f}{WAYS.get(one['answered_by'], '')}"
    if not one["area_pixels"]:
        note = NOTHING_FITS if one["asked"] else NOTHING_CHANGED
    change_type = change_type_of(one["asked"])
    return ShownAnswer(one["text"] or EVERY_CHANGE_LABEL, mask, note, change_type, is_closest=one["is_closest"])


def _hide_paths(result: SceneResult, paths: Sequence[str]) -> None:
    """Visitors see names, not where their files lie."""
    report = result.report
    report["image_t1"], report["image_t2"] = (Path(path).name for path in paths)
    report["notes"] = [_without_paths(note, paths) for note in report["notes"]]


def _without_paths(text: str, paths: Sequence[str]) -> str:
    for path, name in zip(paths, NAMES, strict=True):
        text = text.replace(path, name)
    return text
