# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Every segmenter with a tiny random model: shapes, protocol, and what boxes and points do."""

import importlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from craft_agent.backends.clipseg_segmenter import ClipSegSegmenter
from craft_agent.backends.mtrefseg_segmenter import MTRefSegSegmenter
from craft_agent.backends.protocols import SegmentationPrompt
from craft_agent.backends.text_finders import Finding, PromptSegmenter
from craft_agent.backends.text_segmenters import TextSegmenter, grounded_sam2_segmenter, sam3_segmenter
from craft_agent.backends.views import LEAST_SIDE, MOST_SIDE, look_at
from craft_agent.errors import PermanentError, RefusedError, TransientError
from craft_agent.records import Box, ChangeType, ImagePair, Point
from modeling_mtrefseg import MTRefSegVisionModel
from tests import tiny_models


KINDS = ("clipseg", "grounding-dino", "owlv2", "sam3", "mtrefseg", "mtrefseg-changes")
SIZE = (90, 70)


def need_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"transformers prepares images for SAM with torchvision, which does not import here: {error}")


def image(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3))
    return Image.fromarray(noise.astype(np.uint8))


def prompt(box: Box | None = None, points: tuple[Point, ...] = (), size: tuple[int, int] = SIZE, **changes):
    pair = ImagePair("p1", image(1, size), image(2, size))
    fields = {"text": "the red car", "sentence": "the red car that appeared", **changes}
    return SegmentationPrompt(
        pair.image_t2, "t2", change_type=ChangeType.APPEAR, box=box, points=points, pair=pair, **fields
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory):
    """Makes each model once, when it is first asked for."""
    root = tmp_path_factory.mktemp("models")

    def folder(kind: str) -> str:
        place = root / kind
        if not place.exists():
            getattr(tiny_models, f"save_{kind.replace('-', '_')}")(place)
        return str(place)

    return folder


@pytest.fixture(scope="module")
def segmenters(folders):
    """Makes each segmenter once; the thresholds of 0 let random models find something."""
    made: dict = {}

    def segmenter(kind: str):
        if kind in ("sam3", "owlv2", "grounding-dino"):
            need_torchvision()
        if kind not in made:
            if kind == "clipseg":
                made[kind] = ClipSegSegmenter(folders(kind), "cpu", 0.0)
            elif kind == "sam3":
                made[kind] = sam3_segmenter(folders(kind), "cpu", 0.0)
            elif kind.startswith("mtrefseg"):
                made[kind] = MTRefSegSegmenter(folders("mtrefseg"), kind == "mtrefseg", "cpu", 0.0)
            else:
                made[kind] = grounded_sam2_segmenter(folders("sam2"), folders(kind), "cpu", 0.0)
        return made[kind]

    return segmenter


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("box", "points"),
    [
        (None, ()),
        (Box(20, 10, 60, 50), ()),
        (Box(20, 10, 60, 50), (Point(30, 30, True), Point(5, 5, False))),
        (None, (Point(89, 69, True),)),
        (None, (Point(0, 0, False),)),
        (Box(89, 69, 90, 70), ()),
        (Box(-50, -50, 500, 500), (Point(999, 999, True), Point(-1, 4, False))),
    ],
    ids=["text", "box", "box and points", "point", "negative point", "one pixel", "beyond the image"],
)
def test_protocol(kind: str, box: Box | None, points: tuple[Point, ...], segmenters):
    found = segmenters(kind).segment(prompt(box, points))
    assert found.mask.shape == (70, 90)
    assert found.mask.dtype == bool
    assert type(found.score) is float
    assert 0 <= found.score <= 1
    assert found.mask.any() or found.score == 0


@pytest.mark.parametrize("kind", KINDS)
def test_finds_something_at_threshold_zero(kind: str, segmenters):
    assert segmenters(kind).segment(prompt(Box(10, 10, 80, 60), (Point(40, 30, True),))).mask.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(32, 32), (33, 200), (300, 41)])
def test_sizes(kind: str, size: tuple[int, int], segmenters):
    assert segmenters(kind).segment(prompt(size=size)).mask.shape == (size[1], size[0])


@pytest.mark.parametrize("kind", KINDS)
def test_odd_words(kind: str, segmenters):
    segmenter = segmenters(kind)
    for text in ("red car. " * 60, ".", "das rote Auto", "自動車", "a\nb"):
        try:
            assert segmenter.segment(prompt(text=text, sentence=text)).mask.shape == (70, 90)
        except RefusedError:
            assert kind == "mtrefseg"  # A sentence may be too long for it.


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_repetition(kind: str, segmenters):
    segmenter = segmenters(kind)
    prompts = [prompt(Box(left, 10, left + 40, 60)) for left in (0, 10, 20, 30)]
    expected = [segmenter.segment(each) for each in prompts]
    with ThreadPoolExecutor(4) as threads:
        for first, second in zip(expected, threads.map(segmenter.segment, prompts), strict=True):
            assert np.array_equal(first.mask, second.mask)
            assert first.score == pytest.approx(second.score, abs=1e-5)


@pytest.mark.parametrize("kind", ["clipseg", "mtrefseg", "mtrefseg-changes"])
def test_mask_stays_in_the_box(kind: str, segmenters):
    found = segmenters(kind).segment(prompt(Box(20, 10, 60, 50)))
    outside = found.mask.copy()
    outside[10:50, 20:60] = False
    assert not outside.any()


def test_names_hold_no_paths(segmenters):
    names = [segmenters(kind).name for kind in ("clipseg", "mtrefseg", "mtrefseg-changes")]
    assert names == ["clipseg:clipseg", "mtrefseg:mtrefseg", "mtrefseg-changes:mtrefseg"]


def test_names_of_two_models(segmenters):
    assert segmenters("owlv2").name == "grounded-sam2:owlv2+sam2"


@pytest.mark.parametrize("make", [sam3_segmenter, grounded_sam2_segmenter, ClipSegSegmenter, MTRefSegSegmenter])
def test_missing_model(make, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PermanentError, match="cannot load"):
        make(str(tmp_path / "nothing"))


def test_wrong_kind_of_model(folders):
    with pytest.raises(PermanentError, match="cannot load"):
        grounded_sam2_segmenter(folders("clipseg"), folders("clipseg"), "cpu")


def test_other_model_than_our_own(folders):
    with pytest.raises(PermanentError, match="an MTRefSegProcessor is needed"):
        MTRefSegSegmenter(folders("clipseg"), device="cpu")


def test_a_sentence_needs_the_whole_model(folders, tmp_path: Path):
    """A checkpoint of stage 1 has no language model: it is refused, unless only the mask of all changes is needed."""
    folder = Path(shutil.copytree(folders("mtrefseg"), tmp_path / "stage1"))
    MTRefSegVisionModel.from_pretrained(folder).save_pretrained(folder)
    with pytest.raises(PermanentError, match=r"^cannot load \S*stage1: it is a checkpoint of stage 1, .*$"):
        MTRefSegSegmenter(str(folder), True, "cpu")
    found = MTRefSegSegmenter(str(folder), False, "cpu", 0.0).segment(prompt())
    assert np.array_equal(found.mask, MTRefSegSegmenter(folders("mtrefseg"), False, "cpu", 0.0).segment(prompt()).mask)


@pytest.mark.parametrize("by_sentence", [True, False])
@pytest.mark.parametrize("part", ["vision_model.", "language_model."])
def test_missing_weights_are_not_made_up(by_sentence: bool, part: str, folders, tmp_path: Path):
    folder = Path(shutil.copytree(folders("mtrefseg"), tmp_path / "truncated"))
    weights = load_file(folder / "model.safetensors")
    del weights[next(name for name in sorted(weights) if name.startswith(part))]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(PermanentError, match=r"^cannot load \S*truncated: its weights lack 1 of the model's .*$"):
        MTRefSegSegmenter(str(folder), by_sentence, "cpu")


def test_unknown_device(folders):
    with pytest.raises(PermanentError, match="device"):
        ClipSegSegmenter(folders("clipseg"), "cuda:77")


def test_mtrefseg_looks_once_at_a_pair(folders, monkeypatch):
    segmenter = MTRefSegSegmenter(folders("mtrefseg"), False, "cpu", 0.0)
    runs = []
    run = segmenter._run
    monkeypatch.setattr(segmenter, "_run", lambda *arguments: runs.append(1) or run(*arguments))
    asked = prompt(Box(0, 0, 40, 40))
    segmenter.segment(asked)
    segmenter.segment(SegmentationPrompt(**{**asked.__dict__, "box": Box(10, 10, 20, 20)}))
    assert len(runs) == 1
    segmenter.segment(prompt())
    assert len(runs) == 2


class _Finder:
    """Returns the given answer, in the view's coordinates."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = list(findings)

    def find(self, image: Image.Image, text: str) -> list[Finding]:
        self.size = image.size
        return self.findings


class _PromptSegmenter(PromptSegmenter):
    """Fills the box, or marks the points."""

    def __init__(self) -> None:
        self.asked: list = []

    def segment(self, image, box, points):
        self.asked.append((box, tuple(points)))
        mask = np.zeros((image.height, image.width), dtype=bool)
        if box is not None:
            mask[box.top : box.bottom, box.left : box.right] = True
        for point in points:
            mask[point.y, point.x] = point.positive
        return mask, 0.5


def finding(box: Box, score: float, with_mask: bool = True) -> Finding:
    mask = np.zeros((70, 90), dtype=bool)
    mask[box.top : box.bottom, box.left : box.right] = True
    return Finding(box, score, mask if with_mask else None)


def segment_with(findings, box=None, points=()):
    segmenter = _PromptSegmenter()
    found = TextSegmenter("t", _Finder(*findings), segmenter).segment(prompt(box, points))
    return found, segmenter.asked


SMALL, LARGE = Box(30, 20, 40, 30), Box(0, 0, 80, 60)


def test_text_alone_takes_the_surest():
    found, asked = segment_with([finding(SMALL, 0.6), finding(LARGE, 0.9)])
    assert found.mask.sum() == 80 * 60
    assert (found.score, asked) == (0.9, [])


def test_box_takes_what_fits_it():
    found, asked = segment_with([finding(SMALL, 0.6), finding(LARGE, 0.9)], Box(28, 18, 41, 31))
    assert found.mask.sum() == 100
    assert (found.score, asked) == (0.6, [])


def test_box_without_a_finding_is_outlined():
    found, asked = segment_with([finding(LARGE, 0.9)], Box(60, 40, 70, 50))
    assert asked == [(Box(60, 40, 70, 50), ())]
    assert found.mask.sum() == 100
    assert found.score == 0.5


def test_points_choose_and_refine():
    points = (Point(35, 25, True), Point(31, 21, False))
    found, asked = segment_with([finding(SMALL, 0.6), finding(Box(0, 0, 10, 10), 0.9)], None, points)
    assert asked == [(SMALL, points)]
    assert found.mask.sum() == 99
    assert found.score == pytest.approx(0.3)


def test_detectors_box_is_outlined():
    found, asked = segment_with([finding(SMALL, 0.6, with_mask=False)])
    assert asked == [(SMALL, ())]
    assert found.mask[20:30, 30:40].all()


def test_nothing_found_is_an_empty_mask():
    found, asked = segment_with([], None, (Point(1, 1, False),))
    assert not found.mask.any()
    assert (found.score, asked) == (0.0, [])


def test_view_enlarges_and_pastes_back():
    view = look_at(prompt(Box(1000, 500, 1040, 520), (Point(1010, 510, True),), size=(3000, 1000)))
    assert max(view.image.size) == LEAST_SIDE
    mask = np.zeros((view.image.height, view.image.width), dtype=bool)
    mask[view.box.top : view.box.bottom, view.box.left : view.box.right] = True
    assert mask[view.points[0].y, view.points[0].x]
    whole = view.paste(mask)
    assert whole.shape == (1000, 3000)
    assert whole.sum() == 40 * 20
    assert whole[500:520, 1000:1040].all()


def test_view_of_a_huge_image_is_scaled():
    view = look_at(prompt(Box(0, 0, 3500, 300), size=(4000, 600)))
    assert max(view.image.size) == MOST_SIDE
    mask = np.zeros((view.image.height, view.image.width), dtype=bool)
    mask[: view.box.bottom, : view.box.right] = True
    whole = view.paste(mask)
    assert whole.shape == (600, 4000)
    assert whole.sum() == pytest.approx(3500 * 300, rel=0.02)
    assert whole[:296, :3490].all()


@pytest.mark.parametrize(("kind", "model"), [("clipseg", "_model.rate"), ("mtrefseg", "_pipeline")])
def test_too_little_memory_is_no_answer(kind, model, segmenters, monkeypatch):
    """A refusal would be stored as a thing that was not found."""

    def fail(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    segmenter = segmenters(kind)
    monkeypatch.setattr("craft_agent.backends.hub_models.torch.cuda.empty_cache", lambda: None)
    target = segmenter
    *parents, name = model.split(".")
    for parent in parents:
        target = getattr(target, parent)
    monkeypatch.setattr(target, name, fail)
    with pytest.raises(TransientError, match="do not fit into the free memory of the GPU"):
        segmenter.segment(prompt(text="another thing", sentence="another thing that appeared"))


def test_the_domain_decides_how_large_images_are_segmented(folders) -> None:
    segmenter = MTRefSegSegmenter(folders("mtrefseg"), False, "cpu", 0.0, "NS")
    assert segmenter._pipeline._preprocess_params["domain"] == "normal_scene"
