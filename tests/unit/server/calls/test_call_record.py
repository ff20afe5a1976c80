"""Which calls leave a line in the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.server.access.audit import AuditLog
from milepost.server.access.credentials.refusals import unauthenticated
from milepost.server.access.principal import Principal, Scope
from milepost.server.calls.call_record import CallRecord

WORKER = Principal("worker", frozenset({"team-a"}), frozenset({Scope.WORK}))
WORK = "/milepost.v1.WorkerService/Work"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the audit log."""
    return tmp_path / "audit.jsonl"


@pytest.fixture
def record(path: Path) -> Iterator[CallRecord]:
    """The record of a session that a worker opens."""
    audit = AuditLog(path)
    yield CallRecord(WORK, "ipv4:127.0.0.1:1", audit)
    audit.close()


@pytest.mark.parametrize(
    ("admitted", "code", "outcomes"),
    [(True, "OK", ["OK"]), (True, "CANCELLED", ["CANCELLED"]), (False, "CANCELLED", [])],
)
def test_a_call_that_was_given_up_before_it_was_admitted(
    record: CallRecord, path: Path, admitted: bool, code: str, outcomes: list[str]
) -> None:
    """Nothing was decided of it: who resets calls without end does not fill the audit log."""
    record.note_principal(WORKER)
    if admitted:
        record.note_admitted()
    record.write(code)
    lines = path.read_text().splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == outcomes


def test_a_refused_call(record: CallRecord, path: Path) -> None:
    """It is recorded, although it was not admitted."""
    record.status_of(unauthenticated("No."))
    record.write("UNAUTHENTICATED")
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["outcome"] == "UNAUTHENTICATED"
