"""Measures each attack on its own server: an ordinary user before and during it, and the server's memory."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import grpc

from bench.abuse import (
    endless_requests,
    fan_out,
    half_open,
    header_floods,
    http_floods,
    large_metadata,
    lists,
    message_memory,
    one_principal_floods,
    one_report,
    principal_http_floods,
    probe,
    replay_queue,
    reports_in_flight,
    slow_requests,
    stream_resets,
    tail_memory,
    unread_answers,
    unread_assignments,
)
from bench.abuse.attack import Attack
from bench.abuse.probe import Seen
from bench.figures import OURS, Figure, Settings, percentile
from bench.processes import Load, MeasurementFailed, Server, milepost
from milepost.server.access.credentials import tokens
from milepost.v1 import GetStatsRequest
from milepost.v1.admin_service_pb2_grpc import AdminServiceStub

__all__ = ["ATTACKS", "measure"]

ATTACKS: Mapping[str, Attack] = {
    "one-report": one_report.ATTACK,
    "large-inputs": message_memory.INPUTS,
    "messages-overwritten": message_memory.MESSAGES,
    "plans-repeated": message_memory.PLANS,
    "unread-answers": unread_answers.ATTACK,
    "stream-resets": stream_resets.ATTACK,
    "reconnecting-resets": stream_resets.RECONNECTING,
    "expired-calls": stream_resets.EXPIRED,
    "continuations": header_floods.CONTINUATIONS,
    "unacknowledged-headers": header_floods.UNACKNOWLEDGED,
    "hpack-bombs": header_floods.HPACK_BOMBS,
    "endless-requests": endless_requests.ATTACK,
    "reports-in-flight": reports_in_flight.ATTACK,
    "unread-assignments": unread_assignments.ATTACK,
    "fan-out": fan_out.ATTACK,
    "replay-queue": replay_queue.ATTACK,
    "tail-memory": tail_memory.ATTACK,
    "one-principal-floods": one_principal_floods.ATTACK,
    "principal-http": principal_http_floods.ATTACK,
    "principal-resets": stream_resets.BY_A_PRINCIPAL,
    "lists": lists.BY_GRPC,
    "http-lists": lists.BY_HTTP,
    "half-open": half_open.ATTACK,
    "large-metadata": large_metadata.ATTACK,
    "slow-requests": slow_requests.ATTACK,
    "http-requests": http_floods.REQUESTS,
    "http-unread": http_floods.UNREAD,
}

_SECONDS = 10.0
"""Duration of an attack."""

_RELEASE_TIMEOUT = 60.0
"""Seconds after an attack within which the server must release its memory."""

_RELEASED_RATIO = 1.2
"""The memory counts as released at this ratio to the memory before the attack."""

_STEP_TIMEOUT = 120.0
"""Seconds that a step may take, so that an attack that stops the server is measured and does not end the run."""


def measure(settings: Settings) -> list[Figure]:
    """Measure the user's latencies and the server's memory before and during each attack."""
    figures: list[Figure] = []
    for name in settings.attacks or ATTACKS:
        figures += _measure(name, ATTACKS[name], settings)
    return figures


def _measure(name: str, attack: Attack, settings: Settings) -> list[Figure]:
    with ExitStack() as stack:
        principals = _Principals(settings.directory / f"abuse-{name}.toml", attack.limits)
        http = ("--http", "127.0.0.1:0") if attack.http else ()
        server = stack.enter_context(
            milepost(settings.directory / f"abuse-{name}", *principals.options, *http)
        )
        user = stack.enter_context(Load.start())
        user.begin(probe.use, server.address, _SECONDS, *principals.user)
        user.step()
        quiet: Seen = user.step(_STEP_TIMEOUT)
        before = server.memory()
        longest_before = _longest_pass(server.address, *principals.operator)
        with ExitStack() as attacking:
            attackers = [attacking.enter_context(Load.start()) for _ in range(attack.processes)]
            for attacker in attackers:
                attacked = server.url if attack.http else server.address
                attacker.begin(attack.run, attacked, _SECONDS, *principals.attacker)
                attacker.go()
            for attacker in attackers:
                attacker.result(_STEP_TIMEOUT)
            for load in (user, *attackers):
                load.go()
            peak = _peak(server, [user, *attackers])
            under_attack: Seen = user.result(0)
        longest = _longest_pass(server.address, *principals.operator)
        after = _released_memory(server, before)
    for reason in sorted(set(under_attack.failures)):
        print(f"abuse {name}: {under_attack.failures.count(reason)} times {reason}")
    what = f"abuse: {name}"
    return [
        Figure(what, "failed probes", {OURS: [float(len(under_attack.failures))]}),
        Figure(what, "acknowledged p99, ms", _p99(under_attack.acknowledged, quiet.acknowledged)),
        Figure(what, "submitted p99, ms", _p99(under_attack.submitted, quiet.submitted)),
        Figure(what, "seen by a watcher p99, ms", _p99(under_attack.watched, quiet.watched)),
        Figure(
            what,
            "longest pass of the event loop, ms of processor time",
            {OURS: [longest], "before": [longest_before]},
        ),
        Figure(what, "peak memory, MB", {OURS: [peak / 1e6], "before": [before / 1e6]}),
        Figure(what, "memory within a minute after, MB", {OURS: [after / 1e6], "before": [before / 1e6]}),
    ]


class _Principals:
    """The user, an attacker with limits and an operator, in a token file; nobody without limits."""

    def __init__(self, path: Path, limits: Sequence[str]) -> None:
        self.options: tuple[str, ...] = ()
        self.user: tuple[str, ...] = ()
        self.attacker: tuple[str, ...] = ()
        self.operator: tuple[str, ...] = ()
        if limits:
            self.options = ("--tokens", str(path))
            self.user, self.attacker, self.operator = ((tokens.new_token(),) for _ in range(3))
            path.write_text(
                _token("user", *self.user)
                + _token("attacker", *self.attacker, limits)
                + _token("operator", *self.operator, scopes=("admin",))
            )


def _token(
    subject: str, token: str, limits: Sequence[str] = (), scopes: Sequence[str] = ("submit", "read", "work")
) -> str:
    return f"""[[token]]
id = "{subject}"
sha256 = "{tokens.digest(token)}"
subject = "{subject}"
owners = {json.dumps(["*"] if "admin" in scopes else [subject])}
scopes = {json.dumps(list(scopes))}
limits = {json.dumps(list(limits))}
"""


def _longest_pass(address: str, token: str = "") -> float:
    """The most processor time that a pass of the server's event loop has taken since its start, in milliseconds."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(address) as channel:
        stats = AdminServiceStub(channel).GetStats(
            GetStatsRequest(), metadata=metadata, timeout=_RELEASE_TIMEOUT, wait_for_ready=True
        )
    return stats.event_loop.longest_cpu.ToNanoseconds() / 1e6


def _peak(server: Server, loads: Sequence[Load]) -> int:
    """The server's peak memory until all loads have completed their step."""
    peak = server.memory()
    until = time.monotonic() + _STEP_TIMEOUT
    while not all(load.ready() for load in loads):
        if time.monotonic() > until:
            raise MeasurementFailed(f"the attack or its probe took over {_STEP_TIMEOUT:g} s")
        peak = max(peak, server.memory())
        time.sleep(0.05)
    return peak


def _released_memory(server: Server, before: int) -> int:
    """Wait until the server has released its memory, or a minute; return the memory."""
    until = time.monotonic() + _RELEASE_TIMEOUT
    while time.monotonic() < until and server.memory() > _RELEASED_RATIO * before:
        time.sleep(0.5)
    return server.memory()


def _p99(ours: Sequence[int], quiet: Sequence[int]) -> dict[str, list[float]]:
    """The 99th percentiles in milliseconds; infinite without a measurement."""
    return {OURS: [_milliseconds(ours)], "quiet server": [_milliseconds(quiet)]}


def _milliseconds(times: Sequence[int]) -> float:
    return percentile(sorted(times), 0.99) / 1e6 if times else float("inf")
