"""The server as a whole: gRPC, store and core, from start to stop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from milepost.server.access.audit import AuditLog
from milepost.server.access.credentials.credential_settings import CredentialSettings
from milepost.server.access.credentials.shares import Shares
from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.limits.principal_limits import Limits
from milepost.server.background_tasks import Tasks
from milepost.server.base.clock import AdjustedClock
from milepost.server.budgets.idle_caches import IdleCaches
from milepost.server.budgets.response_room import RESPONSE_MEMORY
from milepost.server.calls.call_admission import CallAdmission
from milepost.server.calls.call_memory import REQUEST_MEMORY, CallMemory
from milepost.server.calls.open_calls import OpenCalls
from milepost.server.followers.retention import RetentionPolicy
from milepost.server.http.http_settings import HttpSettings
from milepost.server.http.in_process_backend import InProcessBackend
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.store import NatsStore, Store, open_store
from milepost.server.log.store_files import StoreFiles
from milepost.server.rpc.call_log import ignore_lost_connections
from milepost.server.rpc.floods import Floods
from milepost.server.rpc.interceptor import Interceptor
from milepost.server.rpc.registration import add_service
from milepost.server.runtime import listen_address
from milepost.server.runtime.core import QUEUE_MEMORY, Core
from milepost.server.runtime.data_directory import DataDirectory
from milepost.server.runtime.flood_barrier import FloodBarrier
from milepost.server.runtime.grpc_server import grpc_accepting, grpc_batches, grpc_wakeups
from milepost.server.runtime.grpc_server.grpc_options import GRPC_OPTIONS
from milepost.server.runtime.grpc_server.grpc_start import start_grpc
from milepost.server.runtime.grpc_server.health_port import HealthPort
from milepost.server.runtime.grpc_server.health_service import Health
from milepost.server.runtime.startup_placeholder import StartupPlaceholder
from milepost.server.runtime.tls.tls_credentials import TlsCredentials
from milepost.server.runtime.tls.tls_files import TlsFiles
from milepost.server.runtime.uncancelled import finish
from milepost.server.scheduling.loop_lag import LONG_PASS_TIME, LoopLag
from milepost.server.scheduling.slices import Slices
from milepost.server.service.stored_shares import StoredShares
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.v1 import admin_service_pb2, job_service_pb2, worker_service_pb2

if TYPE_CHECKING:
    from milepost.server.runtime.http_server.http_port import HttpPort
    from milepost.server.runtime.metrics.metrics_port import MetricsPort
    from milepost.server.runtime.metrics.server_metrics import ServerMetrics

_logger = structlog.get_logger("milepost.server")

_SERVICES = (
    job_service_pb2.DESCRIPTOR.services_by_name["JobService"],
    worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"],
    admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"],
)

_NAMES = [service.full_name for service in _SERVICES]

# Seconds for open calls to finish when the server stops.
_STOP_GRACE = 5.0

# Draining waits until no call has come for a quiet period, in seconds, and for at most so many periods. A period has
# steps: on a busy machine each takes longer, so that gRPC's threads get to run in between.
_QUIET_PERIOD = 0.05
_QUIET_STEPS = 10
_QUIET_PERIOD_LIMIT = 20


@dataclass(frozen=True)
class Settings:
    """Settings of a server. ``address`` is ``host:port``, with port 0 for a free one; times are in seconds.

    Without ``data`` the log is in memory, and ends with the server: that is for tests.
    """

    address: str
    data: Path | None
    lease_ttl: float = 30.0
    tls: TlsFiles | None = None
    """None: plain text."""
    health_address: str = ""
    """``host:port`` of health checks in plain text besides; none by default."""
    metrics_address: str = ""
    """``host:port`` of metrics for Prometheus; none by default."""
    keep: RetentionPolicy = field(default_factory=RetentionPolicy)
    sweep_interval: float = 60.0
    tail_memory: int = 128 << 20
    """In bytes."""
    queue_memory: int = QUEUE_MEMORY
    """In bytes."""
    max_watches: int = 50_000
    max_watches_per_caller: int = 20_000
    limits: Limits = field(default_factory=Limits)
    """Of each principal; ``max_watches_per_caller`` is that of its watches."""
    request_memory: int = REQUEST_MEMORY
    """In bytes."""
    response_memory: int = RESPONSE_MEMORY
    """In bytes."""
    loop_warning: float = LONG_PASS_TIME
    """Seconds; the log has a line where the event loop is blocked for longer."""
    credentials: CredentialSettings = field(default_factory=CredentialSettings)
    audit_log: Path | None = None
    """The file of the audit log; None for the server's log, and for no audit without credentials."""
    http: HttpSettings | None = None
    """None for no HTTP."""
    nats: NatsStore | None = None
    """The stream that holds the log; None for the data directory."""


class Server:
    """A Milepost server: ``start`` it, then ``stop`` it. ``failed`` resolves if its store fails for good.

    ``loop_lag`` counts the passes of its event loop, if whoever runs that does so.
    """

    def __init__(self, settings: Settings, loop_lag: LoopLag | None = None) -> None:
        self._settings = settings
        self._loop_lag = LoopLag() if loop_lag is None else loop_lag
        self._tls = None if settings.tls is None else TlsCredentials(settings.tls)
        self._clock = clock = AdjustedClock()
        self._slices = Slices()
        self._idle = IdleCaches(clock, self._slices)
        self._directory: DataDirectory | None = None
        self._store: Store
        if settings.data is None:
            self._store = MemoryEventLog(MemoryDisk.new())
        else:
            self._directory = DataDirectory(settings.data)
            files = StoreFiles()
            self._store = open_store(settings.data, files, settings.nats, self._on_store, self._idle, clock)
            self._directory.watch(files)
        self.failed = self._store.failed
        self._core: Core | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._job_service, self._worker_service, self._admin_service = self._services = [
            StartupPlaceholder(service) for service in _SERVICES
        ]
        self._health = Health(["", *_NAMES])
        self.failed.add_done_callback(lambda _: self._health.set(False, "", *_NAMES))
        self.memory = CallMemory(settings.request_memory, settings.response_memory)
        self._shares = Shares(clock, StoredShares(self._store))
        self._authenticator = settings.credentials.open(clock, self._shares)
        self._calls = OpenCalls(self._authenticator)
        self._tasks = Tasks()
        audited = settings.audit_log is not None or not settings.credentials.is_empty
        self._audit = AuditLog(settings.audit_log, is_open=audited)
        self._limiter = Limiter(settings.limits._replace(watches=settings.max_watches_per_caller))
        self._admission = CallAdmission(self._authenticator, self._limiter)
        self._metrics: ServerMetrics | None = None
        self._metrics_port: MetricsPort | None = None
        if settings.metrics_address:
            # They import prometheus_client, which nothing else needs.
            from milepost.server.runtime.metrics.metrics_port import MetricsPort
            from milepost.server.runtime.metrics.server_metrics import ServerMetrics

            self._metrics = ServerMetrics(
                self._store, settings.data, self._admission.ended, self._loop_lag, self.memory.responses
            )
            self._metrics_port = MetricsPort(settings.metrics_address, self._metrics)
        self._barrier = FloodBarrier(self._tasks)
        grpc_accepting.install()
        grpc_batches.install()
        ignore_lost_connections()
        self._health_port: HealthPort | None = None
        with grpc_wakeups.take_all_per_pass():
            interceptor = self._intercept(self.memory, self._barrier)
            self._grpc = grpc.aio.server(interceptors=[interceptor], options=GRPC_OPTIONS)
            if settings.health_address:
                self._health_port = HealthPort(
                    settings.health_address, self._health, self._tasks, self._intercept
                )
        self._http: HttpPort | None = None
        if settings.http is not None:
            # It takes as long to import as the rest of the server.
            from milepost.server.runtime.http_server.http_port import HttpPort

            needs_credential = not settings.credentials.is_empty
            self._http = HttpPort(settings.http, settings.tls, _STOP_GRACE, needs_credential=needs_credential)
        self.address = self.health_address = self.http = self.metrics = ""

    @property
    def epoch(self) -> str:
        """The epoch of the store."""
        return self._store.epoch

    @property
    def call_count(self) -> int:
        """The number of calls so far."""
        return self._admission.call_count

    async def start(self) -> None:
        """Load the jobs that have not ended, then serve. Raises OSError if the address cannot be bound.

        Until then it answers health checks with NOT_SERVING, and refuses all other calls.
        """
        for service, servicer in zip(_SERVICES, self._services, strict=True):
            add_service(self._grpc, service, servicer)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection(
            [*_NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME], self._grpc
        )
        if self._http is not None:
            self.http = self._http.bind()
        self.address = self._bind()
        self._barrier.attach(int(self.address.rpartition(":")[2]))
        if self._health_port is not None:
            self.health_address = await self._health_port.start()
        if self._metrics_port is not None:
            self.metrics = await self._metrics_port.start()
        await self._authenticator.start()
        await start_grpc(self._grpc)
        self._tasks.start(self._calls.run())
        self._tasks.start(self._idle.run())
        self._tasks.start(self._barrier.bound_silent())
        await self._store.start()
        await self._start_core()
        await self._start_http()
        self._health.set(True, "", *_NAMES)
        self._health.set(self._store.up, _NAMES[1])
        _logger.info(
            "serving",
            address=self.address,
            **({"http": self.http} if self.http else {}),
            data=str(self._settings.data or "memory"),
            epoch=self.epoch,
        )

    async def stop(self) -> None:
        """Shut down in order: refuse new calls, end streams with DRAINING, finish pending commits.

        Where this is cancelled, however often, it returns only once that is done. An error of one step keeps no other
        one from its turn: what listens on would hand calls to a loop that is closed, and they would never be answered.
        """
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop())
        await finish(self._stopping)

    async def _stop(self) -> None:
        if self.address:
            _logger.info("stopping")
        async with AsyncExitStack() as steps:
            # The last one comes first.
            steps.callback(self._log_stopped)
            steps.callback(self._audit.close)
            if self._directory is not None:
                steps.callback(self._directory.close)
            steps.push_async_callback(self._store.close)
            if self._core is not None:
                steps.push_async_callback(self._core.close)
            steps.push_async_callback(self._tasks.close)
            if self._metrics_port is not None:
                steps.push_async_callback(self._metrics_port.stop)
            if self._health_port is not None:
                steps.push_async_callback(self._health_port.stop)
            # Without grace where the end of the loop has cancelled the one with it; else there is nothing left to do.
            steps.push_async_callback(self._grpc.stop, None)
            steps.push_async_callback(self._grpc.stop, _STOP_GRACE)
            steps.callback(self._barrier.detach)
            steps.push_async_callback(self._wait_for_last_calls)
            if self._http is not None:
                steps.push_async_callback(self._http.stop)
            if self._core is not None:
                steps.push_async_callback(self._core.drain)
            if self._http is not None:
                steps.callback(self._http.refuse)
            steps.callback(self._health.drain)
            steps.callback(self._admission.drain)

    def _log_stopped(self) -> None:
        if self.address:
            _logger.info("stopped")

    async def evict_unused(self) -> None:
        """Have caches evict what they have not used since they were asked before."""
        await self._idle.evict()

    def _intercept(self, memory: CallMemory, barrier: FloodBarrier) -> Interceptor:
        floods = Floods(barrier)
        return Interceptor(self._admission, self._calls, memory, self._slices, self._audit, floods)

    async def _start_core(self) -> None:
        settings = self._settings
        self._core = core = Core(
            self._store,
            clock=self._clock,
            lease_ttl=settings.lease_ttl,
            keep=settings.keep,
            sweep_interval=settings.sweep_interval,
            tail_memory=settings.tail_memory,
            queue_memory=settings.queue_memory,
            admission=WatchAdmission(settings.max_watches, settings.max_watches_per_caller),
            memory=self.memory,
            directory=settings.data or Path(),
            slices=self._slices,
            idle=self._idle,
            loop_lag=self._loop_lag,
            call_count=lambda: self.call_count,
            audit=self._audit,
            limiter=self._limiter,
            shares=self._shares,
            node=f"{socket.gethostname()}:{self.address.rpartition(':')[2]}",
        )
        await core.start()
        if self._metrics is not None:
            self._metrics.core = core
        self._job_service.replace(core.job_service)
        self._worker_service.replace(core.worker_service)
        self._admin_service.replace(core.admin_service)

    async def _start_http(self) -> None:
        if self._http is not None:
            servicers = {"JobService": self._job_service, "AdminService": self._admin_service}
            backend = InProcessBackend(
                servicers, self._admission, self._calls, self.memory, self._slices, self._audit
            )
            await self._http.start(backend)

    def _on_store(self, up: bool) -> None:
        """Note that the store became available or unavailable; without it only reads and watches are served."""
        if self._core is not None:
            if self._settings.nats is not None:
                self._core.on_peers(up)
            self._health.set(up, _NAMES[1])

    async def _wait_for_last_calls(self) -> None:
        """Wait until no more calls arrive: gRPC would end those that it has not passed on yet with CANCELLED."""
        for _ in range(_QUIET_PERIOD_LIMIT):
            count = self._admission.call_count
            for _ in range(_QUIET_STEPS):
                await asyncio.sleep(_QUIET_PERIOD / _QUIET_STEPS)
            if count == self._admission.call_count:
                return

    def _bind(self) -> str:
        credentials = None if self._tls is None else self._tls.grpc_credentials()
        return listen_address.bind(self._grpc, self._settings.address, credentials)
