"""The pages and the elements, as built into the package (see ``web/pages``), and a page for all other addresses."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from milepost.web.security.response_headers import policy_of

_MEDIA_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}

# Their names are the same in each version, so a browser has to ask each time whether its copy is current.
_CACHING: Final = "no-cache"


_NOT_FOUND: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Not found · Milepost</title>
<link rel="icon" href="{root}assets/icon.svg">
<link rel="stylesheet" href="{root}assets/docs.css">
<header><a href="{root}">milepost</a></header>
<main>
<h1>There is nothing at this address</h1>
<p><a href="{root}">All jobs</a></p>
<p><a href="{root}docs">Milepost over HTTP, for programs</a></p>
</main>
</html>
"""

# Under these paths errors are JSON for every client.
_FOR_PROGRAMS: Final = ("/v1/", "/milepost.v1.")

# Levels of a path that a person may have mistyped. The page names its root by a step up for each level, several times.
_DEPTH_LIMIT: Final = 16

_ZERO: Final = re.compile(r"q\s*=\s*0(?:\.0*)?")


@dataclass(frozen=True)
class _Asset:
    """A file as it is sent."""

    content: bytes
    compressed: bytes
    media_type: str
    tag: str
    policy: str | None
    """Content-Security-Policy of a page; None for other files, which have that of data."""


def page_routes() -> list[Route]:
    """The list of jobs at ``/``, a job at ``/jobs/{job_id}``, and the files of both at ``/assets/…``."""
    return [
        Route("/", _index),
        Route("/jobs/{job_id}", _job),
        Route("/assets/{name}", _asset),
        # Browsers ask for it wherever they show something other than a page, such as JSON.
        Route("/favicon.ico", _icon),
    ]


def not_found_page(request: Request) -> Response | None:
    """A page for people whose browser asks for an unknown address; None for all others."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    if path.startswith(_FOR_PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
        return None
    # Relative, since a proxy may serve this under any path.
    depth = path.count("/") - 1
    if depth > _DEPTH_LIMIT:
        return None
    root = "../" * depth or "./"
    return Response(_NOT_FOUND.format(root=root), 404, {"cache-control": "no-store"}, "text/html")


async def _index(request: Request) -> Response:
    return _response(request, "index.html")


async def _job(request: Request) -> Response:
    return _response(request, "job.html")


async def _icon(request: Request) -> Response:
    return _response(request, "icon.svg")


async def _asset(request: Request) -> Response:
    return _response(request, request.path_params["name"])


def _response(request: Request, name: str) -> Response:
    asset = _assets().get(name)
    if asset is None:
        return Response(f"There is no file {name!r}.", 404, media_type="text/plain")
    headers = {
        "etag": asset.tag,
        "cache-control": _CACHING,
        "vary": "accept-encoding",
        # Also with 304: the headers that follow from it, such as the policy of pages, replace those that a browser has.
        "content-type": asset.media_type,
    }
    if asset.policy is not None:
        headers["content-security-policy"] = asset.policy
    known = request.headers.get("if-none-match", "")
    if asset.tag in known or known.strip() == "*":
        return Response(status_code=304, headers=headers)
    content = asset.content
    if _accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["content-encoding"] = "gzip"
        content = asset.compressed
    return Response(content, headers=headers)


def _accepts_gzip(header: str) -> bool:
    """Whether a client takes gzip, by its ``Accept-Encoding``: weight 0 refuses, and ``*`` is what is not named."""
    weights: dict[str, bool] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weights[name] = not any(_ZERO.fullmatch(parameter) for parameter in parameters)
    return weights.get("gzip", weights.get("*", False))


@cache
def _assets() -> dict[str, _Asset]:
    """All files by name, read once: together a few hundred KiB."""
    files = (file for file in resources.files("milepost.web").joinpath("assets").iterdir() if file.is_file())
    return {file.name: _read(file.name, file.read_bytes()) for file in files}


def _read(name: str, content: bytes) -> _Asset:
    media_type = _MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    policy = policy_of(content.decode()) if name.endswith(".html") else None
    return _Asset(content, gzip.compress(content, mtime=0), media_type, tag, policy)
