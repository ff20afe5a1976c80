"""What tasks wait for while Milepost's server is away: it refuses connections, or does not answer."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest

from milepost.client.engines.celery.task_client import TaskClient
from milepost.v1 import Dispatch, SubmitJobRequest
from tests.support.ports import free_port, give_back

# Seconds that no test lasts: whoever waits for an answer is found out by the time-out of the test.
LONG = 600.0


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address where no server is."""
    port = free_port()
    yield f"127.0.0.1:{port}"
    give_back(port)


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that accepts connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def request() -> SubmitJobRequest:
    """A job to submit."""
    return SubmitJobRequest(job_id="a-task", kind="convert", dispatch=Dispatch.DISPATCH_EXTERNAL)


def test_a_refused_connection_is_recognised_at_once(refusing: str, caplog: pytest.LogCaptureFixture) -> None:
    """The first one is the end of the attempt: gRPC repeats it for longer than a publication waits by default."""
    client = TaskClient(refusing, 1.0, {})
    submitted = client.submit(request())

    assert submitted is None
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == ["connection refused"]


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_task_does_not_wait_while_an_outage_is_known(
    silent: str, caplog: pytest.LogCaptureFixture, *, is_submitted: bool
) -> None:
    """It starts without the server, which no call has asked before."""
    caplog.set_level(logging.WARNING, "milepost.client")
    client = TaskClient(silent, LONG, {})
    client.note_outage()
    enter = client.submitted_block if is_submitted else client.block
    block = enter(request(), None, on_unreachable="go on", on_lost="go on", flush_timeout=0.05)
    with block as job:
        assert (job.id, job.attempt) == ("a-task", 0)

    assert "it was away a moment ago" in caplog.text
