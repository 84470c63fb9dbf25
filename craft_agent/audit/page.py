# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A page on which people accept, correct or reject what the machine proposes:

```bash
craft-agent audit WORK                    # asks for a name; open the address that is printed
craft-agent audit WORK --auditor ann      # begins at once
```

The page lists its keys under "?". Decisions are in WORK the moment they are made; edits that are not decided yet are
kept by the browser. A sample goes to at most two people, who do not see each other's answers before they have given
their own. The page listens on this computer alone unless `--host` says otherwise, and then anybody who reaches it may
audit under any name.
"""

import argparse
import hashlib
import io
import json
import socket
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fastapi
import gradio as gr
import uvicorn
from PIL import Image
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from modeling_mtrefseg.visualization_mtrefseg import PALETTE

from ..errors import CraftError
from .agreement import (
    AGREEMENT_HEADERS,
    DISAGREEMENT_HEADERS,
    agreement_rows,
    disagreement_rows,
    draw_disagreement,
)
from .desk import AuditDesk
from .store import REJECT_REASONS, AuditStore, check_auditor


FOLDER = Path(__file__).parent
SCRIPTS = ("run_lengths.js", "mask.js", "desk.js")
PORT = 7861
LOCAL_HOSTS = ("127.0.0.1", "localhost")
# A browser's canvas ends at about this many pixels, and so does its patience.
MAX_PIXELS = 8192 * 8192
MAX_SIDE = 16384
PICTURES_KEPT = 24
REASONS = {
    "not_a_change": "Not a change",
    "wrong_object": "The mask is on another thing",
    "wrong_mask": "The mask cannot be mended",
    "wrong_sentence": "The sentence is wrong",
    "ambiguous_sentence": "The sentence fits several things",
    "duplicate": "A duplicate of another sample",
    "bad_picture": "The pictures are of no use",
    "other": "Something else",
}
AGREEMENT_HELP = (
    "Cohen's kappa compares the verdicts of two people with what chance would give: 1 is full agreement, 0 is "
    "chance. It counts what they said before they saw each other's answer. To settle a disagreement, either of the "
    "two opens the list *Disagreements* of the other tab and decides anew, with both versions in sight; only what "
    "they agree on in the end is exported."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declares the options of `audit`.

    Args:
        parser (`argparse.ArgumentParser`): The sub-command's parser.
    """
    parser.add_argument("work", metavar="WORK", type=Path, help="folder that `craft-agent run` wrote")
    parser.add_argument("--auditor", metavar="NAME", default="", help="begin under this name (default: the page asks)")
    parser.add_argument("--seats", type=int, choices=(1, 2), default=2, help="people who judge a sample (default: 2)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer alone)")
    parser.add_argument("--port", type=int, default=PORT, help=f"port to listen on (default: {PORT})")


def run(arguments: argparse.Namespace) -> int:
    """
    Runs `audit` until it is interrupted.

    Args:
        arguments (`argparse.Namespace`): Parsed by the parser of [`add_arguments`].

    Returns:
        `int`: The exit code 0.

    Raises:
        `CraftError`: If WORK holds no run, the name cannot be used, or the port is taken.
    """
    auditor = check_auditor(arguments.auditor) if arguments.auditor else ""
    store = AuditStore(arguments.work)
    app = build_app(store, arguments.work, auditor, arguments.seats, arguments.host)
    listener = listen(arguments.host, arguments.port)
    # 0 lets the system choose a port.
    port = listener.getsockname()[1]
    print(
        f"http://{arguments.host}:{port}  (stop with Ctrl-C; every decision is in {arguments.work} already)",
        flush=True,
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    server.run(sockets=[listener])
    return 0


def build_app(store: AuditStore, work: Path, auditor: str, seats: int, host: str = "127.0.0.1") -> fastapi.FastAPI:
    """
    The page and the pictures that it shows, as an application for any ASGI server.

    Args:
        store (`AuditStore`): The decisions of a WORK folder.
        work (`Path`): That folder.
        auditor (`str`): The name to begin under; `""` lets the page ask.
        seats (`int`): How many people judge a sample: 1 or 2.
        host (`str`, *optional*, defaults to `"127.0.0.1"`): Where it listens. A local one answers to local names only,
            so that no page from elsewhere can have its own name point here and read what is shown.

    Returns:
        `fastapi.FastAPI`: The application.
    """
    run_id = hashlib.sha256(str(work.resolve()).encode()).hexdigest()[:16]
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if host in LOCAL_HOSTS:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOCAL_HOSTS))
    app.add_middleware(_SameOrigin)
    _add_pictures(app, store, run_id)
    settings = {
        "run": run_id,
        "auditor": auditor,
        "auditors": store.auditors(),
        "reasons": {reason: REASONS[reason] for reason in REJECT_REASONS},
        "colors": PALETTE[:2],
    }
    return gr.mount_gradio_app(
        app,
        _build_blocks(store, AuditDesk(store, seats), work, settings),
        path="",
        show_error=True,
        run_history=False,
        footer_links=[],
        # Fonts of the system: a theme's own ones may be fetched from elsewhere.
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=FOLDER / "page.css",
    )


def _build_blocks(store: AuditStore, desk: AuditDesk, work: Path, settings: dict[str, Any]) -> gr.Blocks:
    title = f"Audit of {work.resolve().name}"
    # Drawn disagreements are deleted after an hour.
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)) as page:
        with gr.Tab("Audit"):
            gr.HTML(
                html_template=(FOLDER / "page.html").read_text(encoding="utf-8"),
                js_on_load=_script(settings),
                apply_default_css=False,
            )
        with gr.Tab("Agreement") as agreement:
            _build_agreement(store, agreement)

        def open_sample(auditor: str, sample_id: str, step: int, which: str) -> dict[str, Any]:
            """Opens a sample (step 0), or the next (1) or previous (-1) of a list: open, judged or disagreements."""
            with _Complaints():
                return desk.open(auditor, sample_id, step, which)

        def decide(auditor: str, sample_id: str, decision: dict[str, Any], which: str) -> dict[str, Any]:
            """Writes a decision, and opens the next sample of the list."""
            with _Complaints():
                return desk.decide(auditor, sample_id, decision, which)

        def undo(auditor: str) -> dict[str, Any]:
            """Takes back the auditor's newest decision, and opens its sample."""
            with _Complaints():
                return desk.undo(auditor)

        # Not queued: the page waits for the answer, and the store serves several at once.
        for action in (open_sample, decide, undo):
            gr.api(action, api_name=action.__name__, queue=False)
    return page


def _build_agreement(store: AuditStore, tab: gr.Tab) -> None:
    gr.Markdown(AGREEMENT_HELP)
    agreement = gr.Dataframe(
        label="Agreement",
        headers=list(AGREEMENT_HEADERS),
        interactive=False,
        type="array",
        elem_classes="audit-tables",
    )
    found = gr.Dataframe(
        label="Disagreements: choose one to see it",
        headers=list(DISAGREEMENT_HEADERS),
        interactive=False,
        type="array",
        wrap=True,
        elem_classes=["audit-tables", "audit-disagreements"],
    )
    picture = gr.Image(
        label="Proposed, and what each auditor made of it",
        format="png",
        buttons=["fullscreen"],
        elem_classes="audit-picture",
    )

    def refresh() -> tuple[list[list[str]], list[list[str]]]:
        return agreement_rows(store), disagreement_rows(store)

    def draw(rows: list[list[str]], chosen: gr.SelectData) -> Image.Image:
        with _Complaints():
            return draw_disagreement(store, rows[chosen.index[0]][0])

    tab.select(refresh, outputs=[agreement, found], api_name="agreement", queue=False)
    found.select(draw, inputs=found, outputs=picture, api_visibility="private", queue=False)


class _SameOrigin:
    """Refuses what a page of another origin sends: it could decide in the name of whoever looks at it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        origin = headers.get("origin")
        if origin is None or urlsplit(origin).netloc == headers.get("host"):
            await self.app(scope, receive, send)
        else:
            refusal = "This page answers to itself alone; a proxy before it must pass the header Host on.\n"
            await PlainTextResponse(refusal, 403)(scope, receive, send)


class _Complaints:
    """Within it, what an auditor did wrong is told to the page as one sentence."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CraftError):
            raise gr.Error(str(error), print_exception=False) from error


def _add_pictures(app: fastapi.FastAPI, store: AuditStore, run_id: str) -> None:
    @lru_cache(maxsize=PICTURES_KEPT // 2)
    def encode(sample_id: str) -> tuple[bytes, bytes]:
        pair = store.pictures(sample_id)
        width, height = pair.size
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise CraftError(
                f"The pictures of {sample_id} are {width} x {height} pixels, which no browser can paint on; cut them "
                "into tiles before the run."
            )
        return _to_png(pair.image_t1), _to_png(pair.image_t2)

    # The run is part of the address, so that a browser does not take one run's pictures for another's.
    @app.get("/audit/picture")
    def picture(run: str, sample: str, date: str) -> fastapi.Response:
        if run != run_id or date not in ("t1", "t2"):
            return fastapi.Response("This page is of another run; load it anew.", 404, media_type="text/plain")
        try:
            content = encode(sample)[date == "t2"]
        except CraftError as error:
            return fastapi.Response(str(error), 404, media_type="text/plain")
        headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return fastapi.Response(content, media_type="image/png", headers=headers)


def _to_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # Exact, and as fast as it goes: the way to the browser is short.
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _script(settings: dict[str, Any]) -> str:
    sources = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join((f"window.AUDIT_SETTINGS = {json.dumps(settings)};", *sources, "window.startAudit(element);"))


def listen(host: str, port: int) -> socket.socket:
    """
    Reserves an address.

    Args:
        host (`str`): A name or an address of this computer.
        port (`int`): The port; 0 lets the system choose one.

    Returns:
        `socket.socket`: The bound socket.

    Raises:
        `CraftError`: If it is taken, or cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # Who comes before the server is ready waits, and is not turned away.
    except (OSError, OverflowError) as error:
        listener.close()
        raise CraftError(f"The page cannot listen on {host}, port {port}: {error}; give another --port.") from error
    return listener
