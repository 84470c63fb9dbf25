# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The tab *Look inside*: attention and mask of every decoder layer, and the importance of every word. When it is
chosen, it inspects a sentence of the tab *Ask*.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from mtrefseg.serve.pair_cache import PairCache
from mtrefseg.view.drawing import CLOSEST, area_text
from mtrefseg.view.inspection import (
    ExpressionInspection,
    InspectedPair,
    WordImportance,
    encode_for_inspection,
    inspect_pair,
)
from mtrefseg.view.inspection_images import draw_attention, draw_difference, draw_layer_mask

from .answers import NOTHING_FITS, figures_html
from .limits import DELETE_AFTER, InputError, check_sentences, refusal
from .segment_tab import MODEL_QUEUE, SegmentTab
from .segmenting import MAX_BYTES, Segmenter, digest_or_refuse, load_pair
from .solved_examples import EXAMPLES


INSPECTED_SIDE = 1024  # Larger images are shrunk to this: the maps are no finer anyway.
Shown = tuple[gr.HTML, gr.Column, str, str, str, str, dict[str, Any], list[Any]]
FIRST = EXAMPLES[0].sentences[2]
"""The sentence that is inspected first: one of its words decides."""
LEAST_IMPORTANCE = 0.05
"""If no word is more important, none of them decides."""
EMPTY = (
    '<p class="empty"><span>Upload two images in the <b>Ask</b> tab, then press <b>Look inside</b> to see which words '
    "matter, where the model looked, and how the mask is refined.</span></p>"
)
WORDS = """
## Which words matter
The share of the mask that changes if a word is left out.
"""
WHERE = """
## Where the model looked
The first image shows how much t1 and t2 differ, before the sentence is read. The others show the attention of each
decoder layer: brighter means more attention. Each layer divides the images into squares, which are
largest in the first layers.
"""
STEPS = """
## How the mask is refined
Each layer predicts a new mask. The mask of the last layer is the result.
"""


class InspectTab:
    """
    Builds the tab inside the `gradio.Blocks` that is open. It looks at the images and sentences of the tab *Ask*.

    Args:
        segmenter ([`Segmenter`]): Holds the model.
        tab (`gradio.Tab`): The tab; what stands in *Ask* is taken over when it is chosen.
        ask ([`SegmentTab`]): The tab *Ask*.
    """

    def __init__(self, segmenter: Segmenter, tab: gr.Tab, ask: SegmentTab) -> None:
        self.segmenter = segmenter
        self.pairs: PairCache[InspectedPair] = PairCache(MAX_BYTES, DELETE_AFTER)
        with gr.Row(equal_height=True, elem_id="look-question"):
            self.sentence = gr.Dropdown(
                list(EXAMPLES[0].sentences),
                value=FIRST,
                label="Why this mask?",
                info="Choose a sentence from the Ask tab, or type another one about the same images.",
                allow_custom_value=True,
                scale=6,
                min_width=240,
            )
            self.button = gr.Button("Look inside", variant="primary", elem_id="look-inside", scale=2, min_width=130)
        self.hint = gr.HTML(EMPTY, elem_id="look-hint", js_on_load=None, apply_default_css=False)
        with gr.Column(visible=False) as self.found:
            self._build_outputs()
        # What is shown: it is not inspected again when the tab is chosen again.
        self.looked: gr.State = gr.State([])
        self._connect(tab, ask)

    def _build_outputs(self) -> None:
        self.verdict = gr.HTML(elem_id="verdict", padding=False)
        gr.Markdown(WORDS, elem_classes="section")
        self.words = gr.HTML(label="Words", elem_id="words", js_on_load=None, apply_default_css=False)
        gr.Markdown(WHERE, elem_classes="section")
        self.attention = gr.HTML(label="Attention of each layer", js_on_load=None, apply_default_css=False)
        gr.Markdown(STEPS, elem_classes="section")
        self.masks = gr.HTML(label="Mask after each layer", js_on_load=None, apply_default_css=False)
        with gr.Accordion("Numbers", open=False):
            self.numbers = gr.JSON(label="Numbers", max_height=400)

    def _connect(self, tab: gr.Tab, ask: SegmentTab) -> None:
        images = [ask.image_t1, ask.image_t2]
        options: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": MODEL_QUEUE}
        # Programs get one object instead of what the page shows.
        gr.on(
            [],
            self.look_object,
            [*images, self.sentence, ask.scene, ask.fit],
            self.numbers,
            api_name="look_inside",
            api_description="Explains the mask of one sentence: attention, masks of all layers, and word importance.",
            **options,
        )
        shown = [
            self.hint,
            self.found,
            self.verdict,
            self.words,
            self.attention,
            self.masks,
            self.numbers,
            self.looked,
        ]
        page: dict[str, Any] = {
            "outputs": shown,
            "api_visibility": "private",
            "show_progress_on": [self.hint, self.verdict, self.attention],
            **options,
        }
        asked = [*images, self.sentence, ask.scene, ask.fit]
        gr.on([self.button.click], self.look, asked, **page)
        tab.select(
            self.take_over,
            [ask.sentences, self.sentence],
            self.sentence,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        ).then(self.open, [*asked, self.looked], **page)

    def take_over(self, sentences: str | None, chosen: str | None) -> gr.Dropdown:
        """Offers the sentences of the tab *Ask*; one that stands there stays chosen."""
        choices = [" ".join(line.split()) for line in (sentences or "").splitlines() if line.strip()]
        return gr.Dropdown(choices, value=chosen if chosen in choices else next(iter(choices), None))

    def open(
        self,
        image_t1: str | None,
        image_t2: str | None,
        sentence: str | None,
        scene: str,
        fit: bool,
        looked: list[Any],
        request: gr.Request,
    ) -> Shown | tuple[Any, ...]:
        """Inspects the sentence when the tab is chosen, unless something is missing or it is shown already."""
        if not (image_t1 and image_t2 and sentence) or looked == [image_t1, image_t2, sentence, scene, fit]:
            return tuple(gr.skip() for _ in range(8))
        return self.look(image_t1, image_t2, sentence, scene, fit, request)

    def look(
        self,
        image_t1: str | None,
        image_t2: str | None,
        sentence: str | None,
        scene: str,
        fit: bool,
        request: gr.Request,
    ) -> Shown:
        """Inspects one sentence and draws what was found."""
        pair, inspection = self._inspect(image_t1, image_t2, sentence, scene, fit, request)
        looked = [(draw_difference(pair), "difference of t1 and t2")]
        looked += [
            (draw_attention(inspection, layer), f"layer {layer + 1}, squares of {stride} pixels")
            for layer, stride in enumerate(inspection.attention_strides)
        ]
        last = len(inspection.layer_masks) - 1
        masks = [
            (draw_layer_mask(inspection, layer), _step_name(layer, is_last=layer == last)) for layer in range(last + 1)
        ]
        return (
            gr.HTML(visible=False),
            gr.Column(visible=True),
            _verdict(inspection),
            _words_html(inspection.words),
            figures_html(looked),
            figures_html(masks),
            inspection.as_dict(),
            [str(image_t1), str(image_t2), str(sentence), scene, fit],
        )

    def look_object(
        self,
        image_t1: str | None,
        image_t2: str | None,
        sentence: str | None,
        scene: str,
        fit: bool,
        request: gr.Request,
    ) -> dict[str, Any]:
        """Inspects one sentence for a program."""
        return self._inspect(image_t1, image_t2, sentence, scene, fit, request)[1].as_dict()

    def _inspect(
        self,
        image_t1: str | None,
        image_t2: str | None,
        sentence: str | None,
        scene: str,
        fit: bool,
        request: gr.Request,
    ) -> tuple[InspectedPair, ExpressionInspection]:
        """Inspects one sentence; a pair that was inspected before is not encoded again."""
        try:
            if image_t1 is None or image_t2 is None:
                raise InputError("Two images are needed: upload them in the Ask tab.")
            checked, *others = check_sentences(sentence, self.segmenter.special_tokens)
            if others:
                raise InputError("Only one sentence at a time can be explained: leave out the others.")
            paths, align = (image_t1, image_t2), "resize" if fit else "error"
            with self.segmenter.lock:
                pair = self._pair(request.session_hash or "", paths, scene or None, align)
                return pair, inspect_pair(self.segmenter.model, self.segmenter.processor, pair, checked)
        except ValueError as error:
            raise refusal(str(error)) from error

    def _pair(self, visitor: str, paths: tuple[str, str], domain: str | None, align: str) -> InspectedPair:
        key = (digest_or_refuse(paths), domain, align)
        pair = self.pairs.get(visitor, key)
        if pair is None:
            processor = self.segmenter.processor
            image_t1, image_t2 = load_pair(processor, paths, align)
            for image in (image_t1, image_t2):
                image.thumbnail((INSPECTED_SIDE, INSPECTED_SIDE))
            pair = encode_for_inspection(self.segmenter.model, processor, image_t1, image_t2, domain)
            self.pairs.put(visitor, key, pair)
        return pair


def _verdict(inspection: ExpressionInspection) -> str:
    """The answer in words, as HTML; announced by screen readers."""
    found = NOTHING_FITS
    if inspection.mask.any():
        found = f"{area_text(float(inspection.mask.mean()))} of the image · score {inspection.score:.2f}"
    if inspection.is_closest:
        found = f"{CLOSEST} · {found}"
    return (
        f'<p class="verdict" role="status"><span dir="auto">{escape(inspection.expression)}</span> '
        f"{found} · no-target score {inspection.no_target_score:.2f} (the probability that nothing fits)</p>"
    )


def _words_html(words: Sequence[WordImportance]) -> str:
    """Each word with a bar below it."""
    rows = "".join(
        f'<li style="--share:{word.importance:.0%}"><span><b dir="auto">{escape(word.word)}</b> '
        f"<em>{100 * word.importance:.0f} %</em></span><i></i></li>"
        for word in words
    )
    is_none = not words or max(word.importance for word in words) < LEAST_IMPORTANCE
    note = "<p>No single word is decisive: leaving out any one of them hardly changes the mask.</p>" if is_none else ""
    return f'<ol role="list">{rows}</ol>{note}'


def _step_name(layer: int, is_last: bool) -> str:
    """What stands below the mask after a layer; 0 is before the first one."""
    if not layer:
        return "before the first layer"
    return f"after layer {layer}: the result" if is_last else f"after layer {layer}"
