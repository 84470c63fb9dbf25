# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mtrs_iou import score_masks


pytest.importorskip("gradio", reason="gradio is not installed")
gradio_client = pytest.importorskip("gradio_client", reason="gradio_client is not installed")

ROOT = Path(__file__).parents[2]
Score = Callable[..., tuple[str, dict[str, list[str]], list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def page_url() -> Iterator[str]:
    """The page, with smaller limits, as a server of this computer."""
    from mtrs_iou import app

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "MAX_PIXELS", 500)
        patch.setattr(app, "MAX_FILES", 20)
        page = app.build()
        _, url, _ = page.launch(prevent_thread_lock=True, quiet=True)
        assert url.startswith("http://127.0.0.1:")
        yield url
        page.close()


@pytest.fixture(scope="module")
def score(page_url: str) -> Score:
    """What the page's button does, asked for over HTTP."""
    client = gradio_client.Client(page_url, verbose=False)

    def ask(references: list[Path], predictions: list[Path], nonempty: bool = False, boundary: bool = False) -> Any:
        files = [[gradio_client.handle_file(path) for path in paths] or None for paths in (references, predictions)]
        message, table, gallery = client.predict(*files, nonempty, boundary, api_name="/score")
        return message, {row[0]: row[1:] for row in table["data"]}, gallery

    return ask


def save(folder: Path, **masks: Any) -> list[Path]:
    """Writes masks as PNG files of 0 and 255."""
    folder.mkdir()
    paths = []
    for stem, mask in masks.items():
        paths.append(folder / f"{stem}.png")
        Image.fromarray(np.asarray(mask, dtype=np.uint8) * 255).save(paths[-1])
    return paths


HALF, FULL, EMPTY = ([[1, 0]] * 2), ([[1, 1]] * 2), ([[0, 0]] * 2)


def test_two_sets_are_scored(score: Score, tmp_path: Path) -> None:
    references = save(tmp_path / "true", a=FULL, b=EMPTY, c=FULL, d=EMPTY)
    predictions = save(tmp_path / "predicted", d=HALF, b=EMPTY, a=HALF)
    message, table, gallery = score(references, predictions, boundary=True)
    assert message == "4 samples. No prediction for c: counted as wrong."
    wanted = score_masks([HALF, EMPTY, None, HALF], [FULL, EMPTY, FULL, EMPTY], boundary=True)
    for name in ("mIoU", "oIoU", "boundary_IoU"):
        assert table[name][0] == f"{wanted[name]:.2f}"
    assert table["N-acc"] == ["50.00", "50.00", "–", "–", "–"]
    assert table["num_samples"][:3] == ["4", "2", "2"]
    captions = [case["caption"] for case in gallery]
    assert captions == ["c: IoU 0.0, no prediction", "d: IoU 0.0, nothing is true", "a: IoU 50.0"]
    pixels = [np.asarray(Image.open(case["image"]).convert("RGB")) for case in gallery]
    blue, red, white, dark = (70, 125, 235), (230, 85, 60), (240, 240, 240), (28, 28, 30)
    assert [tuple(each[0].ravel()) for each in pixels] == [blue + blue, red + dark, white + blue]


def test_empty_truths_can_be_left_out(score: Score, tmp_path: Path) -> None:
    files = save(tmp_path / "true", a=FULL, b=EMPTY), save(tmp_path / "predicted", a=HALF, b=EMPTY)
    assert score(*files)[1]["mIoU"][0] == "75.00"
    assert score(*files, nonempty=True)[1]["mIoU"][0] == "50.00"


def test_other_formats_and_a_perfect_set(score: Score, tmp_path: Path) -> None:
    stored = np.array([[0, 1, 1], [0, 0, 1]], dtype=np.uint8)
    references = save(tmp_path / "true", a=FULL, b=HALF, c=np.rot90(stored, -1))
    predictions = [tmp_path / "a.tif", tmp_path / "b.gif", tmp_path / "c.tif"]
    Image.fromarray(stored * 255).save(predictions[2], tiffinfo={274: 6})
    Image.fromarray(np.asarray(FULL, dtype=np.uint8)).save(predictions[0])
    palette = Image.fromarray(1 - np.asarray(HALF, dtype=np.uint8))
    palette.putpalette([255, 255, 255, 0, 0, 0])
    palette.save(predictions[1])
    message, table, gallery = score(references, predictions)
    assert (message, table["mIoU"][0], list(gallery)) == ("3 samples.", "100.00", [])


def test_what_is_wrong_is_said(score: Score, tmp_path: Path) -> None:
    good = save(tmp_path / "true", a=FULL)
    other = save(tmp_path / "other", **dict.fromkeys("bcdefgh", FULL))
    text = tmp_path / "a.png"
    text.write_text("no image")
    cut = tmp_path / "cut" / "a.png"
    cut.parent.mkdir()
    cut.write_bytes(good[0].read_bytes()[:-25])
    damaged = tmp_path / "damaged" / "a.png"
    damaged.parent.mkdir()
    content = bytearray(good[0].read_bytes())
    content[content.index(b"IEND") - 5] ^= 1  # of the checksum of the pixels
    damaged.write_bytes(content)
    colour = tmp_path / "colour" / "a.png"
    colour.parent.mkdir()
    Image.new("RGB", (2, 2)).save(colour)
    grey = tmp_path / "grey" / "a.png"
    grey.parent.mkdir()
    Image.new("L", (2, 2), 100).save(grey)
    twin = tmp_path / "a.bmp"
    Image.new("L", (2, 2)).save(twin)
    wrong: list[tuple[list[Path], list[Path], str]] = [
        ([], [], "Upload the true masks first"),
        (good, [], "Upload the predicted masks first"),
        (good, other, "There is no true mask for b, c, d, e, f and 2 more: give both images the same name"),
        (good, [good[0], twin], "Two predicted masks are named a: rename one of them"),
        (good * 21, good, "21 true masks are too many: at most 20 are scored here"),
        (good, [text], "The predicted mask a.png cannot be read: upload one of PNG"),
        (good, [cut], "The predicted mask a.png cannot be read"),
        (good, [damaged], "The predicted mask a.png cannot be read"),
        (good, [colour], "The predicted mask a.png is an image of mode RGB: save it with one channel"),
        (good, [grey], "sample 'a': the prediction holds the value 100; a mask is boolean"),
        (good, save(tmp_path / "size", a=[[1, 1]]), "sample 'a': the prediction is 1 x 2 pixels"),
        (
            good,
            save(tmp_path / "large", a=np.ones((30, 30))),
            "The predicted mask a.png has 30 x 30 pixels: at most 500",
        ),
    ]
    for references, predictions, message in wrong:
        with pytest.raises(gradio_client.exceptions.AppError) as caught:
            score(references, predictions)
        assert str(caught.value).startswith(message)


def test_files_that_were_not_uploaded_are_not_read(page_url: str, tmp_path: Path) -> None:
    own = save(tmp_path / "true", a=FULL)[0]
    file = {"path": str(own), "meta": {"_type": "gradio.FileData"}}
    call = f"{page_url}gradio_api/call/score"
    body = json.dumps({"data": [[file], [file], False, False]}).encode()
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    assert b"event: error" in urllib.request.urlopen(f"{call}/{event}").read()


def test_the_page_starts_from_its_own_folder(tmp_path: Path) -> None:
    """As a Space does: `app.py` is the main file, and nothing else of the project is there."""
    code = (
        "import runpy, gradio; gradio.Blocks.launch = lambda *arguments, **options: print('launched', options); "
        "runpy.run_path('app.py', run_name='__main__')"
    )
    for name in ("app.py", "mtrs_iou.py", "mask_counts.py", "scores.py"):
        (tmp_path / name).write_bytes((ROOT / "mtrs_iou" / name).read_bytes())
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "launched {'max_file_size': '20mb'}" in run.stdout, run.stderr
