# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The demo as a server, asked by programs."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from mtrs_iou import decode_rle
from tests.spaces_demo.conftest import SPACE, Server
from tests.spaces_demo.hostile_files import HTML, SVG, hostile_files, write


gradio_client = pytest.importorskip("gradio_client", reason="gradio_client is not installed")
handle_file = gradio_client.handle_file
AppError = gradio_client.exceptions.AppError


@pytest.fixture
def client(server: Server, tmp_path: Path) -> Any:
    return gradio_client.Client(server.url, verbose=False, download_files=str(tmp_path / "downloads"))


def segment(client: Any, pair: tuple[Any, Any], text: str | None, **options: Any) -> Any:
    files = [path if path is None else handle_file(path) for path in pair]
    return client.predict(*files, text, **options, api_name="/segment")


def test_it_listens_on_this_computer_alone(server: Server) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_endpoints_have_names_and_types(client: Any) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {"/segment", "/all_changes", "/segment_scene", "/look_inside", "/browse_report"}
    # Of a scene there are files, too.
    objects = {name: endpoint for name, endpoint in endpoints.items() if name != "/segment_scene"}
    assert all(len(endpoint["returns"]) == 1 for endpoint in objects.values()), "each returns one object"
    parameters = {each["parameter_name"]: each["python_type"]["type"] for each in endpoints["/segment"]["parameters"]}
    assert list(parameters) == [
        "image_t1",
        "image_t2",
        "sentences",
        "scene",
        "fit",
        "threshold",
        "no_target_threshold",
    ]
    assert parameters["sentences"] == "str"
    assert parameters["fit"] == "bool"
    assert parameters["threshold"] == "float"
    assert "remote_sensing" in parameters["scene"]
    assert all(endpoint["description"] for endpoint in endpoints.values())


def test_sentences_are_answered_with_masks_of_the_own_size(client: Any, pair: tuple[str, str]) -> None:
    result = segment(client, pair, "a car\nthe house", threshold=0.3)
    assert (result["width"], result["height"]) == (128, 96)
    assert [mask["sentence"] for mask in result["masks"]] == ["a car", "the house"]
    assert result["encoding_seconds"] > 0
    for mask in result["masks"]:
        assert decode_rle(mask["rle"]).shape == (96, 128)
        assert decode_rle(mask["rle"]).sum() == mask["area_pixels"]
        assert (len(mask["polygons"]) > 0) == mask["found"]
    again = segment(client, pair, "a tree\nthe house", threshold=0.3)
    assert again["encoding_seconds"] is None


def test_all_changes_need_no_sentence(client: Any, pair: tuple[str, str]) -> None:
    result = client.predict(*map(handle_file, pair), api_name="/all_changes")
    assert [(mask["sentence"], mask["change_type"]) for mask in result["masks"]] == [(None, "unknown")]


def test_looking_inside_shows_layers_and_words(client: Any, pair: tuple[str, str]) -> None:
    numbers = client.predict(*map(handle_file, pair), "the red car", api_name="/look_inside")
    assert numbers["expression"] == "the red car"
    assert [entry["word"] for entry in numbers["words"]] == ["the", "red", "car"]


def test_looking_inside_refuses_what_is_not_clear(
    client: Any, pair: tuple[str, str], make_image: Callable[..., Image.Image], tmp_path: Path
) -> None:
    with pytest.raises(AppError, match="Only one sentence at a time"):
        client.predict(*map(handle_file, pair), "the red car\nthe house", api_name="/look_inside")
    make_image(seed=3, width=64, height=48).save(tmp_path / "small.png")
    files = (handle_file(pair[0]), handle_file(str(tmp_path / "small.png")))
    with pytest.raises(AppError, match="The images differ in size"):
        client.predict(*files, "the red car", api_name="/look_inside")
    numbers = client.predict(*files, "the red car", fit=True, api_name="/look_inside")
    assert numbers["expression"] == "the red car"


def test_a_report_is_browsed_from_the_worst(client: Any) -> None:
    report = handle_file(SPACE / "examples" / "predictions.parquet")
    found = client.predict(report, api_name="/browse_report")
    ious = [row["iou"] for row in found["sentences"]]
    assert ious == sorted(ious)
    assert (found["chosen"], found["total"]) == (len(ious), len(ious))
    assert (len(found["histogram"]), sum(found["histogram"])) == (10, len(ious))
    fewer = client.predict(report, least=20, most=100, api_name="/browse_report")
    assert [row["iou"] for row in fewer["sentences"]] == [iou for iou in ious if iou >= 20]
    chosen = client.predict(report, domain="RS", change_type="appear", api_name="/browse_report")["sentences"]
    assert {(row["domain"], row["change_type"]) for row in chosen} == {("RS", "appear")}
    assert 0 < len(chosen) < len(ious)
    with pytest.raises(AppError, match="space"):
        client.predict(report, domain="space", api_name="/browse_report")
    none = client.predict(report, text="no such word", api_name="/browse_report")
    assert (none["chosen"], none["mean_iou"], none["sentences"]) == (0, None, [])


def test_a_case_of_a_report_is_drawn(server: Server) -> None:
    tab = next(function.fn.__self__ for function in server.page.fns.values() if function.name == "report_object")
    report, request = str(SPACE / "examples" / "predictions.parquet"), SimpleNamespace(session_hash="")
    worst = tab.report_object(report, "any", "any", 0, 100, "", request)["sentences"][1]
    caption, case = tab.show(report, "any", "any", 0, 100, "", 2, request)
    assert escape(worst["expression"]) in caption
    assert case.count("data:image/") == 2
    assert re.findall(r'class="pv-text" dir="auto">(.*?)<', case) == ["truth", "prediction"]
    assert tab.show(report, "any", "any", 0, 100, "no such word", 1, request) == ("", "")
    histogram, *_ = tab.browse(report, "any", "any", 0, 100, "no such word", request)
    assert "No sentence passes" in histogram


def test_a_file_that_is_no_report_is_refused_(client: Any, server: Server, tmp_path: Path) -> None:
    wrong = write(tmp_path, "predictions.parquet", HTML)
    with pytest.raises(AppError, match=r"predictions\.parquet") as caught:
        client.predict(handle_file(wrong), api_name="/browse_report")
    assert str(server.uploads) not in str(caught.value)


@pytest.mark.parametrize("case", sorted(hostile_files()))
def test_hostile_files_are_refused_politely_and_deleted(
    case: str, client: Any, server: Server, pair: tuple[str, str], tmp_path: Path
) -> None:
    name, content, message = hostile_files()[case]
    path = write(tmp_path, name, content)
    segment(client, pair, "a car")
    before = server.files()
    for files in ((path, pair[1]), (pair[0], path)):
        with pytest.raises(AppError, match=message) as caught:
            segment(client, files, "a car")
        assert str(server.uploads) not in str(caught.value)
    assert server.files() == before
    segment(client, pair, "a car")


def upload(server: Server, name: str, content: bytes) -> list[str]:
    """Uploads a file as a browser does, but under any name."""
    boundary = "border"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    request = urllib.request.Request(
        f"{server.url}gradio_api/upload",
        head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    return json.load(urllib.request.urlopen(request))


@pytest.mark.parametrize(
    "name", ["../../../../outside.png", "..\\..\\outside.png", "/" + "outside.png", "a/../../b.png"]
)
def test_names_with_paths_stay_in_the_folder(name: str, server: Server) -> None:
    (path,) = upload(server, name, HTML)
    assert Path(path).resolve().is_relative_to(server.uploads.resolve())
    Path(path).unlink()


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(server: Server) -> None:
    before = server.files()
    with pytest.raises(urllib.error.HTTPError) as caught:
        upload(server, "large.png", bytes(21_000_000))
    assert caught.value.code == 413
    assert server.files() == before


@pytest.mark.parametrize(("name", "content"), [("drawing.svg", SVG), ("page.html", HTML)])
def test_scripts_are_never_shown_as_pages(name: str, content: bytes, server: Server) -> None:
    (path,) = upload(server, name, content)
    with urllib.request.urlopen(f"{server.url}gradio_api/file={path}") as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
    Path(path).unlink()


def test_files_of_the_server_are_not_read(server: Server, pair: tuple[str, str]) -> None:
    """Only what was uploaded may be named as an image."""
    files = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in pair]
    data = [*files, "a car", "", False, 0.5, 0.5]
    call = f"{server.url}gradio_api/call/segment"
    request = urllib.request.Request(call, json.dumps({"data": data}).encode(), {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    assert b"event: error" in urllib.request.urlopen(f"{call}/{event}").read()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Write what changed"),
        (None, "Write what changed"),
        ("the [SEG]", "reserved for the model"),
        ("x" * 301, "has 301 characters"),
    ],
)
def test_sentences_that_cannot_be_answered_get_an_answer(
    text: str | None, message: str, client: Any, pair: tuple[str, str]
) -> None:
    with pytest.raises(AppError, match=message):
        segment(client, pair, text)


def test_a_missing_image_is_named(client: Any, pair: tuple[str, str]) -> None:
    with pytest.raises(AppError, match=r"The later image \(t2\) is missing"):
        segment(client, (pair[0], None), "a car")


def test_what_is_kept_of_a_visitor_goes_when_the_visitor_goes(server: Server, pair: tuple[str, str]) -> None:
    client = gradio_client.Client(server.url, verbose=False)
    visitor = client.session_hash
    segment(client, pair, "a car")
    assert visitor in server.segmenter.pairs.visitors()
    client.close()
    end = time.monotonic() + 60
    while visitor in server.segmenter.pairs.visitors() and time.monotonic() < end:
        time.sleep(0.5)
    assert visitor not in server.segmenter.pairs.visitors()
