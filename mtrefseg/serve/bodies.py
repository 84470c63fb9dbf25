# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads the body of `POST /v1/segment`: multipart with files, or JSON with base64."""

import base64
import binascii
import string
from typing import Any

from anyio import to_thread
from pydantic import ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mtrefseg.io import parse_json, to_utf8

from .errors import ApiError
from .schemas import SegmentRequest


JSON, MULTIPART = "application/json", "multipart/form-data"
IMAGES = ("image_t1", "image_t2")
MAX_PARTS = 10_000  # Parts of a form; the limit on sentences is checked afterwards.
MAX_COMMAS = 100_000  # Of JSON. Millions of values in a small body would fill the memory before they are refused.

Source = bytes | str
"""The content of a file, or a URL."""


async def read_body(request: Request) -> tuple[SegmentRequest, tuple[Source, Source]]:
    """
    Reads a request.

    Args:
        request (`starlette.requests.Request`): The request; its size was limited by the middleware.

    Returns:
        [`SegmentRequest`]: Everything but the images.
        `tuple[bytes | str, bytes | str]`: The images, each as the content of a file or as a URL.

    Raises:
        [`ApiError`]: If the body has another type or is truncated, or a field is invalid.
    """
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ApiError(415, "Compressed bodies are not supported: send the body without Content-Encoding.")
    if content_type == JSON.encode():
        return await to_thread.run_sync(_read_json, await request.body())
    if content_type == MULTIPART.encode():
        return await _read_form(request, options.get(b"boundary", b""))
    raise ApiError(
        415,
        f"The content type {_shown(content_type.decode('latin-1'))} is not supported: send {MULTIPART} or {JSON}.",
        {"Accept": f"{MULTIPART}, {JSON}"},
    )


def _read_json(body: bytes) -> tuple[SegmentRequest, tuple[Source, Source]]:
    try:
        body = to_utf8(body)
        if body.count(b",") > MAX_COMMAS:
            raise ApiError(422, f"The body has more than {MAX_COMMAS:,} commas: send fewer and shorter sentences.")
        parse_json(body)  # Rejects duplicate names; `pydantic` would silently use one of their values.
    except ValueError as error:
        raise ApiError(400, f"The body is not valid JSON: {error}.") from error
    fields = _validate(body)
    return fields, (_decode(fields.image_t1, IMAGES[0]), _decode(fields.image_t2, IMAGES[1]))


async def _read_form(request: Request, boundary: bytes) -> tuple[SegmentRequest, tuple[Source, Source]]:
    last = b"\r\n--" + boundary + b"--"
    tail, is_complete = b"\r\n", False  # A form without fields begins with its last boundary.
    receive = request._receive

    async def watched() -> Any:
        nonlocal tail, is_complete
        message = await receive()
        tail += message.get("body", b"")
        is_complete = is_complete or last in tail
        tail = tail[-len(last) :]
        return message

    request = Request(request.scope, watched)
    try:
        form = await request.form(max_files=len(IMAGES), max_fields=MAX_PARTS)
    except HTTPException as error:
        raise ApiError(400, f"The form cannot be read: {error.detail}") from error
    except UnicodeError as error:  # Of the encoding that the header names.
        raise ApiError(400, f"The form cannot be read: {error}. Send it in UTF-8.") from error
    try:
        # The parser accepts truncated forms, and without its last sentence a form means something else. What follows
        # the last boundary means nothing.
        if not is_complete:
            raise ApiError(400, "The form is cut off: its last boundary is missing, so send it again.")
        return await _take_fields(form)
    finally:
        await form.close()


async def _take_fields(form: FormData) -> tuple[SegmentRequest, tuple[Source, Source]]:
    values: dict[str, Any] = {}
    sources: list[Source] = []
    for name in form:
        given = form.getlist(name)
        if name in IMAGES:
            continue
        if any(isinstance(value, UploadFile) for value in given):
            raise ApiError(422, f"{_shown(name)} must be text, not a file.")
        if len(given) > 1 and name != "sentences":
            raise ApiError(422, f"{_shown(name)} is given {len(given)} times: send it once.")
        values[name] = given if name == "sentences" else given[0]
    for name in IMAGES:
        images = form.getlist(name)
        if len(images) != 1:
            problem = "is missing" if not images else f"is given {len(images)} times"
            raise ApiError(422, f"{name} {problem}: send it as one file.")
        image = images[0]
        if isinstance(image, str) and not _looks_like_url(image):
            raise ApiError(422, f"{name} must be sent as a file, with a file name.")
        sources.append(image if isinstance(image, str) else await image.read())
    return _validate({**values, **dict.fromkeys(IMAGES, "")}), (sources[0], sources[1])


def _validate(values: bytes | dict[str, Any]) -> SegmentRequest:
    try:
        if isinstance(values, bytes):
            return SegmentRequest.model_validate_json(values)
        return SegmentRequest.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise ApiError(400, f"The body is not valid JSON: {first['msg']}") from error
        where = ".".join(map(str, first["loc"])) or "the body"
        known = ", ".join(SegmentRequest.model_fields)
        if first["type"] == "extra_forbidden":
            raise ApiError(422, f"There is no field {_shown(where)}: the fields are {known}.") from error
        raise ApiError(422, f"{where}: {first['msg']}.") from error


def _decode(text: str, name: str) -> Source:
    if _looks_like_url(text):
        return text
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise ApiError(422, f"{name} is a data URL without base64: encode the file in base64.")
    try:
        # Not `split`: it would make a text of every word.
        return base64.b64decode(text.encode("ascii").translate(None, string.whitespace.encode()), validate=True)
    except UnicodeEncodeError as error:
        problem = "it contains non-ASCII characters"
        raise ApiError(422, f"{name} is not valid base64 ({problem}): encode the whole file in base64.") from error
    except (binascii.Error, ValueError) as error:
        raise ApiError(422, f"{name} is not valid base64 ({error}): encode the whole file in base64.") from error


def _looks_like_url(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def _shown(text: str) -> str:
    """A short form of a value from a client."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
