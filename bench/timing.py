"""Timing: whether the response time tells a job of another owner from one that never existed (rule 10).

The statistic is the area under the ROC curve (AUC), which equals Mann and Whitney's: the probability that a call for a
foreign job takes longer than one for a missing job. It is 0.5 if the times cannot be told apart.
"""

from __future__ import annotations

import bisect
import math
import random
import statistics
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import click
import grpc

from bench.figures import OURS, Figure, Settings
from bench.processes import Load, MeasurementFailed, milepost
from milepost.server.access.credentials import tokens
from milepost.v1 import (
    CancelJobRequest,
    DeleteJobRequest,
    Dispatch,
    GetJobRequest,
    ShareJobRequest,
    SubmitJobRequest,
    WatchJobRequest,
)

__all__ = ["Separation", "measure", "separation"]

_CALLS: Final = 2000
"""Calls of each method for foreign jobs, and as many for missing ones."""

_WARM_UP: Final = 100

_REQUESTS: Final[Mapping[str, Callable[..., Any]]] = {
    "GetJob": GetJobRequest,
    "WatchJob": WatchJobRequest,
    "CancelJob": CancelJobRequest,
    "DeleteJob": DeleteJobRequest,
    "ShareJob": ShareJobRequest,
}

_CONFIDENCE: Final = 1 - 0.05 / len(_REQUESTS)
"""Of each interval, so that in 95 of 100 runs none of them misses an AUC of 0.5 by chance."""

_STEP_TIMEOUT: Final = 600.0


class Separation(NamedTuple):
    """How well a value tells one sample from another: the AUC, and its confidence interval."""

    auc: float
    low: float
    high: float

    @property
    def tells_apart(self) -> bool:
        """Whether the interval excludes chance."""
        return not self.low <= 0.5 <= self.high


def separation(ones: Sequence[float], others: Sequence[float], confidence: float) -> Separation:
    """How well a larger value tells ``ones`` from ``others``; the interval is that of DeLong (1988)."""
    above = _placements(ones, others)
    below = _placements(others, ones)
    auc = statistics.fmean(above)
    error = math.sqrt(statistics.variance(above) / len(ones) + statistics.variance(below) / len(others))
    margin = statistics.NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Separation(auc, auc - margin, auc + margin)


def _placements(values: Sequence[float], among: Sequence[float]) -> list[float]:
    """Of each value the part of the other sample that it is above; equal ones count half."""
    ordered = sorted(among)
    return [
        (bisect.bisect_left(ordered, value) + bisect.bisect_right(ordered, value)) / 2 / len(ordered)
        for value in values
    ]


def measure(settings: Settings) -> list[Figure]:
    """Call each method for foreign and for missing jobs in turns, and compare the times."""
    calls = _CALLS * 5 if settings.full else _CALLS
    ours, theirs = tokens.new_token(), tokens.new_token()
    path = settings.directory / "tokens.toml"
    path.write_text(_entry("ours", ours) + _entry("theirs", theirs))
    options = ("--tokens", str(path), "--audit-log", str(settings.directory / "audit.jsonl"))
    figures: list[Figure] = []
    with milepost(settings.directory / "timing", *options) as server, Load.start() as load:
        load.begin(_call_all, server.address, ours, theirs, calls)
        load.step(_STEP_TIMEOUT)
        for method in _REQUESTS:
            foreign, missing = load.step(_STEP_TIMEOUT)
            figures += _compared(method, foreign, missing)
    return figures


def _compared(method: str, foreign: Sequence[int], missing: Sequence[int]) -> Iterator[Figure]:
    found = separation(foreign, missing, _CONFIDENCE)
    verdict = "CAN BE TOLD APART" if found.tells_apart else "cannot be told apart"
    click.echo(
        f"{method}: foreign and missing jobs {verdict} in {len(foreign):,} calls each: "
        f"AUC {found.auc:.3f}, {_CONFIDENCE:.0%} interval {found.low:.3f} to {found.high:.3f}"
    )
    what = f"time of {method}, foreign beside missing jobs"
    medians = [statistics.median(times) / 1000 for times in (foreign, missing)]
    yield Figure(what, "median, µs", {OURS: medians[:1], "missing": medians[1:]})
    for quantity, value in (("AUC", found.auc), ("AUC, low", found.low), ("AUC, high", found.high)):
        yield Figure(what, quantity, {OURS: [value], "chance": [0.5]})


def _entry(subject: str, token: str) -> str:
    return (
        f'[[token]]\nid = "{subject}"\nsha256 = "{tokens.digest(token)}"\nsubject = "{subject}"\n'
        f'owners = ["{subject}"]\nscopes = ["submit", "read", "cancel"]\nlimits = ["requests=1000000/s"]\n'
    )


# --- In the load process ------------------------------------------------------------------------------------


async def _call_all(
    address: str, ours: str, theirs: str, count: int
) -> AsyncGenerator[tuple[list[int], list[int]] | None]:
    """Yield once the jobs are there, and then the times of each method in nanoseconds: foreign, missing.

    The calls block, one at a time: that way there is the least beside what the server does.
    """
    with grpc.insecure_channel(address) as channel:
        submit: Any = channel.unary_unary("/milepost.v1.JobService/SubmitJob")
        foreign = [str(uuid.uuid4()) for _ in range(count)]
        for job_id in foreign:
            request = SubmitJobRequest(job_id=job_id, kind="k", dispatch=Dispatch.DISPATCH_EXTERNAL)
            submit(request.SerializeToString(), metadata=_bearer(theirs))
        yield None
        missing = [str(uuid.uuid4()) for _ in range(count)]
        for method, request_type in _REQUESTS.items():
            call = _timed(channel, method, request_type, _bearer(ours))
            for job_id in (*foreign[:_WARM_UP], *missing[:_WARM_UP]):
                call(job_id)
            times: tuple[list[int], list[int]] = [], []
            for pair in zip(foreign, missing, strict=True):
                # In random order, so that drift of the machine affects both alike.
                for which in random.sample((0, 1), 2):
                    times[which].append(call(pair[which]))
            yield times


def _timed(
    channel: grpc.Channel,
    method: str,
    request_type: Callable[..., Any],
    metadata: tuple[tuple[str, str], ...],
) -> Callable[[str], int]:
    """A call of the method that returns its time in nanoseconds. Raises MeasurementFailed unless it is refused."""
    path = f"/milepost.v1.JobService/{method}"
    is_stream = method == "WatchJob"
    stub: Any = channel.unary_stream(path) if is_stream else channel.unary_unary(path)

    def call(job_id: str) -> int:
        request = request_type(job_id=job_id).SerializeToString()
        started = time.perf_counter_ns()
        try:
            answer = stub(request, metadata=metadata)
            if is_stream:
                next(answer)
        except grpc.RpcError as error:
            elapsed = time.perf_counter_ns() - started
            if not isinstance(error, grpc.Call) or error.code() is not grpc.StatusCode.NOT_FOUND:
                raise MeasurementFailed(f"{method} answered {error}") from None
            return elapsed
        raise MeasurementFailed(f"{method} of a job that does not exist was answered")

    return call


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)
