"""What all sessions of workers use."""

from __future__ import annotations

from typing import NamedTuple

from milepost.server.access.limits.limiter import Limiter
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.reports import Reports
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.followers.deadlines import Deadlines
from milepost.server.service.job_access import JobAccess


class SessionParts(NamedTuple):
    """The parts of the server that a worker's requests reach."""

    attempts: Attempts
    reports: Reports
    dispatcher: Dispatcher
    sessions: SessionTable
    deadlines: Deadlines
    access: JobAccess
    limiter: Limiter
