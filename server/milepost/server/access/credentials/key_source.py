"""Fetch an issuer's keys from a URL, within bounds of time, bytes and redirects."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Final
from urllib.parse import urlsplit

FETCH_TIMEOUT: Final = 5.0
"""Seconds that one fetch takes at most, redirects included."""

SIZE_LIMIT: Final = 1 << 20
"""Bytes of a key set at most."""

REDIRECT_LIMIT: Final = 3
"""Redirects that are followed, each to https only: whoever sits in between could replace the keys."""


def fetch(url: str, timeout: float = FETCH_TIMEOUT) -> bytes:
    """Return what is at the URL. Raises OSError, ``http.client.HTTPException``, ValueError where it is too large."""
    with _deadline(timeout) as deadline:
        request = urllib.request.Request(url, headers={"Accept": "application/json"})
        opener = urllib.request.build_opener(_Http(deadline), _Https(deadline), _Redirects)
        try:
            with opener.open(request, timeout=timeout) as response:
                data: bytes = response.read(SIZE_LIMIT + 1)
        except (OSError, http.client.HTTPException):
            deadline.check()
            raise
        deadline.check()  # a connection that was shut down looks like the end of an answer
    check_size(data)
    return data


def check_size(data: bytes) -> None:
    """Raise ValueError for a key set that is too large."""
    if len(data) > SIZE_LIMIT:
        raise ValueError(f"the key set is over {SIZE_LIMIT:,} bytes")


class _Deadline:
    """Shuts down connections at a deadline; the timeout of a socket begins again with each byte."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._is_over = False
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()

    def watch(self, connection: socket.socket) -> None:
        """Shut down the connection at the deadline."""
        with self._lock:
            self._connections.append(connection.dup())  # a copy, since TLS detaches the original
            if self._is_over:
                self._shut_down()

    def end(self) -> None:
        """Shut down all connections, and those to come."""
        with self._lock:
            self._is_over = True
            self._shut_down()

    def check(self) -> None:
        """Raise TimeoutError if the time is over."""
        with self._lock:
            if self._is_over:
                raise TimeoutError(f"no complete answer within {self._timeout:g} s")

    def close(self) -> None:
        """Close the copies of the connections."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def _shut_down(self) -> None:
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def _deadline(timeout: float) -> Iterator[_Deadline]:
    deadline = _Deadline(timeout)
    timer = threading.Timer(timeout, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        deadline.close()


class _Connection(http.client.HTTPConnection):
    """A connection under a deadline from the start, which includes the handshakes with a proxy and of TLS."""

    deadline: _Deadline | None = None
    _watched: socket.socket | None = None

    @property
    def sock(self) -> Any:
        return self._watched

    @sock.setter
    def sock(self, value: Any) -> None:
        if self.deadline is not None and value is not None and not isinstance(value, ssl.SSLSocket):
            self.deadline.watch(value)
        self._watched = value


class _TlsConnection(http.client.HTTPSConnection, _Connection):
    """The same over TLS, which verifies the server's name."""


def _watched(
    connection: Callable[..., _Connection], deadline: _Deadline
) -> Callable[..., http.client.HTTPConnection]:
    def connect(*arguments: Any, **more: Any) -> http.client.HTTPConnection:
        made = connection(*arguments, **more)
        made.deadline = deadline
        return made

    return connect


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._connect = _watched(_Connection, deadline)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: _Deadline) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(context=self._tls)
        self._connect = _watched(_TlsConnection, deadline)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect, req, context=self._tls)


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = REDIRECT_LIMIT

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"it redirects to {newurl!r}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
