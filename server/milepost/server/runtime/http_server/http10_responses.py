"""Responses to clients of HTTP/1.0, which know no chunks: a body of unknown length ends with the connection.

uvicorn sends chunks to everybody. Such a client, like an old proxy or a load balancer's probe, takes their lengths for
content.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

VERSION: Final = "1.0"


def without_chunks(app: Any, cycle: RequestResponseCycle) -> ASGIApp:
    """The application as it responds in ``cycle``, whose connection closes after its response."""

    async def responding(scope: Scope, receive: Receive, send: Send) -> None:
        is_open_ended = False

        async def sending(message: Message) -> None:
            nonlocal is_open_ended
            if message["type"] == "http.response.start":
                is_open_ended = not any(name.lower() == b"content-length" for name, _ in message["headers"])
                if is_open_ended:
                    cycle.chunked_encoding = False
            elif is_open_ended:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, sending)

    return responding
