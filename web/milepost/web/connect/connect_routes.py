"""The routes of the Connect protocol: one for each method of the service, made from its descriptor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, TypeAlias

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from milepost.web.callers import CallerOf
from milepost.web.connect.call_headers import read_headers, timed_out
from milepost.web.connect.codecs import BINARY, JSON, Codec, accepted, codec_of, content_type
from milepost.web.connect.compression import inflate
from milepost.web.connect.connect_errors import end_of_stream, error_body, http_code
from milepost.web.connect.envelopes import MalformedEnvelope, envelope, only_message
from milepost.web.disconnects import while_connected
from milepost.web.http_errors import error_headers
from milepost.web.request_body import BODY_SIZE, ClientGone, malformed, read_body
from milepost.web.service import METHODS, Arrived, JobsBackend, PromptSend, ServiceError, path_of
from milepost.web.shared_texts import SharedTexts
from milepost.web.stream_response import WRITE_CHUNK, WriteChunk, chunk

TEXT_BYTES: Final = 8 << 20
"""Bytes of frames, with their JSON, that subscribers share at most."""

_Texts: TypeAlias = SharedTexts[tuple[type[Message], bytes], bytes]
"""The JSON of frames, by their type."""


def connect_routes(backend: JobsBackend, caller_of: CallerOf) -> list[Route]:
    """The routes of all methods: ``POST /milepost.v1.JobService/GetJob``."""
    texts: _Texts = SharedTexts(TEXT_BYTES)
    return [
        Route(path_of(name), _Endpoint(backend, caller_of, method, texts)) for name, method in METHODS.items()
    ]


class _Endpoint:
    """An ASGI application for one method."""

    def __init__(
        self, backend: JobsBackend, caller_of: CallerOf, method: MethodDescriptor, texts: _Texts
    ) -> None:
        self._backend = backend
        self._caller_of = caller_of
        self._texts = texts
        self._name = method.name
        self._streaming = method.server_streaming
        self._request = GetMessageClass(method.input_type)
        self._response = GetMessageClass(method.output_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        codec = codec_of(headers.get("content-type", ""), streaming=self._streaming)
        if scope["method"] != "POST":
            await Response(status_code=405, headers={"allow": "POST"})(scope, receive, send)
        elif codec is None:
            types = accepted(streaming=self._streaming)
            await Response(status_code=415, headers={"accept-post": types})(scope, receive, send)
        elif self._streaming:
            with self._texts.subscribing():
                await self._watch(codec, headers, scope, receive, send)
        else:
            await self._call(codec, headers, scope, receive, send)

    async def _call(self, codec: Codec, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        async def respond(code: int, body: bytes, kind: str, headers: Mapping[str, str]) -> None:
            await Response(body, code, headers, kind)(scope, receive, send)

        timeout = None
        try:
            asked = read_headers(headers, streaming=False)
            timeout = asked.timeout

            async def request(arrived: Arrived) -> Message | bytes:
                body = await read_body(scope, receive, arrived)
                return await self._decode(codec, body, arrived, is_compressed=asked.is_compressed)

            async with (
                asyncio.timeout(timeout) as deadline,
                self._backend.call(self._name, request, await self._caller_of(scope)) as response,
            ):
                if codec is BINARY and isinstance(response, bytes):
                    body = response
                else:
                    body = await _encoded(codec, await self._backend.decode(self._name, response))
                deadline.reschedule(None)
                await respond(200, body, content_type(codec, streaming=False), {"cache-control": "no-store"})
        except TimeoutError:
            answer = _answer(timed_out(timeout))
        except ServiceError as error:
            answer = _answer(error)
        except ClientGone:
            return
        else:
            return
        await respond(*answer)

    async def _watch(
        self, codec: Codec, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def send_body(body: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        async def send_frame(frame: bytes) -> None:
            await send_body(envelope(frame if codec is BINARY else await self._frame_json(frame)))

        def offer(frame: bytes) -> bool:
            # The first subscriber makes the JSON of a frame; the others find it.
            message = frame if codec is BINARY else self._texts.get((self._response, frame))
            return write_chunk is not None and message is not None and write_chunk(chunk(envelope(message)))

        write_chunk: WriteChunk | None = scope.get("extensions", {}).get(WRITE_CHUNK)
        start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", content_type(codec, streaming=True).encode()),
                (b"cache-control", b"no-store, no-transform"),
                (b"x-accel-buffering", b"no"),
            ],
        }
        timeout = None
        status: Status | None = None
        await send(start)
        try:
            asked = read_headers(headers, streaming=True)
            timeout = asked.timeout
            received = asyncio.Event()

            async def request(arrived: Arrived) -> Message | bytes:
                body = await read_body(scope, receive, arrived)
                received.set()
                try:
                    message, is_compressed = only_message(body)
                except MalformedEnvelope as error:
                    raise malformed(str(error)) from error
                if is_compressed and not asked.is_compressed:
                    raise malformed("The message is compressed, and Connect-Content-Encoding names no way.")
                return await self._decode(codec, message, arrived, is_compressed=is_compressed)

            prompt = PromptSend(send_frame, offer)
            watch = self._backend.watch(self._name, request, await self._caller_of(scope), prompt)
            async with asyncio.timeout(timeout):
                await while_connected(receive, received, watch)
        except TimeoutError:
            status = timed_out(timeout).status
        except ServiceError as error:
            status = error.status
        except ClientGone:
            return
        await send_body(end_of_stream(status), more=False)

    async def _frame_json(self, frame: bytes) -> bytes:
        """A serialised frame as JSON, which subscribers that get the same frame share."""
        key = self._response, frame
        text = self._texts.get(key)
        if text is None:
            text = await _encoded(JSON, self._response.FromString(frame))
            self._texts.put(key, text, len(frame) + len(text))
        return text

    async def _decode(
        self, codec: Codec, message: bytes, arrived: Arrived, *, is_compressed: bool
    ) -> Message | bytes:
        """The request, or its bytes for the backend to decode. An empty message is never compressed."""
        if is_compressed and message:
            message = await self._backend.run_in_slices(inflate(message, BODY_SIZE, arrived))
        return await self._backend.run_in_slices(codec.decode(message, self._request, arrived))


async def _encoded(codec: Codec, message: Message) -> bytes:
    """Encode a response, a large one while others are served."""
    pieces: list[bytes] = []
    for piece in codec.encode(message):
        if pieces:
            await asyncio.sleep(0)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _answer(error: ServiceError) -> tuple[int, bytes, str, Mapping[str, str]]:
    """Code, body, type and headers of the response. The call keeps no error: its traceback has the call's frame."""
    return http_code(error.status), error_body(error.status), "application/json", error_headers(error)
