"""Sessions, shares and pages of other sites where nginx serves Milepost below a path of its host."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from http.cookies import SimpleCookie
from urllib.parse import urljoin

import httpx
import pytest

from milepost.v1 import JobState
from tests.support.forking import Forkery
from tests.support.http_calls import bearer, cookie
from tests.support.http_watch import http_client
from tests.support.nginx import nginx
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """The token file of the server."""
    found = Tokens(tmp_path_factory.mktemp("tokens") / "tokens.toml")
    found.add("alice", ["team-a"], "submit", "read", "cancel")
    return found


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, forkery: Forkery, tokens: Tokens
) -> Iterator[ServerProcess]:
    """A server with tokens and HTTP."""
    data = tmp_path_factory.mktemp("server") / "data"
    with ServerProcess(data, "--tokens", str(tokens.path), forkery=forkery, http=True) as started:
        yield started


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, server: ServerProcess) -> Iterator[str]:
    """The origin of nginx, which has the server below ``/milepost/``."""
    with nginx(tmp_path_factory.mktemp("nginx"), server.url) as url:
        yield url


@pytest.fixture
async def http(origin: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that calls below the path, and keeps no cookies."""
    async with http_client(f"{origin}/milepost/") as client:
        yield client


@pytest.fixture
async def alice(server: ServerProcess, tokens: Tokens) -> AsyncIterator[Rpc]:
    """Somebody of team-a, by gRPC."""
    async with connect(server.address, token=tokens.secrets[0]) as rpc:
        yield rpc


def page_of(origin: str) -> dict[str, str]:
    """The headers of a request that a page of this origin makes to its own host."""
    return {"origin": origin, "sec-fetch-site": "same-origin"}


async def test_a_session(origin: str, http: httpx.AsyncClient, alice: Rpc, tokens: Tokens) -> None:
    """Browsers take the cookie only for the whole host, whatever the path; with it, calls below the path are made."""
    job_id = (await alice.submit()).job_id
    begun = await http.post("v1/session", headers={**page_of(origin), **bearer(tokens.secrets[0])})
    (header,) = begun.headers.get_list("set-cookie")
    ((name, morsel),) = SimpleCookie(header).items()
    http.cookies.clear()
    read = await http.get(f"v1/jobs/{job_id}", headers={"cookie": f"{name}={morsel.value}"})
    ended = await http.post("v1/session:clear", headers={**page_of(origin), **cookie(morsel.value)})
    (cleared,) = ended.headers.get_list("set-cookie")
    ((_, emptied),) = SimpleCookie(cleared).items()

    assert (begun.status_code, read.status_code, ended.status_code) == (200, 200, 204)
    # What the prefix demands (RFC 6265bis, 4.1.3.2); otherwise browsers drop the cookie.
    assert name.startswith("__Host-")
    for each in (morsel, emptied):
        assert (each["path"], each["domain"], each["secure"], each["httponly"]) == ("/", "", True, True)
    assert (emptied.value, emptied["max-age"]) == ("", "0")


@pytest.mark.parametrize(
    ("below", "sends_site", "own_status"),
    [("milepost", True, 200), ("milepost", False, 403), ("named", True, 200), ("named", False, 200)],
)
async def test_pages_of_other_sites(
    origin: str, alice: Rpc, tokens: Tokens, below: str, sends_site: bool, own_status: int
) -> None:
    """A page of another site cancels nothing with the cookie; that of the proxy's site does, by REST and by Connect.

    Browsers send no ``Sec-Fetch-Site`` to plain HTTP beyond loopback; then the proxy has to pass its name on.
    """
    pages = (
        ("cross-site", "https://evil.test"),
        ("cross-site", "null"),
        ("same-site", f"{origin}1"),
        ("same-origin", origin),
    )
    async with http_client(f"{origin}/{below}/") as http:
        for is_rest in (True, False):
            job_id = (await alice.submit()).job_id
            path = f"v1/jobs/{job_id}:cancel" if is_rest else "milepost.v1.JobService/CancelJob"
            for site, page in pages:
                headers = {**cookie(tokens.secrets[0]), "origin": page, "sec-fetch-site": site}
                if not sends_site:
                    del headers["sec-fetch-site"]
                answer = await http.post(path, json={} if is_rest else {"jobId": job_id}, headers=headers)
                status = own_status if page == origin else 403
                assert (page, answer.status_code) == (page, status)
                ended = JobState.JOB_STATE_CANCELLED if status == 200 else JobState.JOB_STATE_QUEUED
                assert (await alice.get(job_id)).state == ended


async def test_a_share(origin: str, http: httpx.AsyncClient, alice: Rpc, tokens: Tokens) -> None:
    """The link's page and all that it loads are below the path; its token reads the job there, and no other one."""
    job_id, other = [(await alice.submit()).job_id for _ in range(2)]
    shared = await http.post(f"v1/jobs/{job_id}:share", headers=bearer(tokens.secrets[0]), json={})
    guest = shared.json()["token"]
    page = await http.get(f"jobs/{job_id}", headers={"accept": "text/html"})
    linked = [urljoin(str(page.url), found) for found in re.findall(r'(?:src|href)="([^"#]+)"', page.text)]
    loaded = [await http.get(url) for url in linked]
    own, foreign = [await http.get(f"v1/jobs/{each}", headers=bearer(guest)) for each in (job_id, other)]

    assert page.status_code == 200
    assert len(linked) > 2
    assert [url for url in linked if not url.startswith(f"{origin}/milepost/")] == []
    assert [each.status_code for each in loaded] == [200] * len(linked)
    assert (own.status_code, foreign.status_code) == (200, 404)
    assert guest not in page.text
