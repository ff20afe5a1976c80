"""Headers of all responses: what a browser may make of them."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    # No text of a job becomes markup, whatever a page's code does with it: only Lit's templates do.
    "require-trusted-types-for 'script'; trusted-types lit-html 'allow-duplicates'"
)
"""Content-Security-Policy of pages: nothing from other origins, and no script but those of the server's own files."""

_STYLES: Final = "style-src 'self'"

DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of everything else, should a browser show it as a page."""

_COMMON_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    # Addresses of pages name jobs.
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}


def policy_of(page: str) -> str:
    """The policy of a page of the package: also of its own style, inside so that its first paint waits for no file."""
    styles = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    return PAGE_POLICY.replace(_STYLES, " ".join([_STYLES, *(f"'sha256-{each}'" for each in hashes)]))


class ResponseHeaders:
    """Adds the headers that a response does not have."""

    def __init__(self, app: ASGIApp, *, shares_resources: bool = False) -> None:
        """``shares_resources`` lets pages of other origins read responses, as CORS allows them to."""
        self._app = app
        self._resource_policy = "cross-origin" if shares_resources else "same-origin"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in _COMMON_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cross-origin-resource-policy", self._resource_policy)
                is_page = headers.get("content-type", "").startswith("text/html")
                headers.setdefault("content-security-policy", PAGE_POLICY if is_page else DATA_POLICY)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, sending)
