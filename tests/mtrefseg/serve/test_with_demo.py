# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The API with the demo beside it, as `mtrefseg serve` starts them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.cli import serve
from mtrefseg.cli.main import main
from mtrefseg.serve.server import bind
from tests.mtrefseg.serve.conftest import Files


gradio_client = pytest.importorskip("gradio_client", reason="gradio is not installed")
ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
def test_the_demo_has_the_model_the_token_and_the_end_of_the_server(
    model: MTRefSegModel, processor: MTRefSegProcessor, files: Files, tmp_path: Path
) -> None:
    for part in (model, processor):
        part.save_pretrained(tmp_path / "model")
    uploads = tmp_path / "uploads"
    settings = {"HF_HUB_OFFLINE": "1", "MTREFSEG_AUTH_TOKEN": "secret", "GRADIO_TEMP_DIR": str(uploads)}
    process = subprocess.Popen(
        [sys.executable, "-m", "mtrefseg", "serve", "--model", str(tmp_path / "model"), "--port", "0"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        (url,) = re.findall(r"the demo at (http://127\.0\.0\.1:\d+/demo/)$", line.strip())
        root = url.removesuffix("/demo/")
        assert httpx.get(f"{root}/", trust_env=False).headers["location"] == "/demo/"
        own = {path for path in uploads.rglob("*") if path.is_file()}
        with pytest.raises(Exception, match=r"401|[Aa]uth|credentials"):
            gradio_client.Client(url, verbose=False)
        client = gradio_client.Client(url, verbose=False, download_files=False, auth=("anybody", "secret"))
        pair = []
        for name, (_, content) in files.items():
            (tmp_path / f"{name}.png").write_bytes(content)
            pair.append(gradio_client.handle_file(str(tmp_path / f"{name}.png")))
        from_demo = client.predict(*pair, "a car", api_name="/segment")["masks"]
        headers = {"Authorization": "Bearer secret"}
        answer = httpx.post(
            f"{root}/v1/segment",
            files=files,
            data={"sentences": "a car"},
            headers=headers,
            trust_env=False,
            timeout=60,
        )
        assert [mask["rle"] for mask in from_demo] == [mask["rle"] for mask in answer.json()["masks"]]
        assert set(from_demo[0]) == set(answer.json()["masks"][0])
        # The client keeps a connection open, as a page in a browser does.
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=50) == 0
    finally:
        process.kill()
    assert {path for path in uploads.rglob("*") if path.is_file()} <= own, "uploads are deleted"


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with bind("127.0.0.1", 0) as listener:
        assert main(["serve", "--port", str(listener.getsockname()[1]), "--no-demo"]) == 2
    assert "choose others with --host and --port" in capsys.readouterr().err


def test_white_space_around_the_token_is_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(serve.TOKEN_VARIABLE, raising=False)
    assert serve._token(None) is None
    assert serve._token(" secret\n") == "secret"
    monkeypatch.setenv(serve.TOKEN_VARIABLE, "from a file\n")
    assert serve._token(None) == "from a file"
    monkeypatch.setenv(serve.TOKEN_VARIABLE, "")  # As compose.yaml sets it by default.
    assert serve._token(None) is None
    for empty in ("", " "):
        assert main(["serve", "--auth-token", empty]) == 2
        assert "the token is empty" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("uvicorn", "shapely"):

        def find(name: str, missing: str = package) -> Any:
            return None if name == missing else object()

        monkeypatch.setattr("mtrefseg.cli.serve.find_spec", find)
        assert main(["serve", "--model", "none"]) == 2
        assert f'{package} is not installed: pip install "mtrefseg[serve]"' in capsys.readouterr().err
