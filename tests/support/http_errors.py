"""Errors over HTTP, as AIP-193 has them."""

from __future__ import annotations

from typing import Any

import httpx


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The error of a response, whose own code agrees with it."""
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == response.status_code
    assert response.headers["content-type"] == "application/json"
    return error


def info_of(response: httpx.Response) -> dict[str, Any]:
    """The ``ErrorInfo`` of an error."""
    details: list[dict[str, Any]] = error_of(response).get("details", [])
    return next(each for each in details if each["@type"].endswith("google.rpc.ErrorInfo"))
