"""Whatever a browser or anybody else asks a watch to start with is a request, or refused as a field."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from milepost.v1 import WatchJobRequest
from milepost.web.service import ServiceError
from milepost.web.watch_request import WatchRequest, watch_request

headers = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=60)
ids = st.builds("{}:{}".format, headers, st.integers() | headers)
starts = st.sampled_from(
    ["after_sequence", "afterPosition", "after_position", "start", "epoch", "status_interval"]
)
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.integers().map(str)


@pytest.mark.parametrize("method", ["WatchJob", "WatchJobs"])
@given(
    last_event_id=headers | ids,
    accept=headers,
    parameters=st.lists(st.tuples(starts | texts, texts), max_size=4),
)
@example(last_event_id="e:" + "9" * 5000, accept="", parameters=[])
@example(last_event_id="e:\xb2", accept="", parameters=[])
@example(last_event_id="e:9223372036854775807", accept="", parameters=[])
@example(last_event_id="", accept="", parameters=[("after_sequence", "9" * 5000)])
def test_any_request(method: str, last_event_id: str, accept: str, parameters: list[tuple[str, str]]) -> None:
    """A cursor is one that a log can have."""
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters)
    scope = {
        "type": "http",
        "headers": [
            (b"last-event-id", last_event_id.encode("latin-1")),
            (b"accept", accept.encode("latin-1")),
        ],
        "query_string": query.encode(),
    }
    refusals: list[str] = []
    found: WatchRequest | None = None
    try:
        found = watch_request(scope, method, "j" if method == "WatchJob" else "")
    except ServiceError as error:
        refusals.append(error.info.reason)
    assert refusals in ([], ["INVALID_FIELD"])
    if found is None:
        return
    assert abs(found.cursor) <= 1 << 63
    if last_event_id:
        epoch, _, cursor = last_event_id.rpartition(":")
        assert (found.request.epoch, found.cursor) == (epoch, int(cursor))
    assert isinstance(found.request, WatchJobRequest) == (method == "WatchJob")


def test_two_places_to_resume_at() -> None:
    """None of them counts, whichever a proxy has looked at."""
    headers = [(b"last-event-id", b"e:1"), (b"last-event-id", b"e:2")]
    with pytest.raises(ServiceError, match="Last-Event-ID is there more than once"):
        watch_request({"type": "http", "headers": headers, "query_string": b""}, "WatchJobs", "")


@pytest.mark.parametrize(
    "query",
    [
        "after_sequence=7&from_latest=true",
        "from_snapshot=false&afterSequence=7",
        "start=latest&after_sequence=7",
    ],
)
def test_two_places_to_start_at(query: str) -> None:
    """None of them counts: the later one would replace the other, and events would be left out."""
    scope = {"type": "http", "headers": [], "query_string": query.encode()}
    with pytest.raises(ServiceError) as raised:
        watch_request(scope, "WatchJob", "j")
    assert raised.value.reason == "INVALID_FIELD"
