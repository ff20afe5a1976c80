"""Real ``nats-server`` processes with JetStream: one, or a cluster."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import nats
from nats.js import JetStreamContext

from tests.support.peer_process import PeerProcess
from tests.support.ports import free_port

NATS_SERVER = Path(sys.executable).with_name("nats-server")
"""The command, installed beside this Python."""

# Time limit in seconds for the start of a server.
_START_TIMEOUT = 120.0

# Time limit in seconds for an answer; the client's own ones are too short for a busy machine.
_ANSWER_TIMEOUT = 120


class NatsServer(PeerProcess):
    """A server on loopback with its store in ``directory``; ``with`` starts it, and ends it.

    It keeps ``port`` across restarts. ``extra`` are further lines of its configuration.
    """

    def __init__(
        self,
        directory: Path,
        name: str = "nats",
        *,
        extra: Sequence[str] = (),
        port: int | None = None,
        sync_always: bool = False,
        max_payload: str = "8MB",
    ) -> None:
        self.directory = directory / name
        super().__init__(self.directory / "log")
        self.name = name
        self.port = free_port() if port is None else port
        self.monitor = free_port()
        self._sync = "always" if sync_always else "2m"
        self._max_payload = max_payload
        self._extra = extra

    @property
    def url(self) -> str:
        """Its URL for clients."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> NatsServer:
        """Start the server without waiting for it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configure()
        self.run([NATS_SERVER, "-c", self.directory / "nats.conf"])
        return self

    def ready(self, path: str = "/healthz") -> None:
        """Wait until its health check succeeds."""
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._is_healthy(path):
            if self.has_ended or time.monotonic() > deadline:
                raise RuntimeError(f"nats-server did not start:\n{self.log}")
            time.sleep(0.01)

    def monitored(self, path: str) -> Any:
        """Get a page of its monitoring, decoded."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}{path}", timeout=120) as answer:
            return json.load(answer)

    def leads(self, stream: str) -> str:
        """The name of the stream's leader, as far as this server knows; empty without one."""
        return str(self._stream(stream).get("cluster", {}).get("leader", ""))

    def messages(self, stream: str) -> int:
        """The number of messages in the stream."""
        return int(self._stream(stream)["state"]["messages"])

    def reload(self, *extra: str) -> None:
        """Replace the further lines of its configuration while it runs; return when it has taken them."""
        before = self.monitored("/varz")["config_load_time"]
        self._extra = extra
        self._configure()
        self.send(signal.SIGHUP)
        deadline = time.monotonic() + _START_TIMEOUT
        while self.monitored("/varz")["config_load_time"] == before:
            if time.monotonic() > deadline:
                raise RuntimeError(f"nats-server did not take its configuration:\n{self.log}")
            time.sleep(0.01)
        self.ready()

    def stop(self) -> None:
        """Send SIGTERM, and wait for the end."""
        self.send(signal.SIGTERM)
        self.reap()

    def save(self, backup: Path) -> Path:
        """Copy the store of the stopped server."""
        shutil.copytree(self.directory / "jetstream", backup)
        return backup

    def put_back(self, backup: Path) -> None:
        """Replace the store of the stopped server by a copy."""
        shutil.rmtree(self.directory / "jetstream")
        shutil.copytree(backup, self.directory / "jetstream")

    def restart(self) -> None:
        """Start it again on the same store and port."""
        self.start()
        self.ready()

    def __enter__(self) -> NatsServer:
        self.start()
        try:
            self.ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self.kill()

    def _stream(self, name: str) -> dict[str, Any]:
        page = self.monitored("/jsz?accounts=true&streams=true")
        for account in page.get("account_details", []):
            for detail in account.get("stream_detail", []):
                if detail["name"] == name:
                    return dict(detail)
        return {}

    def _configure(self) -> None:
        settings = [
            f"server_name: {self.name}",
            f"listen: 127.0.0.1:{self.port}",
            f"http: 127.0.0.1:{self.monitor}",
            f"jetstream {{ store_dir: {json.dumps(str(self.directory))}, sync_interval: {self._sync} }}",
            f"max_payload: {self._max_payload}",
            *self._extra,
        ]
        (self.directory / "nats.conf").write_text("\n".join(settings))

    def _is_healthy(self, path: str) -> bool:
        try:
            return bool(self.monitored(path)["status"] == "ok")
        except OSError:
            return False


@asynccontextmanager
async def administering(url: str) -> AsyncIterator[JetStreamContext]:
    """The JetStream API, as an administrator uses it."""
    client = await nats.connect(url, connect_timeout=_ANSWER_TIMEOUT)
    try:
        yield client.jetstream(timeout=_ANSWER_TIMEOUT)
    finally:
        await client.close()


class NatsCluster:
    """Servers that replicate their streams; ``with`` starts and ends them."""

    def __init__(self, *directories: Path, sync_always: bool = False) -> None:
        routes = [free_port() for _ in directories]
        urls = ", ".join(f'"nats://127.0.0.1:{route}"' for route in routes)
        self.servers = [
            NatsServer(
                directory,
                f"nats-{number}",
                extra=[
                    f"cluster {{ name: tests, listen: 127.0.0.1:{route}, routes: [{urls}] }}",
                ],
                sync_always=sync_always,
            )
            for number, (route, directory) in enumerate(zip(routes, directories, strict=True))
        ]
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """The URLs of all servers."""
        return ",".join(server.url for server in self.servers)

    def leader(self, stream: str) -> NatsServer:
        """The server that leads the stream."""
        for server in self.servers:
            name = server.leads(stream)
            if name:
                return next(each for each in self.servers if each.name == name)
        raise LookupError(f"{stream} has no leader")

    def __enter__(self) -> NatsCluster:
        try:
            for server in self.servers:
                server.start()
                self._stack.callback(server.__exit__, None, None, None)
            for server in self.servers:
                server.ready("/healthz")
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
