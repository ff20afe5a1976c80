"""REST: who may call, by a credential of the server or by the decision of the application that mounts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client
from milepost.client.errors import JobNotFound
from milepost.contract.limits import NAME_LENGTH
from milepost.v1 import GetJobRequest, ListJobsRequest, SubmitJobRequest
from milepost.web import ClientCall, milepost_app
from milepost.web.application_refusal import ACTIONS, named_in, not_allowed
from milepost.web.service import METHODS
from tests.support.app_server import serving
from tests.support.forking import Forkery
from tests.support.http_errors import info_of
from tests.support.http_watch import http_client
from tests.support.rpc import Rpc
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens


async def test_credentials(tmp_path: Path, forkery: Forkery) -> None:
    """A bearer token is what it is by gRPC; without one it is 401, beyond a limit 429, with when to come back."""
    tokens = Tokens(tmp_path / "tokens.toml")
    ann = tokens.add("ann", ["team-a"], "submit", "read", "cancel", limits='["requests=2/s"]')
    options = ("--tokens", str(tokens.path))
    with ServerProcess(tmp_path / "data", *options, forkery=forkery, http=True) as server:
        async with http_client(server.url) as web:
            for headers in ({}, {"authorization": "Bearer mp_nonsense"}, {"authorization": "Basic YTpi"}):
                refused = await web.get("/v1/whoami", headers=headers)
                assert (refused.status_code, refused.headers["www-authenticate"]) == (
                    401,
                    'Bearer realm="milepost"',
                )
                assert info_of(refused)["reason"] == "UNAUTHENTICATED"
            web.headers["authorization"] = f"Bearer {ann}"
            assert (await web.get("/v1/whoami")).json()["subject"] == "ann"
            job = (await web.post("/v1/jobs", json={"kind": "x"})).json()["job"]
            assert job["owner"] == "team-a"
            shared = (await web.post(f"/v1/jobs/{job['jobId']}:share", json={"ttl": "60s"})).json()
            by_share = {"authorization": f"Bearer {shared['token']}"}
            assert (await web.get(f"/v1/jobs/{job['jobId']}", headers=by_share)).status_code == 200
            assert (await web.get("/v1/jobs/other", headers=by_share)).status_code == 404
            denied = await web.post("/v1/jobs", json={"kind": "x"}, headers=by_share)
            assert (denied.status_code, info_of(denied)["reason"]) == (403, "PERMISSION_DENIED")
            assert (await web.post(f"/v1/jobs/{job['jobId']}:revokeShares")).json() == {}
            refused = await web.get("/v1/whoami")
            while refused.status_code == 200:
                refused = await web.get("/v1/whoami")
            assert (refused.status_code, info_of(refused)["reason"]) == (429, "LIMIT_REACHED")
            assert int(refused.headers["retry-after"]) >= 1


async def test_users_of_an_application(web_server: ServerProcess, rpc: Rpc) -> None:
    """The application that mounts it decides about each call, and may narrow it."""

    async def authorize(request: Any, call: ClientCall) -> bool:
        if call.method == "ListJobs":
            call.request.filter.owner = request.headers["x-user"]
        return call.method in ("ListJobs", "GetJob")

    job = await rpc.submit(owner="ann")
    async with (
        Client(web_server.address) as sdk,
        serving(milepost_app(sdk, authorize=authorize)) as url,
        http_client(url, headers={"x-user": "bob"}) as web,
    ):
        assert (await web.get("/v1/jobs", params={"filter.kinds": rpc.kind})).json() == {}
        assert (await web.get(f"/v1/jobs/{job.job_id}")).status_code == 200
        refused = await web.post(f"/v1/jobs/{job.job_id}:cancel")
        assert (refused.status_code, info_of(refused)["reason"]) == (403, "PERMISSION_DENIED")
        assert refused.json()["error"]["message"] == (
            f"You may not cancel job {job.job_id!r} here. The application decides that, not Milepost: sign in as "
            "somebody who may, or ask those who run it."
        )


@pytest.mark.parametrize("shows_history", [True, False])
async def test_an_application_that_does_not_name_its_users(
    web_server: ServerProcess, rpc: Rpc, *, shows_history: bool
) -> None:
    """WhoAmI is answered all the same: nobody, who may read what jobs usually take if the application allows that."""
    allowed = ["GetHistory"] if shows_history else []
    async with (
        Client(web_server.address) as sdk,
        serving(milepost_app(sdk, authorize=lambda request, call: call.method in allowed)) as url,
        http_client(url) as web,
    ):
        who = await web.get("/v1/whoami")
        assert (who.status_code, who.json()) == (200, {"scopes": ["read"]} if shows_history else {})
        history = await web.get(f"/v1/kinds/{rpc.kind}/history")
        assert history.status_code == (200 if shows_history else 403)


@pytest.mark.parametrize("looks_up_the_kind", [True, False])
async def test_an_application_whose_decision_fails_names_nobody(
    web_server: ServerProcess, *, looks_up_the_kind: bool
) -> None:
    """What the decision raises, or a call that it makes, counts as no, where nobody has asked for it."""
    teams: dict[str, bool] = {}
    async with Client(web_server.address) as sdk:

        async def authorize(request: Any, call: ClientCall) -> bool:
            if call.method == "WhoAmI":
                return False
            return teams[call.request.kind] if looks_up_the_kind else bool(await sdk.get("no-such-job"))

        async with serving(milepost_app(sdk, authorize=authorize)) as url, http_client(url) as web:
            who = await web.get("/v1/whoami")
            assert (who.status_code, who.json()) == (200, {})


@pytest.mark.parametrize(
    ("method", "of_one", "of_many"),
    [("WatchJobs", 403, 200), ("WatchJob", 200, 403), ("ListJobs", 403, 403), ("GetJob", 403, 403)],
)
async def test_headers_of_a_stream_are_for_who_may_watch(
    web_server: ServerProcess, rpc: Rpc, method: str, of_one: int, of_many: int
) -> None:
    """HEAD asks the application what the stream would, and ends as that: whoever may list jobs may not watch them."""
    job = await rpc.submit()
    async with (
        Client(web_server.address) as sdk,
        serving(milepost_app(sdk, authorize=lambda request, call: call.method == method)) as url,
        http_client(url) as web,
    ):
        heads = [await web.head(path) for path in (f"/v1/jobs/{job.job_id}:watch", "/v1/jobs:watch")]
    assert [head.status_code for head in heads] == [of_one, of_many]


def test_what_an_application_refuses_is_named() -> None:
    """The action, and the job or kind of the request, cut where it is long."""
    assert set(ACTIONS) == set(METHODS)
    texts = [
        not_allowed("SubmitJob", *named_in(SubmitJobRequest(kind="k", job_id="j"))),
        not_allowed("ListJobs", *named_in(ListJobsRequest())),
        not_allowed("GetJob", *named_in(GetJobRequest(job_id="\n" + "j" * 5000))),
    ]
    assert [text.partition(" here. ")[0] for text in texts] == [
        "You may not submit jobs of kind 'k'",
        "You may not list jobs",
        "You may not see job '\\n" + "j" * (NAME_LENGTH - 1) + "…'",
    ]


@pytest.mark.parametrize(
    ("decision", "status"),
    [(None, 403), ("", 403), (0, 403), (1, 500), (b"token", 500), ("no token", 401)],
    ids=repr,
)
async def test_only_true_authorizes_a_request(
    web_server: ServerProcess, rpc: Rpc, decision: Any, status: int
) -> None:
    """Nothing but True lends the client's credential: no forgotten return, no user, and no text of a visitor."""
    job = await rpc.submit()

    async def authorize(request: Any, call: ClientCall) -> Any:
        return decision

    async with (
        Client(web_server.address) as sdk,
        serving(milepost_app(sdk, authorize=authorize)) as url,
        http_client(url) as web,
    ):
        for path in (f"/v1/jobs/{job.job_id}", f"/v1/jobs/{job.job_id}:watch?no_follow=true"):
            assert (await web.get(path)).status_code == status


async def test_a_decision_that_takes_a_call(web_server: ServerProcess, rpc: Rpc) -> None:
    """What a call raises that the decision makes is the error of the request."""
    job = await rpc.submit(owner="ann")
    async with Client(web_server.address) as sdk:

        async def authorize(request: Any, call: ClientCall) -> bool:
            job = await sdk.get(call.request.job_id)
            return job.owner == str(request.headers["x-user"])

        async with (
            serving(milepost_app(sdk, authorize=authorize)) as url,
            http_client(url, headers={"x-user": "ann"}) as web,
        ):
            for suffix in ("", ":watch?no_follow=true"):
                assert (await web.get(f"/v1/jobs/{job.job_id}{suffix}")).status_code == 200
                missing = await web.get(f"/v1/jobs/no-such-job{suffix}")
                assert (missing.status_code, info_of(missing)["reason"]) == (404, "JOB_NOT_FOUND")


async def test_an_application_hides_jobs(web_server: ServerProcess, rpc: Rpc) -> None:
    """Where the decision raises JobNotFound, the answer is that about a job that does not exist."""
    job = await rpc.submit(owner="ann")
    names = (job.job_id, "no-such-job")
    async with Client(web_server.address) as sdk:

        async def authorize(request: Any, call: ClientCall) -> bool:
            if (await sdk.get(call.request.job_id)).owner != "bob":
                raise JobNotFound(call.request.job_id)
            return True

        async with serving(milepost_app(sdk, authorize=authorize)) as url, http_client(url) as web:
            for suffix in ("", ":watch?no_follow=true"):
                answers = [await web.get(f"/v1/jobs/{name}{suffix}") for name in names]
                hidden, missing = (
                    answer.text.replace(name, "J") for answer, name in zip(answers, names, strict=True)
                )
                assert ([answer.status_code for answer in answers], hidden) == ([404, 404], missing)


async def test_who_may_watch_and_nothing_else_comes_back(web_server: ServerProcess, rpc: Rpc) -> None:
    """A stream resumes with the decision about WatchJob alone."""
    job = await rpc.submit()
    async with (
        Client(web_server.address) as sdk,
        serving(milepost_app(sdk, authorize=lambda request, call: call.method == "WatchJob")) as url,
        http_client(url, headers={"last-event-id": f"{job.epoch}:1"}) as web,
    ):
        await rpc.cancel(job.job_id)
        response = await web.get(f"/v1/jobs/{job.job_id}:watch", timeout=120)
    assert response.status_code == 200
    assert response.text.count("event: job_ended") == 1
