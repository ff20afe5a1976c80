"""Comments of the protos agree with the code's limits, patterns and reasons."""

from __future__ import annotations

import re

import pytest

import milepost.v1
from milepost.contract import limits
from milepost.contract.comments import comments
from milepost.contract.reasons import reason_from_name, reason_name
from milepost.contract.status_codes import STATUS
from milepost.v1 import ErrorReason
from tests.contract.samples import files

COMMENTS = comments()
REASONS = [reason for reason in ErrorReason.values() if reason != ErrorReason.ERROR_REASON_UNSPECIFIED]

PATTERNS = {
    "Job.job_id": limits.JOB_ID,
    "Job.kind": limits.KIND,
    "Stage.stage_id": limits.STAGE_ID,
    "Failure.code": limits.FAILURE_CODE,
    "Custom.type": limits.CUSTOM_TYPE,
}


def at_most(count: int, what: str = "") -> str:
    """The wording of a maximum."""
    return f"at most {count:,} {what}".rstrip()


def up_to(least: int, most: int) -> str:
    """The wording of a range."""
    return f"{least:,} to {most:,}"


AMOUNT = "finite, not negative, at most 1e30"
NAME = at_most(limits.NAME_LENGTH, "characters")
UNIT = at_most(limits.UNIT_LENGTH, "characters")
MESSAGE = at_most(limits.MESSAGE_LENGTH, "characters")
DEPTH = at_most(limits.STRUCT_DEPTH, "levels deep")
RESULT = f"{at_most(limits.RESULT_SIZE // limits.MIB, 'MiB encoded')}, {DEPTH}"
FILTER = at_most(limits.FILTER_VALUES)
UPDATES = at_most(limits.UPDATES)
CONCURRENCY = up_to(0, limits.CONCURRENCY)
BATCH = up_to(1, limits.BATCH_EVENTS)
INTERVAL = (
    f"at least {limits.STATUS_INTERVAL_MIN:g} s, at most {limits.STATUS_INTERVAL_MAX / 3600:g} h. "
    f"unset: {limits.STATUS_INTERVAL:g} s"
)

BOUNDS = {
    "BackUpResponse.data": at_most(limits.BACKUP_CHUNK // limits.KIB, "KiB"),
    "Job": at_most(limits.JOB_SIZE // limits.KIB, "KiB encoded"),
    "Job.owner": NAME,
    "Job.labels": (
        f"{at_most(limits.LABELS)}; keys match `{limits.LABEL_KEY.pattern}`, "
        f"values are {at_most(limits.LABEL_VALUE_LENGTH, 'characters')}"
    ),
    "Job.stages": at_most(limits.STAGES),
    "Job.input": f"{at_most(limits.INPUT_SIZE // limits.MIB, 'MiB encoded')}, {DEPTH}",
    "Job.result": RESULT,
    "Job.artifacts": at_most(limits.ARTIFACTS),
    "Job.workload": AMOUNT,
    "Job.workload_unit": UNIT,
    "Job.planned_children": at_most(limits.CHILDREN),
    "Stage.weight": AMOUNT,
    "Stage.current": AMOUNT,
    "Stage.total": AMOUNT,
    "StageProgressed.current": AMOUNT,
    "StageProgressed.total": AMOUNT,
    "Stage.title": at_most(limits.TITLE_LENGTH, "characters"),
    "Stage.unit": UNIT,
    "Stage.message": MESSAGE,
    "Failure.message": MESSAGE,
    "Failure.detail": at_most(limits.FAILURE_DETAIL_SIZE // limits.KIB, "KiB"),
    "Cancellation.reason": MESSAGE,
    "Artifact.name": up_to(1, limits.ARTIFACT_NAME_LENGTH) + " characters",
    "Artifact.uri": up_to(1, limits.ARTIFACT_URI_LENGTH) + " characters",
    "Artifact.media_type": at_most(limits.ARTIFACT_NAME_LENGTH, "characters"),
    "RetryPolicy.max_attempts": up_to(1, limits.ATTEMPTS),
    "RetryPolicy.retryable_codes": at_most(limits.FAILURE_CODES),
    "RetryPolicy.final_codes": at_most(limits.FAILURE_CODES),
    "StageProgressed.unit": UNIT,
    "StageProgressed.message": MESSAGE,
    "StageEnded.message": MESSAGE,
    "LogWritten.text": at_most(limits.LOG_TEXT_SIZE // limits.KIB, "KiB"),
    "LogWritten.fields": f"{at_most(limits.LOG_FIELDS_SIZE // limits.KIB, 'KiB encoded')}, {DEPTH}",
    "Custom.data": at_most(limits.CUSTOM_SIZE // limits.KIB, "KiB encoded"),
    "Custom.json": DEPTH,
    "JobEnded.result": RESULT,
    "JobEnded.message": MESSAGE,
    "SubmitJobRequest.request_id": NAME,
    "Job.priority": f"-{limits.PRIORITY:,} to {limits.PRIORITY:,}",
    "Job.concurrency_key": NAME,
    "Job.concurrency_limit": "at least 1",
    "SubmitJobRequest.timeout": f"at least {limits.TIMEOUT_MIN:g} s",
    "SubmitJobRequest.attempt_timeout": f"at least {limits.TIMEOUT_MIN:g} s",
    "SubmitJobRequest.start_deadline": f"at least {limits.TIMEOUT_MIN:g} s",
    "JobFilter.kinds": FILTER,
    "JobFilter.labels": at_most(limits.LABELS),
    "ShareJobRequest.ttl": (
        f"at least {limits.SHARE_TTL_MIN:g} s, at most {limits.SHARE_TTL_MAX / 86400:g} days, in whole seconds. "
        f"unset: {limits.SHARE_TTL / 60:g} min"
    ),
    "JobFilter.job_ids": FILTER,
    "JobFilter.states": FILTER,
    "ListJobsRequest.page_size": (
        f"0 for {limits.PAGE_SIZE}. more than {limits.PAGE_SIZE_MAX:,} counts as {limits.PAGE_SIZE_MAX:,}"
    ),
    "CancelJobRequest.reason": MESSAGE,
    "CancelJobRequest.request_id": NAME,
    "CancelJobRequest.grace_period": (
        f"unset: {limits.GRACE_PERIOD:g} s. 0 s: at once. at most {limits.GRACE_PERIOD_MAX / 3600:g} h"
    ),
    "WatchJobRequest.status_interval": INTERVAL,
    "WatchJobRequest.max_batch_events": BATCH,
    "WatchJobsRequest.status_interval": INTERVAL,
    "WatchJobsRequest.max_batch_events": BATCH,
    "Hello.worker_id": NAME,
    "Hello.kinds": FILTER,
    "Hello.max_concurrency": CONCURRENCY,
    "Hello.sdk": NAME,
    "Hello.instance": NAME,
    "Claim.instance": NAME,
    "Hello.job_ids": at_most(limits.CONCURRENCY),
    "Capacity.max_concurrency": CONCURRENCY,
    "Report.updates": UPDATES,
    "ReportJobRequest.updates": UPDATES,
    "WaitingFor.WAITING_FOR_RECONNECT": at_most(int(limits.RECONNECT_GRACE_MAX), "s"),
    "Waiting.nearest_kinds": at_most(limits.NEAREST_KINDS),
    "ListWorkersRequest.page_size": (
        f"0 for {limits.PAGE_SIZE}. more than {limits.PAGE_SIZE_MAX:,} counts as {limits.PAGE_SIZE_MAX:,}"
    ),
    "ConnectedWorker": f"{limits.WORKERS_INTERVAL:g} s old",
    "ConnectedWorker.job_ids": at_most(limits.WORKER_JOB_IDS),
}


def test_every_message_and_enum_can_be_imported_from_the_package() -> None:
    """``from milepost.v1 import …`` offers exactly the contract's messages and enums."""
    expected = {name for file in files() for name in (*file.message_types_by_name, *file.enum_types_by_name)}

    assert sorted(expected) == sorted(milepost.v1.__all__)
    assert expected <= set(dir(milepost.v1))


@pytest.mark.parametrize("field", PATTERNS)
def test_patterns_are_those_of_the_protos(field: str) -> None:
    """The check equals the proto's comment."""
    assert f"Matches `{PATTERNS[field].pattern}`" in COMMENTS[field]


@pytest.mark.parametrize("field", BOUNDS)
def test_bounds_are_those_of_the_protos(field: str) -> None:
    """The check equals the proto's comment."""
    assert BOUNDS[field].lower() in COMMENTS[field].lower()


def test_every_bound_of_the_protos_is_compared() -> None:
    """Every number in a comment is compared with its limit here."""
    bounded = {name for name, text in COMMENTS.items() if re.search(r"[Aa]t (?:most|least) \d", text)}

    assert bounded <= set(BOUNDS)


@pytest.mark.parametrize("reason", REASONS, ids=reason_name)
def test_a_reason_travels_with_the_status_in_its_comment(reason: ErrorReason.ValueType) -> None:
    """Each reason has one status, that of the proto's comment."""
    status = COMMENTS[f"ErrorReason.{ErrorReason.Name(reason)}"].partition(":")[0]

    assert status == STATUS[reason].name


@pytest.mark.parametrize("reason", REASONS, ids=reason_name)
def test_a_reason_is_found_by_its_name(reason: ErrorReason.ValueType) -> None:
    """The name in ``ErrorInfo`` and the value of the enum convert to each other."""
    assert reason == reason_from_name(reason_name(reason))


def test_a_reason_of_a_later_version_is_unspecified() -> None:
    """A client accepts unknown reasons."""
    assert reason_from_name("OF_A_LATER_VERSION") == ErrorReason.ERROR_REASON_UNSPECIFIED
