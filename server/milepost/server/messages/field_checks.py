"""Checks of fields against the limits of the contract. A ``Check`` collects all violations, and refuses them as one."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Sized
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from milepost.contract import limits
from milepost.contract.name_rules import name_rule
from milepost.server.base.refusal import Refusal, Violation
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Artifact, ErrorReason, Failure, Retention, RetryPolicy, Stage

# Limit of google.protobuf.Duration in seconds: about 10,000 years.
_DURATION_MAX = 315_576_000_000

_VALUES_PER_SLICE: Final = 2048
"""Values of a JSON object that are checked in one slice."""


class Check:
    """Collects violations. A field is a path from the request, as in ``google.rpc.BadRequest``."""

    def __init__(self) -> None:
        self._violations: list[Violation] = []
        self._reason: ErrorReason.ValueType = ErrorReason.ERROR_REASON_INVALID_FIELD

    def refuse(self) -> None:
        """Raise a Refusal if there are violations: INVALID_FIELD, or TOO_LARGE if the first one is of size."""
        if self._violations:
            first = self._violations[0]
            raise Refusal(
                self._reason,
                f"{first.field}: {first.description}",
                metadata={"field": first.field},
                violations=tuple(self._violations),
            )

    def wrong(self, field: str, description: str) -> None:
        """Add a violation."""
        self._violations.append(Violation(field, description))

    def too_large(self, field: str, description: str) -> None:
        """Add a violation of a size limit."""
        if not self._violations:
            self._reason = ErrorReason.ERROR_REASON_TOO_LARGE
        self.wrong(field, description)

    def pattern(self, field: str, value: str, pattern: re.Pattern[str], *, optional: bool = False) -> None:
        """Text that matches the pattern as a whole."""
        if not (optional and not value) and pattern.fullmatch(value) is None:
            self.wrong(field, f"{_quote(value)} is not valid: {name_rule(pattern)}")

    def length(self, field: str, value: str, maximum: int, *, minimum: int = 0) -> None:
        """Text within bounds, in characters."""
        if len(value) > maximum:
            self.too_large(field, f"has {len(value):,} characters; at most {maximum:,} are allowed")
        elif len(value) < minimum:
            self.wrong(field, "must not be empty")

    def amount(self, field: str, value: float, maximum: float = limits.AMOUNT) -> None:
        """A number from 0 to ``maximum``; so neither NaN nor infinite."""
        if not 0 <= value <= maximum:
            self.wrong(field, f"is {_number(value)}; it must be between 0 and {_number(maximum)}")

    def between(self, field: str, value: int, minimum: int, maximum: int) -> None:
        """An integer within bounds."""
        if not minimum <= value <= maximum:
            self.wrong(field, f"is {value:,}; it must be between {minimum:,} and {maximum:,}")

    def count(self, field: str, values: Sized, maximum: int) -> bool:
        """At most ``maximum`` values; whether that holds. If not, do not check each of them."""
        if len(values) > maximum:
            self.too_large(field, f"has {len(values):,} entries; at most {maximum:,} are allowed")
        return len(values) <= maximum

    def patterns(self, field: str, values: Sequence[str], pattern: re.Pattern[str], maximum: int) -> None:
        """At most ``maximum`` texts, each of which matches the pattern as a whole."""
        if self.count(field, values, maximum):
            for index, value in enumerate(values):
                self.pattern(f"{field}[{index}]", value, pattern)

    def size(self, field: str, message: Message, maximum: int) -> bool:
        """A message of at most ``maximum`` bytes encoded; whether that holds."""
        size = message.ByteSize()
        if size > maximum:
            self.too_large(field, f"is {size:,} bytes encoded; at most {maximum:,} are allowed")
        return size <= maximum

    def struct(self, field: str, value: Struct) -> Steps[None]:
        """A JSON object within the depth limit, with values that JSON has; its size is another check.

        It is work in slices, since an object of a MiB has up to 260,000 values.
        """
        count = 0
        # The values that are left to check at each depth; iterators, since lists of them would take much memory.
        left: list[Iterator[Value]] = [iter(value.fields.values())]
        while left:
            inner = next(left[-1], None)
            if inner is None:
                left.pop()
                continue
            count += 1
            if count % _VALUES_PER_SLICE == 0:
                yield
            values: Collection[Value] = ()
            match inner.WhichOneof("kind"):
                case "number_value" if not math.isfinite(inner.number_value):
                    return self.wrong(
                        field, f"holds the number {inner.number_value:g}, which JSON does not have"
                    )
                case "struct_value":
                    values = inner.struct_value.fields.values()
                case "list_value":
                    values = inner.list_value.values
                case None:
                    return self.wrong(field, "holds a value of no kind; null is one")
            if values:
                left.append(iter(values))
                if len(left) > limits.STRUCT_DEPTH:
                    return self.too_large(field, f"is over {limits.STRUCT_DEPTH} levels deep")
        return None

    def duration(
        self, field: str, value: Duration, minimum: float = 0.0, maximum: float = _DURATION_MAX
    ) -> None:
        """A well-formed duration within bounds, in seconds."""
        seconds = value.seconds + value.nanos / 1e9
        if abs(value.nanos) >= 10**9 or value.seconds * value.nanos < 0:
            found = f"{value.seconds:,} s and {value.nanos:,} ns, which is not a valid Duration"
        elif not minimum <= seconds <= maximum:
            found = f"{_number(seconds)} s"
        else:
            return
        longest = "10,000 years" if maximum == _DURATION_MAX else f"{_number(maximum)} s"
        self.wrong(field, f"is {found}; it must be between {_number(minimum)} s and {longest}")

    def known(self, field: str, value: int, names: Mapping[int, object]) -> None:
        """A known value of an open enum."""
        if value not in names:
            self.wrong(field, f"{value} is not one of its values")


def _number(value: float) -> str:
    """A number for people: ``0.5``, ``86,400``, ``1e+30``."""
    return f"{value:,.15g}"


def _quote(value: str) -> str:
    return repr(value if len(value) <= 200 else value[:200] + "…")


def labels(check: Check, field: str, value: Mapping[str, str]) -> None:
    """Labels of a job, or of a filter."""
    if not check.count(field, value, limits.LABELS):
        return
    for key, text in value.items():
        path = f"{field}[{_quote(key)}]"
        check.pattern(path, key, limits.LABEL_KEY)
        check.length(path, text, limits.LABEL_VALUE_LENGTH)


def stage_plan(check: Check, field: str, stages: Sequence[Stage], known: Mapping[str, object]) -> None:
    """A plan: unique ids, and each parent is ``known`` or earlier in the plan, which also rules out cycles."""
    if not check.count(field, stages, limits.STAGES):
        return
    later = {stage.stage_id for stage in stages}
    earlier: set[str] = set()
    for index, stage in enumerate(stages):
        stage_fields(check, f"{field}[{index}]", stage)
        if stage.stage_id in earlier:
            check.wrong(f"{field}[{index}].stage_id", f"{_quote(stage.stage_id)} is in the plan twice")
        parent = stage.parent_stage_id
        if parent and parent not in earlier and parent not in known:
            where = "the stage itself, or later in the plan" if parent in later else "not a stage of the job"
            check.wrong(
                f"{field}[{index}].parent_stage_id",
                f"{_quote(parent)} is {where}; parents come before their children",
            )
        earlier.add(stage.stage_id)


def stage_fields(check: Check, path: str, stage: Stage) -> None:
    """A stage in a plan, or one that starts."""
    if _is_plain(stage):
        return
    check.pattern(f"{path}.stage_id", stage.stage_id, limits.STAGE_ID)
    check.length(f"{path}.title", stage.title, limits.TITLE_LENGTH)
    check.length(f"{path}.unit", stage.unit, limits.UNIT_LENGTH)
    check.length(f"{path}.message", stage.message, limits.MESSAGE_LENGTH)
    check.amount(f"{path}.weight", stage.weight)
    check.amount(f"{path}.total", stage.total)
    check.amount(f"{path}.current", stage.current)
    check.amount(f"{path}.fraction", stage.fraction, maximum=1.0)


def _is_plain(stage: Stage) -> bool:
    """Whether a stage is within all bounds: a quick check, since a plan may have a thousand."""
    return (
        limits.STAGE_ID.fullmatch(stage.stage_id) is not None
        and len(stage.title) <= limits.TITLE_LENGTH
        and len(stage.unit) <= limits.UNIT_LENGTH
        and len(stage.message) <= limits.MESSAGE_LENGTH
        and 0 <= stage.weight <= limits.AMOUNT
        and 0 <= stage.total <= limits.AMOUNT
        and 0 <= stage.current <= limits.AMOUNT
        and 0 <= stage.fraction <= 1
    )


def failure(check: Check, path: str, value: Failure) -> None:
    """A failure in a report."""
    check.pattern(f"{path}.code", value.code, limits.FAILURE_CODE)
    check.length(f"{path}.message", value.message, limits.MESSAGE_LENGTH)
    if len(value.detail.encode()) > limits.FAILURE_DETAIL_SIZE:
        check.too_large(f"{path}.detail", f"is over {limits.FAILURE_DETAIL_SIZE:,} bytes")


def artifact(check: Check, path: str, value: Artifact) -> None:
    """An artifact in a report."""
    check.length(f"{path}.name", value.name, limits.ARTIFACT_NAME_LENGTH, minimum=1)
    check.length(f"{path}.uri", value.uri, limits.ARTIFACT_URI_LENGTH, minimum=1)
    check.length(f"{path}.media_type", value.media_type, limits.ARTIFACT_NAME_LENGTH)
    check.amount(f"{path}.size_bytes", value.size_bytes)
    check.pattern(f"{path}.sha256", value.sha256, limits.SHA256, optional=True)


def retention(check: Check, path: str, value: Retention) -> None:
    """The retention in a submission."""
    check.duration(f"{path}.keep_events", value.keep_events)
    check.duration(f"{path}.keep_job", value.keep_job)
    if value.max_events != 0 and value.max_events < limits.MAX_EVENTS_MIN:
        check.wrong(
            f"{path}.max_events", f"is {value.max_events}; it must be 0, or {limits.MAX_EVENTS_MIN} or more"
        )


def retry_policy(check: Check, path: str, value: RetryPolicy) -> None:
    """The retry policy in a submission."""
    check.amount(f"{path}.max_attempts", value.max_attempts, maximum=limits.ATTEMPTS)
    check.duration(f"{path}.initial_backoff", value.initial_backoff)
    check.duration(f"{path}.max_backoff", value.max_backoff)
    if value.multiplier != 0 and not 1 <= value.multiplier <= 100:
        check.wrong(f"{path}.multiplier", f"is {value.multiplier:g}; it must be between 1 and 100")
    for name, codes in (("retryable_codes", value.retryable_codes), ("final_codes", value.final_codes)):
        check.patterns(f"{path}.{name}", codes, limits.FAILURE_CODE, limits.FAILURE_CODES)
