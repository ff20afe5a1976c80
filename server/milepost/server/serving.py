"""The server as a whole: its parts put together, its life from start to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from milepost.contract import limits
from milepost.server.clock import SystemClock
from milepost.server.directory import DataDirectory
from milepost.server.edge.interceptor import Edge
from milepost.server.edge.registration import add_service
from milepost.server.jobs.cascade import Cascade
from milepost.server.jobs.families import Families
from milepost.server.jobs.service import JobService
from milepost.server.jobs.submissions import Submissions
from milepost.server.journal import Journal
from milepost.server.log.sqlite import SqliteEventLog
from milepost.server.retention import Keep, Retention
from milepost.server.tasks import Tasks
from milepost.server.turns import follow_turns
from milepost.server.watching.admission import Admission
from milepost.server.watching.service import Watching
from milepost.server.working.attempts import Attempts
from milepost.server.working.deadlines import Deadlines
from milepost.server.working.dispatcher import Dispatcher
from milepost.server.working.leases import LeaseTokens
from milepost.server.working.service import WorkerService
from milepost.v1 import job_service_pb2, worker_service_pb2

_log = structlog.get_logger("milepost.server")

_SERVICES = (
    job_service_pb2.DESCRIPTOR.services_by_name["JobService"],
    worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"],
)

_OPTIONS = [
    # A second server on the same port would be handed half of the connections, silently.
    ("grpc.so_reuseport", 0),
    # A burst of streams, as after a restart, is not to be turned away: the defaults reject what is over 1,000.
    ("grpc.server.max_pending_requests", 50_000),
    ("grpc.server.max_pending_requests_hard_limit", 100_000),
    # Clients may ping often, and a dead peer is found in seconds.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", limits.REQUEST_SIZE),
]

# How long calls that are under way may take to finish when the server stops, in seconds.
_STOP_GRACE = 5.0

# How long no call comes if no more do, in seconds; and how often to wait for that.
_LULL = 0.05
_LULLS_MOST = 20


@dataclass(frozen=True)
class Settings:
    """What the server is started with. ``address`` is ``host:port``, with port 0 for a free one; times in seconds."""

    address: str
    data: Path
    lease_ttl: float = 30.0
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    keep: Keep = field(default_factory=Keep)
    sweep_interval: float = 60.0
    tail_memory: int = 256 << 20
    """In bytes."""
    max_watches: int = 50_000
    max_watches_per_caller: int = 20_000


class Server:
    """A Milepost server. ``start`` it, then ``stop`` it; ``failed`` is done if its store fails it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = DataDirectory(settings.data)
        clock = SystemClock()
        self._store = log = SqliteEventLog(settings.data)
        self.failed = log.failed
        self._tasks = Tasks()
        admission = Admission(settings.max_watches, settings.max_watches_per_caller)
        self._watching = Watching(log, clock, admission, settings.tail_memory)
        journal = Journal(log, clock)
        attempts = Attempts(journal, LeaseTokens(log.lease_secret))
        self._dispatcher = Dispatcher(attempts, clock, self._tasks)
        self._deadlines = Deadlines(journal, clock, self._tasks, settings.lease_ttl)
        self._cascade = Cascade(log, journal, self._tasks)
        self._retention = Retention(log, clock, settings.keep, settings.sweep_interval)
        self._job_service = JobService(log, journal, Submissions(log, journal, clock), self._watching)
        self._worker_service = WorkerService(attempts, self._dispatcher, self._deadlines, settings.lease_ttl)
        for listener in (
            journal.publish,
            self._watching.publish,
            self._retention.publish,
            Families(log, journal, self._tasks).publish,
        ):
            log.follow(listener)
        self._on_turn = (
            self._dispatcher.on_turn,
            self._deadlines.on_turn,
            self._cascade.on_turn,
        )
        follow_turns(log, *self._on_turn)
        self._health = health.aio.HealthServicer()
        self._edge = Edge()
        self._grpc = grpc.aio.server(interceptors=[self._edge], options=_OPTIONS)
        self.address = ""

    @property
    def epoch(self) -> str:
        """The epoch of the store."""
        return self._store.epoch

    async def start(self) -> None:
        """Takes up the jobs that have not ended, then serves. Raises OSError where the address cannot be had."""
        active = await self._store.active()
        for job in active:  # without a break, since what is recovered takes turns itself
            self._dispatcher.on_turn(job)
            self._deadlines.on_turn(job)
        for job in active:
            await self._cascade.recover(job)
        await self._watching.start()
        self._tasks.start(self._retention.run())
        add_service(self._grpc, _SERVICES[0], self._job_service)
        add_service(self._grpc, _SERVICES[1], self._worker_service)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        names = [service.full_name for service in _SERVICES]
        reflection.enable_server_reflection(
            [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._grpc
        )
        for name in ("", *names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self.address = self._bind()
        await self._grpc.start()
        _log.info("serving", address=self.address, data=str(self._settings.data), epoch=self.epoch)

    async def stop(self) -> None:
        """Stops in order: no more is taken, streams are told, what is being committed is committed."""
        _log.info("stopping")
        self._edge.drain()
        await self._health.enter_graceful_shutdown()
        self._dispatcher.close()
        self._watching.close()
        await self._worker_service.drain()
        await self._last_calls()
        await self._grpc.stop(_STOP_GRACE)
        self._deadlines.close()
        await self._tasks.close()
        await self._store.close()
        self._directory.close()
        _log.info("stopped")

    async def _last_calls(self) -> None:
        """Waits until no more calls come: those that gRPC has not told of yet it would end with CANCELLED."""
        for _ in range(_LULLS_MOST):
            arrived = self._edge.arrived
            await asyncio.sleep(_LULL)
            if arrived == self._edge.arrived:
                return

    def _bind(self) -> str:
        host, _, _ = self._settings.address.rpartition(":")
        try:
            if self._settings.tls_certificate is not None and self._settings.tls_key is not None:
                pair = (self._settings.tls_key.read_bytes(), self._settings.tls_certificate.read_bytes())
                credentials = grpc.ssl_server_credentials([pair])
                port = self._grpc.add_secure_port(self._settings.address, credentials)
            else:
                port = self._grpc.add_insecure_port(self._settings.address)
        except RuntimeError as error:
            raise OSError(
                f"Cannot listen on {self._settings.address!r}: the address is in use or not this machine's. "
                "Name another one with --address; port 0 takes a free one."
            ) from error
        return f"{host}:{port}"
