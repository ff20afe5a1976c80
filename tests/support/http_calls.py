"""Call each method by HTTP, by REST and by Connect."""

from __future__ import annotations

import json
import struct
from typing import Any, Final, NamedTuple

import httpx

from milepost.web.rest_routes import ROUTES
from milepost.web.service import METHODS, path_of

OF_NO_JOB: Final = {"SubmitJob", "ListJobs", "WatchJobs", "WhoAmI", "GetHistory", "ListWorkers"}

OF_A_KIND: Final = {"SubmitJob", "GetHistory"}


class Answer(NamedTuple):
    """How a call ended: its HTTP code, and its reason, empty for none."""

    code: int
    reason: str


async def rest(http: httpx.AsyncClient, method: str, job_id: str, headers: dict[str, str]) -> Answer:
    """Call a method by its route of REST; a watch for its first event."""
    (route,) = (each for each in ROUTES if each.method == method)
    path = route.path.replace("{job_id}", job_id).replace("{kind}", "k")
    if METHODS[method].server_streaming:
        async with http.stream("GET", path, params={"no_follow": "true"}, headers=headers) as response:
            body = await response.aread()
    else:
        fields = {"kind": "k"} if method in OF_A_KIND else {}
        asked: dict[str, Any] = {"json": fields} if route.has_body else {"params": fields}
        response = await http.request(route.verb, path, headers=headers, **asked)
        body = response.content
    return Answer(response.status_code, reason_in(json.loads(body)["error"]) if response.is_error else "")


async def by_connect(http: httpx.AsyncClient, method: str, job_id: str, headers: dict[str, str]) -> Answer:
    """Call a method by Connect; the status of a stream is at its end."""
    path = path_of(method)
    request: dict[str, Any] = {} if method in OF_NO_JOB else {"jobId": job_id}
    if method in OF_A_KIND:
        request["kind"] = "k"
    if not METHODS[method].server_streaming:
        headers = {**headers, "content-type": "application/json"}
        response = await http.post(path, json=request, headers=headers)
        return Answer(response.status_code, reason_in(response.json()) if response.is_error else "")
    message = json.dumps({**request, "noFollow": True}).encode()
    headers = {**headers, "content-type": "application/connect+json"}
    response = await http.post(path, content=struct.pack(">BI", 0, len(message)) + message, headers=headers)
    end = json.loads(response.content[response.content.rindex(b"\x02\x00\x00") + 5 :])
    if "error" not in end:
        return Answer(response.status_code, "")
    codes = {"unauthenticated": 401, "permission_denied": 403, "not_found": 404}
    return Answer(codes[end["error"]["code"]], reason_in(end["error"]))


def reason_in(error: dict[str, Any]) -> str:
    """The reason of an error, of REST as of Connect."""
    details = [detail.get("debug", detail) for detail in error["details"]]
    (reason,) = (detail["reason"] for detail in details if "reason" in detail)
    assert isinstance(reason, str)
    return reason


def bearer(token: str) -> dict[str, str]:
    """A token in the header."""
    return {"authorization": f"Bearer {token}"} if token else {}


def cookie(token: str) -> dict[str, str]:
    """A token in the cookie of a session, from a page of the server's own."""
    return {"cookie": f"__Host-milepost={token}", "sec-fetch-site": "same-origin"} if token else {}
