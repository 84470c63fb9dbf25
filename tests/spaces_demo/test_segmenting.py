# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.serve import pair_cache
from mtrefseg.serve.engine import EVERY_CHANGE
from mtrefseg.serve.pair_cache import PairCache, bytes_of, digest_of
from mtrefseg.view.inspection import encode_for_inspection
from spaces_demo import build, segmenting
from spaces_demo.limits import DELETE_AFTER, DELETE_EVERY, InputError
from spaces_demo.segmenting import Segmenter


class Calls:
    """Counts how often parts of the model run."""

    def __init__(self, model: MTRefSegModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.encoded = self.asked = 0
        encode_pair, forward = model.encode_pair, model.forward

        def count_encode(*arguments: object, **options: object) -> object:
            self.encoded += 1
            return encode_pair(*arguments, **options)

        def count_forward(*arguments: object, **options: object) -> object:
            self.asked += 1
            return forward(*arguments, **options)

        monkeypatch.setattr(model, "encode_pair", count_encode)
        monkeypatch.setattr(model, "forward", count_forward)


@pytest.fixture
def calls(model: MTRefSegModel, monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(model, monkeypatch)


def test_masks_are_those_of_the_model(
    segmenter: Segmenter, model: MTRefSegModel, processor: MTRefSegProcessor, pair: tuple[str, str]
) -> None:
    texts = ["the new house", "the red car that left the road"]
    result = segmenter.segment("a", pair, [texts[0]], domain="remote_sensing", threshold=0.4)
    # The second sentence is asked later, and of what was kept.
    result = segmenter.segment("a", pair, texts, domain="remote_sensing", threshold=0.4)
    with torch.no_grad():
        outputs = model(**processor(*pair, text=texts, domain="remote_sensing"))
    wanted = processor.post_process_referring_segmentation(outputs, [(96, 128)], threshold=0.4)[0]
    assert result.masks.shape == (2, 96, 128)
    assert (torch.from_numpy(result.masks) == wanted["masks"]).float().mean() > 0.999
    assert result.scores == pytest.approx(wanted["scores"].tolist(), abs=1e-3)
    assert result.no_target_scores == pytest.approx(wanted["no_target_scores"].tolist(), abs=1e-4)


def test_visitors_are_told_that_large_images_are_shrunk(segmenter: Segmenter, tmp_path: Path) -> None:
    large = str(tmp_path / "large.png")
    Image.linear_gradient("L").convert("RGB").save(large)  # 256 x 256 pixels
    with pytest.warns(UserWarning, match='shrunk 2.0 times .* The tab "Large scene" keeps the resolution'):
        segmenter.segment("a", (large, large), ["the new car"])


def test_all_changes_are_those_of_stage_1(
    segmenter: Segmenter, model: MTRefSegModel, processor: MTRefSegProcessor, pair: tuple[str, str]
) -> None:
    result = segmenter.segment("a", pair, [EVERY_CHANGE])
    with torch.no_grad():
        outputs = model(**processor(*pair))
    wanted = processor.post_process_referring_segmentation(outputs, [(96, 128)])[0]
    assert (torch.from_numpy(result.masks) == wanted["masks"]).float().mean() > 0.999


def test_a_pair_is_encoded_once_and_a_sentence_asked_once(
    segmenter: Segmenter, calls: Calls, pair: tuple[str, str]
) -> None:
    first = segmenter.segment("a", pair, ["a car"])
    assert (calls.encoded, calls.asked, first.num_asked) == (1, 1, 1)
    assert first.encoding_seconds is not None
    second = segmenter.segment("a", pair, ["a car", "a house"])
    assert (calls.encoded, calls.asked, second.num_asked, second.encoding_seconds) == (1, 2, 1, None)
    every = segmenter.segment("a", pair, [EVERY_CHANGE])
    assert (calls.encoded, calls.asked, every.num_asked) == (1, 3, 1)
    third = segmenter.segment("a", pair, ["a house", "a car"], threshold=0.9)
    assert (calls.encoded, calls.asked, third.num_asked) == (1, 3, 0)
    assert third.masks[1].sum() < second.masks[0].sum()


def test_another_visitor_another_scene_and_other_contents_are_other_pairs(
    segmenter: Segmenter, calls: Calls, pair: tuple[str, str], make_image: Callable[..., Image.Image]
) -> None:
    segmenter.segment("a", pair, ["a car"])
    segmenter.segment("b", pair, ["a car"])
    segmenter.segment("a", pair, ["a car"], domain="normal_scene")
    make_image(seed=9).save(pair[1])
    segmenter.segment("a", pair, ["a car"])
    assert calls.encoded == 4
    segmenter.pairs.forget("a")
    assert len(segmenter.pairs) == 1


def test_little_is_kept(segmenter: Segmenter, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmenting, "MAX_ANSWERS", 3)
    segmenter.segment("first", pair, ["the car"])
    one = segmenter.pairs.size
    segmenter.pairs.capacity = 5 * one
    for visitor in range(12):
        segmenter.segment(str(visitor), pair, [f"the car {visitor}"])
    assert len(segmenter.pairs) == 5
    assert segmenter.pairs.size <= segmenter.pairs.capacity
    for number in range(5):
        segmenter.segment("11", pair, [f"the house {number}", "the tree"])
    (known,) = [entry.value for (visitor, _), entry in segmenter.pairs._kept.items() if visitor == "11"]
    assert len(known.answers) == 3
    assert segmenter.pairs.size <= segmenter.pairs.capacity


def test_no_target_empties_a_mask(segmenter: Segmenter, pair: tuple[str, str]) -> None:
    result = segmenter.segment("a", pair, ["a car"], threshold=0.0, no_target_threshold=1.0)
    assert result.masks.any()
    assert not segmenter.segment("a", pair, ["a car"], threshold=0.0, no_target_threshold=0.0).masks.any()


def test_sizes_that_differ_are_named_or_made_equal(segmenter: Segmenter, pair: tuple[str, str]) -> None:
    Image.new("RGB", (64, 48), "green").save(pair[1])
    with pytest.raises(InputError, match=r'128 x 96 pixels and t2 64 x 48\. .* tick "Resize t2 to the size of t1"'):
        segmenter.segment("a", pair, ["a car"])
    assert segmenter.segment("a", pair, ["a car"], align="resize").masks.shape == (1, 96, 128)


def test_images_that_are_gone_are_asked_for_again(segmenter: Segmenter, pair: tuple[str, str]) -> None:
    segmenter.segment("a", pair, ["a car"])
    Path(pair[0]).unlink()
    with pytest.raises(InputError, match="upload both images again"):
        segmenter.segment("a", pair, ["a car"])


def test_the_oldest_goes_first() -> None:
    cache: PairCache[str] = PairCache(25)
    cache.put("a", 1, "x" * 10)
    cache.put("a", 2, "y" * 10)
    assert cache.get("a", 1) == "x" * 10
    cache.put("b", 1, "z" * 10)
    assert [cache.get(*key) is None for key in (("a", 1), ("a", 2), ("b", 1))] == [False, True, False]
    assert cache.visitors() == {"a", "b"}
    cache.forget("a")
    assert (cache.get("a", 1), len(cache), cache.size) == (None, 1, 10)
    cache.put("c", 1, "large" * 100)
    assert (len(cache), cache.visitors()) == (1, {"b"}), "what is larger than all may be is not kept"


def test_what_is_too_old_goes_without_being_asked_for() -> None:
    cache: PairCache[list[str]] = PairCache(100, seconds=0.01)
    value = ["x"]
    for _ in range(2):
        cache.put("a", 1, value)
        cache.put("b", 1, value)
        for _ in range(1000):
            if cache.visitors():
                time.sleep(0.01)
        assert not cache.visitors()


def test_a_value_grows_old_however_often_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(pair_cache, "time", SimpleNamespace(monotonic=lambda: now))
    cache: PairCache[list[str]] = PairCache(100, seconds=60)
    value = ["x"]
    cache.put("a", 1, value)
    now = 50.0
    cache.put("a", 1, value)
    cache.put("b", 1, ["y"])
    now = 60.0
    cache._expire()
    assert cache.visitors() == {"b"}


def test_nothing_of_a_visitor_outlives_the_uploads(segmenter: Segmenter) -> None:
    page = build(segmenter)
    tabs = [getattr(function.fn, "__self__", None) for function in page.fns.values()]
    caches = [cache for tab in tabs for cache in vars(tab or object).values() if isinstance(cache, PairCache)]
    assert caches
    assert {cache.seconds for cache in [*caches, segmenter.pairs]} == {DELETE_AFTER}
    assert page.delete_cache == (DELETE_EVERY, DELETE_AFTER)


def test_bytes_are_counted_wherever_they_stand(
    model: MTRefSegModel, processor: MTRefSegProcessor, pair: tuple[str, str]
) -> None:
    assert bytes_of([torch.zeros(3, 5), {"a": np.zeros((2, 2), np.uint8)}, "four", None, 7]) == 60 + 4 + 4
    assert bytes_of(Image.new("RGB", (4, 2))) == 24
    maps = torch.zeros(4, 10)
    assert bytes_of([maps, maps[0], {"a": maps[1]}]) == 160, "views share the memory of a tensor"
    inspected = encode_for_inspection(model, processor, *pair)
    # Differences of four levels and two images are only a part of it.
    key_values = bytes_of(inspected.encoding.prompt_key_values)
    assert key_values > 0
    assert bytes_of(inspected) > 96 * 128 * (4 * 4 + 2 * 3) + key_values


def test_a_digest_is_of_contents_in_order(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path, content in zip(paths, (b"x", b"y", b"x")):
        path.write_bytes(content)
    assert digest_of(paths[0], paths[1]) == digest_of(paths[2], paths[1])
    assert digest_of(paths[0], paths[1]) != digest_of(paths[1], paths[0])


def test_the_shipped_checkpoint_encodes_a_pair_once() -> None:
    sample = Path(__file__).parents[2] / "spaces_demo" / "examples"
    paths = (str(sample / "lagoon_t1.jpg"), str(sample / "lagoon_t2.jpg"))
    shipped = Segmenter.from_pretrained(str(Path(__file__).parents[2] / "mtrefseg-r1"))
    calls = []
    shipped.model.vision_model.backbone.register_forward_hook(lambda *_: calls.append(1))
    shipped.segment("visitor", paths, ["every pool that showed up"])
    shipped.segment("visitor", paths, ["the car that has left"])
    assert len(calls) == 1
