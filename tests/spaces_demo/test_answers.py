# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
from pathlib import Path

import numpy as np
from PIL import Image

from mtrefseg.looks import MASK_COLORS, to_hex
from mtrefseg.serve.engine import EVERY_CHANGE, Sentence
from mtrefseg.view.drawing import CLOSEST
from mtrs_iou import decode_rle
from spaces_demo.answers import masks_of, result_of, show, write_files
from spaces_demo.segmenting import Segmentation


def make_segmentation(sentences: list[Sentence], masks: np.ndarray, **options: object) -> Segmentation:
    fields: dict[str, object] = {
        "shown": (Image.new("RGB", (64, 48), "black"), Image.new("RGB", (64, 48), "black")),
        "sentences": sentences,
        "masks": masks,
        "scores": [0.75] * len(sentences),
        "no_target_scores": [0.25] * len(sentences),
        "is_closest": [False] * len(sentences),
        "encoding_seconds": None,
        "answering_seconds": 0.04,
        "num_asked": len(sentences),
    }
    return Segmentation(**{**fields, **options})


def a_mask() -> np.ndarray:
    mask = np.zeros((24, 32), dtype=bool)
    mask[4:16, 4:20] = True
    return mask


def test_a_sentence_is_never_markup() -> None:
    html = show(make_segmentation(['<img src=x onerror="alert(1)">'], a_mask()[None]))
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in html


def test_what_is_found_and_what_is_not_is_said_in_words() -> None:
    masks = np.stack([a_mask(), np.zeros((24, 32), dtype=bool)])
    html = show(make_segmentation(["a car", "a dragon"], masks, encoding_seconds=0.5))
    assert "25.00 % of the image · score 0.75" in html
    assert "nothing in these images fits this sentence" in html
    assert "Pair read and encoded in 0.50 s. 2 questions answered in 0.04 s." in html
    assert 'role="status"' in html
    html = show(make_segmentation([EVERY_CHANGE], masks[1:], num_asked=0))
    assert "every change between the two images" in html
    assert "nothing changed" in html
    assert "The pair was cached. Masks recomputed from cached answers in 0.04 s." in html
    assert "said instead" in show(make_segmentation(["a car"], a_mask()[None]), "said instead")


def test_the_closest_changes_are_named() -> None:
    masks = np.stack([a_mask(), a_mask()])
    segmentation = make_segmentation(["a car", "a dragon"], masks, is_closest=[False, True])
    assert show(segmentation).count(CLOSEST) == 1
    assert [answer["is_closest"] for answer in result_of(segmentation)["answers"]] == [False, True]
    assert [mask["is_closest"] for mask in masks_of(segmentation)["masks"]] == [False, True]


def test_what_came_is_outlined_later_and_what_left_earlier() -> None:
    masks = np.stack([a_mask()] * 3)
    html = show(make_segmentation(["the new car", "the car that is gone", "the car that turned red"], masks))
    earlier, later = html.split('data-date="t2"')
    # The third one lies on another outline at both dates.
    for number, in_t1, in_t2 in ((1, "there", "here"), (2, "here", "there"), (3, "here shared", "here shared")):
        for pane, state in ((earlier, in_t1), (later, in_t2)):
            assert f'class="pv-mask {state}" data-answer="{number}"' in pane
    assert to_hex(MASK_COLORS[0]) in html


def test_files_hold_the_masks_exactly(tmp_path: Path) -> None:
    masks = np.stack([a_mask(), np.zeros((24, 32), dtype=bool)])
    segmentation = make_segmentation(["a car", "naïve – 😀 \ud800"], masks)
    result = result_of(segmentation)
    files = {Path(path).name: Path(path) for path in write_files(segmentation, result, str(tmp_path))}
    assert sorted(files) == ["mask_1.png", "mask_2.png", "masks.json", "outlines.geojson"]
    for number, mask in enumerate(masks, start=1):
        with Image.open(files[f"mask_{number}.png"]) as image:
            assert image.mode == "L"
            assert (np.asarray(image) == 255 * mask).all()
    stored = json.loads(files["masks.json"].read_text(encoding="utf-8"))
    assert (stored["width"], stored["height"]) == (32, 24)
    assert [answer["found"] for answer in stored["answers"]] == [True, False]
    for answer, mask in zip(stored["answers"], masks):
        assert (decode_rle(answer["mask"]) == mask).all()
    collection = json.loads(files["outlines.geojson"].read_text(encoding="utf-8"))
    assert [feature["properties"]["number"] for feature in collection["features"]] == [1, 2]
    ring = [[4, 4], [20, 4], [20, 16], [4, 16], [4, 4]]
    assert [feature["geometry"]["coordinates"] for feature in collection["features"]] == [[[ring]], []]
