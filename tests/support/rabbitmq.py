"""Debian's RabbitMQ: a broker of the test's own, with its own data, ports, node name and port mapper."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

import pytest
from amqp.exceptions import AMQPError
from kombu import Connection

from tests.support.ports import free_port, give_back
from tests.support.reaping import forget, reap_later

# Debian's `rabbitmq-server` in the path becomes another user with the system's directories; this is what it calls.
_PROGRAM: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

# Time limits in seconds for the start of a server and of its port mapper.
_START_TIMEOUT: Final = 180.0


class RabbitServer:
    """A broker on loopback with its data in ``directory``; ``with`` starts it, and ends it by its process id.

    It keeps its ports, its node name and its durable queues across restarts. ``settings`` are further lines of
    ``rabbitmq.conf``. Without RabbitMQ the test is skipped, but fails in CI.
    """

    def __init__(self, directory: Path, *, settings: Sequence[str] = ()) -> None:
        if not _PROGRAM.exists() and not os.environ.get("REQUIRE_RABBITMQ"):
            pytest.skip("RabbitMQ is not installed: Debian has it as rabbitmq-server")
        assert _PROGRAM.exists(), "RabbitMQ is not installed"
        self.directory = directory
        self.port = free_port()
        self._nodes_port = free_port()
        self._mapper_port = free_port()
        self._settings = settings
        self._mapper: subprocess.Popen[bytes] | None = None
        self._broker: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL for clients."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def pid(self) -> int:
        """The process id of the broker."""
        assert self._broker is not None
        return self._broker.pid

    @property
    def log(self) -> str:
        """Its log."""
        return (self.directory / "rabbitmq.log").read_text()

    def start(self) -> RabbitServer:
        """Start the broker, and wait until a client can log in."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "rabbitmq.conf").write_text("\n".join(self._settings) + "\n")
        (self.directory / "enabled_plugins").write_text("[].\n")
        try:
            if self._mapper is None:
                # The broker would start one that outlives it, for all addresses.
                mapper = ["epmd", "-address", "127.0.0.1", "-port", str(self._mapper_port)]
                self._mapper = self._run(mapper)
                self._wait_for_mapper(self._mapper)
            self._broker = self._run([str(_PROGRAM)])
            self._wait_until_ready(self._broker)
        except BaseException:
            self.end()
            raise
        return self

    def stop(self) -> None:
        """Send SIGTERM to the broker, which writes what is durable, and wait for its end."""
        assert self._broker is not None
        self._broker.terminate()
        self._reap(self._broker)
        self._broker = None

    def kill(self) -> None:
        """Send SIGKILL to the broker and its children, and wait for its end."""
        assert self._broker is not None
        self._kill(self._broker)
        self._broker = None

    def end(self) -> None:
        """Kill the broker and the port mapper."""
        if self._broker is not None:
            self.kill()
        if self._mapper is not None:
            self._kill(self._mapper)
            self._mapper = None

    def __enter__(self) -> RabbitServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        for port in (self.port, self._nodes_port, self._mapper_port):
            give_back(port)

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.directory / "rabbitmq.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,  # the group is killed with its helpers
            )
        reap_later(process.pid)
        return process

    def _environment(self) -> dict[str, str]:
        where = self.directory
        # Erlang would spin on the cores that tests need.
        erlang = "+S 1:1 +sbwt none -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        return kept | {
            "HOME": str(where),  # of the cookie
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RUNNING_UNDER_SYSTEMD": "true",  # one process, which keeps the process id
            "RABBITMQ_NODENAME": f"tests-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._nodes_port),
            "RABBITMQ_MNESIA_BASE": str(where / "data"),
            "RABBITMQ_LOG_BASE": str(where / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": str(where / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(where / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(where / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(where / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang,
        }

    def _wait_for_mapper(self, mapper: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._mapper_port), timeout=5).close()
            except OSError as error:
                self._check(mapper, deadline, error)
            else:
                return

    def _wait_until_ready(self, broker: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                with Connection(self.url, connect_timeout=5) as connection:
                    connection.connect()
            except (OSError, AMQPError) as error:
                self._check(broker, deadline, error)
            else:
                return

    def _check(self, process: subprocess.Popen[bytes], deadline: float, error: BaseException) -> None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"RabbitMQ did not start:\n{self.log}") from error
        time.sleep(0.05)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        self._reap(process)

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        forget(process.pid)
