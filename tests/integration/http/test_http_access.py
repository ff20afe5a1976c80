"""Principals over HTTP: every route with every kind of credential, and what their tokens leave behind."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import grpc.aio
import httpx
import pytest

from milepost.v1 import JobState, WhoAmIRequest
from milepost.web.app import web_app
from milepost.web.rest_routes import ROUTES
from milepost.web.security.browser_policy import BrowserPolicy
from milepost.web.service import METHODS, path_of
from tests.support.forking import Forkery
from tests.support.http_calls import OF_NO_JOB, Answer, bearer, by_connect, cookie, reason_in, rest
from tests.support.http_watch import http_client
from tests.support.rpc import connect, error_info, eventually, log_line
from tests.support.scripted_jobs import ScriptedJobs
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens

SCOPES: Final = {
    "SubmitJob": "submit",
    "CancelJob": "cancel",
    "DeleteJob": "cancel",
    "WhoAmI": "",
    "ListWorkers": "admin",
}
"""What a method needs, unless that is "read"."""

PUBLIC: Final = {
    *("/", "/jobs/{job_id}", "/assets/{name}", "/favicon.ico"),
    *("/v1", "/v1/", "/v1/openapi.json", "/v1/session:clear", "/docs"),
}
"""Routes that need no credential: pages and the like, which are the same for everyone, and the end of a session."""


class People(NamedTuple):
    """The tokens of a server's people."""

    alice: str
    """Does everything with the jobs of team-a."""
    reader: str
    """Reads them."""
    bob: str
    """Does everything with the jobs of team-b."""
    late: str
    """Was somebody."""
    operator: str
    """Administers the server, for all owners."""


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """The token file of the server."""
    return Tokens(tmp_path_factory.mktemp("tokens") / "tokens.toml")


@pytest.fixture(scope="module")
def people(tokens: Tokens) -> People:
    """Those whom the server knows."""
    return People(
        alice=tokens.add("alice", ["team-a"], "submit", "read", "cancel", "work"),
        reader=tokens.add("reader", ["team-a"], "read"),
        bob=tokens.add("bob", ["team-b"], "submit", "read", "cancel", "work"),
        late=tokens.add("late", ["team-a"], "submit", "read", "cancel", expires="2020-01-01"),
        operator=tokens.add("operator", ["*"], "admin"),
    )


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, forkery: Forkery, tokens: Tokens, people: People
) -> Iterator[ServerProcess]:
    """A server with these people, HTTP, and an audit log."""
    directory = tmp_path_factory.mktemp("access")
    options = ("--tokens", str(tokens.path), "--audit-log", str(directory / "audit"), "--log-level", "debug")
    with ServerProcess(directory / "data", *options, forkery=forkery, http=True) as started:
        yield started


@pytest.fixture
async def http(server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its HTTP that keeps no cookies."""
    async with http_client(server.url) as client:
        yield client


GOOD: Final = Answer(200, "")

WHO: Final = WhoAmIRequest()


def expected(method: str, who: str) -> Answer:
    """How a method answers somebody about a job of team-a."""
    if who in ("nobody", "unknown"):
        return Answer(401, "UNAUTHENTICATED")
    if who == "late":
        return Answer(401, "TOKEN_EXPIRED")
    if method == "ListWorkers" and who != "operator":
        return Answer(403, "PERMISSION_DENIED")
    if who == "reader" and SCOPES.get(method, "read") not in ("read", ""):
        return Answer(403, "PERMISSION_DENIED")
    if who == "bob" and method not in OF_NO_JOB:
        return Answer(404, "JOB_NOT_FOUND")
    return GOOD


def test_the_routes_are_known() -> None:
    """A route that is added has to be added to the tests of this module, too."""
    routes: list[Any] = web_app(ScriptedJobs(), BrowserPolicy(takes_cookies=True)).routes
    paths = {route.path for route in routes}
    connect_paths = set(map(path_of, METHODS))

    assert paths - connect_paths - PUBLIC == {
        "/v1/jobs",
        "/v1/jobs:watch",
        "/v1/jobs/{job_id:path}",
        "/v1/whoami",
        "/v1/kinds/{kind}/history",
        "/v1/workers",
        "/v1/session",
    }
    assert {route.method for route in ROUTES} == set(METHODS)


@pytest.mark.parametrize("who", ["nobody", "unknown", "late", "reader", "bob", "alice", "operator"])
async def test_every_route_with_every_credential(
    server: ServerProcess, http: httpx.AsyncClient, people: People, who: str
) -> None:
    """By REST, with the header and with the cookie, and by Connect: the same answer as the table has."""
    token = {**people._asdict(), "nobody": "", "unknown": "mp_" + "x" * 43}[who]
    async with connect(server.address, token=people.alice) as alice:
        for method in METHODS:
            for surface, call, headers in (
                ("header", rest, bearer(token)),
                ("cookie", rest, cookie(token)),
                ("connect", by_connect, bearer(token)),
                ("connect with cookie", by_connect, cookie(token)),
            ):
                job = await alice.submit()
                if method == "DeleteJob":
                    await alice.cancel(job.job_id, 0)
                answer = await call(http, method, job.job_id, headers)
                assert (method, surface, answer) == (method, surface, expected(method, who))


async def test_a_session_of_a_browser(http: httpx.AsyncClient, people: People) -> None:
    """The cookie that a token becomes is as good as the token; without one in force there is none."""
    begun = await http.post("/v1/session", headers=bearer(people.reader))
    match = re.fullmatch(r"__Host-milepost=(\S+); .*", begun.headers["set-cookie"])
    assert match is not None
    http.cookies.clear()
    refused = {
        who: await http.post("/v1/session", headers=bearer(token))
        for who, token in {"nobody": "", "unknown": "mp_x", "late": people.late}.items()
    }

    assert (begun.status_code, begun.json()["subject"], begun.json()["scopes"]) == (200, "reader", ["read"])
    assert match[1] == people.reader
    assert {who: reason_in(response.json()["error"]) for who, response in refused.items()} == {
        "nobody": "UNAUTHENTICATED",
        "unknown": "UNAUTHENTICATED",
        "late": "TOKEN_EXPIRED",
    }
    assert not any("set-cookie" in response.headers for response in refused.values())
    assert [response.headers["www-authenticate"] for response in refused.values()] == [
        'Bearer realm="milepost"'
    ] * 3


async def test_what_is_revoked_ends_streams_of_browsers(
    server: ServerProcess, http: httpx.AsyncClient, tokens: Tokens, people: People
) -> None:
    """With TOKEN_EXPIRED, in server-sent events, in lines and by Connect; the cookie is refused from then on."""
    guest = tokens.add("guest", ["team-a"], "read")

    async def is_known() -> bool:
        return (await http.get("/v1/whoami", headers=bearer(guest))).status_code == 200

    await eventually(is_known)
    ended = [
        asyncio.create_task(http.get("/v1/jobs:watch", headers={**cookie(guest), "accept": accepted}))
        for accepted in ("text/event-stream", "application/x-ndjson")
    ]
    by_connect = {**bearer(guest), "content-type": "application/connect+json"}
    watch_jobs = http.post("/milepost.v1.JobService/WatchJobs", headers=by_connect, content=b"\0\0\0\0\2{}")
    ended.append(asyncio.create_task(watch_jobs))
    async with connect(server.address, token=guest) as watcher:

        async def watches() -> bool:
            limits = (await watcher.jobs.WhoAmI(WHO)).limits
            return [limit.used for limit in limits if limit.name == "watches"] == [3]

        await eventually(watches)
        tokens.remove("guest")
        bodies = [response.text for response in await asyncio.gather(*ended)]
    after = await http.get("/v1/jobs", headers=cookie(guest))

    assert ["TOKEN_EXPIRED" in body for body in bodies] == [True] * 3
    assert reason_in(after.json()["error"]) == "UNAUTHENTICATED"


@asynccontextmanager
async def never_reading(url: str, path: str, token: str) -> AsyncIterator[None]:
    """A request whose response the client has no room for."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((parts.hostname, parts.port))
        head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
        connection.sendall(head.encode())
        yield


async def test_what_is_revoked_ends_streams_that_nobody_reads(
    server: ServerProcess, http: httpx.AsyncClient, people: People
) -> None:
    """The server waits for room to write there, and lets go of them all the same, with what they hold."""
    async with (
        connect(server.address, token=people.alice) as alice,
        alice.session(kinds=[alice.kind]) as session,
    ):
        job_id = (await alice.submit()).job_id
        _, lease = await session.take()
        for number in range(10):
            lines = [log_line("x" * 4096) for _ in range(200)]
            await session.report(job_id, lease, 1 + 200 * number, *lines)
            await session.acknowledged(200 * (number + 1))
        shared = await http.post(f"/v1/jobs/{job_id}:share", headers=bearer(people.alice), json={})
        guest = shared.json()["token"]

        async def watches(count: int) -> bool:
            limits = (await alice.jobs.WhoAmI(WHO)).limits
            return [limit.used for limit in limits if limit.name == "watches"] == [count]

        async with (
            connect(server.address, token=guest) as watcher,
            never_reading(server.url, f"/v1/jobs/{job_id}:watch", guest),
            never_reading(server.url, "/v1/jobs:watch", guest),
        ):
            paused = watcher.watch(job_id)
            await eventually(lambda: watches(3))
            revoked = await http.post(f"/v1/jobs/{job_id}:revokeShares", headers=bearer(people.alice))
            await eventually(lambda: watches(0))
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                [frame async for frame in paused]
        assert revoked.status_code == 200
        assert error_info(ended.value).reason == "TOKEN_EXPIRED"


async def test_a_share_token_sees_one_job(
    server: ServerProcess, http: httpx.AsyncClient, people: People
) -> None:
    """In a browser as everywhere: the job and no other, to read and not to cancel; also as a cookie."""
    async with connect(server.address, token=people.alice) as alice:
        job, other = await alice.submit(), await alice.submit()
    shared = await http.post(f"/v1/jobs/{job.job_id}:share", headers=bearer(people.alice), json={})
    guest = shared.json()["token"]
    begun = await http.post("/v1/session", headers=bearer(guest))
    http.cookies.clear()

    assert begun.json()["jobId"] == job.job_id
    for headers in (bearer(guest), cookie(guest)):
        assert await rest(http, "GetJob", job.job_id, headers) == GOOD
        assert await rest(http, "WatchJob", job.job_id, headers) == GOOD
        assert await rest(http, "GetJob", other.job_id, headers) == Answer(404, "JOB_NOT_FOUND")
        assert await rest(http, "CancelJob", job.job_id, headers) == Answer(403, "PERMISSION_DENIED")
        listed = (await http.get("/v1/jobs", headers=headers)).json()["jobs"]
        assert [each["jobId"] for each in listed] == [job.job_id]


async def test_no_token_is_in_any_log(
    server: ServerProcess, http: httpx.AsyncClient, tokens: Tokens, people: People
) -> None:
    """Wherever a client puts it: in the header, in the cookie, in the address; refused and not."""
    unknown = "mp_" + "canary" * 7
    for token in (*people, unknown):
        for headers in (bearer(token), cookie(token)):
            await http.get("/v1/jobs", headers=headers)
            await http.post("/v1/session", headers=headers)
            await http.post("/v1/session:clear", headers={**headers, "sec-fetch-site": "cross-site"})
        await http.get("/v1/jobs", params={"access_token": token, "token": token})
        await http.get(f"/nothing/{token}", headers=bearer(token))
        await http.get("/v1/jobs", headers={"last-event-id": token, "referer": f"http://x/#{token}"})
        await http.post("/milepost.v1.JobService/GetJob", headers={"content-type": token})
    logs = server.log_path.read_text() + (server.data.parent / "audit").read_text()

    assert logs.count('"subject": "alice"') + logs.count('"subject":"alice"') > 0
    assert [token for token in (*tokens.secrets, unknown) if token in logs] == []


async def test_what_other_sites_ask_for_is_recorded(
    server: ServerProcess, http: httpx.AsyncClient, people: People
) -> None:
    """A forged request does nothing, and the audit log says that there was one."""
    async with connect(server.address, token=people.alice) as alice:
        job = await alice.submit()
        headers = {**cookie(people.alice), "origin": "https://evil.test", "sec-fetch-site": "cross-site"}
        answers = [await call(http, "CancelJob", job.job_id, headers) for call in (rest, by_connect)]
        state = (await alice.get(job.job_id)).state

    lines = [json.loads(line) for line in (server.data.parent / "audit").read_text().splitlines()]
    forged = [line for line in lines if line["action"] == "POST"]
    assert answers == [Answer(403, "PERMISSION_DENIED")] * 2
    assert state == JobState.JOB_STATE_QUEUED
    assert [(line["subject"], line["outcome"]) for line in forged[-2:]] == [
        ("anonymous", "PERMISSION_DENIED")
    ] * 2
