"""Send large responses in pieces, so that their unread part counts against the caller's budget.

A server buffers whatever it is given at once, and lets the application go on. In pieces, the application waits from the
second one on until the client has read those before, and holds what the response is charged to.
"""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE_SIZE: Final = 64 << 10
"""Bytes that are handed on at a time."""


class PacedBodies:
    """Sends bodies in pieces."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def sending(message: Message) -> None:
            body: bytes = message.get("body", b"")
            if len(body) <= PIECE_SIZE:
                await send(message)
                return
            for start in range(0, len(body), PIECE_SIZE):
                is_last = start + PIECE_SIZE >= len(body)
                await send(
                    {
                        **message,
                        "body": body[start : start + PIECE_SIZE],
                        "more_body": not is_last or message.get("more_body", False),
                    }
                )

        await self._app(scope, receive, sending)
