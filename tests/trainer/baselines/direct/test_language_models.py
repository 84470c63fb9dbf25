# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Language models with answers that are known: what they are asked, what becomes of the answers, and a server."""

import base64
import io
import re
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from tests.craft_agent.scripted_server import Reply as ServerReply
from tests.craft_agent.scripted_server import ScriptedServer, refuses, says
from tests.trainer.baselines.contract import check_segmenter, noise_pair
from trainer.baselines.direct import WAYS, DirectSegmenter, endpoint, language_models
from trainer.baselines.direct.endpoint import EndpointTalker
from trainer.baselines.direct.language_models import LanguageModel, Reply, make_question
from trainer.errors import TrainingError


SIZE = (200, 100)
BOX = '[{"bbox_2d": [100, 200, 300, 500]}]'


class BoxFiller:
    """Instead of SAM 2: fills a box, or nine pixels at a point; counts the images that it encodes."""

    def __init__(self) -> None:
        self.encoded: list[Image.Image] = []

    def encode(self, image: Image.Image) -> Image.Image:
        self.encoded.append(image)
        return image

    def segment(self, image: Image.Image, corners: Sequence[float] | None, clicks: Sequence[tuple] = ()):
        mask = np.zeros(image.size[::-1], dtype=bool)
        if corners is None:
            ((x, y, _),) = clicks
            corners = (x - 1, y - 1, x + 2, y + 2)
        left, top, right, bottom = map(round, corners)
        mask[top:bottom, left:right] = True
        return mask, 0.8


class Scripted:
    """Answers every question in the same way."""

    name = "scripted"

    def __init__(self, text: str, unit: str = "thousandths", **fields) -> None:
        self.identity = {"model": "scripted@1"}
        self.unit = unit
        self.reply = Reply(text, **fields)
        self.asked: list[tuple[list[tuple[int, int]], str]] = []

    def ask(self, images: Sequence[Image.Image], question: str) -> Reply:
        self.asked.append(([image.size for image in images], question))
        return self.reply


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_models, "source_of", lambda model: f"{model}@1")


def model_of(talker) -> tuple[LanguageModel, BoxFiller]:
    filler = BoxFiller()
    return LanguageModel(talker, filler, "sam"), filler


def ask(talker, way: str = "later", sentences: Sequence[str] = ("the red car",)):
    model, filler = model_of(talker)
    return DirectSegmenter(model, way).segment(*noise_pair(*SIZE), list(sentences)), filler


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def test_a_box() -> None:
    (answer,), _ = ask(Scripted(BOX))
    assert box_of(answer.mask) == (20, 20, 60, 50)
    assert (answer.score, answer.text, answer.problem) == (0.8, BOX, None)


def test_a_point() -> None:
    (answer,), _ = ask(Scripted('{"point_2d": [500, 300]}'))
    assert box_of(answer.mask) == (99, 29, 102, 32)


def test_pixels_of_the_resized_image() -> None:
    (answer,), _ = ask(Scripted('{"bbox_2d": [40, 60, 120, 150]}', "pixels", seen=((400, 300),)))
    assert box_of(answer.mask) == (20, 20, 60, 50)


def test_side_by_side_halves_are_laid_over_each_other() -> None:
    """The canvas is 416 wide. The second box lies in the right half, 216 to 416."""
    text = '[{"bbox_2d": [0, 0, 10, 10]}, {"bbox_2d": [226, 20, 246, 40]}]'
    (answer,), _ = ask(Scripted(text, "pixels"), "side_by_side")
    assert answer.mask[:10, :10].all()
    assert answer.mask[20:40, 10:30].all()
    assert answer.mask.sum() == 500


def test_boxes_in_two_images_are_united_and_each_image_is_encoded_once() -> None:
    text = '[{"image": 1, "bbox_2d": [0, 0, 100, 100]}, {"image": 2, "bbox_2d": [500, 500, 600, 600]}]'
    answers, filler = ask(Scripted(text), "two_images", ["the red car", "the car", "cars"])
    assert [int(answer.mask.sum()) for answer in answers] == [400] * 3
    assert len(filler.encoded) == 2


def test_an_image_without_boxes_is_not_encoded() -> None:
    answers, filler = ask(Scripted("[]"), "two_images", ["the red car", "the car"])
    assert filler.encoded == []
    assert all(not answer.mask.any() and answer.problem is None and answer.score == 0 for answer in answers)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ({"text": "I'm sorry, I cannot help with that."}, "the answer holds no box and no point"),
        (
            {"text": "<think>Hm", "is_cut_off": True},
            "cut off at the limit of tokens; the answer is cut off: it ends inside",
        ),
        (
            {"text": '[{"bbox_2d": [10, 2', "is_cut_off": True},
            "cut off at the limit of tokens; the answer is not valid",
        ),
        ({"text": '[{"bbox_2d": [10, 20, 1900, 1000]}]'}, "the coordinate 1900 is outside the image"),
    ],
)
def test_answers_that_cannot_be_used(reply: dict, problem: str) -> None:
    (answer,), _ = ask(Scripted(**reply))
    assert answer.problem.startswith(problem)
    assert (answer.text, answer.mask.any()) == (reply["text"], False)


@pytest.mark.parametrize("way", WAYS)
def test_the_contract(way: str) -> None:
    model, _ = model_of(Scripted(BOX))
    assert model.identity == {"model": "scripted@1", "sam": "sam@1", "prompt": "1"}
    check_segmenter(DirectSegmenter(model, way))


def test_questions() -> None:
    talker = Scripted(BOX)
    for way in ("later", "side_by_side", "two_images"):
        ask(talker, way, ['the "red" car'])
    (one, two), (side, beside), (pair, both) = talker.asked
    assert (one, side, pair) == ([SIZE], [(416, 100)], [SIZE, SIZE])
    assert two == (
        'Locate what this sentence describes in the image: "the "red" car"\n'
        'Answer with JSON only, one entry for each region: [{"bbox_2d": [x1, y1, x2, y2]}]. Coordinates go from 0 to '
        "1000 across the width and the height of the image. If nothing fits the sentence, answer []."
    )
    assert "left half of the image shows a place at an earlier time" in beside
    assert "first image shows a place at an earlier time" in both
    assert '{"image": 1 or 2, "bbox_2d"' in both
    assert "pixels of the image" in make_question("the car", "one", "pixels")


def images_of(request: dict) -> list[Image.Image]:
    """The images of a request, as the server sees them."""
    parts = request["messages"][0]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2]))) for url in urls]


def test_a_server_is_asked(monkeypatch) -> None:
    """A busy server is asked again."""
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    script = [refuses(429, "busy", **{"retry-after": "0.001"}), says(BOX)]
    with ScriptedServer(lambda number, request: script[number]).running() as server:
        (answer,), _ = ask(EndpointTalker("some-model", server.endpoint), "two_images")
    assert box_of(answer.mask) == (20, 20, 60, 50)
    request = server.requests[-1]
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("some-model", 2048, 0)
    assert server.headers[-1]["authorization"] == "Bearer secret"
    for sent, image in zip(images_of(request), noise_pair(*SIZE), strict=True):
        assert np.array_equal(np.asarray(sent), np.asarray(image))
    assert request["messages"][0]["content"][-1]["text"] == make_question("the red car", "two", "thousandths")


@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-VL-7B-Instruct", "qwen2.5-vl-72b", "other"])
def test_a_server_whose_model_writes_pixels_gets_images_of_whole_patches(model: str) -> None:
    """200 x 100 becomes 196 x 112; the box is scaled back."""
    with ScriptedServer(lambda number, request: says('{"bbox_2d": [98, 56, 196, 112]}')).running() as server:
        talker = EndpointTalker(model, server.endpoint, "pixels" if model == "other" else None)
        assert talker.identity["unit"] == "pixels"
        (answer,), _ = ask(talker)
    assert images_of(server.requests[0])[0].size == (196, 112)
    assert box_of(answer.mask) == (100, 50, 200, 100)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (says("Sorry, no."), "the answer holds no box and no point"),
        (says(None), "the answer is empty"),
        (says('[{"bbox_2d"', finish_reason="length"), "cut off at the limit of tokens"),
        (says("", finish_reason="content_filter"), "ValueError: the server's content filter withheld the answer"),
        (refuses(400, "the image is too large"), "ValueError: HTTP 400: the image is too large"),
        (ServerReply(b'{"choices": []}'), "ValueError: not a chat completion"),
        (ServerReply(b"{}"), "ValueError: not a chat completion"),
        (says([{"type": "text", "text": "Sorry, "}, {"type": "text", "text": "no."}]), "the answer holds no box"),
        (ServerReply(b"not JSON"), "ValueError: not a chat completion: not JSON"),
        (ServerReply(b"x" * 2**16, repeats=200), "ValueError: the response has more than"),
    ],
)
def test_a_question_that_a_server_does_not_answer_well(reply: ServerReply, problem: str) -> None:
    """The sentence gets the reason, the next one its answer."""
    script = [reply, says(BOX)]
    with ScriptedServer(lambda number, request: script[min(number, 1)]).running() as server:
        talker = EndpointTalker("m", server.endpoint)
        (first,), _ = ask(talker)
        (second,), _ = ask(talker)
    assert not first.mask.any()
    assert re.match(problem, first.problem)
    assert second.mask.any()


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_a_server_that_answers_nothing_stops_the_run(status: int) -> None:
    message = r"the request to endpoint:m failed: .*go away.*check url"
    server = ScriptedServer(lambda number, request: refuses(status, "go away"))
    with server.running(), pytest.raises(TrainingError, match=message):
        ask(EndpointTalker("m", server.endpoint))


def test_no_server(monkeypatch) -> None:
    monkeypatch.setattr(endpoint, "RETRIES", 0)
    with pytest.raises(TrainingError, match="check url"):
        ask(EndpointTalker("m", "http://127.0.0.1:9/v1"))


def test_a_slow_server_costs_one_sentence(monkeypatch) -> None:
    monkeypatch.setattr(endpoint, "RETRIES", 0)
    monkeypatch.setattr(endpoint, "SECONDS", 0.3)
    with ScriptedServer(lambda number, request: ServerReply(delay=1.0)).running() as server:
        (answer,), _ = ask(EndpointTalker("m", server.endpoint))
    assert answer.problem == "ValueError: no complete answer within 0.3 s"


def test_a_server_that_sends_a_byte_now_and_then_does_not_outlast_the_time_limit(monkeypatch) -> None:
    monkeypatch.setattr(endpoint, "RETRIES", 0)
    monkeypatch.setattr(endpoint, "SECONDS", 0.3)
    body = says(BOX).body
    with ScriptedServer(lambda number, request: ServerReply(body, trickle=0.1)).running() as server:
        (answer,), _ = ask(EndpointTalker("m", server.endpoint))
    assert answer.problem == "ValueError: no complete answer within 0.3 s"


def test_the_key_is_in_no_message(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with ScriptedServer(lambda number, request: refuses(400, "secret is odd")).running() as server:
        (answer,), _ = ask(EndpointTalker("m", server.endpoint))
    assert answer.problem == "ValueError: HTTP 400: [key] is odd"


def test_unknown_units_are_refused() -> None:
    with pytest.raises(TrainingError, match="unit=percent"):
        EndpointTalker("m", "http://127.0.0.1:9/v1", "percent")
