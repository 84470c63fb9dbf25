# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The audit page: an ASGI application with a gradio page, and the images that it shows.

The page lists its keys under "?". Decisions are stored at once; edits without a decision are kept by the browser.
Without invitations there is no login: whoever reaches the page can audit under any name. Once somebody was invited
([`AuditTeam`]), the page answers only those who came by their link, which the browser then remembers as a cookie.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fastapi
import gradio as gr
from PIL import Image
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mtrefseg.looks import MASK_COLORS, css_variables
from mtrefseg.view.gradio_theme import START_VIEWS, Theme
from mtrefseg.view.gradio_theme import STYLE as THEME_STYLE
from mtrefseg.view.pair_view import STYLE as PAIR_STYLE

from ..errors import CraftError
from .agreement import (
    AGREEMENT_HEADERS,
    DISAGREEMENT_HEADERS,
    agreement_rows,
    disagreement_html,
    disagreement_rows,
    summary_of,
)
from .auditors import AUDITOR_HEADERS, auditor_rows
from .decisions import REASON_TEXTS
from .desk import AuditDesk
from .store import AuditStore
from .team import AuditTeam


FOLDER = Path(__file__).parent
SCRIPTS = ("run_lengths.js", "mask.js", "desk.js")
# Larger canvases are not supported by browsers, or too slow.
MAX_PIXELS = 8192 * 8192
MAX_SIDE = 16384
CACHED_SAMPLES = 12
COOKIE_SECONDS = 30 * 24 * 3600
_PERSON = "craft_agent.person"
AGREEMENT_HELP = """
Samples are exported if both auditors accept them in the end, or an adjudicator does. To settle a disagreement, open
the list *Disagreements* in the tab *Audit* and decide again.
"""
KAPPA_HELP = """
Cohen's kappa compares the verdicts of two auditors with chance: 1 is full agreement, 0 is chance. Only decisions that
were made before seeing those of others count.
"""


def build_app(store: AuditStore, work: Path, auditor: str, seats: int, host: str = "127.0.0.1") -> fastapi.FastAPI:
    """
    Builds the page as an application for any ASGI server.

    Args:
        store (`AuditStore`): The decisions of a run.
        work (`Path`): The folder of the run.
        auditor (`str`): The auditor's name; with `""` the page asks for it.
        seats (`int`): How many people judge a sample: 1 or 2.
        host (`str`, *optional*, defaults to `"127.0.0.1"`): The address that the server listens on. On a local one,
            IPv4 or IPv6, only requests for local host names are answered, which prevents DNS rebinding.

    Returns:
        `fastapi.FastAPI`: The application.
    """
    run_id = hashlib.sha256(str(work.resolve()).encode()).hexdigest()[:16]
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if _is_local(host):
        app.add_middleware(_LocalNames)
    app.add_middleware(_SameOrigin)
    team = AuditTeam(work)
    app.add_middleware(_Invited, team=team, cookie=f"craft_audit_{run_id}")
    _add_images(app, store, run_id)
    settings = {
        "run": run_id,
        "auditor": auditor,
        "invited": team.is_closed,
        "auditors": [] if team.is_closed else store.auditors(),
        "reasons": REASON_TEXTS,
        "colors": MASK_COLORS[:2],
    }
    return gr.mount_gradio_app(
        app,
        _build_blocks(store, AuditDesk(store, seats, team), work, settings),
        path="",
        show_error=True,
        run_history=False,
        footer_links=[],
        theme=Theme(),
        css=css_variables("class") + THEME_STYLE,
        css_paths=[FOLDER / "page.css", PAIR_STYLE],
    )


def _build_blocks(store: AuditStore, desk: AuditDesk, work: Path, settings: dict[str, Any]) -> gr.Blocks:
    title = f"Audit of {work.resolve().name}"
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True) as page:
        # For screen readers, which need it in both tabs.
        gr.HTML("<h1>Audit</h1>", js_on_load=None, apply_default_css=False, elem_classes="audit-unseen")
        with gr.Tab("Audit"):
            gr.HTML(
                html_template=(FOLDER / "page.html").read_text(encoding="utf-8"),
                js_on_load=_script(settings),
                apply_default_css=False,
            )
        with gr.Tab("Agreement") as agreement:
            _build_agreement(store, agreement)

        def open_sample(auditor: str, sample_id: str, step: int, which: str, request: gr.Request) -> dict[str, Any]:
            """Opens a sample (step 0), or the next (1) or previous (-1) of a list: open, judged or disagreements."""
            with _shown_errors():
                return desk.open(_name(auditor, request), sample_id, step, which)

        def decide(
            auditor: str, sample_id: str, decision: dict[str, Any], which: str, request: gr.Request
        ) -> dict[str, Any]:
            """Stores a decision, and opens the next sample of the list."""
            with _shown_errors():
                return desk.decide(_name(auditor, request), sample_id, decision, which)

        def undo(auditor: str, request: gr.Request) -> dict[str, Any]:
            """Undoes the newest decision of the auditor, and opens its sample."""
            with _shown_errors():
                return desk.undo(_name(auditor, request))

        # Without a queue: the store can serve several requests at once.
        for action in (open_sample, decide, undo):
            gr.api(action, api_name=action.__name__, queue=False)
    return page


def _build_agreement(store: AuditStore, tab: gr.Tab) -> None:
    summary = gr.Markdown(elem_classes="audit-summary")
    gr.Markdown(AGREEMENT_HELP, elem_classes="audit-about")
    # Tables without rows are not shown.
    table: dict[str, Any] = {"interactive": False, "type": "array", "buttons": [], "visible": False}
    found = gr.Dataframe(
        label="Disagreements: choose one to see the proposal and the version of each auditor",
        headers=list(DISAGREEMENT_HEADERS),
        column_widths=["30%", "28%", "42%"],
        wrap=True,
        elem_classes=["audit-tables", "audit-disagreements"],
        **table,
    )
    versions = gr.HTML(
        label="The proposal and the version of each auditor",
        js_on_load=START_VIEWS,
        apply_default_css=False,
        padding=False,
        elem_classes="audit-versions",
    )
    agreement = gr.Dataframe(
        label="Agreement of every two auditors",
        headers=list(AGREEMENT_HEADERS),
        elem_classes="audit-tables",
        **table,
    )
    kappa = gr.Markdown(KAPPA_HELP, elem_classes="audit-about", visible=False)
    people = gr.Dataframe(label="Auditors", headers=list(AUDITOR_HEADERS), elem_classes="audit-tables", **table)

    tables = [agreement, found, people]

    def rows() -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
        with _shown_errors():
            return agreement_rows(store), disagreement_rows(store), auditor_rows(store)

    def refresh() -> tuple[Any, ...]:
        with _shown_errors():
            found = rows()
            shown = (gr.update(value=each, visible=bool(each)) for each in found)
            return summary_of(store), gr.update(visible=bool(found[0])), *shown

    def draw(chosen: gr.SelectData) -> str:
        # Not by its number: the reader may have sorted the table.
        sample_id = str(chosen.row_value[0])
        with _shown_errors():
            # Decisions on other samples are not for the eyes of those who have yet to judge them.
            if sample_id not in {each.sample_id for each in store.disagreements()}:
                raise CraftError(f"{sample_id} is no longer a disagreement; open this tab again.")
            return disagreement_html(store, sample_id)

    gr.on([], rows, outputs=tables, api_name="agreement", queue=False)
    # In the queue: gradio does not show the errors of events outside of it.
    page: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}
    tab.select(refresh, outputs=[summary, kappa, *tables], show_progress="hidden", **page)
    found.select(draw, outputs=versions, **page)


def _name(given: str, request: gr.Request) -> str:
    """Whose request it is: of those who were invited, whatever name they give."""
    person = request.request.scope.get(_PERSON) if request.request is not None else None
    return given if person is None else person.name


class _Invited:
    """As soon as somebody was invited, answers only those who came by a valid invitation link. Its token moves from
    the address into a cookie."""

    def __init__(self, app: ASGIApp, team: AuditTeam, cookie: str) -> None:
        self.app = app
        self.team = team
        self.cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not self.team.is_closed:
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        token = connection.query_params.get("token", "")
        if token and self.team.person(token) is not None and scope["type"] == "http":
            # Two slashes at the beginning would lead to another server.
            response = RedirectResponse(f"/{connection.url.path.lstrip('/')}", 303)
            # Not "strict": after a click on a link in a web mail, the browser would hold the cookie back at once.
            response.set_cookie(self.cookie, token, max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
            await response(scope, receive, send)
            return
        person = self.team.person(connection.cookies.get(self.cookie, ""))
        if person is None:
            refusal = "This page is for those who were invited: open the link that was sent to you.\n"
            await PlainTextResponse(refusal, 403)(scope, receive, send)
            return
        scope[_PERSON] = person
        await self.app(scope, receive, send)


class _LocalNames:
    """Refuses requests for other host names: a page of such a name, which points here, could read the answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or _is_local(_name_in(Headers(scope=scope).get("host", ""))):
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse("This page only works under a local host name.\n", 400)(scope, receive, send)


def _is_local(host: str) -> bool:
    """Whether a host name or address always means this computer."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _name_in(header: str) -> str:
    """The name in the header Host, without the port and without the brackets of IPv6; "" if it is not valid."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


class _SameOrigin:
    """Refuses requests from pages of other origins, which could decide in the name of their visitors."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        origin = headers.get("origin")
        if origin is None or urlsplit(origin).netloc == headers.get("host"):
            await self.app(scope, receive, send)
        else:
            refusal = "Requests from other pages are refused; a proxy must forward the Host header.\n"
            await PlainTextResponse(refusal, 403)(scope, receive, send)


@contextmanager
def _shown_errors() -> Iterator[None]:
    """Shows user errors on the page, in one sentence."""
    try:
        yield
    except CraftError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _add_images(app: fastapi.FastAPI, store: AuditStore, run_id: str) -> None:
    @lru_cache(maxsize=CACHED_SAMPLES)
    def encode(sample_id: str) -> tuple[bytes, bytes]:
        pair = store.images(sample_id)
        width, height = pair.size
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise CraftError(
                f"The images of {sample_id} are {width} x {height} pixels, too large for a browser; cut them into "
                "tiles before the run."
            )
        return _to_png(pair.image_t1), _to_png(pair.image_t2)

    # The run is part of the URL, so that a browser does not show cached images of another run.
    @app.get("/audit/image")
    def image(run: str, sample: str, date: str) -> fastapi.Response:
        if run != run_id or date not in ("t1", "t2"):
            return fastapi.Response("This page belongs to another run; reload it.", 404, media_type="text/plain")
        try:
            content = encode(sample)[date == "t2"]
        except CraftError as error:
            return fastapi.Response(str(error), 404, media_type="text/plain")
        headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return fastapi.Response(content, media_type="image/png", headers=headers)


def _to_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # Lossless, with fast compression: the connection is usually local.
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _script(settings: dict[str, Any]) -> str:
    sources = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join((f"window.AUDIT_SETTINGS = {json.dumps(settings)};", *sources, "window.startAudit(element);"))
