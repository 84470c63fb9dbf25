# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from mtrefseg.looks import MASK_COLORS
from mtrefseg.view.drawing import CLOSEST, paint_masks
from mtrefseg.view.overlay import PAGE_WIDTH, draw_overlay


GREY_LEVEL = 128


def grey_pair(width: int, height: int) -> tuple[Image.Image, Image.Image]:
    image = Image.new("RGB", (width, height), (GREY_LEVEL,) * 3)
    return image, image.copy()


def colored_pixels(page: Image.Image) -> np.ndarray:
    """Pixels that are not grey. On a page of grey images, only masks, their outlines and their numbers are."""
    pixels = np.asarray(page).astype(int)
    return (pixels.max(-1) - pixels.min(-1)) > 12


@pytest.fixture
def drawn_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is written onto a page."""
    texts: list[str] = []
    draw_text = ImageDraw.ImageDraw.text

    def recording(self, position, text, *arguments, **options):  # type: ignore[no-untyped-def]
        texts.append(text)
        return draw_text(self, position, text, *arguments, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", recording)
    return texts


def test_the_third_panel_shows_the_mask_and_the_first_its_outline() -> None:
    masks = np.zeros((1, 100, 100), dtype=bool)
    masks[0, :50, 50:] = True  # the upper right quarter
    page = draw_overlay(*grey_pair(100, 100), masks, ["a roof"], [0.5])
    panels = colored_pixels(page)[:540]  # The legend, whose swatches are coloured, lies below.
    outlined, plain, painted = (part for part in np.array_split(panels, 3, axis=1))
    assert not plain.any()
    for part in (outlined, painted):
        rows, columns = np.nonzero(part)
        assert columns.min() > PAGE_WIDTH / 3 * 0.4
        assert rows.max() < 68 + 0.55 * 500
    # The whole quarter is filled, but for the number and the outline; two of its sides lie inside the image.
    assert painted.sum() == pytest.approx(250 * 250, rel=0.05)
    assert 2 * 250 < outlined.sum() < 0.06 * 250 * 250


def test_the_panels_are_t1_t2_and_t2() -> None:
    earlier, later = Image.new("L", (60, 60), 40), Image.new("L", (60, 60), 200)
    page = np.asarray(draw_overlay(earlier, later, np.zeros((1, 60, 60), dtype=bool), ["nothing"], [0.0]))
    levels = [page[300, PAGE_WIDTH * third // 6, 0] for third in (1, 3, 5)]
    assert levels == [40, 200, 200]


@pytest.mark.parametrize(
    ("size", "filled"), [((1200, 800), 1536), ((1100, 1100), 1029), ((1000, 3000), 400), ((900, 600), 498)]
)
def test_the_masks_of_large_images_have_the_page_to_themselves(size: tuple[int, int], filled: int) -> None:
    masks = np.ones((1, size[1], size[0]), dtype=bool)
    page = draw_overlay(*grey_pair(*size), masks, ["all of it"], [1.0])
    assert colored_pixels(page).sum(axis=1).max() == pytest.approx(filled, abs=16)
    assert page.height < 2020


def test_the_legend_counts_objects(drawn_texts: list[str]) -> None:
    draw_overlay(*grey_pair(8, 8), np.ones((1, 8, 8), dtype=bool), ["a roof"], [0.5], counts=["2 objects, 9 sq m"])
    assert "2 objects, 9 sq m    score 0.50    area 100.00 %" in drawn_texts


def test_the_fill_is_a_translucent_palette_colour() -> None:
    masks = np.ones((1, 60, 60), dtype=bool)
    page = draw_overlay(*grey_pair(60, 60), masks, ["all of it"], [1.0])
    pixel = np.asarray(page)[100, PAGE_WIDTH - 100]
    expected = GREY_LEVEL + 0.42 * (np.array(MASK_COLORS[0]) - GREY_LEVEL)
    np.testing.assert_allclose(pixel, expected, atol=2)


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (3000, 2000), (4000, 40), (40, 4000)])
def test_a_single_pixel_stays_visible_at_any_size(size: tuple[int, int]) -> None:
    width, height = size
    masks = np.zeros((1, height, width), dtype=bool)
    masks[0, height // 2, width // 2] = True
    page = draw_overlay(*grey_pair(width, height), masks, ["a pixel"], [0.5])
    empty = draw_overlay(*grey_pair(width, height), np.zeros_like(masks), ["a pixel"], [0.5])
    assert page.size == empty.size
    assert page.width == PAGE_WIDTH
    assert page.height < 2000
    # The legend's swatch is coloured on both pages.
    assert colored_pixels(page).sum() > colored_pixels(empty).sum() + 20


def test_tensors_and_arrays_draw_the_same_page() -> None:
    masks = torch.zeros(2, 20, 30, dtype=torch.bool)
    masks[0, 3:9, 4:20] = True
    page = draw_overlay(*grey_pair(30, 20), masks, ["one", "two"], [0.5, 0.0])
    same = draw_overlay(*grey_pair(30, 20), [mask.numpy() for mask in masks], ["one", "two"], [0.5, 0.0])
    assert page.tobytes() == same.tobytes()


def test_the_legend_says_what_was_found(drawn_texts: list[str]) -> None:
    masks = np.zeros((3, 10, 100), dtype=bool)
    masks[0, :, :25] = True
    draw_overlay(*grey_pair(100, 10), masks, ["a new roof", "a pool", None], [0.875, 0.0, 0.0])
    assert "a new roof" in drawn_texts
    assert "score 0.88    area 25.00 %" in drawn_texts
    assert "nothing in these images fits this sentence" in drawn_texts
    assert "every change between the two images" in drawn_texts
    assert "nothing changed" in drawn_texts
    assert CLOSEST not in drawn_texts


def test_the_legend_marks_the_closest_changes(drawn_texts: list[str]) -> None:
    masks = np.ones((2, 10, 10), dtype=bool)
    usual = draw_overlay(*grey_pair(10, 10), masks, ["a roof", "a pool"], [0.9, 0.5])
    page = draw_overlay(*grey_pair(10, 10), masks, ["a roof", "a pool"], [0.9, 0.5], are_closest=[False, True])
    assert drawn_texts.count(CLOSEST) == 1
    assert drawn_texts.index("a pool", drawn_texts.index("a pool") + 1) < drawn_texts.index(CLOSEST)
    assert page.height > usual.height


@pytest.mark.parametrize("count", [0, 1, 20])
def test_the_page_grows_with_the_sentences(count: int, drawn_texts: list[str]) -> None:
    masks = np.ones((count, 12, 12), dtype=bool)
    page = draw_overlay(*grey_pair(12, 12), masks, [f"sentence {index}" for index in range(count)], [0.5] * count)
    assert [text for text in drawn_texts if text.startswith("sentence")] == [f"sentence {i}" for i in range(count)]
    assert page.height == pytest.approx(600 + 42 * count, abs=30)
    assert not colored_pixels(page)[-20:].any()


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("die größere Fläche – neu", "die grossere Flache - neu"),
        ("two\nlines\tand\x00a\x07bell", "two lines andabell"),
        ("a lone \ud800surrogate", "a lone surrogate"),
        ("the 新しい家 🙂", "the [4 CJK letters] [1 sign]"),
        ("שלום\u202e дом", "[4 Hebrew letters] [3 Cyrillic letters]"),
    ],
)
def test_no_sentence_crashes(sentence: str, shown: str, drawn_texts: list[str]) -> None:
    draw_overlay(*grey_pair(8, 8), np.ones((1, 8, 8), dtype=bool), [sentence], [0.5])
    assert shown in drawn_texts


def test_a_number_stands_on_the_largest_part_of_its_mask() -> None:
    mask = np.zeros((300, 300), dtype=bool)
    mask[20:120, 20:120] = True
    # The mean of all parts lies near this speck.
    mask[200, 200] = mask[280:, 280:] = True
    painted = np.asarray(paint_masks(Image.new("RGB", (300, 300), "grey"), [mask], [MASK_COLORS[0]])).astype(int)
    plain = np.asarray(paint_masks(Image.new("RGB", (300, 300), "grey"), [mask], [MASK_COLORS[0]], numbered=False))
    rows, columns = np.nonzero(np.abs(painted - plain).sum(axis=-1))
    assert (rows.mean(), columns.mean()) == (pytest.approx(70, abs=8), pytest.approx(70, abs=8))


@pytest.mark.parametrize("count", [2, 3])
def test_outlines_on_one_another_leave_gaps(count: int) -> None:
    """One of two sentences about the same house seemed to have no mask there."""
    mask = np.zeros((200, 200), dtype=bool)
    mask[50:150, 50:150] = True
    colors = MASK_COLORS[:count]
    painted = np.asarray(paint_masks(Image.new("RGB", (200, 200), "grey"), [mask] * count, colors, numbered=False))
    top = [tuple(pixel) for pixel in painted[49, 50:150].tolist()]
    assert all(top.count(color) > 60 // count for color in colors)
    apart = np.roll(mask, 20, axis=1) & ~mask
    painted = np.asarray(paint_masks(Image.new("RGB", (200, 200), "grey"), [mask, apart], colors[:2], numbered=False))
    assert {tuple(pixel) for pixel in painted[49, 60:140].tolist()} == {colors[0]}


def test_long_sentences_are_wrapped_and_cut(drawn_texts: list[str]) -> None:
    words = " ".join(f"word{index}" for index in range(40))
    draw_overlay(*grey_pair(8, 8), np.ones((2, 8, 8), dtype=bool), [words, "x" * 5000], [0.5, 0.5])
    lines = [text for text in drawn_texts if text.startswith("word")]
    assert len(lines) > 1
    assert " ".join(lines) == words
    cut = [text for text in drawn_texts if text.startswith("xxx")]
    assert len(cut) == 4
    assert cut[-1].endswith("…")


def test_unequal_sizes_and_counts_are_named() -> None:
    earlier, later = grey_pair(8, 6)
    masks = np.ones((1, 6, 8), dtype=bool)
    with pytest.raises(ValueError, match="t1 is 9x6 and t2 8x6"):
        draw_overlay(earlier.resize((9, 6)), later, masks, ["a"], [0.5])
    with pytest.raises(ValueError, match="1 masks, 2 texts and 1 scores"):
        draw_overlay(earlier, later, masks, ["a", "b"], [0.5])
    with pytest.raises(ValueError, match=r"mask 0 has shape \(8, 6\), but the images are \(6, 8\)"):
        draw_overlay(earlier, later, masks.transpose(0, 2, 1), ["a"], [0.5])
