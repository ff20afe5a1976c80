"""Calls with serialised messages over a client's connection, for ``milepost.web``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from milepost.client._transport.error_mapping import error_from_status
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.token_source import Metadata, bearer, checked_token
from milepost.client.errors import MilepostError, Unreachable

if TYPE_CHECKING:
    from milepost.client._client import Client

__all__ = ["RawCalls"]


class RawCalls:
    """Calls over the connection of ``client``, with its token or with another one."""

    def __init__(self, client: Client) -> None:
        self._channel, self._timeout = client._channel, client._timeout

    async def call(self, method: str, request: bytes, token: str | None = None) -> bytes:
        """Call the unary method with this path and a serialised request; return the serialised response.

        ``token`` replaces that of the client. Raises MilepostError; ValueError for a text that cannot be a token.
        """
        if token is None:
            return await self._channel.call(lambda: self._channel.unary(method), request, self._timeout)
        metadata = bearer(checked_token(token))
        return await self._channel.call_once(self._channel.unary(method), request, metadata, self._timeout)

    async def watch(
        self, method: str, request: bytes, token: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The serialised responses of a stream, which closing the generator cancels.

        ``token`` replaces that of the client. Raises MilepostError; ValueError for a text that cannot be a token.
        """
        if token is not None:
            async with aclosing(self._stream(method, request, bearer(checked_token(token)))) as responses:
                async for response in responses:
                    yield response
            return
        credential = self._channel.credential()
        received = False
        while True:
            metadata = await credential.metadata(self._timeout)
            try:
                async with aclosing(self._stream(method, request, metadata)) as responses:
                    async for response in responses:
                        received = True
                        yield response
                return
            except MilepostError as error:
                if not await credential.renew(error, self._timeout):
                    raise
                if received:
                    # The readers have other credentials, or none: for them only this stream is over.
                    raise Unreachable(
                        self._channel.target.address, "its stream ended with a token that has been renewed"
                    ) from error

    async def _stream(self, method: str, request: bytes, metadata: Metadata) -> AsyncGenerator[bytes, None]:
        function = self._channel.stream(method)
        call = self._channel.track(function(request, metadata=metadata))
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                yield cast("bytes", response)
        except grpc.aio.AioRpcError as error:
            raise error_from_status(error, self._channel.target.address) from error
        finally:
            call.cancel()
