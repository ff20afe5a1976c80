"""Which requests are foreign, and which hosts are known: tables of what browsers send."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from milepost.web.security.browser_policy import BrowserPolicy
from milepost.web.security.browser_requests import is_foreign, is_known_host
from milepost.web.service import ServiceError

HOST = "milepost.example.com:8443"
ALLOWED = {"https://app.example.com"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        # Not a browser.
        ({}, False),
        # A browser of today, at https or on loopback.
        ({"sec-fetch-site": "same-origin", "origin": f"https://{HOST}"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site", "origin": "https://other.example.com"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.test"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        # A proxy has given it another host.
        ({"sec-fetch-site": "same-origin", "origin": "https://public.example.com"}, False),
        # By plain HTTP, or an older one.
        ({"origin": f"http://{HOST}"}, False),
        ({"origin": f"https://{HOST.upper()}"}, False),
        ({"origin": "https://milepost.example.com"}, True),
        ({"origin": "https://evil.test"}, True),
        ({"origin": "null"}, True),
        ({"origin": ""}, True),
        ({"origin": f"https://evil.test#{HOST}"}, True),
        # An origin that may.
        ({"sec-fetch-site": "cross-site", "origin": "https://app.example.com"}, False),
        ({"origin": "https://app.example.com"}, False),
        ({"origin": "http://app.example.com"}, True),
        ({"origin": "https://app.example.com.evil.test"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "*"}, True),
    ],
)
def test_foreign_requests(headers: dict[str, str], expected: bool) -> None:
    """By what the browser says of the page; the origin stands in where it says nothing else."""
    assert is_foreign(Headers({"host": HOST, **headers}), ALLOWED) == expected


@pytest.mark.parametrize(
    "repeated",
    [
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        [("origin", f"https://{HOST}"), ("origin", "https://evil.test")],
        [("origin", "https://app.example.com"), ("origin", "https://evil.test")],
        [("sec-fetch-site", "none"), ("sec-fetch-site", "none")],
    ],
)
def test_repeated_headers(repeated: list[tuple[str, str]]) -> None:
    """None of their values counts by itself, so that it is of no matter which one a proxy has looked at."""
    raw = [(name.encode(), value.encode()) for name, value in [("host", HOST), *repeated]]
    assert is_foreign(Headers(raw=raw), ALLOWED)


async def test_repeated_credentials_and_hosts() -> None:
    """Two credentials are none, and a page of two hosts is of none."""
    raw = [(b"host", b"localhost"), (b"host", b"evil.test")]
    scope = {"type": "http", "method": "GET", "headers": raw, "client": None}
    with pytest.raises(ServiceError, match="localhost, evil"):
        await BrowserPolicy.of((), ()).caller_of(scope)
    scope["headers"] = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]
    assert (await BrowserPolicy().caller_of(scope)).authorization == "Bearer a, Bearer b"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:7080", True),
        ("[::1]:7080", True),
        ("192.168.1.7", True),
        ("localhost:7080", True),
        ("LOCALHOST", True),
        ("localhost.", True),
        ("app.localhost:7080", True),
        ("jobs.example.com", True),
        ("jobs.example.com.:80", True),
        ("Jobs.Example.com", True),
        ("", True),
        ("evil.test:7080", False),
        ("localhost.evil.test", False),
        ("127.0.0.1.evil.test", False),
        ("evil.test@127.0.0.1", False),
        ("127.0.0.1@evil.test", False),
        ("2130706433", False),
        ("[::1", False),
        ("a b", False),
    ],
)
def test_known_hosts(host: str, expected: bool) -> None:
    """A page of a name that is bound to this address comes with that name."""
    assert is_known_host(host, {"jobs.example.com"}) == expected
