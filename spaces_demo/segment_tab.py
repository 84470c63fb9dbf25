# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The tab *Ask*: two images and sentences in, outlines of masks out. It opens with an example that is solved."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from mtrefseg.serve.engine import EVERY_CHANGE, Sentence
from mtrefseg.view.gradio_theme import START_VIEWS

from .answers import masks_of, result_of, show, write_files
from .limits import MAX_SENTENCES, InputError, check_sentences, refusal
from .segmenting import NAMES, Segmentation, Segmenter
from .solved_examples import CHOOSE, EXAMPLES, Example, cards_html, load_solved
from .upload_fields import ImageInput


SCENES = [("unknown", ""), ("remote sensing", "remote_sensing"), ("everyday scene", "normal_scene")]
# One group for all events that may run the model: the others wait in the queue.
MODEL_QUEUE = "model"
SOLVED = "Example with precomputed masks of mtrefseg-r1. Edit the sentences and press Ask."
Shown = tuple[str, list[str], dict[str, Any]]


class SegmentTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open.

    Args:
        segmenter ([`Segmenter`]): Answers the sentences.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        first = EXAMPLES[0]
        with gr.Row(elem_id="ask-columns"):
            with gr.Column(min_width=280, scale=5, elem_id="question-column"):
                self._build_inputs(first)
            with gr.Column(min_width=280, scale=12, elem_id="answers-column"):
                self._build_outputs(first)
        self._connect()

    def _build_inputs(self, first: Example) -> None:
        with gr.Row(elem_id="images"):
            options: dict[str, Any] = {"type": "filepath", "image_mode": None, "height": 132, "min_width": 120}
            options |= {"sources": ["upload"], "buttons": [], "placeholder": "Drop an image", "show_label": False}
            self.image_t1 = ImageInput(first.paths[0], label=NAMES[0], **options)
            self.image_t2 = ImageInput(first.paths[1], label=NAMES[1], **options)
        self.sentences = gr.Textbox(
            first.text,
            label="What changed?",
            info="One sentence per line; none for “Every change”.",
            placeholder="the house that appeared\nthe car that has left",
            lines=4,
            max_lines=MAX_SENTENCES,
            elem_id="sentences",
        )
        with gr.Row():
            self.segment_button = gr.Button("Ask", variant="primary", min_width=120, elem_id="segment")
            self.all_changes_button = gr.Button("Every change", min_width=120, elem_id="all-changes")
        with gr.Accordion("Settings", open=False):
            self.scene = gr.Radio(SCENES, value="", label="What the images show")
            self.fit = gr.Checkbox(
                label="Resize t2 to the size of t1",
                info="Use this if both images show the same area at different sizes.",
            )
            self.threshold = gr.Slider(
                0.05,
                0.95,
                self.segmenter.threshold,
                step=0.05,
                label="Threshold",
                info="Pixels with a higher probability are masked. Changing this does not rerun the model.",
            )
            self.no_target_threshold = gr.Slider(
                0.0,
                1.0,
                self.segmenter.no_target_threshold,
                step=0.05,
                label="No-target threshold",
                info="The mask is left empty if the probability that nothing matches is higher.",
            )
        self.examples = gr.HTML(
            cards_html(), label="Examples", elem_id="examples", js_on_load=CHOOSE, apply_default_css=False
        )

    def _build_outputs(self, first: Example) -> None:
        self.view = gr.HTML(
            show(load_solved(first), SOLVED),
            label="Answers",
            elem_id="answers",
            js_on_load=START_VIEWS,
            apply_default_css=False,
        )
        with gr.Accordion("Files and numbers", open=False):
            self.files = gr.Files(label="Masks (PNG, COCO RLE, GeoJSON)", interactive=False)
            self.numbers = gr.JSON(result_of(load_solved(first)), label="Numbers", max_height=300)
        # The sentences of the shown masks. The sliders act on these, even if the text box has changed since.
        self.asked = gr.State(list(first.sentences))

    def _connect(self) -> None:
        images = [self.image_t1, self.image_t2]
        settings = [self.scene, self.fit, self.threshold, self.no_target_threshold]
        shown = [self.view, self.files, self.numbers]
        options: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": MODEL_QUEUE}
        # Programs get one object instead of what the page shows.
        gr.on(
            [],
            self.segment_object,
            [*images, self.sentences, *settings],
            self.numbers,
            api_name="segment",
            api_description="Segments the change that each sentence describes (one sentence per line).",
            **options,
        )
        gr.on(
            [],
            self.all_changes_object,
            [*images, *settings],
            self.numbers,
            api_name="all_changes",
            api_description="Segments every change between two images.",
            **options,
        )
        page: dict[str, Any] = {**options, "api_visibility": "private", "show_progress_on": self.view}
        ask: dict[str, Any] = {"fn": self.answer, "inputs": [*images, self.asked, *settings], "outputs": shown, **page}
        reading: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
        # In the queue: gradio does not show what an event outside of it refuses.
        checking = {**reading, "queue": True}
        # On a phone the answer lies far from the button.
        gr.on(
            [self.segment_button.click, self.sentences.submit], self._check, self.sentences, self.asked, **checking
        ).success(**ask, scroll_to_output=True)
        self.all_changes_button.click(lambda: [EVERY_CHANGE], None, self.asked, **reading).success(
            **ask, scroll_to_output=True
        )
        # What an example said of its scene need not be true of a visitor's images.
        gr.on([image.upload for image in images], lambda: "", None, self.scene, **reading)
        for slider in (self.threshold, self.no_target_threshold):
            slider.input(**ask, trigger_mode="always_last")
        self.examples.click(
            self.choose, None, [*images, self.sentences, *settings, self.asked, *shown], **{**reading, "queue": True}
        )

    def segment_object(
        self,
        image_t1: str | None,
        image_t2: str | None,
        sentences: str | None,
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> dict[str, Any]:
        """Answers the sentences of a program."""
        checked = self._check(sentences)
        return masks_of(self._ask((image_t1, image_t2), checked, scene, fit, threshold, no_target_threshold, request))

    def all_changes_object(
        self,
        image_t1: str | None,
        image_t2: str | None,
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> dict[str, Any]:
        """Segments every change for a program."""
        paths = (image_t1, image_t2)
        return masks_of(self._ask(paths, [EVERY_CHANGE], scene, fit, threshold, no_target_threshold, request))

    def answer(
        self,
        image_t1: str | None,
        image_t2: str | None,
        asked: list[Sentence],
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> Shown:
        """Fills the page with the answers to sentences that were checked."""
        segmentation = self._ask((image_t1, image_t2), asked, scene, fit, threshold, no_target_threshold, request)
        result = result_of(segmentation)
        return show(segmentation), write_files(segmentation, result, self.files.GRADIO_CACHE), result

    def choose(self, event: gr.EventData) -> tuple[Any, ...]:
        """Fills the page with an example and its answers; the model is not asked."""
        index = event._data.get("index") if isinstance(event._data, dict) else None
        if not isinstance(index, int) or not 0 <= index < len(EXAMPLES):
            return tuple(gr.skip() for _ in range(11))
        example = EXAMPLES[index]
        # The masks were computed with the initial settings.
        settings = (example.domain, False, self.segmenter.threshold, self.segmenter.no_target_threshold)
        return (*example.paths, example.text, *settings, list(example.sentences), *self._solved(example))

    def first_values(self) -> tuple[list[str], str]:
        """
        Writes the files of the example that is shown at first, for each visitor: they are deleted after a while. Its
        kind of scene is chosen here, since programs get the initial values of the fields.
        """
        return self._solved(EXAMPLES[0])[1], EXAMPLES[0].domain

    def _solved(self, example: Example) -> Shown:
        solved = load_solved(example)
        result = result_of(solved)
        return show(solved, SOLVED), write_files(solved, result, self.view.GRADIO_CACHE), result

    def _check(self, sentences: str | None) -> list[str]:
        try:
            return check_sentences(sentences, self.segmenter.special_tokens)
        except InputError as error:
            raise refusal(str(error)) from error

    def _ask(
        self,
        paths: tuple[str | None, str | None],
        sentences: Sequence[Sentence],
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> Segmentation:
        path_t1, path_t2 = paths
        if path_t1 is None or path_t2 is None:
            missing = NAMES[0] if path_t1 is None else NAMES[1]
            raise refusal(f"{missing} is missing: upload it, or choose an example.")
        try:
            return self.segmenter.segment(
                visitor=request.session_hash or "",
                paths=(path_t1, path_t2),
                sentences=sentences,
                domain=scene or None,
                align="resize" if fit else "error",
                threshold=threshold,
                no_target_threshold=no_target_threshold,
            )
        except InputError as error:
            raise refusal(str(error)) from error
