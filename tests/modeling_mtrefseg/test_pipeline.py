# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import pipeline
from transformers.utils import logging

from modeling_mtrefseg import TASK, MTRefSegPipeline
from mtrefseg.build.presets import preset_model, tiny_processor


def image(height: int, width: int, seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def pair(height: int, width: int, seed: int, **rest: Any) -> dict[str, Any]:
    return {"image_t1": image(height, width, seed), "image_t2": image(height, width, seed + 1), **rest}


PAIRS = [
    pair(40, 60, 0, text=["the new house", "a tree that went"]),
    pair(80, 30, 2, text="a car", domain="normal_scene"),
    pair(64, 64, 4, text=["one", "two", "three"]),
]


def rows_with_lists_of_sentences() -> Iterator[dict[str, Any]]:
    for each in PAIRS:
        sentences = [each["text"]] if isinstance(each["text"], str) else each["text"]
        yield {"image_t1": each["image_t1"], "image_t2": each["image_t2"], "text": sentences}


@pytest.fixture(scope="module")
def segmenter() -> MTRefSegPipeline:
    processor = tiny_processor(image_size=64)
    torch.manual_seed(0)
    model = preset_model("tiny", processor).eval()
    return MTRefSegPipeline(model=model, processor=processor, task=TASK, device="cpu")


@pytest.fixture
def model_calls(segmenter: MTRefSegPipeline) -> Iterator[list[int]]:
    """The number of pairs in each call of the model."""
    calls: list[int] = []
    hook = segmenter.model.register_forward_pre_hook(
        lambda _, __, inputs: calls.append(len(inputs["pixel_values_t1"])), with_kwargs=True
    )
    yield calls
    hook.remove()


def assert_same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert [entry["text"] for entry in one] == [entry["text"] for entry in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine["score"] == pytest.approx(theirs["score"], abs=1e-5)
        assert mine["no_target_score"] == pytest.approx(theirs["no_target_score"], abs=1e-5)
        assert np.mean(np.asarray(mine["mask"]) != np.asarray(theirs["mask"])) < 1e-3


def test_one_pair(segmenter: MTRefSegPipeline) -> None:
    result = segmenter(PAIRS[0])
    assert [entry["text"] for entry in result] == PAIRS[0]["text"]
    for entry in result:
        assert set(entry) == {"text", "mask", "score", "no_target_score", "answered_by", "is_closest"}
        assert entry["answered_by"] == "image"
        assert (entry["mask"].mode, entry["mask"].size) == ("L", (60, 40))
        assert set(np.unique(entry["mask"])) <= {0, 255}
        assert 0 <= entry["score"] <= 1
        assert 0 <= entry["no_target_score"] <= 1


def test_equals_model_and_processor_by_hand(segmenter: MTRefSegPipeline) -> None:
    inputs = segmenter.processor(PAIRS[0]["image_t1"], PAIRS[0]["image_t2"], text=PAIRS[0]["text"])
    with torch.no_grad():
        outputs = segmenter.model(**inputs)
    (expected,) = segmenter.processor.post_process_referring_segmentation(outputs, [(40, 60)])
    for entry, mask, score in zip(segmenter(PAIRS[0]), expected["masks"], expected["scores"], strict=True):
        np.testing.assert_array_equal(np.asarray(entry["mask"]) == 255, mask.numpy())
        assert entry["score"] == pytest.approx(float(score))


def test_it_says_which_masks_are_the_closest_changes(
    segmenter: MTRefSegPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def second(logits: torch.Tensor, *_: object) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full_like(logits, 9.0), torch.tensor([False, True])

    monkeypatch.setattr(segmenter.processor.image_processor, "with_closest_changes", second)
    answers = segmenter(PAIRS[0], no_target_threshold=1.0)
    assert [answer["is_closest"] for answer in answers] == [False, True]


def test_ragged_batch_is_one_call_and_equals_single_pairs(segmenter: MTRefSegPipeline, model_calls: list[int]) -> None:
    batched = segmenter(PAIRS, batch_size=3)
    assert model_calls == [3]
    assert [len(result) for result in batched] == [2, 1, 3]
    singles = segmenter(PAIRS, batch_size=1)
    assert model_calls == [3, 1, 1, 1]
    for result, single in zip(batched, singles, strict=True):
        assert_same(result, single)


def test_last_batch_may_be_smaller(segmenter: MTRefSegPipeline, model_calls: list[int]) -> None:
    assert [len(result) for result in segmenter(PAIRS, batch_size=2)] == [2, 1, 3]
    assert model_calls == [2, 1]


def test_generator_is_read_as_needed(segmenter: MTRefSegPipeline) -> None:
    read = []

    def pairs() -> Iterator[dict[str, Any]]:
        for index, each in enumerate(PAIRS):
            read.append(index)
            yield each

    results = segmenter(pairs())
    assert_same(next(results), segmenter(PAIRS[0]))
    assert len(read) < len(PAIRS)
    assert [len(result) for result in results] == [1, 3]


@pytest.mark.parametrize("wrap", [tuple, lambda pairs: torch.utils.data.Subset(pairs, range(3)), iter])
def test_other_collections(segmenter: MTRefSegPipeline, wrap: Callable[[list[dict[str, Any]]], Any]) -> None:
    results = list(segmenter(wrap(PAIRS), batch_size=2))
    assert [len(result) for result in results] == [2, 1, 3]
    assert_same(results[2], segmenter(PAIRS[2]))


@pytest.mark.parametrize("wrap", [list, tuple, iter])
def test_no_pair_has_no_result(segmenter: MTRefSegPipeline, wrap: Callable[[list[dict[str, Any]]], Any]) -> None:
    assert list(segmenter(wrap([]), batch_size=2)) == []


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_library(segmenter: MTRefSegPipeline, tmp_path: Path, streaming: bool) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        image_t1=datasets.Image(), image_t2=datasets.Image(), text=datasets.List(datasets.Value("string"))
    )
    options = {} if streaming else {"cache_dir": str(tmp_path)}
    kind = datasets.IterableDataset if streaming else datasets.Dataset
    dataset = kind.from_generator(rows_with_lists_of_sentences, features=features, **options)
    results = list(segmenter(dataset, batch_size=2))
    assert [len(result) for result in results] == [2, 1, 3]
    assert_same(results[2], segmenter(PAIRS[2]))


@pytest.mark.parametrize("as_generator", [False, True])
def test_workers(segmenter: MTRefSegPipeline, as_generator: bool) -> None:
    inputs = (each for each in PAIRS) if as_generator else PAIRS
    assert [len(result) for result in segmenter(inputs, num_workers=2, batch_size=2)] == [2, 1, 3]


def test_without_text_segments_every_change(segmenter: MTRefSegPipeline, model_calls: list[int]) -> None:
    results = segmenter([pair(40, 60, 0), pair(20, 30, 2, text=None)], batch_size=2)
    assert model_calls == [2]
    assert [[entry["text"] for entry in result] for result in results] == [[None], [None]]
    assert [result[0]["mask"].size for result in results] == [(60, 40), (30, 20)]


def test_pair_without_sentences_between_others(segmenter: MTRefSegPipeline) -> None:
    results = segmenter([PAIRS[0], pair(10, 10, 6, text=[]), PAIRS[1]], batch_size=3)
    assert results[1] == []
    assert_same(results[2], segmenter(PAIRS[1]))


def test_thresholds(segmenter: MTRefSegPipeline) -> None:
    assert all(np.asarray(entry["mask"]).all() for entry in segmenter(PAIRS[0], threshold=0.0))
    emptied = segmenter(PAIRS[0], threshold=0.0, no_target_threshold=0.0)
    assert not any(np.asarray(entry["mask"]).any() for entry in emptied)
    assert [entry["score"] for entry in emptied] == [0.0, 0.0]


def test_parameters_of_the_constructor_hold_until_a_call_replaces_them(segmenter: MTRefSegPipeline) -> None:
    generous = MTRefSegPipeline(
        model=segmenter.model, processor=segmenter.processor, task=TASK, device="cpu", threshold=0.0, align="resize"
    )
    odd = {**PAIRS[0], "image_t2": image(41, 60, 1)}
    assert np.asarray(generous(odd)[0]["mask"]).all()
    assert not np.asarray(generous(odd, threshold=1.0)[0]["mask"]).any()


def test_domain_of_a_pair_replaces_the_argument(segmenter: MTRefSegPipeline) -> None:
    processed = segmenter.preprocess(PAIRS[1], domain="remote_sensing")
    assert processed["domain"] == "normal_scene"
    assert segmenter.preprocess(PAIRS[0], domain="remote_sensing")["domain"] == "remote_sensing"


def test_unequal_sizes_name_the_files(segmenter: MTRefSegPipeline, tmp_path: Path) -> None:
    image(20, 30, 0).save(tmp_path / "before.png")
    image(21, 30, 1).save(tmp_path / "after.png")
    files = {"image_t1": tmp_path / "before.png", "image_t2": str(tmp_path / "after.png"), "text": "a car"}
    with pytest.raises(ValueError, match=r"before\.png.*after\.png.*align='resize'"):
        segmenter(files)
    assert segmenter(files, align="resize")[0]["mask"].size == (30, 20)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ({"image_t1": PAIRS[0]["image_t1"], "text": "a car"}, ValueError, "not image_t1, text"),
        ({**PAIRS[0], "expression": "a car"}, ValueError, "expression"),
        ("image.png", TypeError, "dictionary"),
        ([PAIRS[0], pair(20, 30, 6)], ValueError, "mix pairs with and without text"),
        ({**PAIRS[0], "text": ["a car", " "]}, ValueError, "Sentence 1 of pair 0 is empty"),
    ],
)
def test_refuses(segmenter: MTRefSegPipeline, inputs: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        segmenter(inputs, batch_size=2)


def test_low_precision(segmenter: MTRefSegPipeline) -> None:
    model = preset_model("tiny", segmenter.processor).eval().to(torch.bfloat16)
    low = MTRefSegPipeline(model=model, processor=segmenter.processor, task=TASK, device="cpu")
    assert [entry["mask"].size for entry in low(PAIRS[0])] == [(60, 40)] * 2


def test_saves_what_pipeline_loads(segmenter: MTRefSegPipeline, tmp_path: Path) -> None:
    segmenter.save_pretrained(tmp_path)
    loaded = pipeline(TASK, model=str(tmp_path), trust_remote_code=True, device="cpu")
    for result, expected in zip(loaded(PAIRS, batch_size=3), segmenter(PAIRS), strict=True):
        assert_same(result, expected)


def test_without_the_extra_large_images_are_shrunk_and_a_warning_says_so(
    segmenter: MTRefSegPipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # The checkpoint's code works from the Hub alone.
    monkeypatch.setitem(sys.modules, "mtrefseg.scenes", None)
    monkeypatch.setattr(logging.get_logger("transformers"), "propagate", True)
    shrunk = segmenter(pair(200, 100, 6, text="a car"))
    assert "100x200 pixels is shrunk 3.1 times to the model's canvas of 64 pixels" in caplog.text
    assert "objects smaller than 25 pixels may be missed. For windows: pip install 'mtrefseg[geo]'" in caplog.text
    monkeypatch.undo()
    assert_same(shrunk, segmenter(pair(200, 100, 6, text="a car"), window="off"))


@pytest.mark.parametrize("window", ["off", 200])
def test_the_warning_of_shrinking_names_the_option_that_causes_it(
    segmenter: MTRefSegPipeline, window: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scenes = SimpleNamespace(is_raster=lambda source: False, segment_pair=None)
    monkeypatch.setitem(sys.modules, "mtrefseg.scenes", scenes)
    monkeypatch.setattr(logging.get_logger("transformers"), "propagate", True)
    # The library shows each warning once: other tests have other sizes.
    segmenter(pair(200, 110 if window == "off" else 120, 6, text="a car"), window=window)
    assert "For windows: window='auto'" in caplog.text


def test_large_normal_scenes_are_segmented_as_a_whole(
    segmenter: MTRefSegPipeline, caplog: pytest.LogCaptureFixture
) -> None:
    large = {**pair(200, 130, 6, text="a car"), "domain": "normal_scene"}
    assert_same(segmenter(large), segmenter(large, window="off"))
    assert "For windows: window=64" in caplog.text
    assert "window='auto'" not in caplog.text  # It would not cut them either.


@pytest.mark.parametrize("window", [0, "512", "whole"])
def test_refuses_unknown_windows(segmenter: MTRefSegPipeline, window: Any) -> None:
    with pytest.raises(
        ValueError, match=f"`window` must be 'auto', 'off' or a number of pixels, at least 16, not {window!r}"
    ):
        segmenter(PAIRS[0], window=window)
