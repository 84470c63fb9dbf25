# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Errors of the API: a status, a code for programs, and a one-line message."""

from typing import Any

from starlette.responses import JSONResponse

from mtrefseg.errors import one_line


CODES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "upload_too_slow",
    413: "too_large",
    415: "unsupported_content_type",
    422: "invalid_input",
    429: "too_many_requests",
    499: "client_closed_request",
    500: "internal_error",
    503: "busy",
    504: "timeout",
}


class ApiError(Exception):
    """
    A response other than 200.

    Args:
        status (`int`): The HTTP status, one of `CODES`.
        message (`str`): What is wrong and how to fix it.
        headers (`dict`, *optional*): Further headers, such as "Retry-After".
    """

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


def error_response(status: int, message: str, request_id: str, headers: Any = None) -> JSONResponse:
    """
    The response to a failed request.

    Args:
        status (`int`): The HTTP status.
        message (`str`): What is wrong; it is reduced to one line.
        request_id (`str`): Id of the request, as in the log.
        headers (*optional*): Further headers.
    """
    error = {
        "status": status,
        "code": CODES.get(status, "error"),
        "message": one_line(ValueError(message)),
        "request_id": request_id,
    }
    return JSONResponse({"error": error}, status, {**(headers or {}), "X-Request-ID": request_id})
