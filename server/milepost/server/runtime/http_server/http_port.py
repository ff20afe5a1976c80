"""The port that HTTP is served at: uvicorn in the server's own event loop."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from milepost.server.calls.call_record import failure_status
from milepost.server.calls.call_turns import CallTurns
from milepost.server.http.http_settings import HttpSettings
from milepost.server.http.in_process_backend import InProcessBackend
from milepost.server.runtime import open_files
from milepost.server.runtime.http_server.bounded_protocol import CONNECTIONS, BoundedProtocol, ConnectionCount
from milepost.server.runtime.http_server.https_context import HttpsContext
from milepost.server.runtime.listen_address import cannot_listen
from milepost.server.runtime.tls.tls_files import TlsFiles
from milepost.server.scheduling.callers import host_of
from milepost.web.app import web_app
from milepost.web.callers import peer_of
from milepost.web.http_errors import error_response
from milepost.web.security.browser_policy import BrowserPolicy
from milepost.web.service import ServiceError

_logger = structlog.get_logger("milepost.http")

KEEP_ALIVE: Final = 75
"""Seconds that a connection may be idle between two requests: longer than proxies keep theirs."""

BACKLOG: Final = 2048
"""Connections that may wait to be accepted."""

ACCEPTED_PER_PASS: Final = 32
"""Of them, those that are accepted in one pass of the event loop."""

CLOSED_PER_PASS: Final = 100
"""Connections that are closed in one pass when the server stops."""

_RESERVED_FILES: Final = 512
"""Files that the rest of the server may have open, so that connections of HTTP cannot take the last one."""

# What a connection whose client is gone costs: it is noticed after the idle time and these probes.
_PROBE_AFTER, _PROBE_INTERVAL, _PROBES = 20, 10, 3


class HttpPort:
    """Serves the application: ``bind``, ``start``, ``refuse``, then ``stop``.

    ``stop_grace`` is how many seconds requests have to end then; ``needs_credential`` whether calls need one.
    """

    def __init__(
        self, settings: HttpSettings, tls: TlsFiles | None, stop_grace: float, *, needs_credential: bool
    ) -> None:
        """Read the files of TLS, without which it speaks plain text. Raises TlsFileError."""
        self._address = settings.address
        self._policy = BrowserPolicy.of(
            settings.allowed_origins,
            # A page that reaches this address by DNS rebinding has no credential for it.
            None if needs_credential else settings.allowed_hosts,
            takes_cookies=True,
        )
        self._https = None if tls is None else HttpsContext.of(tls)
        self._stop_grace = stop_grace
        self._sockets: list[socket.socket] = []
        self._server: uvicorn.Server | None = None
        self._running: asyncio.Task[None] | None = None

    def bind(self) -> str:
        """Bind the address, without listening yet, and return its URL. Raises OSError."""
        host, _, port = self._address.rpartition(":")
        try:
            found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise _cannot_listen(self._address, "the host cannot be resolved") from error
        bound = int(port)
        for family, kind, protocol, _, socket_address in found:
            bound = self._bind_one(family, kind, protocol, (socket_address[0], bound, *socket_address[2:]))
        if not self._sockets:
            raise _cannot_listen(self._address, "the address is not this machine's")
        scheme = "http" if self._https is None else "https"
        return f"{scheme}://{host}:{bound}"

    async def start(self, backend: InProcessBackend) -> None:
        """Serve the application over ``backend``."""
        policy = self._policy._replace(on_refusal=backend.record_refusal)
        # It would write lines of its own; what the application raises is logged here.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)
        protocol: Any = partial(BoundedProtocol, connections=ConnectionCount(_connection_limit()))
        config = uvicorn.Config(
            partial(_guarded, web_app(backend, policy), CallTurns()),
            http=protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=round(self._stop_grace),
            reset_contextvars=True,
            # asyncio accepts as many in a pass as may wait.
            backlog=ACCEPTED_PER_PASS,
        )
        config.load()
        config.ssl = self._https
        server = self._server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=self._sockets)
        for each in self._sockets:
            each.listen(BACKLOG)
        self._running = asyncio.create_task(server.main_loop())

    def refuse(self) -> None:
        """Accept no more connections, so that clients connect elsewhere, or again later."""
        for server in self._server.servers if self._server is not None else ():
            server.close()

    async def stop(self) -> None:
        """End all requests that do not end by themselves, and close all connections."""
        if self._server is not None and self._running is not None:
            await self._close_connections(self._server)
            self._server.should_exit = True
            await self._running
            await self._server.shutdown(self._sockets)
        for each in self._sockets:
            each.close()

    async def _close_connections(self, server: uvicorn.Server) -> None:
        """Close connections, each once it has its response: some in a pass, where uvicorn closes all in one."""
        for number, connection in enumerate(list(server.server_state.connections), start=1):
            connection.shutdown()
            if number % CLOSED_PER_PASS == 0:
                await asyncio.sleep(0)

    def _bind_one(self, family: int, kind: int, protocol: int, address: tuple[Any, ...]) -> int:
        """Bind one address of the host, unless it is not this machine's; return the port."""
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # What a listener has, the connections that it accepts have, too.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in (
                ("TCP_KEEPIDLE", _PROBE_AFTER),
                ("TCP_KEEPINTVL", _PROBE_INTERVAL),
                ("TCP_KEEPCNT", _PROBES),
            ):
                if hasattr(socket, name):
                    listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
            if family == socket.AF_INET6 and address[0] == "::":
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(address)
        except OSError as error:
            listener.close()
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return int(address[1])
            why = "the address is in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise _cannot_listen(self._address, why) from error
        listener.setblocking(False)
        self._sockets.append(listener)
        port: int = listener.getsockname()[1]
        return port


def _cannot_listen(address: str, why: str | None) -> OSError:
    return cannot_listen(address, why, "--http", ", and off serves no HTTP")


def _connection_limit() -> int:
    """How many connections there may be: each takes one of the files that the process may open."""
    open_files.raise_limit()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return CONNECTIONS
    return min(CONNECTIONS, max(files - _RESERVED_FILES, files // 2))


async def _guarded(app: ASGIApp, turns: CallTurns, scope: Scope, receive: Receive, send: Send) -> None:
    """Let a request begin when it is its turn.

    Log what the application raises: a bug of ours, of which the client gets only an id.
    """
    await turns.begin(host_of(peer_of(scope)))
    started = False

    async def sending(message: Any) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await app(scope, receive, sending)
    except Exception as error:
        error_id, status = failure_status()
        _logger.error("HTTP request failed", path=scope["path"], error_id=error_id, exc_info=error)
        if started:
            raise
        await error_response(ServiceError(status))(scope, receive, send)
