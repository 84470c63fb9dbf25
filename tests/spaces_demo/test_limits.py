# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from pathlib import Path

import pytest
from PIL import Image

from spaces_demo.limits import InputError, check_image, check_sentences, forget_upload, read_pair
from spaces_demo.segmenting import NAMES
from tests.spaces_demo.hostile_files import cut_png, hostile_files, png_of_size, write


@pytest.mark.parametrize("case", sorted(hostile_files()))
def test_what_is_no_image_is_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    name, content, message = hostile_files()[case]
    with pytest.raises(InputError, match=message) as caught:
        read_pair([write(tmp_path, name, content)] * 2, NAMES)
    assert str(caught.value).startswith("The earlier image (t1) ")
    assert str(tmp_path) not in str(caught.value)


def test_the_size_is_checked_before_anything_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*arguments: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    check_image(write(tmp_path, "good.png", png_of_size(4096, 4096)), "t1")
    with pytest.raises(InputError, match="4097 x 4096"):
        read_pair([write(tmp_path, "large.png", png_of_size(4097, 4096))] * 2, NAMES)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "bmp", "gif", "jp2", "avif"])
def test_the_usual_formats_are_read(kind: str, tmp_path: Path) -> None:
    Image.new("RGB", (3, 2), "red").save(tmp_path / f"a.{kind}")
    assert [image.size for image in read_pair([tmp_path / f"a.{kind}"] * 2, NAMES)] == [(3, 2), (3, 2)]


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="upload it again"):
        check_image(tmp_path / "gone.png", "t1")


def test_sentences_are_split_tidied_and_not_asked_twice() -> None:
    assert check_sentences("  a   car \n\n\ta house\na car\n", []) == ["a car", "a house"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Write what changed"),
        (" \n\t\n", "Write what changed"),
        ("\n".join(f"sentence {number}" for number in range(8)), "8 sentences are too many: ask at most 7"),
        ("a car\n" + "x" * 301, "Sentence 2 has 301 characters: shorten it to 300"),
        ("the [SEG] car", "Sentence 1 contains a word that is reserved"),
    ],
)
def test_sentences_that_cannot_be_answered_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_sentences(text, ["[SEG]"])


def test_only_uploads_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    upload, own = tmp_path / "uploads" / "0a" / "a.png", tmp_path / "own" / "a.png"
    for path in (upload, own):
        path.parent.mkdir(parents=True)
        path.write_bytes(cut_png())
        forget_upload(path)
    assert not upload.parent.exists()
    assert own.exists()
