"""Sessions of browsers, and whose pages may make which requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from google.rpc import code_pb2
from starlette.datastructures import Headers

from milepost.v1 import WhoAmIResponse
from milepost.web.app import web_app
from milepost.web.http_errors import service_error
from milepost.web.security.browser_policy import BrowserPolicy
from milepost.web.security.session_cookie import COOKIE, token_of
from tests.support.app_server import serving
from tests.support.http_watch import http_client
from tests.support.scripted_jobs import ScriptedJobs

FOREIGN = {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}
APP = "https://app.example.com"


@asynccontextmanager
async def client_of(jobs: ScriptedJobs, policy: BrowserPolicy) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the backend with the policy; yield a client that keeps no cookies."""
    async with (
        serving(web_app(jobs, policy)) as url,
        http_client(url) as client,
    ):
        yield client


def bearer(token: str) -> dict[str, str]:
    """The header with a token."""
    return {"authorization": f"Bearer {token}"}


def cookie(token: str) -> dict[str, str]:
    """The header with a session's cookie, among others."""
    return {"cookie": f"theme=dark; __Host-milepost={token}; a=b"}


async def test_a_token_becomes_a_cookie() -> None:
    """Which no script reads, no other host sets, and no other site's page sends; the answer says who it is."""
    jobs = ScriptedJobs(WhoAmIResponse(subject="ann"))
    async with client_of(jobs, BrowserPolicy(takes_cookies=True)) as client:
        begun = await client.post("/v1/session", headers=bearer("mp_secret"))
        ended = await client.post("/v1/session:clear", headers=cookie("mp_secret"))
        await client.get("/v1/jobs", headers=cookie("mp_secret"))
        await client.get("/v1/jobs", headers={**cookie("mp_secret"), **bearer("mp_other")})

    assert (begun.status_code, begun.json()) == (200, {"subject": "ann"})
    assert begun.headers["set-cookie"] == (
        "__Host-milepost=mp_secret; Path=/; Secure; HttpOnly; SameSite=Strict"
    )
    assert (ended.status_code, ended.content) == (204, b"")
    assert ended.headers["set-cookie"] == (
        "__Host-milepost=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
    )
    assert begun.headers["cache-control"] == ended.headers["cache-control"] == "no-store"
    # The header goes before the cookie.
    assert [caller.authorization for caller in jobs.callers] == [
        "Bearer mp_secret",
        "Bearer mp_secret",
        "Bearer mp_other",
    ]


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({}, 401, "UNAUTHENTICATED"),
        ({"authorization": "Basic YTpi"}, 401, "UNAUTHENTICATED"),
        (cookie("mp_secret"), 401, "UNAUTHENTICATED"),
        (bearer("x" * 3801), 400, "INVALID_FIELD"),
        (bearer('a"; Domain=evil.test'), 400, "INVALID_FIELD"),
    ],
)
async def test_what_begins_no_session(headers: dict[str, str], status: int, reason: str) -> None:
    """No token, or one that a cookie cannot hold."""
    async with client_of(ScriptedJobs(), BrowserPolicy(takes_cookies=True)) as client:
        response = await client.post("/v1/session", headers=headers)

    assert (response.status_code, response.json()["error"]["details"][0]["reason"]) == (status, reason)
    assert "set-cookie" not in response.headers


async def test_a_token_that_is_not_in_force_begins_no_session() -> None:
    """The refusal is that of any call."""
    error = service_error(code_pb2.UNAUTHENTICATED, "It has expired.", reason="TOKEN_EXPIRED")
    async with client_of(ScriptedJobs(error=error), BrowserPolicy(takes_cookies=True)) as client:
        response = await client.post("/v1/session", headers=bearer("mp_old"))

    assert (response.status_code, response.json()["error"]["details"][0]["reason"]) == (401, "TOKEN_EXPIRED")
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (f"a=b;{COOKIE}=mp_x ; c", "mp_x"),
        (f"\xa0{COOKIE}=mp_evil; {COOKIE}=mp_x", "mp_x"),
        (f"{COOKIE}=mp_x; \x85{COOKIE}=mp_evil; \x0c{COOKIE}=mp_evil", "mp_x"),
        (f"a{COOKIE}=mp_evil; {COOKIE.lower()}=mp_evil", ""),
        (COOKIE, ""),
    ],
)
def test_the_name_of_the_cookie(header: str, token: str) -> None:
    """No other host can set a cookie that counts as it: a name is another one with anything before it but blanks."""
    assert token_of(Headers({"cookie": header})) == token


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([f"{COOKIE}=mp_x; {COOKIE}=mp_y"], "mp_x, mp_y"),
        ([f"{COOKIE}=mp_x", f"{COOKIE}=mp_y"], "mp_x, mp_y"),
        (["a=b", f"{COOKIE}=mp_x"], "mp_x"),
    ],
)
def test_repeated_cookies(headers: list[str], token: str) -> None:
    """Two sessions are none, whichever of them a proxy has looked at; other cookies may have headers of their own."""
    assert token_of(Headers(raw=[(b"cookie", each.encode()) for each in headers])) == token


async def test_pages_of_other_sites_change_nothing() -> None:
    """With what the browser adds by itself; with a token of their own they may, since CORS guards that header."""
    jobs = ScriptedJobs()
    binary = {"content-type": "application/proto"}
    async with client_of(jobs, BrowserPolicy(takes_cookies=True)) as client:
        refused = [
            await client.post("/v1/jobs/j:cancel", headers={**FOREIGN, **cookie("mp_secret")}),
            await client.post("/v1/jobs", content=b"{}", headers=FOREIGN),
            await client.delete("/v1/jobs/j", headers=FOREIGN),
            await client.delete(
                "/v1/jobs/j", headers={**FOREIGN, **cookie("mp_secret"), "authorization": ""}
            ),
            await client.post("/v1/session:clear", headers={**FOREIGN, **cookie("mp_secret")}),
            await client.post("/milepost.v1.JobService/CancelJob", headers={**FOREIGN, **binary}),
        ]
        assert jobs.requests == []
        allowed = [
            await client.post("/v1/jobs/j:cancel", headers={"sec-fetch-site": "same-origin"}),
            await client.post("/v1/jobs/j:cancel", headers={**FOREIGN, **bearer("mp_own")}),
            await client.post("/v1/jobs/j:cancel"),
            # What it reads the browser keeps from the page.
            await client.get("/v1/jobs/j", headers=FOREIGN),
        ]

    assert [response.status_code for response in refused] == [403] * 6
    assert "--http-allow-origin" in refused[0].json()["error"]["message"]
    assert refused[-1].json()["code"] == "permission_denied"
    assert [response.status_code for response in allowed] == [200] * 4
    assert not any("access-control-allow-origin" in response.headers for response in allowed)


async def test_cors_allows_the_origins_of_the_list() -> None:
    """They read responses, and may send cookies; others get no such header, and no preflight."""
    policy = BrowserPolicy.of([APP], None, takes_cookies=True)
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    async with client_of(ScriptedJobs(), policy) as client:
        preflight = await client.options("/v1/jobs", headers={"origin": APP, **asked})
        refused = await client.options("/v1/jobs", headers={"origin": "https://evil.test", **asked})
        app = await client.post("/v1/jobs/j:cancel", headers={**FOREIGN, "origin": APP})
        other = await client.get("/v1/jobs", headers=FOREIGN)

    assert (preflight.status_code, refused.status_code) == (200, 400)
    assert preflight.headers["access-control-allow-origin"] == APP
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert (app.status_code, app.headers["access-control-allow-origin"]) == (200, APP)
    assert "Origin" in app.headers["vary"]
    assert "access-control-allow-origin" not in other.headers


async def test_any_origin_gets_no_cookies() -> None:
    """A page of any site may call with a token of its own, and with nothing that the browser adds."""
    jobs = ScriptedJobs()
    async with client_of(jobs, BrowserPolicy.of(["*"], None, takes_cookies=True)) as client:
        with_cookie = await client.post("/v1/jobs/j:cancel", headers={**FOREIGN, **cookie("mp_secret")})
        with_token = await client.post("/v1/jobs/j:cancel", headers={**FOREIGN, **bearer("mp_own")})

    assert (with_cookie.status_code, with_token.status_code) == (403, 200)
    assert with_token.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in with_token.headers
    assert [caller.authorization for caller in jobs.callers] == ["Bearer mp_own"]


async def test_a_name_that_is_bound_to_this_address() -> None:
    """Where no credential is needed, a page reaches the server by its address or by a name that it has been told."""
    async with client_of(ScriptedJobs(), BrowserPolicy.of([], ["Jobs.Example.com"])) as client:
        codes = {
            host: (await client.get("/v1/jobs", headers={"host": host})).status_code
            for host in ("evil.test:7080", "jobs.example.com", "localhost:7080", "127.0.0.1")
        }
        refused = await client.get("/v1/jobs", headers={"host": "evil.test"})

    assert codes == {"evil.test:7080": 403, "jobs.example.com": 200, "localhost:7080": 200, "127.0.0.1": 200}
    assert "--http-allow-host" in refused.json()["error"]["message"]


async def test_headers_of_all_responses() -> None:
    """Also of errors, of streams and of what is not there."""
    jobs = ScriptedJobs()
    jobs.stays_open = False
    async with client_of(jobs, BrowserPolicy()) as client:
        responses = [
            await client.get("/v1/jobs"),
            await client.get("/nothing/here"),
            await client.post(
                "/milepost.v1.JobService/WatchJob",
                content=bytes(5),
                headers={"content-type": "application/connect+proto"},
            ),
        ]

    for response in responses:
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert "no-store" in response.headers["cache-control"]
        assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
