# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The page of the demo and how it is served:

    mtrefseg demo --model outputs/mine --port 7861
    MTREFSEG_MODEL=outputs/mine GRADIO_SERVER_PORT=7861 python spaces_demo/app.py

`MTREFSEG_MODEL` is the folder or Hub id of a checkpoint (by default `mtrefseg-r1` beside this package), and
`MTREFSEG_REVISION` a commit of the Hub repository. It listens on this computer alone, unless the environment
(`GRADIO_SERVER_NAME`, which Spaces set) says otherwise.
"""

import os
import signal
import sys
from hmac import compare_digest
from pathlib import Path
from typing import Any

import gradio as gr

from mtrefseg.build.memory import give_back_freed_memory
from mtrefseg.errors import UserError
from mtrefseg.looks import css_variables
from mtrefseg.serve.engine import Engine
from mtrefseg.view.gradio_theme import STYLE as THEME_STYLE
from mtrefseg.view.gradio_theme import Theme
from mtrefseg.view.pair_view import STYLE as PAIR_STYLE

from .benchmark import BenchmarkTab
from .inspect_tab import InspectTab
from .limits import DELETE_AFTER, DELETE_EVERY, MAX_FILE_SIZE, MAX_PIXELS
from .scene_tab import SceneTab
from .segment_tab import SegmentTab
from .segmenting import Segmenter


DEFAULT_MODEL = Path(__file__).resolve().parents[1] / "mtrefseg-r1"
STYLE = Path(__file__).with_name("style.css")
HEAD = """
<div id="head"><h1>MTRefSeg</h1>
<p>Upload two images of the same place and describe a change. The model masks exactly that change.</p></div>
"""
FOOT = f"""
Images may have up to {MAX_PIXELS // 1_000_000} million pixels and {MAX_FILE_SIZE.removesuffix("mb")} MB. Uploads are
deleted within {(DELETE_AFTER + DELETE_EVERY) // 60} minutes. There are no analytics. Paper:
[MTRefSeg-R1](https://huggingface.co/papers/2606.00987).
"""


def build(segmenter: Segmenter) -> gr.Blocks:
    """
    Builds the page.

    Args:
        segmenter ([`Segmenter`]): The model with what is kept of the visitors' pairs.

    Returns:
        `gradio.Blocks`: The page, with its queue; `launch(**launch_options())` serves it.
    """
    with gr.Blocks(
        title="MTRefSeg", analytics_enabled=False, delete_cache=(DELETE_EVERY, DELETE_AFTER), fill_width=False
    ) as page:
        gr.HTML(HEAD, js_on_load=None, apply_default_css=False)
        with gr.Tab("Ask"):
            ask = SegmentTab(segmenter)
        with gr.Tab("Look inside") as tab:
            look_inside = InspectTab(segmenter, tab, ask)
        with gr.Tab("Large scene") as tab:
            SceneTab(segmenter, tab, ask)
        with gr.Tab("Benchmark") as tab:
            benchmark = BenchmarkTab(tab)
        gr.Markdown(FOOT, elem_id="foot")

        def forget(request: gr.Request) -> None:
            for kept in (segmenter.pairs, look_inside.pairs, benchmark.reports):
                kept.forget(request.session_hash or "")

        page.load(ask.first_values, None, [ask.files, ask.scene], show_progress="hidden", api_visibility="private")
        page.unload(forget)
    return page.queue(max_size=32, default_concurrency_limit=4)


def launch_options() -> dict[str, Any]:
    """
    How the page is served.

    Returns:
        `dict`: Arguments of `gradio.Blocks.launch`.
    """
    return {
        "theme": Theme(),
        "css": css_variables("class") + THEME_STYLE,
        "css_paths": [STYLE, PAIR_STYLE],
        "max_file_size": MAX_FILE_SIZE,
        "footer_links": ["api"],  # gradio's own settings would be the second ones of the page.
        "run_history": False,
        "state_session_capacity": 200,
        "show_error": False,
    }


def mount(app: Any, engine: Engine, path: str, password: str | None = None) -> None:
    """
    Puts the page on another server.

    Args:
        app (`fastapi.FastAPI`): The server.
        engine ([`Engine`]): The model, which the server may use, too.
        path (`str`): Where, such as "/demo".
        password (`str`, *optional*): What visitors have to know; any user name will do.
    """
    options = launch_options()
    del options["state_session_capacity"]  # `launch` alone takes it.

    def check(user: str, given: str) -> bool:
        return compare_digest(given.encode(), (password or "").encode())

    auth = {} if password is None else {"auth": check, "auth_message": "Enter any user name, and the server's token."}
    gr.mount_gradio_app(app, build(Segmenter(engine)), path, ssr_mode=False, **auth, **options)


def main(share: bool = False, auth: tuple[str, str] | None = None) -> None:
    """
    Loads the checkpoint and serves the page until it is stopped. One line says where.

    Args:
        share (`bool`, *optional*, defaults to `False`): Whether gradio makes a public link to it, too.
        auth (`tuple[str, str]`, *optional*): Name and password that visitors have to give.
    """
    name = os.environ.get("MTREFSEG_MODEL") or str(DEFAULT_MODEL)
    if name == str(DEFAULT_MODEL) and not DEFAULT_MODEL.is_dir():
        raise SystemExit(f"There is no {DEFAULT_MODEL}: set MTREFSEG_MODEL to the folder or Hub id of a checkpoint.")
    give_back_freed_memory()
    try:
        segmenter = Segmenter.from_pretrained(name, os.environ.get("MTREFSEG_REVISION") or None)
    except UserError as error:
        raise SystemExit(str(error)) from error
    page = build(segmenter)
    page.launch(**launch_options(), share=share or None, auth=auth, prevent_thread_lock=True, quiet=True)
    public = f", public link: {page.share_url}" if page.share_url else ""
    sys.stdout.write(f"MTRefSeg demo: {page.local_url}{public}\n")
    sys.stdout.flush()
    # When gradio is interrupted, it leaves the visitors' files behind.
    for reason in (signal.SIGINT, signal.SIGTERM):
        signal.signal(reason, lambda number, frame: page.close())
    page.block_thread()
