# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the API answers to good requests, and to bad ones."""

import base64
import io
import json
import logging
import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor, image_download_mtrefseg
from modeling_mtrefseg.object_choice_mtrefseg import keep_chosen, split_sentence
from mtrefseg.serve import app as serve_app
from mtrefseg.serve import middleware
from mtrefseg.serve.engine import Engine
from mtrs_iou import decode_rle
from tests.mtrefseg.serve.conftest import Files, Server
from tests.spaces_demo.hostile_files import hostile_files


SENTENCES = ["the new house", "the red car that left the road"]


def encode(file: bytes) -> str:
    return base64.b64encode(file).decode()


def in_json(files: Files, **fields: Any) -> dict[str, Any]:
    return {**{name: encode(content) for name, (_, content) in files.items()}, **fields}


def refused(response: Any, status: int, text: str) -> None:
    """An error is JSON with one line, and tells the request id of the header."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert re.search(text, error["message"]), error["message"]
    assert "\n" not in error["message"]
    assert (error["status"], error["request_id"]) == (status, response.headers["x-request-id"])


@pytest.mark.parametrize(("saved", "used"), [(None, 1.0), (0.0, 0.0), (0.6, 0.6)])
def test_masks_are_emptied_as_elsewhere(
    saved: float | None,
    used: float,
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processor.image_processor, "no_target_threshold", saved)
    assert Engine(model, processor).no_target_threshold == used


def test_masks_have_keys_and_are_those_of_the_model(server: Server, files: Files) -> None:
    response = server.segment(files, {"sentences": SENTENCES, "domain": "remote_sensing", "threshold": "0.4"})
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["width"], body["height"], body["threshold"], body["model"]) == (128, 96, 0.4, "tiny")
    assert [mask["sentence"] for mask in body["masks"]] == SENTENCES
    assert [mask["change_type"] for mask in body["masks"]] == ["appear", "disappear"]
    keys = {"score", "no_target_score", "is_closest", "area_pixels", "area_fraction", "found", "rle", "polygons"}
    assert keys < set(body["masks"][0])
    from io import BytesIO

    import torch
    from PIL import Image

    images = [Image.open(BytesIO(content)) for _, content in files.values()]
    processor = server.engine.processor
    with torch.no_grad():
        outputs = server.engine.model(**processor(*images, text=SENTENCES, domain="remote_sensing"))
    (wanted,) = processor.post_process_referring_segmentation(
        outputs, [(96, 128)], threshold=0.4, no_target_threshold=server.engine.no_target_threshold
    )
    for mask, expected, score in zip(body["masks"], wanted["masks"].numpy(), wanted["scores"].tolist()):
        assert (decode_rle(mask["rle"]) == expected).mean() > 0.999
        assert mask["score"] == pytest.approx(score, abs=1e-3)
        assert mask["area_pixels"] == pytest.approx(int(np.count_nonzero(expected)), abs=20)
    assert set(body["timings"]) == {"upload", "waiting", "encoding", "answering", "drawing", "total"}


def test_large_images_are_said_to_be_shrunk(server: Server) -> None:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "PNG")  # 256 x 256 pixels
    file = ("t.png", buffer.getvalue())
    notes = server.segment({"image_t1": file, "image_t2": file}).json()["notes"]
    assert any(note.startswith("the images are shrunk 2.0 times to the model's canvas of 128") for note in notes)


def test_places_and_ranks_choose_among_the_objects(
    server: Server, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the processor takes them out of a sentence, they are applied when the masks are drawn."""
    monkeypatch.setattr(server.engine.processor, "choose_objects", True)
    sentences = ["the house on the left that appeared", "every house that appeared"]
    options = {"sentences": sentences, "threshold": "0.05", "no_target_threshold": "1", "domain": "normal_scene"}
    chosen, every = (decode_rle(mask["rle"]) for mask in server.segment(files, options).json()["masks"])
    monkeypatch.setattr(server.engine.processor, "choose_objects", False)
    asked, choice = split_sentence(sentences[0])
    assert choice is not None
    assert asked == sentences[1]
    assert (chosen == keep_chosen(every, choice)).all()


def test_colours_choose_among_the_objects(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything red in the earlier image is kept, and nothing blue, of a mask that covers the image."""
    monkeypatch.setattr(server.engine.processor, "choose_objects", True)
    red = Image.new("RGB", (96, 96), (200, 30, 30))
    encoding = server.engine.encode(red, red, None)
    sentences = ["the red car that left", "the blue car that left", "the car that left"]
    answers = [
        replace(each, mask_logits=each.mask_logits * 0 + 9)
        for each in server.engine.answer(encoding, sentences).values()
    ]
    assert [each.image_colors is not None for each in answers] == [True, True, False]
    masks = server.engine.masks_of(answers, (96, 96), 0.5, 1.0)["masks"]
    assert [mask.all().item() for mask in masks] == [True, False, True]
    assert not masks[1].any()


def test_empty_masks_fall_back_to_the_closest_changes(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.engine.processor.image_processor, "fallback_threshold", 0.001, raising=False)
    image = Image.new("RGB", (96, 96), (200, 30, 30))
    encoding = server.engine.encode(image, image, None)
    encoding.change_logits = encoding.change_logits * 0 - 9
    encoding.change_logits[..., 4:12, 4:12] = 9
    answers = [
        replace(each, mask_logits=each.mask_logits * 0 - level)
        for each, level in zip(server.engine.answer(encoding, SENTENCES[:2]).values(), (5, 8))
    ]
    result = server.engine.masks_of(answers, (96, 96), 0.5, 1.0)
    near, far = result["masks"]
    assert 0 < near.sum() < near.numel() / 4
    assert not far.any()
    assert result["is_closest"].tolist() == [True, False]


def test_json_and_data_urls_are_answered_like_a_form(server: Server, files: Files) -> None:
    form = server.segment(files, {"sentences": SENTENCES}).json()
    body = in_json(files, sentences=SENTENCES)
    plain = server.client.post("/v1/segment", json=body).json()
    body["image_t1"] = f"data:image/png;base64,{body['image_t1']}"
    data = server.client.post("/v1/segment", json=body).json()
    assert form["masks"] == plain["masks"] == data["masks"]
    assert data["timings"]["encoding"] is None, "the pair was known"


def test_json_as_other_programs_write_it(server: Server, files: Files) -> None:
    body = in_json(files, sentences=SENTENCES)
    expected = server.client.post("/v1/segment", json=body).json()["masks"]
    body["image_t1"] = f"DATA:image/png;base64,{body['image_t1']}"
    headers = {"content-type": "application/json"}
    for encoding in ("utf-8-sig", "utf-16"):
        response = server.client.post("/v1/segment", content=json.dumps(body).encode(encoding), headers=headers)
        assert response.json()["masks"] == expected


def test_a_field_that_is_given_twice_and_truth_values_are_refused(server: Server, files: Files) -> None:
    """The last one was asked, and true was a threshold of 1, above which nothing is."""
    body = json.dumps(in_json(files, sentences=["the house"]))
    twice = body.replace('{"image_t1"', '{"sentences": ["the car"], "image_t1"', 1).encode()
    headers = {"content-type": "application/json"}
    refused(server.client.post("/v1/segment", content=twice, headers=headers), 400, "'sentences' two different values")
    response = server.client.post("/v1/segment", json=in_json(files, threshold=True))
    refused(response, 422, "threshold: .*boolean")


def test_without_sentences_every_change_is_segmented(server: Server, files: Files) -> None:
    for response in (server.segment(files), server.client.post("/v1/segment", json=in_json(files))):
        assert [mask["sentence"] for mask in response.json()["masks"]] == [None]


def test_letters_of_all_kinds_come_back(server: Server, files: Files) -> None:
    sentences = ["ein Häuschen", "那座新房子", "🏠 🚗", "\u202egnp.exe", 'a "b" <b>&amp;', "a\x00b", "e\u0301"]
    body = server.client.post("/v1/segment", json=in_json(files, sentences=sentences)).json()
    assert [mask["sentence"] for mask in body["masks"]] == sentences
    assert server.segment(files, {"sentences": sentences[:4]}).json()["masks"] == body["masks"][:4]


def test_sizes_that_differ_are_refused_or_fitted(server: Server, png: Callable[..., bytes]) -> None:
    files = {"image_t1": ("t1.png", png(0)), "image_t2": ("t2.png", png(1, height=48, width=64))}
    refused(server.segment(files), 422, r"128 x 96 pixels and image_t2 64 x 48: .* set align to \"resize\"")
    assert server.segment(files, {"align": "resize"}).json()["masks"][0]["rle"]["size"] == [96, 128]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"sentences": []}, "sentences: "),
        ({"sentences": [""]}, "Sentence 1 is empty"),
        ({"sentences": ["a car", " \n "]}, "Sentence 2 is empty"),
        ({"sentences": ["x" * 301]}, "301 characters"),
        ({"sentences": ["the [SEG] car"]}, "reserved"),
        ({"sentences": "a car"}, "sentences: "),
        ({"sentences": [3]}, "sentences.0: "),
        ({"sentences": [f"car {number}" for number in range(1000)]}, "1000 sentences are too many: send at most 64"),
        ({"sentence": "a car"}, "no field 'sentence'"),
        ({"threshold": 1.5}, "threshold: "),
        ({"threshold": "much"}, "threshold: "),
        ({"threshold": True and [0.5]}, "threshold: "),
        ({"domain": "mars"}, "domain: "),
        ({"align": "warp"}, "align: "),
        ({"image_t1": None}, "image_t1: "),
        ({"image_t1": 7}, "image_t1: "),
        ({"image_t1": ""}, "image_t1 is an empty file"),
        ({"image_t1": "a b"}, "not valid base64"),
        ({"image_t1": "héllo"}, "not valid base64"),
        ({"image_t2": "data:text/plain,hello"}, "without base64"),
        ({"image_t2": encode(b"<html></html>")}, "image_t2 is not an image"),
        ({"image_t1": "https://example.org/a.png"}, "is a URL, which this server does not fetch"),
        ({"image_t1": "file:///etc/passwd"}, "not valid base64"),
    ],
)
def test_fields_that_are_wrong_are_named(server: Server, files: Files, fields: dict[str, Any], text: str) -> None:
    refused(server.client.post("/v1/segment", json=in_json(files) | fields), 422, text)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b"{}", 422), (b'{"image_t1": "\\ud800"}', 400)],
)
def test_bodies_that_are_no_such_json_are_refused(server: Server, body: bytes, status: int) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    refused(server.client.post("/v1/segment", content=body, headers=headers), status, "")
    deep = b'{"image_t1": ' + b"[" * 100_000
    refused(server.client.post("/v1/segment", content=deep, headers=headers), 400, "not valid JSON")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "image/png", "application/x-www-form-urlencoded", "", "x" * 500]
)
def test_other_content_types_are_refused(server: Server, content_type: str) -> None:
    response = server.client.post("/v1/segment", content=b"x", headers={"content-type": content_type})
    refused(response, 415, "send multipart/form-data or application/json")
    response = server.client.post("/v1/segment", content=b"", headers={"content-encoding": "gzip"})
    refused(response, 415, "Content-Encoding")


def test_forms_that_are_wrong_are_refused(server: Server, files: Files) -> None:
    refused(server.segment({"image_t1": files["image_t1"]}), 422, "image_t2 is missing")
    refused(server.client.post("/v1/segment", files=[*files.items(), ("image_t1", files["image_t1"])]), 400, "files")
    refused(server.segment({**files, "sentences": ("s.txt", b"a car")}), 400, "files")
    refused(server.segment(files, {"threshold": ["0.1", "0.2"]}), 422, "'threshold' is given 2 times")
    refused(server.segment(files, {"colour": "red"}), 422, "no field 'colour'")
    refused(server.segment({"image_t2": files["image_t2"]}, {"image_t1": "text"}), 422, "must be sent as a file")
    headers = {"content-type": "multipart/form-data"}
    refused(server.client.post("/v1/segment", content=b"x", headers=headers), 400, "boundary")
    headers = {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"):
        refused(server.client.post("/v1/segment", content=body, headers=headers), 400, "form")


def test_a_form_that_is_cut_off_is_never_answered(server: Server, files: Files) -> None:
    request = server.client.build_request("POST", "/v1/segment", files=files, data={"sentences": SENTENCES})
    body, headers = request.read(), {"content-type": request.headers["content-type"]}
    assert server.client.post("/v1/segment", content=body, headers=headers).status_code == 200
    for length in (len(body) - 4, len(body) - 60, len(body) // 2, 100, 10):
        response = server.client.post("/v1/segment", content=body[:length], headers=headers)
        refused(response, 400, "cut off|cannot be read")


def test_what_follows_the_last_boundary_of_a_form_means_nothing(server: Server, files: Files) -> None:
    request = server.client.build_request("POST", "/v1/segment", files=files, data={"sentences": SENTENCES})
    headers = {"content-type": request.headers["content-type"]}
    for rest in (b"the end", b"x" * 100_000):
        response = server.client.post("/v1/segment", content=request.read() + rest, headers=headers)
        assert [mask["sentence"] for mask in response.json()["masks"]] == SENTENCES


@pytest.mark.parametrize(
    ("charset", "status", "message"),
    [
        ("raw_unicode_escape", 422, "Sentence 1 contains an incomplete character"),
        ("undefined", 400, "Send it in UTF-8"),
    ],
)
def test_sentences_that_are_no_text_are_refused(
    charset: str, status: int, message: str, server: Server, files: Files
) -> None:
    sentences = {"sentences": r"the house \ud800 that appeared"}
    request = server.client.build_request("POST", "/v1/segment", files=files, data=sentences)
    headers = {"content-type": f"{request.headers['content-type']}; charset={charset}"}
    refused(server.client.post("/v1/segment", content=request.read(), headers=headers), status, message)


@pytest.mark.parametrize("case", sorted(hostile_files()))
def test_hostile_files_are_refused(case: str, server: Server, files: Files) -> None:
    _, content, _ = hostile_files()[case]
    for name in files:
        refused(server.segment({**files, name: (f"{case}.png", content)}), 422, f"^(Cannot read )?{name} ")
    assert server.segment(files).status_code == 200


def test_unknown_paths_and_methods_get_json(server: Server) -> None:
    refused(server.client.get("/v1/nothing"), 404, "Not Found")
    refused(server.client.get("/v1/segment"), 405, "Method Not Allowed")
    refused(server.client.get("/v1/%0d%0aevil"), 404, "Not Found")


def test_ids_are_taken_made_and_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mtrefseg.serve"):
        given = server.client.get("/v1/models", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"]
        made = server.client.get("/v1/models", headers={"X-Request-ID": "bad id\t!"}).headers["x-request-id"]
    assert given == "mine-1"
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    logged = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("mine-1 GET /v1/models 200 ") for line in logged)


def test_the_server_tells_what_it_serves(server: Server, files: Files) -> None:
    body = server.client.get("/v1/models").json()
    assert body["models"][0]["id"] == "tiny"
    assert set(body["models"][0]["domains"]) == {"remote_sensing", "normal_scene"}
    assert body["limits"]["sentences"] == 64
    assert server.client.get("/healthz").json() == {"status": "ok", "waiting": 0}
    server.segment(files)
    text = server.client.get("/metrics").text
    assert 'mtrefseg_requests_total{path="/v1/segment",status="200"}' in text
    assert server.metric("mtrefseg_cache_bytes") > 0
    assert server.client.get("/", follow_redirects=False).headers["location"] == "/docs"
    spec = server.client.get("/openapi.json").json()
    page = server.client.get("/docs").text
    assert all(f"<code>{path}</code>" in page for path in spec["paths"])
    assert all(f'id="{name}"' in page for name in spec["components"]["schemas"] if name != "SegmentRequest")
    assert "the house that appeared" in page
    assert "<td></td>" not in page, "every field is explained"
    assert not re.search(r"<script|(src|href)=.(https?:)?//", page), "it loads nothing from elsewhere"
    assert server.client.get("/redoc").status_code == 404
    bodies = spec["paths"]["/v1/segment"]["post"]["requestBody"]["content"]
    assert bodies["multipart/form-data"]["schema"]["properties"]["image_t1"]["format"] == "binary"
    assert bodies["application/json"]["schema"]["properties"]["sentences"]["examples"]
    assert "Mask" in json.dumps(spec["components"])


def test_a_token_is_asked_for(serving: Callable[..., Any], files: Files) -> None:
    with serving(auth_token="geheim-ü") as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic geheim"}):
            refused(server.segment(files, headers=headers), 401, "Authorization: Bearer TOKEN")
        assert server.client.get("/metrics").status_code == 401
        assert server.client.get("/healthz").status_code == 200
        good = {b"Authorization": "Bearer geheim-ü".encode()}
        assert server.segment(files, headers=good).status_code == 200


def test_urls_are_fetched_where_allowed(
    serving: Callable[..., Any], files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(url: str, most_bytes: int, public_only: bool) -> bytes:
        asked.append((url, public_only))
        return files["image_t1"][1]

    with serving(allow_urls=True) as server:
        body = in_json(files, image_t1="https://images.test/t1.png")
        monkeypatch.setattr(serve_app, "download_image", download)
        assert server.client.post("/v1/segment", json=body).status_code == 200
        form = server.segment({"image_t2": files["image_t2"]}, {"image_t1": "https://images.test/t1.png"})
        assert form.status_code == 200
        assert asked == [("https://images.test/t1.png", True)] * 2
        monkeypatch.setattr(serve_app, "download_image", image_download_mtrefseg.download_image)
        body["image_t1"] = f"{server.url}/healthz"
        refused(server.client.post("/v1/segment", json=body), 422, "is not on the public internet")


def test_downloads_count_as_uploads_do(
    serving: Callable[..., Any], files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two short URLs may lead to as much as the largest body each."""
    monkeypatch.setattr(serve_app, "download_image", lambda *arguments: files["image_t1"][1])
    monkeypatch.setattr(middleware, "BODIES_AT_ONCE", 1)
    body = in_json(files, image_t1="https://images.test/t1.png", image_t2="https://images.test/t2.png")
    size = len(files["image_t1"][1])
    for megabytes, status in ((1.5 * size / 1e6, 503), (3 * size / 1e6, 200)):
        with serving(allow_urls=True, max_megabytes=megabytes) as server:
            for _ in range(2):  # What an earlier request has downloaded is given back.
                assert server.client.post("/v1/segment", json=body).status_code == status


def test_what_is_too_large_is_refused(serving: Callable[..., Any], files: Files) -> None:
    with serving(max_megabytes=0.1) as server:
        assert server.segment(files).status_code == 200
        large = {**files, "image_t1": ("t1.png", bytes(3_000_000))}
        refused(server.segment(large), 413, r"larger than 0\.1 MB")

        def pieces() -> Any:
            for _ in range(40):
                yield bytes(10_000)

        headers = {"content-type": "application/json"}
        response = server.client.post("/v1/segment", content=pieces(), headers=headers)
        refused(response, 413, r"larger than 0\.1 MB")
        assert server.metric("mtrefseg_requests_under_way") == 0


def test_an_upload_that_is_too_slow_is_ended(serving: Callable[..., Any]) -> None:
    with serving(timeout=1) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as slow:
            head = (
                "POST /v1/segment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
            )
            slow.sendall(head.encode())
            start = time.monotonic()
            answer = slow.recv(4096)
            assert b" 408 " in answer.split(b"\r\n")[0]
            assert time.monotonic() - start < 30
        assert server.client.get("/healthz").status_code == 200


def test_small_bodies_that_need_gigabytes_are_refused(server: Server, files: Files) -> None:
    body = json.dumps(in_json(files))[:-1] + ', "sentences": [' + "[]," * 200_000 + "[]]}"
    headers = {"content-type": "application/json"}
    refused(server.client.post("/v1/segment", content=body, headers=headers), 422, "100,000 commas: send fewer")


def test_base64_may_have_white_space_but_no_other_letters(server: Server, files: Files) -> None:
    lines = {name: " \n".join(re.findall(".{1,76}", text)) for name, text in in_json(files).items()}
    assert server.client.post("/v1/segment", json=lines).status_code == 200
    refused(
        server.client.post("/v1/segment", json={**lines, "image_t2": "ä" * 9}), 422, "image_t2 is not valid base64"
    )


def test_without_the_demo_its_addresses_are_not_found(server: Server) -> None:
    for path in ("/demo", "/demo/", "/demo/config"):
        refused(server.client.get(path), 404, "Not Found")


def test_tokens_may_have_any_letters(serving: Callable[..., Any]) -> None:
    with serving(auth_token="passe-partout à") as server:
        right = {b"authorization": "Bearer passe-partout à".encode()}
        assert server.client.get("/v1/models", headers=right).status_code == 200
        wrong = {b"authorization": b"Bearer passe-partout"}
        refused(server.client.get("/v1/models", headers=wrong), 401, "The token is missing or wrong")
