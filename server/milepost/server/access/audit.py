"""Audit log: one line for each decision that changes or refuses something. Never a token, never a payload."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Final

import structlog

from milepost.contract.reasons import reason_name
from milepost.server.access.authorize import Action
from milepost.server.access.principal import Principal
from milepost.v1 import ErrorReason

_logger = structlog.get_logger("milepost.audit")

CHANGING: Final = frozenset(
    {Action.SUBMIT, Action.CANCEL, Action.DELETE, Action.WORK, Action.ADMINISTER, Action.SHARE}
)
"""Actions whose calls are always recorded. A worker's session is recorded when it ends; its reports are not."""

AUDITED_REASONS: Final = frozenset(
    {
        reason_name(reason)
        for reason in (
            ErrorReason.ERROR_REASON_UNAUTHENTICATED,
            ErrorReason.ERROR_REASON_TOKEN_EXPIRED,
            ErrorReason.ERROR_REASON_PERMISSION_DENIED,
        )
    }
)
"""Reasons whose refusals are recorded for every method."""


class AuditLog:
    """Writes lines to a file, or to the server's log; a closed one writes none."""

    def __init__(self, path: Path | None, *, is_open: bool = True) -> None:
        """Open the file, private to its owner; None for the server's log. Raises OSError.

        The file is created again after somebody, such as logrotate, has moved it away.
        """
        self._is_open = is_open
        self._file: logging.Handler | None = None
        if path is not None and is_open:
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
                self._file = WatchedFileHandler(path, encoding="utf-8")
            except OSError as error:
                raise OSError(f"The audit log {str(path)!r} cannot be written: {error.strerror}.") from error

    def write(self, principal: Principal, peer: str, action: str, job_id: str, outcome: str) -> None:
        """Record a decision. ``outcome`` is OK, a reason of the contract, or a status of gRPC."""
        if not self._is_open:
            return
        entry = {
            "subject": principal.subject,
            "credential": principal.credential_id,
            "peer": peer,
            "action": action,
            "job_id": job_id,
            "outcome": outcome,
        }
        if self._file is None:
            _logger.info("audit", **entry)
            return
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry})
        # By `logging`, which serialises writers and reports errors of the file on stderr.
        self._file.handle(logging.LogRecord("milepost.audit", logging.INFO, "", 0, line, None, None))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
