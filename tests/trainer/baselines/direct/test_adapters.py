# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Every adapter with a tiny random model of its architecture: shapes, prompts, options, and answers in its format."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from mtrefseg.errors import UserError
from mtrefseg.foundation import PromptedSegmenter
from tests.trainer.baselines.contract import check_segmenter, noise_pair
from trainer.baselines import known_segmenters, open_segmenter
from trainer.baselines.direct import WAYS, florence, paligemma
from trainer.baselines.direct.florence import FlorenceModel
from trainer.baselines.direct.paligemma import PaliGemmaModel
from trainer.baselines.direct.sa2va import Sa2vaModel
from trainer.baselines.direct.text_models import GroundedSam2Model
from trainer.errors import TrainingError


FolderOf = Callable[[str], str]
ONE_IMAGE = [way for way in WAYS if way != "two_images"]
SENTENCES = ("the red car that appeared", "the red car that disappeared")
# With a threshold of 0, random models find something.
TEXT_MODELS = {
    "clipseg": "clipseg:{clipseg},threshold=0",
    "sam3": "sam3:{sam3},threshold=0",
    "grounding_dino": "grounded_sam2:{grounding_dino},sam={sam2},threshold=0",
    "owlv2": "grounded_sam2:{owlv2},sam={sam2},threshold=0",
}
CHAT_MODELS = ("qwen2_5_vl", "qwen3_vl", "internvl", "llava")


class _Folders(dict):
    """Fills the names of models in a text with their folders."""

    def __init__(self, folder_of: FolderOf) -> None:
        super().__init__()
        self._folder_of = folder_of

    def __missing__(self, kind: str) -> str:
        return self._folder_of(kind)


def opened(text: str, folder_of: FolderOf, **options: str):
    """Opens a segmenter as the command does."""
    more = "".join(f",{name}={value}" for name, value in options.items())
    return open_segmenter(text.format_map(_Folders(folder_of)) + more)


@pytest.fixture(autouse=True)
def _short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (florence, paligemma):
        monkeypatch.setattr(module, "MOST_TOKENS", 6)


@pytest.mark.parametrize("kind", TEXT_MODELS)
def test_text_models(kind: str, folder_of: FolderOf) -> None:
    for way in ONE_IMAGE:
        segmenter = opened(TEXT_MODELS[kind], folder_of, images=way)
        assert f"{kind} ({way})" in segmenter.name
        assert {"model", "threshold", "images"} <= set(segmenter.identity)
        answers = segmenter.segment(*noise_pair(), SENTENCES)
        assert all(answer.problem is None for answer in answers)
        assert any(answer.mask.any() for answer in answers) or way in ("t1_minus_t2", "t2_minus_t1")
    check_segmenter(segmenter)


@pytest.mark.parametrize("kind", CHAT_MODELS)
def test_chat_models(kind: str, folder_of: FolderOf) -> None:
    """Random models write nonsense: every answer has its text and the reason why it has no mask."""
    sam = folder_of("sam2")
    for way in ("two_images", "side_by_side", "t2_minus_t1"):
        segmenter = opened(f"chat:{{{kind}}}", folder_of, sam=sam, images=way, max_tokens="6")
        answers = segmenter.segment(*noise_pair(), SENTENCES)
        assert all(answer.text is not None and not answer.mask.any() for answer in answers)
        assert all("no box and no point" in answer.problem or "empty" in answer.problem for answer in answers)
    check_segmenter(segmenter)


@pytest.mark.parametrize(
    ("kind", "unit", "seen"),
    [
        ("qwen2_5_vl", "pixels", ((56, 28), (56, 28))),
        ("qwen3_vl", "thousandths", ((64, 32), (64, 32))),
        ("internvl", "thousandths", ()),
        ("llava", "thousandths", ()),
    ],
)
def test_units_of_chat_models(kind: str, unit: str, seen: tuple, folder_of: FolderOf) -> None:
    from trainer.baselines.direct.chat_models import ChatTalker

    talker = ChatTalker(folder_of(kind), max_tokens=6, device="cpu")
    reply = talker.ask(noise_pair(60, 34), "Where is the car?")
    assert (talker.unit, reply.seen) == (unit, seen)


@pytest.mark.parametrize("kind", ["paligemma", "florence2"])
def test_models_with_tokens_of_places(kind: str, folder_of: FolderOf) -> None:
    options = {"sam": folder_of("sam2")} if kind == "paligemma" else {}
    for way in ("later", "side_by_side", "change_word"):
        segmenter = opened(f"{kind}:{{{kind}}}", folder_of, images=way, **options)
        for answer in segmenter.segment(*noise_pair(), SENTENCES):
            assert answer.text is not None
            assert answer.problem is None or "the answer holds no" in answer.problem
    check_segmenter(segmenter)


def test_paligemma_is_asked_and_read_as_documented(folder_of: FolderOf, monkeypatch) -> None:
    model = PaliGemmaModel(folder_of("paligemma"), folder_of("sam2"), "cpu")
    words, asked = model._processor.tokenizer, []

    def generate(**inputs):
        asked.append(words.decode(inputs["input_ids"][0]).replace("<image>", ""))
        answer = words("<loc0256><loc0128><loc0512><loc0512><seg001><seg002> car[END]", add_special_tokens=False)
        return torch.cat([inputs["input_ids"], torch.tensor([answer["input_ids"]])], dim=1)

    monkeypatch.setattr(model._model, "generate", generate)
    image = noise_pair(200, 100)[0]
    (found,) = model.find([image], ["The red car."], "one")
    assert asked == ["[START]segment the red car\n"]
    assert found.text.startswith("<loc0256><loc0128><loc0512><loc0512>")
    assert found.problem is None
    segmenter = PromptedSegmenter(folder_of("sam2"), "cpu")
    mask, score = segmenter.segment(segmenter.encode(image), (25, 25, 100, 50))
    assert np.array_equal(found.mask, mask)
    assert found.score == (score if mask.any() else 0)


def test_florence_is_read_as_documented(folder_of: FolderOf) -> None:
    """Places are thousandths; a polygon has x1, y1, x2, y2, …"""
    model, image = FlorenceModel(folder_of("florence2"), "cpu"), Image.new("RGB", (200, 100))
    square = "<loc_100><loc_200><loc_300><loc_200><loc_300><loc_500><loc_100><loc_500>"
    found = model.read(f"</s><s>{square}</s>", image)
    expected = np.zeros((100, 200), dtype=bool)
    expected[20:51, 20:61] = True
    assert np.array_equal(found.mask, expected)
    assert (found.score, found.problem) == (1.0, None)
    other = "<loc_800><loc_800><loc_900><loc_800><loc_900><loc_900>"
    assert model.read(f"<s>{square}<sep>{other}</s>", image).mask.sum() > expected.sum()
    for text in ("</s>", "<s>a car</s>", "<s><loc_100><loc_200><loc_300><loc_200></s>", "<s><loc_100></s>"):
        empty = model.read(text, image)
        assert not empty.mask.any()
        assert empty.problem == "the answer holds no polygon"


def test_florence_is_asked_for_the_mask_of_the_sentence(folder_of: FolderOf, monkeypatch) -> None:
    model, asked = FlorenceModel(folder_of("florence2"), "cpu"), []

    def generate(**inputs):
        asked.append(model._processor.tokenizer.decode(inputs["input_ids"][0], skip_special_tokens=True))
        return torch.tensor([[1]])

    monkeypatch.setattr(model._model, "generate", generate)
    model.find([Image.new("RGB", (40, 40))], ["the red car that appeared"], "one")
    assert asked == ["Locate the red car that appeared in the image with mask"]


def test_the_best_box_is_segmented(folder_of: FolderOf, monkeypatch) -> None:
    """The image is encoded once for all sentences, and not at all if nothing is found."""
    encoded = []
    encode = PromptedSegmenter.encode

    def counted(self, image: Image.Image):
        encoded.append(image)
        return encode(self, image)

    monkeypatch.setattr(PromptedSegmenter, "encode", counted)
    model = GroundedSam2Model(folder_of("owlv2"), folder_of("sam2"), 0.0, "cpu")
    images = [noise_pair()[0]]
    found = model.find(images, ["red car", "car", "the image"], "one")
    assert encoded == images
    boxes = model._finder.find(images[0], ["red car"])[0]
    best = max(boxes, key=lambda box: box.score)
    mask, _ = model._segmenter.segment(model._segmenter.encode(images[0]), best.corners)
    assert np.array_equal(found[0].mask, mask)
    encoded.clear()
    strict = GroundedSam2Model(folder_of("owlv2"), folder_of("sam2"), 1.0, "cpu")
    assert not strict.find(images, ["red car"], "one")[0].mask.any()
    assert encoded == []


class Sa2va:
    """What the code of Sa2VA on the Hub gives, with a mask for a sentence about a car."""

    def predict_forward(self, image, text: str, tokenizer):
        assert text.startswith("<image>Please segment the")
        assert tokenizer == "tokenizer"
        if "car" not in text:
            return {"prediction": "I cannot see it.<|im_end|>", "prediction_masks": []}
        mask = np.zeros((1, image.height, image.width), dtype=bool)
        mask[0, 2:5, 3:7] = True
        return {"prediction": "Sure, [SEG].<|im_end|>", "prediction_masks": [mask, torch.from_numpy(mask)]}


class Sa2vaOnQwen(Sa2va):
    """The same with another name of an argument."""

    def predict_forward(self, image, text: str, processor):
        return super().predict_forward(image, text, processor)


@pytest.mark.parametrize("kind", [Sa2va, Sa2vaOnQwen])
def test_sa2va(kind: type[Sa2va], tmp_path, monkeypatch) -> None:
    asked = []

    def load(name, **options):
        asked.append(options)
        return SimpleNamespace(to=lambda device: SimpleNamespace(eval=kind))

    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", load)
    part = transformers.AutoTokenizer if kind is Sa2va else transformers.AutoProcessor
    monkeypatch.setattr(part, "from_pretrained", lambda name, **options: "tokenizer")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(TrainingError, match="trust_remote_code=yes"):
        open_segmenter(f"sa2va:{tmp_path}")
    assert asked == []
    model = Sa2vaModel(str(tmp_path), "yes", "cpu")
    assert asked[0]["trust_remote_code"] is True
    car, tree = model.find([noise_pair()[0]], ["the car.", "the tree"], "one")
    assert (car.mask.sum(), car.score, car.text, car.problem) == (12, 1.0, "Sure, [SEG].<|im_end|>", None)
    assert (tree.mask.any(), tree.problem) == (False, "the answer holds no mask")


def test_a_model_without_its_code_is_refused(folder_of: FolderOf) -> None:
    with pytest.raises(UserError, match="predict_forward"):
        open_segmenter(f"sa2va:{folder_of('clipseg')},trust_remote_code=yes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clipseg:{clipseg},threshold=2", "threshold=2: give a number from 0 to 1"),
        ("clipseg:{clipseg},threshold=nan", "threshold=nan"),
        ("clipseg:{clipseg},images=two_images", "takes one image at a time"),
        ("clipseg:{clipseg},images=first", "images=first"),
        ("clipseg:{clipseg},sam=x", "does not take these options"),
        ("clipseg", "does not take these options"),
        ("clipseg:no/such-folder", "cannot load no/such-folder"),
        ("chat:{clipseg},max_tokens=0", "max_tokens=0"),
        ("chat:{clipseg}", "has no chat template"),
    ],
)
def test_wrong_options_are_named(text: str, message: str, folder_of: FolderOf, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=message):
        opened(text, folder_of)


def test_all_are_registered() -> None:
    names = {"chat", "clipseg", "endpoint", "florence2", "grounded_sam2", "paligemma", "sa2va", "sam3"}
    assert names <= set(known_segmenters())
