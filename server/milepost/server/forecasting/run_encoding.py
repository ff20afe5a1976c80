"""The encoding of a past run: about 1 KB, 4 KiB at most."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final

from milepost.server.forecasting.pace_curve import KNOT_LIMIT, PaceCurve
from milepost.server.forecasting.past_run import PastRun, StageRun, past_run

RUN_BYTES: Final = 4096
"""Bound of an encoded run. Of one that is larger, the stages that took the least time are left out."""

_KNOTS_LIMIT: Final = 96
"""Knots of all curves of a run, about; a curve has at least three."""

_VERSION: Final = 2
"""A format that a store may hold never changes: a change gets a new version. Version 1 has no end of the run."""

_HEAD: Final = struct.Struct("<BddHq")
_HEAD_1: Final = struct.Struct("<BddH")
_STAGE: Final = struct.Struct("<HB?dd")

_LAST_END: Final = 2**63 - 1
"""Nanoseconds, in the year 2262: a run that ends later is stored as one that ended then."""


class UnknownRun(ValueError):
    """A run of a newer Milepost."""


class DamagedRun(ValueError):
    """A run with a number that is not finite, which no server stores."""


def encode(run: PastRun) -> bytes:
    """Encode a run."""
    return encode_stages(run.duration, [step.stage for step in run.steps], run.workload, run.ended)


def encode_stages(duration: float, stages: Sequence[StageRun], workload: float, ended: int) -> bytes:
    """Encode the run with these stages, which ended at ``ended``, in nanoseconds."""
    curves = sum(stage.curve is not None for stage in stages)
    limit = min(KNOT_LIMIT, max(3, _KNOTS_LIMIT // max(curves, 1)))
    pieces = [_encode_stage(stage, limit) for stage in stages]
    if sum(map(len, pieces)) > RUN_BYTES - _HEAD.size:
        pieces = _longest(stages, pieces)
    return b"".join((_HEAD.pack(_VERSION, duration, workload, len(pieces), min(ended, _LAST_END)), *pieces))


def _longest(stages: Sequence[StageRun], pieces: Sequence[bytes]) -> list[bytes]:
    room = RUN_BYTES - _HEAD.size
    kept = set[int]()
    for index in sorted(range(len(stages)), key=lambda index: -stages[index].duration):
        if len(pieces[index]) <= room:
            room -= len(pieces[index])
            kept.add(index)
    return [piece for index, piece in enumerate(pieces) if index in kept]


def decode(encoded: bytes) -> PastRun:
    """Decode a run. Raises UnknownRun, DamagedRun."""
    version, ended = encoded[0], 0
    if version == _VERSION:
        _, duration, workload, count, ended = _HEAD.unpack_from(encoded)
        at = _HEAD.size
    elif version == 1:
        _, duration, workload, count = _HEAD_1.unpack_from(encoded)
        at = _HEAD_1.size
    else:
        raise UnknownRun(f"The run is of version {version}; this Milepost knows version {_VERSION}.")
    _check(duration, workload)
    stages: list[StageRun] = []
    for _ in range(count):
        length, knots, total_known, start, end = _STAGE.unpack_from(encoded, at)
        _check(start, end)
        at += _STAGE.size
        stage_id = encoded[at : at + length].decode()
        at += length
        curve = None
        if knots:
            numbers = struct.unpack_from(f"<{2 * knots}f", encoded, at)
            _check(*numbers)
            at += 8 * knots
            seconds = [min(value, end - start) for value in numbers[knots:]]
            curve = PaceCurve.of(zip(numbers[:knots], seconds, strict=True))
        stages.append(StageRun(stage_id, start, end, curve, total_known))
    return past_run(duration, stages, workload, ended)


def _check(*numbers: float) -> None:
    """The numbers of a run. One that is none would make all estimates of its kind, and the weights of stages, none."""
    if not all(map(math.isfinite, numbers)):
        raise DamagedRun("The run has a number that is not finite.")


def _encode_stage(stage: StageRun, limit: int) -> bytes:
    name = stage.stage_id.encode()
    knots: Sequence[float] = ()
    if stage.curve is not None:
        curve = stage.curve.pruned(limit)
        knots = (*curve.units[1:], *curve.seconds[1:])
    head = _STAGE.pack(len(name), len(knots) // 2, stage.total_known, stage.start, stage.end)
    return b"".join((head, name, struct.pack(f"<{len(knots)}f", *knots)))
