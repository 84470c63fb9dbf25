# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The tab *Segment*: two images and sentences in, coloured masks out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from mtrefseg.serve.engine import EVERY_CHANGE, Sentence

from .answers import legend, masks_of, paint, result_of, write_files
from .limits import MAX_SENTENCES, InputError, check_sentences, refusal
from .segmenting import NAMES, Segmentation, Segmenter
from .upload_fields import ImageInput


EXAMPLES = Path(__file__).with_name("examples")
# gradio cuts off what is longer than 60 letters.
EXAMPLE_ROWS = (
    ("town", "which buildings are new?\nthe house that no longer exists"),
    ("houses", "every pool that showed up\nthe house whose roof turned grey"),
    ("fields", "the tree that was planted\nthe road that was newly built"),
    ("room", "the picture that changed from blue to yellow"),
    ("storeroom", "the shelf that disappeared\nthe box that changed"),
)
SCENES = [("not said", ""), ("remote sensing", "remote_sensing"), ("everyday scene", "normal_scene")]
# One group for all events that may run the model: the others wait in the queue.
MODEL_QUEUE = "model"
Shown = tuple[tuple[Image.Image, Image.Image], str, list[str], dict[str, Any], list[Sentence]]


class SegmentTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open.

    Args:
        segmenter ([`Segmenter`]): Answers the sentences.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        with gr.Row(elem_id="segment-columns"):
            with gr.Column(min_width=300):
                self._build_inputs()
            with gr.Column(min_width=300, elem_id="answers-column"):
                self._build_outputs()
        self._connect()

    def _build_inputs(self) -> None:
        with gr.Row(elem_id="images"):
            options: dict[str, Any] = {"type": "filepath", "image_mode": None, "height": 240, "min_width": 130}
            options |= {"sources": ["upload", "clipboard", "webcam"], "buttons": []}
            self.image_t1 = ImageInput(label=NAMES[0], **options)
            self.image_t2 = ImageInput(label=NAMES[1], **options)
        self.sentences = gr.Textbox(
            label="What changed? One sentence a line",
            info=f"At most {MAX_SENTENCES} sentences. Shift + Enter is the same as the button Segment.",
            placeholder="the house that appeared\nthe car that has left",
            lines=3,
            max_lines=MAX_SENTENCES,
        )
        with gr.Row():
            self.segment_button = gr.Button("Segment", variant="primary", min_width=120, elem_id="segment")
            self.all_changes_button = gr.Button("All changes", min_width=120, elem_id="all-changes")
        with gr.Accordion("Settings", open=False):
            self.scene = gr.Radio(SCENES, value="", label="What the images show")
            self.fit = gr.Checkbox(label="Fit t2 to the size of t1", info="If both show the same area in other sizes.")
        gr.Examples(
            [[str(EXAMPLES / f"{name}_{time}.jpg") for time in ("t1", "t2")] + [text] for name, text in EXAMPLE_ROWS],
            inputs=[self.image_t1, self.image_t2, self.sentences],
            label="Examples: one made of real images (CC0), the others drawn by this project's generator",
            cache_examples=False,
            elem_id="examples",
        )

    def _build_outputs(self) -> None:
        self.slider = gr.ImageSlider(
            label="t1 | t2 with masks",
            type="filepath",
            interactive=False,
            buttons=["fullscreen"],
            max_height=620,
            slider_position=15,
            elem_id="before-after",
        )
        self.legend = gr.HTML(label="Answers", elem_id="legend", padding=False)
        self.threshold = gr.Slider(
            0.05,
            0.95,
            self.segmenter.threshold,
            step=0.05,
            label="Threshold",
            info="Probability from which on a pixel is masked. The model is not asked again.",
        )
        self.no_target_threshold = gr.Slider(
            0.0,
            1.0,
            self.segmenter.no_target_threshold,
            step=0.05,
            label="No-target threshold",
            info="A mask is emptied if the model is surer than this that nothing fits.",
        )
        with gr.Accordion("Files and numbers", open=False):
            self.files = gr.Files(label="Masks (PNG, COCO RLE, GeoJSON)", interactive=False)
            self.numbers = gr.JSON(label="Numbers", max_height=300)
        # The sentences of the shown masks. The sliders act on these, even if the text box has changed since.
        self.asked = gr.State([])

    def _connect(self) -> None:
        images = [self.image_t1, self.image_t2]
        settings = [self.scene, self.fit, self.threshold, self.no_target_threshold]
        outputs = [self.slider, self.legend, self.files, self.numbers, self.asked]
        options: dict[str, Any] = {
            "concurrency_limit": 1,
            "concurrency_id": MODEL_QUEUE,
            "show_progress_on": self.slider,
        }
        # Programs get one object instead of what the page shows.
        gr.on(
            [],
            self.segment_object,
            [*images, self.sentences, *settings],
            self.numbers,
            api_name="segment",
            api_description="Segments what each of some sentences, one a line, describes.",
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
        # On a phone the answer lies below the examples.
        asking = {**options, "scroll_to_output": True, "api_visibility": "private"}
        gr.on(
            [self.segment_button.click, self.sentences.submit],
            self.segment,
            [*images, self.sentences, *settings],
            outputs,
            **asking,
        )
        self.all_changes_button.click(self.all_changes, [*images, *settings], outputs, **asking)
        for slider in (self.threshold, self.no_target_threshold):
            slider.input(
                self.repeat,
                [*images, self.asked, *settings],
                outputs,
                api_visibility="private",
                trigger_mode="always_last",
                **{**options, "show_progress": "hidden"},
            )

    def segment(
        self,
        image_t1: str | None,
        image_t2: str | None,
        sentences: str,
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> Shown:
        """Answers the sentences of the text box."""
        checked = self._check(sentences)
        return self._answer((image_t1, image_t2), checked, scene, fit, threshold, no_target_threshold, request)

    def segment_object(
        self,
        image_t1: str | None,
        image_t2: str | None,
        sentences: str,
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> dict[str, Any]:
        """Answers the sentences of a program."""
        checked = self._check(sentences)
        paths = (image_t1, image_t2)
        return masks_of(self._ask(paths, checked, scene, fit, threshold, no_target_threshold, request))

    def all_changes(
        self,
        image_t1: str | None,
        image_t2: str | None,
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> Shown:
        """Segments every change, without a sentence."""
        return self._answer((image_t1, image_t2), [EVERY_CHANGE], scene, fit, threshold, no_target_threshold, request)

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

    def repeat(
        self,
        image_t1: str | None,
        image_t2: str | None,
        asked: list[Sentence],
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> Shown | tuple[dict[str, Any], ...]:
        """Recomputes the shown masks after a slider has moved."""
        if not asked or image_t1 is None or image_t2 is None:
            return tuple(gr.skip() for _ in range(5))
        return self._answer((image_t1, image_t2), asked, scene, fit, threshold, no_target_threshold, request)

    def _check(self, sentences: str) -> list[str]:
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
            raise refusal(f"{missing} is missing: drop it into its field, paste it, or choose an example.")
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

    def _answer(
        self,
        paths: tuple[str | None, str | None],
        sentences: Sequence[Sentence],
        scene: str,
        fit: bool,
        threshold: float,
        no_target_threshold: float,
        request: gr.Request,
    ) -> Shown:
        segmentation = self._ask(paths, sentences, scene, fit, threshold, no_target_threshold, request)
        result = result_of(segmentation)
        files = write_files(segmentation, result, self.files.GRADIO_CACHE)
        return paint(segmentation), legend(segmentation), files, result, list(sentences)
