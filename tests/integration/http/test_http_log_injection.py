"""Whatever a request over HTTP has in its line, headers and ids, it forges no line of a log and steers no terminal."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

from milepost.web.service import METHODS, path_of
from tests.support.command import shown_server
from tests.support.forking import Forkery
from tests.support.hostile import HOSTILE, obeyed
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens

FORGED: Final = 'x", "outcome": "OK", "subject": "intruder'
LINE: Final = '\r\n{"event": "call", "subject": "intruder"}\n'
TEXTS: Final = (FORGED, LINE, "\x1b[2K\x1b]0;intruder\x07", "\u2028\x85\x9b2K", HOSTILE)

HEADERS: Final = (
    *("User-Agent", "Origin", "Referer", "Cookie", "Authorization", "Last-Event-ID", "Accept"),
    *("Content-Type", "Sec-Fetch-Site", "X-Forwarded-For", "X-Request-Id", "Forwarded", "Host"),
)

PATHS: Final = (
    *(
        "/v1/jobs/{}",
        "/v1/jobs/{}:watch",
        "/jobs/{}",
        "/assets/{}",
        "/nothing/{}",
        "/{}",
        "/v1/kinds/{}/history",
    ),
    *("/milepost.v1.JobService/{}", "/v1/whoami?{}", "/v1/jobs?filter.owner={}", "/v1/jobs?{}=1"),
    *("/v1/jobs?page_token={}", "/v1/jobs?filter.labels.{}=1", "/v1/workers?kind={}"),
)
POSTED: Final = ("/v1/jobs/{}:cancel", "/v1/jobs/{}:share", "/v1/jobs", "/v1/session", "/{}")
BODIES: Final = ("jobId", "owner", "kind", "requestId", "parentJobId")


FIELDS: Final = {
    *("event", "level", "timestamp", "method", "peer", "code", "reason", "seconds", "subject", "job_id"),
}
"""What a line about a call has at most."""


def requests(token: str) -> Iterator[bytes]:
    """Requests with a hostile text in one place each, as it is and escaped."""
    known = f"Authorization: Bearer {token}\r\nConnection: close\r\n".encode()
    for text in TEXTS:
        raw = text.encode()
        for credential in (known, b"Connection: close\r\n"):
            for name in HEADERS:
                host = b"" if name == "Host" else b"Host: 127.0.0.1\r\n"
                for verb in (b"GET", b"POST"):
                    head = verb + b" /v1/jobs HTTP/1.1\r\n" + host + credential
                    yield head + name.encode() + b": " + raw + b"\r\nContent-Length: 0\r\n\r\n"
            for verb, paths in ((b"GET", PATHS), (b"POST", POSTED), (b"DELETE", PATHS[:1])):
                rest = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n" + credential + b"\r\n"
                for path in paths:
                    yield verb + b" " + path.format(quote(text, safe="")).encode() + rest
                    yield verb + b" " + path.encode().replace(b"{}", raw) + rest
        for verb in (b"POST", b"DELETE", b"PROPFIND", raw):
            yield verb + b" /" + raw + b" HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site\r\n\r\n"
        yield raw + b" /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for field in BODIES:
            body = json.dumps({"kind": "k", field: text}).encode()
            head = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n" + known
            yield head + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def send_all(address: str, token: str) -> int:
    """Send all requests; return how many were answered."""
    host, _, port = address.rpartition(":")
    room = asyncio.Semaphore(8)

    async def send(request: bytes) -> bool:
        async with room:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer.startswith(b"HTTP/1.1 ")

    async with asyncio.timeout(120):
        answered = await asyncio.gather(*map(send, requests(token)))
    return sum(answered)


@pytest.fixture
def known(tmp_path: Path) -> Tokens:
    """The tokens that the server knows."""
    return Tokens(tmp_path / "tokens.toml")


async def test_lines(tmp_path: Path, forkery: Forkery, known: Tokens) -> None:
    """Each line is one object with the fields of its kind, in which nothing of the requests is, in both logs."""
    token = known.add("alice", ["*"], "submit", "read", "cancel", "admin")
    audit = tmp_path / "audit.jsonl"
    options = ("--tokens", str(known.path), "--audit-log", str(audit), "--log-level", "debug")
    with ServerProcess(tmp_path / "data", *options, forkery=forkery, http=True) as server:
        answered = await send_all(server.url.removeprefix("http://"), token)
        texts = (server.log_path.read_text(), audit.read_text())

    assert answered > 300
    for text in texts:
        assert obeyed(text) == []
        assert "intruder" not in text
        lines = [json.loads(line) for line in text.splitlines()]
        assert len([line for line in lines if line.get("subject") == "alice"]) > 60
        assert {line["subject"] for line in lines if "subject" in line} <= {"alice", "anonymous"}
    calls = [line for line in map(json.loads, texts[0].splitlines()) if line["event"] == "call"]
    paths = set(map(path_of, METHODS)) | {"/http/POST", "/http/DELETE"}
    assert {call["method"] for call in calls} <= paths
    assert {field for call in calls for field in call} <= FIELDS


@pytest.mark.nightly
async def test_on_a_terminal(tmp_path: Path, known: Tokens) -> None:
    """Each line begins as lines of this log do, and the terminal obeys none of it."""
    token = known.add("alice", ["*"], "submit", "read", "cancel", "admin")
    options: list[str | Path] = ["--tokens", known.path, "--data", tmp_path / "data", "--log-level", "debug"]
    async with shown_server("--http", "--address", "127.0.0.1:0", *options, columns=1000) as (shown, address):
        # The line of a server that is ready.
        await shown.shows(lambda text: f'"http://{address}"}}' in text)
        begun = len(shown.raw)
        assert await send_all(address, token) > 300
        await shown.shows(lambda text: text.count("SubmitJob") >= 1)
        raw = shown.raw

    assert obeyed(raw, drawn=True) == []
    lines = re.sub(r"\x1b\[[0-9;]*m", "", raw[begun:]).splitlines()
    odd = [line for line in lines if line and not re.match(r"\d\d:\d\d:\d\d ", line)]
    assert odd == []
