"""Requests that arrive at once: how many begin in a pass of the event loop, and whose."""

from __future__ import annotations

import asyncio
from collections import Counter

from milepost.server.runtime.request_turns import REQUESTS_PER_PASS, RequestTurns


async def begun_by_pass(turns: RequestTurns, hosts: list[str]) -> list[list[str]]:
    """Let a request of each host begin at once; return whose began, by pass of the event loop."""
    begun: list[str] = []

    async def request(host: str) -> None:
        await turns.begin(host)
        begun.append(host)

    requests = [asyncio.create_task(request(host)) for host in hosts]
    passes = []
    while not all(each.done() for each in requests):
        before = len(begun)
        await asyncio.sleep(0)
        passes.append(begun[before:])
    return passes


async def test_few_begin_in_a_pass() -> None:
    """However many arrive; those of one host in their order."""
    hosts = [f"host {number}" for number in range(3)] + ["flood"] * 100

    passes = await begun_by_pass(RequestTurns(), hosts)

    assert Counter(host for each in passes for host in each) == Counter(hosts)
    assert max(len(each) for each in passes) <= REQUESTS_PER_PASS


async def test_hosts_take_turns() -> None:
    """Who has one request waits for one of each other host, and not for all that one of them has sent."""
    passes = await begun_by_pass(RequestTurns(), ["flood"] * 100 + ["user"])

    assert [host for each in passes for host in each].index("user") <= REQUESTS_PER_PASS + 1


async def test_a_request_that_was_given_up() -> None:
    """It takes nobody's turn."""
    turns = RequestTurns()
    waiting = [asyncio.create_task(turns.begin("host")) for _ in range(3 * REQUESTS_PER_PASS)]
    await asyncio.sleep(0)
    for each in waiting[REQUESTS_PER_PASS:-1]:
        each.cancel()

    await waiting[-1]

    assert [each.cancelled() for each in waiting] == [
        REQUESTS_PER_PASS <= number < 3 * REQUESTS_PER_PASS - 1 for number in range(3 * REQUESTS_PER_PASS)
    ]
