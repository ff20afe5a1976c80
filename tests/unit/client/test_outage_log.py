"""The log of a lost connection, and the wording of gRPC's errors."""

from __future__ import annotations

import logging

import pytest

from milepost.client._transport.error_mapping import connection_error_text
from milepost.client._worker.outage_log import OutageLog
from milepost.client.errors import Draining, StreamsBlocked, Unreachable
from tests.support.clock import FakeClock

REFUSED = Unreachable("h:1", "connection refused")
LAST = "failed to connect to all addresses; last error: "


def test_an_outage_is_logged_once_and_then_rarely(caplog: pytest.LogCaptureFixture) -> None:
    """However often it retries: at once, after 1, 2, 4 minutes and so on; and when it is over."""
    clock = FakeClock()
    outage = OutageLog("h:1", clock=clock.monotonic)
    with caplog.at_level(logging.INFO, "milepost.client"):
        for _ in range(500):
            outage.disconnected(REFUSED)
            clock.advance(1)
        outage.connected("w")
        outage.disconnected(Draining("The server is stopping."))
        clock.advance(2)
        outage.disconnected(Unreachable("h:1", "the connection was cut"))
        outage.connected("w")

    assert caplog.messages == [
        "cannot connect to the server at h:1: connection refused; retrying",
        "still no connection to the server at h:1 after 1 min 0 s: connection refused",
        "still no connection to the server at h:1 after 3 min 0 s: connection refused",
        "still no connection to the server at h:1 after 7 min 0 s: connection refused",
        "worker w is connected to h:1, after 8 min 20 s",
        "lost the connection to the server at h:1: The server is stopping; retrying",
        "worker w is connected to h:1 again, after 2.0 s",
    ]


def test_a_connection_without_trouble(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once."""
    with caplog.at_level(logging.INFO, "milepost.client"):
        OutageLog("h:1").connected("w")

    assert caplog.messages == ["worker w is connected to h:1"]


UNVERIFIED = "Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED"


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (
            f"{LAST}UNKNOWN: ipv4:1.2.3.4:1: Failed to connect to remote host: Connection refused",
            "connection refused",
        ),
        (f"{LAST}UNKNOWN: ipv4:1.2.3.4:1: connect: Connection refused (111)", "connection refused"),
        (
            "errors resolving x:1: [field:hostname lookup error: Domain name not found]",
            "its name is not known",
        ),
        ("DNS resolution failed for x:1: C-ares status is not ARES_SUCCESS", "its name is not known"),
        (
            f"{LAST}UNAVAILABLE: ipv4:1.2.3.4:1: recvmsg:Connection reset by peer (104)",
            "it ended the connection at once; it may expect TLS, or a client certificate that is valid for it",
        ),
        (
            f"{LAST}UNAVAILABLE: ipv4:1.2.3.4:1: Handshake read failed (Socket closed)",
            "the connection was cut",
        ),
        (
            f"{LAST}UNAVAILABLE: ipv4:1.2.3.4:1: Socket closed",
            "it ended the connection at once; it may expect TLS, or a client certificate that is valid for it",
        ),
        (
            f"{LAST}INTERNAL: Failed parsing HTTP/2 (Trying to connect an http1.x server (HTTP status 400))",
            "what listens there does not speak gRPC",
        ),
        (
            f"{LAST}UNKNOWN: Tls handshake failed: WRONG_VERSION_NUMBER: Invalid certificate verification context: OK",
            "it does not speak TLS",
        ),
        (
            f"{LAST}UNKNOWN: Ssl handshake failed: CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate",
            "its certificate is not trusted",
        ),
        (f"{LAST}UNKNOWN: {UNVERIFIED}: certificate has expired: OK", "its certificate has expired"),
        (
            f"{LAST}UNKNOWN: {UNVERIFIED}: certificate is not yet valid: OK",
            "its certificate is not valid yet",
        ),
        ("Deadline Exceeded", "no answer"),
        ("ping timeout", "no answer"),
        (
            f"{LAST}INTERNAL: ipv4:1.2.3.4:1: socket: Too many open files\n\0\x1c",
            "this process may open no more files",
        ),
        ("general: particular", "particular"),
        ("general: particular\n\0\x1c\xdf", "particular"),
        ("", ""),
    ],
)
def test_grpc_errors_in_plain_words(details: str, words: str) -> None:
    """For the texts of several versions; otherwise the specific part of the text."""
    assert connection_error_text(details) == words


@pytest.mark.parametrize(
    ("details", "address", "words"),
    [
        (
            "ipv6:%5B::1%5D:7: Failed to connect: Connection refused",
            "localhost:7",
            "connection refused at [::1]:7",
        ),
        (
            "ipv6:%5B::1%5D:7: connect: Network is unreachable (101)",
            "h:7",
            "there is no route to it at [::1]:7",
        ),
        ("ipv4:1.2.3.4:7: Failed to connect: Connection refused", "1.2.3.4:7", "connection refused"),
        ("ipv6:%5B::1%5D:7: Failed to connect: Connection refused", "[::1]:7", "connection refused"),
        (
            "ipv4:1.2.3.4:7: Ssl handshake failed: certificate has expired",
            "h:7",
            "its certificate has expired",
        ),
    ],
)
def test_the_address_where_nobody_listens(details: str, address: str, words: str) -> None:
    """A name may have others, where the server listens and cannot be reached for another reason."""
    assert connection_error_text(LAST + "UNKNOWN: " + details, address) == words


def test_why_a_server_is_unreachable() -> None:
    """In few words, besides the full text."""
    assert (REFUSED.why, str(REFUSED)) == (
        "connection refused",
        "The server at h:1 cannot be reached: connection refused",
    )
    assert StreamsBlocked("h:1").why == "no stream gets through"
