"""The interface between a session and the jobs that it carries messages for."""

from __future__ import annotations

from typing import Protocol

from milepost.client._worker.attempt import Attempt
from milepost.client._worker.send_queue import SendQueue
from milepost.v1 import Acknowledged, Assignment, Rejected

__all__ = ["SessionJobs"]


class SessionJobs(Protocol):
    """One `JobTable`, or those that share a session; see there."""

    @property
    def send_queue(self) -> SendQueue:
        """The messages to send."""

    @property
    def kinds(self) -> list[str]:
        """The kinds of job that have a handler."""

    @property
    def capacity(self) -> int:
        """Number of jobs that the server may have running here."""

    def prepare_session(self) -> list[str]:
        """Discard what was queued for the previous session; the ids of the jobs to resume."""

    def session_opened(self) -> None:
        """Resume all attempts on the new session."""

    def session_closed(self) -> None:
        """Send nothing until the next session is open."""

    def find(self, job_id: str, lease_token: str = "") -> Attempt | None:
        """The attempt at a job, if there is one."""

    def start(self, assignment: Assignment) -> None:
        """Start the handler of an assigned job."""

    def answered(self, job_id: str) -> None:
        """The server has answered for a job that the session resumes or redelivers."""

    def acknowledged(self, message: Acknowledged) -> None:
        """Pass an acknowledgement to its attempt."""

    def rejected(self, message: Rejected) -> None:
        """Pass a refusal to its attempt."""
