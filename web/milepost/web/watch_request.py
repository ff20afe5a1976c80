"""The request of a watch: what is watched, from where, and as what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from google.rpc import code_pb2
from starlette.datastructures import Headers, QueryParams
from starlette.types import Scope

from milepost.v1 import OnGap, WatchJobRequest, WatchJobsRequest
from milepost.web.framing import NDJSON, SSE, Framing
from milepost.web.http_errors import invalid_field, service_error
from milepost.web.query_parameters import set_fields, set_path_field

LAST_EVENT_ID: Final = "last-event-id"

# Python refuses to read numbers of thousands of digits.
_CURSOR: Final = re.compile("[0-9]{1,19}")

# RFC 9110, 12.4.2
_WEIGHT: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")

_STARTS: Final = {"snapshot": "from_snapshot", "latest": "from_latest"}

_REQUESTS: Final[dict[str, type[WatchJobRequest] | type[WatchJobsRequest]]] = {
    "WatchJob": WatchJobRequest,
    "WatchJobs": WatchJobsRequest,
}


class WatchRequest(NamedTuple):
    """A watch as it was asked for."""

    request: Any
    """``WatchJobRequest`` or ``WatchJobsRequest``. It fails on a gap, which the stream reports before it goes on."""
    framing: Framing
    resumed: bool
    """Whether a client comes back: it sent ``Last-Event-ID``."""
    snapshot_on_gap: bool
    """Whether a gap is followed by a snapshot; else it ends the stream."""

    @property
    def cursor(self) -> int:
        """The cursor that it starts after: a sequence or a position."""
        request = self.request
        start = "after_sequence" if isinstance(request, WatchJobRequest) else "after_position"
        return int(getattr(request, start))


def watch_request(scope: Scope, method: str, job_id: str) -> WatchRequest:
    """The watch that a request asks for. Raises ServiceError INVALID_FIELD."""
    headers = Headers(scope=scope)
    request = _REQUESTS[method]()
    parameters = QueryParams(scope["query_string"]).multi_items()
    starts = [value for name, value in parameters if name == "start"]
    set_fields(request, [(name, value) for name, value in parameters if name != "start"])
    _set_start(request, starts)
    if job_id:
        set_path_field(request, "job_id", job_id)
    last_event_ids = headers.getlist(LAST_EVENT_ID)
    if len(last_event_ids) > 1:
        raise invalid_field("Last-Event-ID", "is there more than once")
    last_event_id = next(iter(last_event_ids), "")
    if last_event_id:
        _resume(request, last_event_id)
    snapshot_on_gap = request.on_gap != OnGap.ON_GAP_FAIL
    request.on_gap = OnGap.ON_GAP_FAIL
    return WatchRequest(request, _framing(headers.getlist("accept")), bool(last_event_id), snapshot_on_gap)


def _set_start(request: WatchJobRequest | WatchJobsRequest, starts: Sequence[str]) -> None:
    if not starts:
        return
    if len(starts) > 1 or request.WhichOneof("start") is not None:
        raise invalid_field("start", "is given more than once, or beside another place to start")
    if starts[0] not in _STARTS:
        raise invalid_field("start", f"cannot be {starts[0]!r}: it is one of {', '.join(_STARTS)}")
    setattr(request, _STARTS[starts[0]], True)


def _resume(request: WatchJobRequest | WatchJobsRequest, last_event_id: str) -> None:
    """Start after the event with this id, whatever the parameters say: they stay when EventSource comes back."""
    epoch, colon, cursor = last_event_id.rpartition(":")
    if not colon or not epoch or not _CURSOR.fullmatch(cursor) or int(cursor) >= 1 << 63:
        raise invalid_field("Last-Event-ID", f"cannot be {last_event_id!r}: it is an id of this stream")
    request.epoch = epoch
    if isinstance(request, WatchJobRequest):
        request.after_sequence = int(cursor)
    else:
        request.after_position = int(cursor)


def _framing(accepted: Sequence[str]) -> Framing:
    """The framing that the client accepts; server-sent events if it accepts both. Raises ServiceError for neither."""
    ranges = [_range(each) for value in accepted for each in value.split(",") if each.strip()]
    if not ranges:
        return SSE
    weights = {framing: _weight(framing, ranges) for framing in (SSE, NDJSON)}
    best = max(weights, key=lambda framing: weights[framing])
    if not weights[best]:
        raise service_error(
            code_pb2.INVALID_ARGUMENT,
            f"A watch is {SSE.media_type} or {NDJSON.media_type}. Accept one of them.",
            reason="INVALID_FIELD",
            metadata={"field": "accept"},
        )
    return best


def _range(text: str) -> tuple[str, float]:
    media_type, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    return media_type, float(weight) if _WEIGHT.fullmatch(weight) else 0.0


def _weight(framing: Framing, ranges: Sequence[tuple[str, float]]) -> float:
    """The client's weight for a media type: that of the most specific range."""
    main = framing.media_type.partition("/")[0]
    for wanted in (framing.media_type, f"{main}/*", "*/*"):
        weights = [weight for media_type, weight in ranges if media_type == wanted]
        if weights:
            return max(weights)
    return 0.0
