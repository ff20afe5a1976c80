"""The calls that README.md and docs/http.md show are there, and do what is said of them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.http_watch import http_client
from tests.support.rpc import connect
from tests.support.server import ServerProcess

ROOT = Path(__file__).parents[3]

CALLS = [
    (document, line)
    for document in ("README.md", "docs/http.md")
    for line in re.findall(r"^\$ (?:EPOCH=\$\()?(curl [^|\n]*)", (ROOT / document).read_text(), re.MULTILINE)
]


def test_the_docs_have_curl_examples() -> None:
    """REST and streams: both show how to watch, and how to resume."""
    for document in ("README.md", "docs/http.md"):
        lines = [line for found, line in CALLS if found == document]
        assert any(":watch" in line for line in lines)
        assert any("Last-Event-ID" in line for line in lines)


@pytest.mark.parametrize(("document", "line"), CALLS)
async def test_curl_examples_succeed(web_server: ServerProcess, document: str, line: str) -> None:
    """Each is answered with 200, and a stream begins with ``opened``."""
    async with connect(web_server.address) as rpc, http_client(web_server.url) as web:
        job = await rpc.submit()
        await rpc.cancel(job.job_id)
        line = re.sub(r"jobs/(J|nightly-7)\b", f"jobs/{job.job_id}", line)
        line = re.sub(r"(\$EPOCH|\b[0-9a-f]{32}\.[0-9a-f]{16}):\d", f"{job.epoch}:2", line)
        arguments = shlex.split(line)[1:]
        verb, headers, body, url = "GET", {}, None, ""
        while arguments:
            match arguments.pop(0):
                case "-H":
                    name, _, value = arguments.pop(0).partition(": ")
                    headers[name] = value
                case "-X":
                    verb = arguments.pop(0)
                case "-d":
                    body = arguments.pop(0)
                case "-N" | "-s":
                    pass
                case url:
                    assert url.startswith("http://127.0.0.1:7080/")
        path = url.removeprefix("http://127.0.0.1:7080")
        async with web.stream(verb, path, headers=headers, content=body) as response:
            assert response.status_code == 200
            if ":watch" not in path:
                assert (await response.aread()).startswith(b"{")
                return
            async for text in response.aiter_lines():
                if "opened" in text:
                    break
