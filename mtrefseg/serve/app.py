# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The HTTP API: `POST /v1/segment`, `/v1/models`, `/healthz`, `/metrics` and the page `/docs`."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from modeling_mtrefseg.image_download_mtrefseg import download_image
from mtrefseg import __version__

from . import ServeOptions
from .answers import describe_mask
from .api_page import api_page
from .batching import Answered, Batcher, Job
from .bodies import IMAGES, JSON, MULTIPART, Source, read_body
from .engine import EVERY_CHANGE, Engine, Sentence
from .errors import ApiError, error_response
from .limits import MAX_PIXELS, MAX_SENTENCE_LENGTH, MAX_SIDE, InputError, check_image, check_sentence
from .metrics import Metrics
from .middleware import DEMO, HEALTH, METRICS, MODELS, SEGMENT, Gate
from .schemas import ErrorResponse, Health, ModelsResponse, SegmentRequest, SegmentResponse


DESCRIPTION = """
Send two images of the same place, taken at different times, and sentences. Each sentence gets the mask of the change
that it describes.
Errors are JSON with a status, a code and one line that says how to fix the request.
"""
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorResponse} for status in (400, 401, 408, 413, 415, 422, 429, 500, 503, 504)
}
DRAWN_AT_ONCE = 2
DOWNLOADED_AT_ONCE = 8  # In threads of their own: slow servers must not keep other requests waiting.
Mount = Callable[[FastAPI, Engine, str, str | None], None]
"""Mounts the demo in an app: the app, the model, the path, and the password of the page if there is one."""


def create_app(engine: Engine, options: ServeOptions, mount: Mount | None = None) -> FastAPI:
    """
    Builds the server.

    Args:
        engine ([`Engine`]): The model.
        options ([`ServeOptions`]): Limits and switches.
        mount (`Callable`, *optional*): Mounts the demo at `/demo`.

    Returns:
        `fastapi.FastAPI`: The app. Its worker stops at the end of its lifespan.
    """
    metrics = Metrics()
    batcher = Batcher(engine, int(options.cache_megabytes * 1e6), options.batching, metrics.count_batch)
    metrics.watch(lambda: batcher.waiting, lambda: batcher.pairs.size)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await to_thread.run_sync(batcher.stop)

    # The pages of FastAPI load their scripts from a CDN.
    pages: dict[str, Any] = {"docs_url": None, "redoc_url": None}
    app = FastAPI(title="mtrefseg", version=__version__, description=DESCRIPTION, lifespan=lifespan, **pages)
    app.state.batcher = batcher
    app.add_middleware(Gate, options=options, metrics=metrics)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_failure)
    _add_segment(app, Segmentation(engine, batcher, options))
    _add_status(app, engine, batcher, options, metrics)
    if mount is not None:
        mount(app, engine, DEMO, options.auth_token)
    start = "/docs" if mount is None else f"{DEMO}/"

    @app.get("/", include_in_schema=False)
    def index() -> RedirectResponse:
        return RedirectResponse(start)

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        address = str(request.base_url).rstrip("/")
        return HTMLResponse(api_page(app.openapi(), address, mount is not None, options.auth_token is not None))

    return app


class Segmentation:
    """
    Answers `POST /v1/segment`.

    Args:
        engine ([`Engine`]): The model.
        batcher ([`Batcher`]): Its worker.
        options ([`ServeOptions`]): Limits and switches.
    """

    def __init__(self, engine: Engine, batcher: Batcher, options: ServeOptions) -> None:
        self.engine = engine
        self.batcher = batcher
        self.options = options
        self.special_tokens = engine.special_tokens
        self._drawing = CapacityLimiter(DRAWN_AT_ONCE)
        self._downloading = CapacityLimiter(DOWNLOADED_AT_ONCE)

    async def __call__(self, request: Request) -> JSONResponse:
        """Reads a request, passes it to the worker, and creates the masks."""
        start = time.perf_counter()
        deadline = start + self.options.timeout
        fields, files = await self._read(request)
        # Slow steps run in a thread, so that other requests can be answered in the meantime.
        job = await to_thread.run_sync(self._prepare, fields, files)
        uploaded = time.perf_counter()
        answered = await self._wait(request, job, deadline)
        drawing = time.perf_counter()
        thresholds = self._thresholds(fields)
        draw = partial(self._draw, answered, job.sentences, thresholds, deadline)
        masks = await to_thread.run_sync(draw, limiter=self._drawing)
        known = "known pair" if answered.encoding_seconds is None else f"encoded in {answered.encoding_seconds:.3f} s"
        request.state.detail = f" {len(masks)} masks, {known}, batch of {answered.batched_requests}"
        content = {
            "request_id": request.state.request_id,
            "model": self.engine.name,
            "width": answered.size[1],
            "height": answered.size[0],
            "threshold": thresholds[0],
            "no_target_threshold": thresholds[1],
            "masks": masks,
            "notes": answered.notes,
            "timings": {
                "upload": uploaded - start,
                "waiting": answered.waiting_seconds,
                "encoding": answered.encoding_seconds,
                "answering": answered.answering_seconds,
                "drawing": time.perf_counter() - drawing,
                "total": time.perf_counter() - start,
            },
            "batched_requests": answered.batched_requests,
        }
        return await to_thread.run_sync(JSONResponse, content)

    def _thresholds(self, fields: SegmentRequest) -> tuple[float, float]:
        return (
            self.engine.threshold if fields.threshold is None else fields.threshold,
            self.engine.no_target_threshold if fields.no_target_threshold is None else fields.no_target_threshold,
        )

    async def _read(self, request: Request) -> tuple[SegmentRequest, tuple[bytes, bytes]]:
        """The body, and the images at URLs in it, within the time limit."""
        try:
            with anyio.fail_after(self.options.timeout):
                fields, sources = await read_body(request)
                files = [await self._fetch(request, source, name) for source, name in zip(sources, IMAGES)]
        except TimeoutError as error:
            problem = f"Receiving the images took longer than {self.options.timeout:g} s: send smaller ones."
            raise ApiError(408, problem, {"Connection": "close"}) from error
        except ClientDisconnect as error:
            raise ApiError(499, "The client has disconnected.") from error
        return fields, (files[0], files[1])

    async def _fetch(self, request: Request, source: Source, name: str) -> bytes:
        if isinstance(source, bytes):
            return source
        if not self.options.allow_urls:
            raise ApiError(422, f"{name} is a URL, which this server does not fetch: send the file itself.")
        download = partial(download_image, source, self.options.max_bytes, True)
        try:
            file = await to_thread.run_sync(download, abandon_on_cancel=True, limiter=self._downloading)
        except ValueError as error:
            raise ApiError(422, f"{name} cannot be downloaded: {error}.") from error
        request.state.count_bytes(len(file))
        return file

    def _prepare(self, fields: SegmentRequest, files: tuple[bytes, bytes]) -> Job:
        """Checks the input for the worker."""
        if fields.sentences is None:
            sentences: list[Sentence] = [EVERY_CHANGE]
        else:
            most = self.options.max_sentences
            if len(fields.sentences) > most:
                raise ApiError(422, f"{len(fields.sentences)} sentences are too many: send at most {most} at once.")
            sentences = [" ".join(sentence.split()) for sentence in fields.sentences]
        try:
            for number, sentence in enumerate(sentences, start=1):
                if sentence is not EVERY_CHANGE:
                    check_sentence(sentence, number, self.special_tokens)
            for file, name in zip(files, IMAGES):
                check_image(file, name)
        except InputError as error:
            raise ApiError(422, str(error)) from error
        return Job(files, sentences, fields.domain, fields.align)

    async def _wait(self, request: Request, job: Job, deadline: float) -> Answered:
        """The worker's answer, unless the time is over or the client has disconnected."""
        self.batcher.submit(job)
        answer = asyncio.wrap_future(job.future)
        gone = asyncio.create_task(_disconnected(request))
        try:
            left = max(0.0, deadline - time.perf_counter())
            either: set[asyncio.Future[Any]] = {answer, gone}
            await asyncio.wait(either, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
        except InputError as error:
            raise ApiError(422, str(error)) from error
        finally:
            self.batcher.give_up(job)
            answer.cancel()
            gone.cancel()
        if gone.done():
            raise ApiError(499, "The client has disconnected.")
        raise _too_late(self.options.timeout)

    def _draw(
        self, answered: Answered, sentences: list[Sentence], thresholds: tuple[float, float], deadline: float
    ) -> list[dict[str, Any]]:
        """Creates masks one by one: together they could take gigabytes."""
        masks = []
        for sentence, answer in zip(sentences, answered.answers, strict=True):
            if time.perf_counter() > deadline:
                raise _too_late(self.options.timeout)
            result = self.engine.masks_of([answer], answered.size, *thresholds)
            mask = result["masks"][0].cpu().numpy()
            scores = (float(result["scores"][0]), float(result["no_target_scores"][0]))
            masks.append(describe_mask(sentence, mask, *scores, bool(result["is_closest"][0])))
        return masks


def _add_segment(app: FastAPI, segmentation: Segmentation) -> None:
    schema = SegmentRequest.model_json_schema()
    properties = {**schema["properties"]}
    for name in IMAGES:
        properties[name] = {"type": "string", "format": "binary", "description": properties[name]["description"]}
    form = {**schema, "properties": properties}
    body = {"required": True, "content": {MULTIPART: {"schema": form}, JSON: {"schema": schema}}}

    @app.post(
        SEGMENT,
        summary="Segment the changes that sentences describe",
        responses={200: {"model": SegmentResponse}, **ERRORS},
        openapi_extra={"requestBody": body},
    )
    async def segment(request: Request) -> Response:
        """Returns one mask per sentence, in their order. Without sentences, it returns the mask of every change."""
        return await segmentation(request)


def _add_status(app: FastAPI, engine: Engine, batcher: Batcher, options: ServeOptions, metrics: Metrics) -> None:
    images = engine.processor.image_processor
    entry = {
        "id": engine.name,
        "device": str(engine.model.device),
        "dtype": str(engine.model.dtype).removeprefix("torch."),
        "parameters": sum(parameter.numel() for parameter in engine.model.parameters()),
        "image_size": images.size["height"],
        "threshold": engine.threshold,
        "no_target_threshold": engine.no_target_threshold,
        "domains": [name for name in engine.processor.prompt_template["scenes"] if name != "unknown"],
    }
    limits = {
        "body_megabytes": options.max_megabytes,
        "image_pixels": MAX_PIXELS,
        "image_side": MAX_SIDE,
        "sentences": options.max_sentences,
        "sentence_characters": MAX_SENTENCE_LENGTH,
        "seconds": options.timeout,
        "urls": options.allow_urls,
    }

    @app.get(MODELS, summary="The model and the limits of requests", response_model=ModelsResponse)
    def models() -> dict[str, Any]:
        """Name, thresholds and size of the model, and how large requests may be."""
        return {"models": [entry], "limits": limits}

    @app.get(HEALTH, summary="Whether the server accepts requests", responses={200: {"model": Health}})
    def health() -> Response:
        """200 while requests are answered; it never waits for the model."""
        is_alive = batcher.is_alive
        content = {"status": "ok" if is_alive else "stopping", "waiting": batcher.waiting}
        return JSONResponse(content, 200 if is_alive else 503)

    @app.get(METRICS, summary="Counters for Prometheus", response_class=Response)
    def prometheus() -> Response:
        """Requests, waiting times and the cache, in the text format of Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _too_late(seconds: float) -> ApiError:
    return ApiError(504, f"There was no answer within {seconds:g} s: send fewer sentences, or try again later.")


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Paths below /demo have none, also if the server has no demo.
    request_id = getattr(request.state, "request_id", "") or uuid.uuid4().hex
    return error_response(error.status_code, str(error.detail), request_id, error.headers)


def _on_failure(request: Request, error: Exception) -> Response:
    problem = "The server failed; its log explains why under this request id."
    response = error_response(500, problem, getattr(request.state, "request_id", ""))
    response.headers["connection"] = "close"  # Like the server after an uncaught error
    return response
