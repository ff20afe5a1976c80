"""REST: each route calls the method that the table names, with JSON both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2
from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from milepost.web.callers import CallerOf
from milepost.web.http_errors import error_response, invalid_field, service_error
from milepost.web.json_reading import read_json
from milepost.web.proto_json import json_pieces
from milepost.web.query_parameters import set_fields, set_path_field
from milepost.web.request_body import ClientGone, read_body
from milepost.web.rest_routes import COLLECTION, ROUTES, RestRoute
from milepost.web.service import METHODS, Arrived, JobsBackend, ServiceError, Steps
from milepost.web.watch_request import watch_request
from milepost.web.watch_stream import WatchStreams

_Verbs: TypeAlias = Mapping[str, RestRoute]

_JOB: Final = COLLECTION + "/{job_id}"


def rest_routes(backend: JobsBackend, caller_of: CallerOf) -> list[Route]:
    """The routes of REST over ``backend``."""
    by_path: defaultdict[str, dict[str, RestRoute]] = defaultdict(dict)
    for route in ROUTES:
        by_path[route.path][route.verb] = route
    of_job = {path.removeprefix(_JOB): verbs for path, verbs in by_path.items() if path.startswith(_JOB)}
    plain = [(path, {"": verbs}) for path, verbs in by_path.items() if not path.startswith(_JOB)]
    # The job id is whatever the last part of the path is; whether it can be one, the method says.
    resources = [*plain, (COLLECTION + "/{job_id:path}", of_job)]
    streams = WatchStreams(backend)
    return [Route(path, _Resource(backend, streams, caller_of, verbs)) for path, verbs in resources]


class _Resource:
    """One path, and what its verbs do, by the suffix after the job id."""

    def __init__(
        self,
        backend: JobsBackend,
        streams: WatchStreams,
        caller_of: CallerOf,
        by_suffix: Mapping[str, _Verbs],
    ) -> None:
        self._backend = backend
        self._streams = streams
        self._caller_of = caller_of
        self._by_suffix = by_suffix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._respond(scope, receive, send)
        except ServiceError as error:
            await error_response(error)(scope, receive, send)
        except ClientGone:
            pass

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        in_path: dict[str, str] = dict(scope["path_params"])
        suffix = ""
        if "job_id" in in_path:
            in_path["job_id"], suffix = _split(scope)
        verbs = self._by_suffix.get(suffix)
        if verbs is None:
            raise no_such_path(scope["path"])
        route = verbs.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"allow": _allowed(verbs)})(scope, receive, send)
        elif route is None:
            await _not_allowed(scope["method"], verbs)(scope, receive, send)
        elif METHODS[route.method].server_streaming:
            watch = watch_request(scope, route.method, in_path.get("job_id", ""))
            await self._streams.respond(watch, await self._caller_of(scope), scope, receive, send)
        else:
            await self._call(route, in_path, scope, receive, send)

    async def _call(
        self, route: RestRoute, in_path: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def request(arrived: Arrived) -> Message:
            message = GetMessageClass(METHODS[route.method].input_type)()
            if route.has_body:
                encoding = Headers(scope=scope).get("content-encoding", "identity").lower()
                if encoding != "identity":
                    raise invalid_field("Content-Encoding", f"cannot be {encoding!r}: send JSON as it is")
                body = await read_body(scope, receive, arrived)
                await self._backend.run_in_slices(read_json(body, message, arrived))
            set_fields(message, QueryParams(scope["query_string"]).multi_items())
            for name, value in in_path.items():
                set_path_field(message, name, value)
            return message

        async with self._backend.call(route.method, request, await self._caller_of(scope)) as answer:
            message = await self._backend.decode(route.method, answer)
            pieces = await self._backend.run_in_slices(_encode(message))
            length = sum(map(len, pieces))
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(length).encode()),
                (b"cache-control", b"no-store"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def _encode(message: Message) -> Steps[list[bytes]]:
    """The JSON of a response, in pieces: a line, see ``json_body``."""
    pieces: list[bytes] = []
    for piece in json_pieces(message):
        if pieces:
            yield
        pieces.append(piece.encode())
    pieces[-1] += b"\n"
    return pieces


def _split(scope: Scope) -> tuple[str, str]:
    """The job id of a path, and the suffix after it, such as ``":watch"``: a colon that is not part of the id.

    Raises ServiceError for a path with another one in it: whoever forwards the request may have read it as that job's.
    """
    raw: bytes = scope.get("raw_path") or quote(scope["path"], safe="/:").encode()
    resource = raw.rpartition(COLLECTION.encode() + b"/")[2]
    if unquote_to_bytes(resource).decode(errors="replace") != scope["path_params"]["job_id"]:
        raise no_such_path(scope["path"])
    job_id, colon, suffix = resource.rpartition(b":")
    if not colon:
        job_id, suffix = suffix, b""
    return unquote_to_bytes(job_id).decode(errors="replace"), (colon + suffix).decode(errors="replace")


def no_such_path(path: str) -> ServiceError:
    """The error for a path at which nothing is served."""
    return service_error(
        code_pb2.NOT_FOUND, f"There is nothing at {path!r}. /v1/openapi.json describes what there is."
    )


def _allowed(verbs: _Verbs) -> str:
    """The value of the header ``Allow``."""
    return ", ".join(sorted({*verbs, "OPTIONS", *(["HEAD"] if "GET" in verbs else [])}))


def _not_allowed(verb: str, verbs: _Verbs) -> Response:
    allowed = _allowed(verbs)
    response = error_response(
        service_error(code_pb2.UNIMPLEMENTED, f"There is no {verb} here, but {allowed}.")
    )
    response.status_code = 405
    response.headers["allow"] = allowed
    return response
