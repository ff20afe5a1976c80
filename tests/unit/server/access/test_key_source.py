"""Fetching an issuer's keys: what is slow, large or leads elsewhere."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import pytest
from structlog.testing import capture_logs

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.credentials import jwks
from milepost.server.access.credentials.claim_names import ClaimNames
from milepost.server.access.credentials.jwks import KeySet
from milepost.server.access.credentials.jwt_tokens import JwtTokens
from milepost.server.access.credentials.key_source import REDIRECT_LIMIT, SIZE_LIMIT, fetch
from milepost.server.access.credentials.token_store import TokenStore
from milepost.server.base.clock import SystemClock
from tests.support.authority import Authority
from tests.support.rpc import eventually
from tests.support.token_files import Tokens
from tests.unit.server.access.signed_tokens import public_key

Answer: TypeAlias = "Callable[[socket.socket, str], None]"
"""Answers the request for a path over a connection, which is closed afterwards."""


class Source:
    """A server of one connection after the other, over TLS with a context; ``paths`` are those that were asked for."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.paths: list[str] = []
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection, suppress(OSError):  # the client has left
                self._serve_one(connection)

    def _serve_one(self, connection: socket.socket) -> None:
        if self._tls is not None:
            with self._tls.wrap_socket(connection, server_side=True) as encrypted:
                self._respond(encrypted)
        else:
            self._respond(connection)

    def _respond(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                return
            request += received
        path = request.split()[1].decode()
        self.paths.append(path)
        self._answer(connection, path)

    def close(self) -> None:
        """Stop serving."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Source]]:
    """Starts sources."""
    started: list[Source] = []

    def start(answer: Answer, tls: ssl.SSLContext | None = None) -> Source:
        started.append(Source(answer, tls))
        return started[-1]

    yield start
    for source in started:
        source.close()


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The context of a source whose authority this process trusts."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue("127.0.0.1").configure_cert(context)
    return context


def respond(connection: socket.socket, body: bytes, status: str = "200 OK", *headers: str) -> None:
    """Send a response."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])
    connection.sendall(head.encode() + body)


def redirect(to: str) -> Answer:
    """Answer with a redirect."""
    return lambda connection, _: respond(connection, b"", "302 Found", f"Location: {to}")


def trickle(connection: socket.socket, beginning: bytes) -> None:
    """Send something, and then one byte after the other until the client leaves."""
    connection.sendall(beginning)
    pause = threading.Event()
    while True:
        connection.sendall(b"x")
        pause.wait(0.01)


def test_what_is_there_is_fetched(serve: Callable[..., Source], tls: ssl.SSLContext) -> None:
    """Over TLS, and from where a redirect leads."""
    end = serve(lambda connection, _: respond(connection, b"keys"), tls)
    begin = serve(redirect(f"{end.url}/b"))
    assert fetch(f"{begin.url}/a") == b"keys"
    assert begin.paths + end.paths == ["/a", "/b"]


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["status", "header", "body"],
)
def test_an_answer_that_trickles(serve: Callable[..., Source], beginning: bytes) -> None:
    """The time is that of the whole fetch, though a byte comes again and again."""
    source = serve(lambda connection, _: trickle(connection, beginning))
    with pytest.raises(TimeoutError, match=r"no complete answer within 0\.2 s"):
        fetch(source.url, 0.2)


def test_an_answer_without_its_end(serve: Callable[..., Source]) -> None:
    """An answer whose length is unknown is not taken for whole because the time is over."""
    source = serve(lambda connection, _: trickle(connection, b"HTTP/1.0 200 OK\r\n\r\n"))
    with pytest.raises(TimeoutError, match="no complete answer"):
        fetch(source.url, 0.2)


def test_a_handshake_that_trickles() -> None:
    """The time is that of the handshake, too."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            trickle(connection, b"\x16\x03\x03\x40\x00")  # a record of 16 KiB

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    with listener, pytest.raises(TimeoutError, match="no complete answer"):
        fetch(f"https://127.0.0.1:{listener.getsockname()[1]}", 0.2)
    thread.join()


def test_an_endless_answer(serve: Callable[..., Source]) -> None:
    """No more is read than a key set may have."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    source = serve(answer)
    with pytest.raises(ValueError, match=f"over {SIZE_LIMIT:,} bytes"):
        fetch(source.url)


def test_a_redirect_to_plain_http(serve: Callable[..., Source], tls: ssl.SSLContext) -> None:
    """It is not followed, wherever it leads: whoever sits in between could replace the keys."""
    plain = serve(lambda connection, _: respond(connection, b"keys"))
    for target in (plain.url, "ftp://127.0.0.1/keys", "file:///etc/passwd"):
        source = serve(redirect(target), tls)
        with pytest.raises(OSError, match=r"is not https|is not allowed"):
            fetch(source.url)
    assert plain.paths == []


def test_redirects_without_end(serve: Callable[..., Source], tls: ssl.SSLContext) -> None:
    """A few are followed."""
    source = serve(lambda connection, path: respond(connection, b"", "302 Found", f"Location: {path}x"), tls)
    with pytest.raises(OSError, match="redirect"):
        fetch(f"{source.url}/")
    assert len(source.paths) == REDIRECT_LIMIT + 1


def test_a_server_of_another_name(serve: Callable[..., Source], tls: ssl.SSLContext) -> None:
    """Its certificate is verified."""
    source = serve(lambda connection, _: respond(connection, b"keys"), tls)
    with pytest.raises(OSError, match="certificate verify failed"):
        fetch(source.url.replace("127.0.0.1", "localhost"))


async def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """The bound is that of a key set, wherever it is."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [public_key("ES256")], "x": " " * SIZE_LIMIT}))
    keys = KeySet(str(path))
    await keys.refresh()
    assert await keys.key("ES256", "ES256") is None


async def test_a_source_that_does_not_answer(serve: Callable[..., Source], tmp_path: Path) -> None:
    """Nobody waits for it to know what was revoked, and the keys that it has sent before stay in force."""
    now, silent = [0.0], threading.Event()
    released = threading.Event()

    def answer(connection: socket.socket, _: str) -> None:
        if silent.is_set():
            released.wait()
        respond(connection, json.dumps({"keys": [public_key("ES256")]}).encode())

    source = serve(answer)
    keys = KeySet(source.url, lambda: now[0])
    known = Tokens(tmp_path / "tokens.toml")
    token = known.add("alice", ["team-a"], "read")
    jwts = JwtTokens(keys, "https://issuer.test", "milepost", ClaimNames(), SystemClock())
    authenticator = Authenticator(SystemClock(), TokenStore(known.path), jwts)
    await authenticator.start()
    principal = await authenticator.authenticate([("authorization", f"Bearer {token}")])
    silent.set()

    async def asked() -> bool:
        return len(source.paths) == 2

    try:
        with capture_logs() as logs:
            for _ in range(3):
                now[0] += jwks.REFRESH_INTERVAL
                await authenticator.refresh()
            await eventually(asked)
            known.remove("alice")
            await authenticator.refresh()
        # It has not been given up yet, so nobody has waited for it.
        assert [line["event"] for line in logs] == ["token file reloaded"]
        with pytest.raises(Exception, match="TOKEN_EXPIRED"):
            authenticator.check(principal)
        assert len(source.paths) == 2
        found = await keys.key("ES256", "ES256")
        assert found is not None
        assert keys.has(found.fingerprint)
    finally:
        released.set()
    await keys.refresh(force=True)  # the same fetch
    assert len(source.paths) == 2
