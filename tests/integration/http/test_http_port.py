"""The port of HTTP: what a client may hold of it, its certificate, and what the server refuses to start with."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from click.testing import CliRunner
from structlog.testing import capture_logs

from milepost.server.cli.serve import serve
from milepost.server.runtime.http_server import bounded_protocol
from milepost.server.runtime.http_server.bounded_protocol import HEADER_SIZE, ConnectionCount
from milepost.server.runtime.server import Server
from tests.support.authority import Authority, ServerFiles
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.http_watch import http_client
from tests.support.ports import free_port
from tests.support.rotating import until
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens

REQUEST = b"GET /v1/whoami HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the port."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes the connection, however it does."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


# --- Bounds -------------------------------------------------------------------------------------------------------


async def test_endless_headers_are_refused(web_server: ServerProcess) -> None:
    """They are refused beyond a bound, in one field or in many; the connection ends."""
    for headers in (b"X: " + b"y" * HEADER_SIZE, b"X: y\r\n" * (HEADER_SIZE // 6 + 1)):
        async with connection(web_server.url) as (reader, writer):
            writer.write(REQUEST[:-2] + headers)
            assert (await read_to_end(reader)).startswith(b"HTTP/1.1 431 ")


async def test_bytes_after_the_headers_are_not_counted_as_headers(web_server: ServerProcess) -> None:
    """What comes with the end of the headers does not count as one."""
    body = json.dumps({"kind": "x", "input": {"a": "b" * 2 * HEADER_SIZE}}).encode()
    head = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with connection(web_server.url) as (reader, writer):
        for _ in range(2):
            writer.write(head + body)
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(headers.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert json.loads(await reader.readexactly(length))["job"]["kind"] == "x"


async def test_incomplete_headers_time_out(memory_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection ends without a request, and with a part of one; that of the second request, too."""
    for before, begun in ((b"", b""), (b"", REQUEST[:20]), (REQUEST, REQUEST[:20])):
        # The first request has the time of a busy machine: it is to be answered.
        monkeypatch.setattr(bounded_protocol, "HEADER_TIMEOUT", 120.0 if before else 0.2)
        async with connection(memory_server.http) as (reader, writer):
            if before:
                writer.write(before)
                await reader.readuntil(b"}\n")
                monkeypatch.setattr(bounded_protocol, "HEADER_TIMEOUT", 0.2)
            writer.write(begun)
            assert await read_to_end(reader) == b""


@pytest.mark.parametrize("begin", [b"CONNECT evil.test:443", b"GET http://a:99999999/"])
async def test_a_target_that_cannot_be_read(web_server: ServerProcess, begin: bytes) -> None:
    """The request is malformed, as the first one of its connection and as a later one."""
    malformed = begin + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for before in (b"", REQUEST):
        async with connection(web_server.url) as (reader, writer):
            if before:
                writer.write(before)
                await reader.readuntil(b"}")
            writer.write(malformed)
            assert b"HTTP/1.1 400 Bad Request" in await read_to_end(reader)
    assert '"error"' not in web_server.log_path.read_text()


async def test_pipelined_requests(web_server: ServerProcess) -> None:
    """The connection ends: the client of a stream would leave unnoticed behind a request that waits for it."""
    async with connect(web_server.address) as rpc:
        job = await rpc.submit()
    path = f"/v1/jobs/{job.job_id}:watch".encode()
    async with connection(web_server.url) as (reader, writer):
        writer.write(REQUEST.replace(b"/v1/whoami", path))
        await reader.readuntil(b"event: caught_up")
        writer.write(REQUEST)
        assert b"whoami" not in await read_to_end(reader)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/jobs", "json"), ("/milepost.v1.JobService/SubmitJob", "proto")],
    ids=["rest", "connect"],
)
async def test_a_client_that_leaves_within_its_body(memory_server: Server, path: str, kind: str) -> None:
    """The call is recorded as cancelled, and is no failure of the server."""
    assert memory_server.http is not None
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/{kind}\r\nContent-Length: 9\r\n\r\n"
    with capture_logs() as lines:
        async with connection(memory_server.http) as (_, writer):
            writer.write(head.encode() + b"{")
            await until(lambda: memory_server.call_count == 1)
        await until(lambda: len(lines) == 1)
    assert [(line["event"], line["code"]) for line in lines] == [("call", "CANCELLED")]


async def test_a_body_that_is_too_long_is_refused_before_it_comes(web_server: ServerProcess) -> None:
    """A client that asks before it sends is not told to go on."""
    async with connection(web_server.url) as (reader, writer):
        writer.write(
            b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n"
        )
        assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
        assert b'"reason":"TOO_LARGE"' in await reader.readuntil(b"}\n")


async def test_long_queries(web_server: ServerProcess) -> None:
    """They are refused: as a field that is too long, as too many of them, or as a head that is too large."""
    for query, code in (
        (b"filter.owner=" + b"y" * 20_000, b"413"),
        (b"&".join(b"filter.kinds=k%d" % number for number in range(1_500)), b"413"),
        (b"filter.owner=" + b"y" * 2 * HEADER_SIZE, b"431"),
    ):
        async with connection(web_server.url) as (reader, writer):
            writer.write(REQUEST.replace(b"whoami", b"jobs?" + query))
            assert (await reader.readline())[9:12] == code


async def test_a_client_that_asks_before_it_sends(web_server: ServerProcess) -> None:
    """It is told to go on, and then served."""
    async with connection(web_server.url) as (reader, writer):
        writer.write(
            b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n"
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b'{"kind":"x"}')
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"


async def test_a_client_that_sends_no_more(memory_server: Server) -> None:
    """It gets what it has asked for, of any length, and then the connection ends (`printf … | nc -N`)."""
    async with connect(memory_server.address) as rpc:
        job = await rpc.submit(input={"a": "x" * 1_000_000})
    post = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 12\r\n\r\n"
    for request, end in (
        (REQUEST, b"}\n"),
        (post + b'{"kind":"x"}', b"}\n"),
        (REQUEST.replace(b"whoami", b"jobs/" + job.job_id.encode()), b"}\n"),
        (REQUEST.replace(b"/v1/whoami", b"/nothing"), b"}\n"),
        (REQUEST.replace(b"/v1/whoami HTTP/1.1", b"/v1/whoami HTTP/1.0"), b"}\n"),
        (post + b"{", b""),
        (REQUEST[:20], b""),
    ):
        async with connection(memory_server.http) as (reader, writer):
            writer.write(request)
            writer.write_eof()
            assert (await read_to_end(reader))[-2:] == end


@pytest.mark.parametrize("begins", [True, False], ids=["begun", "not yet begun"])
async def test_the_reader_of_a_stream_that_sends_no_more(
    memory_server: Server, monkeypatch: pytest.MonkeyPatch, begins: bool
) -> None:
    """It has left, as far as anybody can tell: the stream ends, also one that begins only then."""
    monkeypatch.setattr(bounded_protocol, "FINAL_RESPONSE_TIMEOUT", 60.0 if begins else 0.1)
    async with connect(memory_server.address) as rpc:
        job = await rpc.submit()
    async with connection(memory_server.http) as (reader, writer):
        writer.write(REQUEST.replace(b"/v1/whoami", f"/v1/jobs/{job.job_id}:watch".encode()))
        if begins:
            await reader.readuntil(b"event: caught_up")
        writer.write_eof()
        assert b"event: end" not in await read_to_end(reader)


def test_connections_are_counted() -> None:
    """In all, and by host, of which one has half."""
    count = ConnectionCount(4)
    assert [count.admit(host) for host in ("a", "a", "a", "b", "b", "c")] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    count.release("a")
    assert [count.admit(host) for host in ("c", "a")] == [True, False]


async def test_too_many_connections(memory_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is closed at once, which EventSource takes for a cut; and once another one has ended it is served."""
    monkeypatch.setattr(
        ConnectionCount, "admit", lambda self, host: self._hosts.update([host]) or self._hosts[host] <= 2
    )
    async with connection(memory_server.http) as first, connection(memory_server.http) as second:
        for reader, writer in (first, second):
            writer.write(REQUEST)
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        async with connection(memory_server.http) as (reader, writer):
            writer.write(REQUEST)
            assert await read_to_end(reader) == b""


# --- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority() -> Authority:
    """The authority of the server's certificate."""
    return Authority()


def trusting(authority: Authority, shown: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """What a client trusts, and shows."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    if shown is not None:
        shown.configure_cert(context)
    return context


async def test_https(tmp_path: Path, authority: Authority, forkery: Forkery) -> None:
    """With a certificate HTTP is HTTPS; what replaces its files is what the next connection gets."""
    files = ServerFiles(tmp_path, authority)
    with ServerProcess(tmp_path / "data", *files.options, forkery=forkery, http=True) as server:
        assert server.url.startswith("https://127.0.0.1:")

        async def serial() -> bytes:
            host, _, port = server.url.removeprefix("https://").rpartition(":")
            _, writer = await asyncio.open_connection(host, int(port), ssl=trusting(authority))
            certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
            return certificate

        async with http_client(server.url, verify=trusting(authority)) as web:
            assert (await web.get("/v1/whoami")).json()["subject"] == "anonymous"
            with pytest.raises(httpx.ConnectError):
                await http_get(server.url, trusting(Authority()))
            before = await serial()
            files.renew(authority)
            after = await serial()
            assert before != after
            assert (await web.get("/v1/whoami")).status_code == 200
        files.certificate.write_text("no certificate")
        assert await serial() == after


async def http_get(url: str, context: ssl.SSLContext) -> httpx.Response:
    """Ask once, over a connection of its own."""
    async with http_client(url, verify=context) as web:
        return await web.get("/v1/whoami")


async def test_certificates_of_clients(tmp_path: Path, authority: Authority, forkery: Forkery) -> None:
    """Where gRPC demands one, HTTP does; it is the credential that the token file knows by its name."""
    clients = Authority()
    files = ServerFiles(tmp_path, authority, clients)
    tokens = Tokens(tmp_path / "tokens.toml")
    tokens.entries["page"] = (
        '[[certificate]]\nid = "page"\nsan = "page.test"\nsubject = "page"\nowners = ["*"]\nscopes = ["read"]\n'
    )
    tokens.write()
    options = (*files.options, "--tokens", str(tokens.path))
    with ServerProcess(tmp_path / "data", *options, forkery=forkery, http=True) as server:
        known = await http_get(server.url, trusting(authority, clients.issue("page.test")))
        unknown = await http_get(server.url, trusting(authority, clients.issue("other.test")))
        assert (known.json()["subject"], unknown.status_code) == ("page", 401)
        with pytest.raises(httpx.TransportError):
            await http_get(server.url, trusting(authority))


# --- Start and stop -----------------------------------------------------------------------------------------------


@pytest.fixture
def taken(memory_server: Server) -> str:
    """An address that is in use."""
    return memory_server.http.removeprefix("http://")


@pytest.mark.parametrize("on_nats", [False, True])
async def test_a_port_in_use(tmp_path: Path, taken: str, on_nats: bool) -> None:
    """The server says so in one line, and what to do; it does so before it waits for NATS."""
    store = ["--store", f"nats://127.0.0.1:{free_port()}"] if on_nats else []
    outcome = await milepost(
        "serve", "--address", "127.0.0.1:0", "--http", taken, "--data", tmp_path / "data", *store
    )

    expected = (
        f"Error: Cannot listen on '{taken}': the address is in use. "
        "Name another one with --http; port 0 takes a free one, and off serves no HTTP.\n"
    )
    last_line = outcome.err.splitlines(keepends=True)[-1]  # a log line about NATS may come before
    assert (outcome.status, outcome.out, last_line) == (2, "", expected)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("0.0.0.0:0", "can be reached from other machines, and no credentials are configured"),
        ("127.0.0.1", "is not host:port"),
        ("127.0.0.1:99999", "is not host:port"),
        ("a..b:0", "the host cannot be resolved. Name another one with --http"),
        ("203.0.113.1:0", "can be reached from other machines"),
    ],
)
def test_addresses_that_are_refused(tmp_path: Path, address: str, said: str) -> None:
    """HTTP is as open as gRPC: on loopback only, unless there are credentials, or anybody may do everything."""
    arguments = ["--address", "127.0.0.1:0", "--http", address, "--data", str(tmp_path / "data")]
    outcome = CliRunner(env={"MILEPOST_ALLOW_ANONYMOUS": None}).invoke(serve, arguments)

    assert outcome.exit_code > 0
    assert said in " ".join(outcome.stderr.split())
    assert not (tmp_path / "data").exists()


async def test_a_server_that_stops_with_a_client_that_does_not_read(tmp_path: Path, forkery: Forkery) -> None:
    """It ends all the same, with 0."""
    with ServerProcess(tmp_path / "data", forkery=forkery, http=True) as server:
        async with connect(server.address) as rpc, connection(server.url) as (_, writer):
            job = await rpc.submit()
            writer.write(REQUEST.replace(b"/v1/whoami", f"/v1/jobs/{job.job_id}:watch".encode()))

            async def is_open() -> bool:
                return any(line["event"] == "call" for line in server.log())

            await eventually(is_open)
            assert await asyncio.to_thread(server.stop) == 0
