"""The settings of a worker, and their bounds."""

from __future__ import annotations

import math
from pathlib import Path

from milepost.client._arguments import build_request, check_seconds, to_path
from milepost.client._transport.target import FilePath, Target
from milepost.client._transport.token_source import Token
from milepost.contract.limits import CONCURRENCY, NAME_LENGTH
from milepost.v1 import Hello

__all__ = ["WorkerSettings"]


class WorkerSettings:
    """Settings of a worker; see `Worker`.

    Attributes:
        target: The server.
        address_of_code: The address that the code of the worker names; None for none.
        worker_id: Identifies the process; None for the host name and the process id.
        max_concurrency: Maximum number of jobs at once.
        drain_timeout: Seconds for running jobs to finish once the worker stops.
        flush_timeout: Seconds for the server to acknowledge the last reports of a job.
        spool: Directory for undelivered reports; None for none.
    """

    def __init__(
        self, target: Target, *, max_concurrency: int, drain_timeout: float, flush_timeout: float
    ) -> None:
        self.target = target
        self.address_of_code: str | None = None
        self.worker_id: str | None = None
        self.max_concurrency = max_concurrency
        self.drain_timeout = drain_timeout
        self.flush_timeout = flush_timeout
        self.spool: Path | None = None

    def override(
        self,
        *,
        address: str | None = None,
        token: Token | None = None,
        tls: bool | None = None,
        tls_ca: FilePath | None = None,
        tls_cert: FilePath | None = None,
        tls_key: FilePath | None = None,
        allow_plaintext_token: bool | None = None,
        worker_id: str | None = None,
        max_concurrency: int | None = None,
        drain_timeout: float | None = None,
        flush_timeout: float | None = None,
        spool: FilePath | None = None,
    ) -> None:
        """Replace each setting that is not None, before the worker runs.

        Raises:
            TypeError: A value has the wrong type.
            ValueError: A value is out of its bounds.
        """
        build_request(Hello, worker_id=worker_id, max_concurrency=max_concurrency)
        timeouts = {"drain_timeout": drain_timeout, "flush_timeout": flush_timeout}
        # An infinite one sets no limit.
        check_seconds(**{name: value for name, value in timeouts.items() if value not in (None, math.inf)})
        if max_concurrency is not None and not 1 <= max_concurrency <= CONCURRENCY:
            raise ValueError(f"max_concurrency is 1 to {CONCURRENCY}, not {max_concurrency}.")
        if worker_id is not None and not 1 <= len(worker_id) <= NAME_LENGTH:
            raise ValueError(f"A worker_id has 1 to {NAME_LENGTH} characters, not {len(worker_id)}.")
        self.target = self.target.changed(
            address=address,
            token=token,
            tls=tls,
            tls_ca=tls_ca,
            tls_cert=tls_cert,
            tls_key=tls_key,
            allow_plaintext_token=allow_plaintext_token,
        )
        self.worker_id = worker_id or self.worker_id
        if max_concurrency is not None:
            self.max_concurrency = max_concurrency
        if drain_timeout is not None:
            self.drain_timeout = drain_timeout
        if flush_timeout is not None:
            self.flush_timeout = flush_timeout
        if spool:
            self.spool = to_path(spool, "spool")
