# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Only regular files are read: a pipe would wait for ever for a writer, and a device never ends."""

import os
from pathlib import Path

import pytest

from mtrefseg.io import load_image, load_mask, open_regular, read_json, read_yaml, sha256_of


@pytest.fixture(params=["pipe", "device", "link to a device", "folder"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "folder":
        path.mkdir()
    elif request.param == "device":
        path = Path("/dev/zero")
    else:
        path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize("read", [open_regular, sha256_of, read_json, read_yaml])
def test_only_files_are_opened(read: object, no_file: Path) -> None:
    with pytest.raises(OSError, match=f"not a regular file: '{no_file}'"):
        read(no_file)  # type: ignore[operator]


@pytest.mark.parametrize("load", [load_image, load_mask])
def test_only_files_are_images(load: object, no_file: Path) -> None:
    with pytest.raises(ValueError, match=f"Cannot read '{no_file}': it is (a folder|not a regular file)"):
        load(no_file)  # type: ignore[operator]


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"content"


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(tmp_path / "file") == read_yaml(tmp_path / "file") == {"a": 1}


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b"\x00"])
@pytest.mark.parametrize("read", [read_json, read_yaml])
def test_bad_content_is_a_value_error(read: object, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read(tmp_path / "file")  # type: ignore[operator]


@pytest.mark.parametrize("content", ["a: b: c", "x: !!python/object:os.system {}", "- 2026-99-99", "&a [*a, {*a: 1}]"])
def test_bad_yaml_is_a_value_error(content: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(content)
    with pytest.raises(ValueError, match=r"^.+$"):
        read_yaml(tmp_path / "file")


def test_yaml_that_expands_to_gigabytes_is_a_value_error(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
    (tmp_path / "file").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"references to other lines expand to more than 1,000,000 values"):
        read_yaml(tmp_path / "file")
    (tmp_path / "file").write_text("a: &a [1, 2]\nb: [*a, *a]\n")
    assert read_yaml(tmp_path / "file") == {"a": [1, 2], "b": [[1, 2], [1, 2]]}
