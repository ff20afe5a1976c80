"""How to reach NATS, and what can be wrong with it: all that is known without nats-py, which is an extra."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NatsAccess:
    """Where NATS is, and how to be let in. ``servers`` are URLs: ``nats://host:4222``, or ``tls://``."""

    servers: tuple[str, ...]
    credentials: Path | None = None
    """A file with a JWT and its NKey seed, as ``nsc`` makes it."""
    nkey_seed: Path | None = None
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


class ConnectionLost(Exception):
    """NATS is not there, or did not answer. What was asked for may have happened."""


class StreamRefused(Exception):
    """The stream, or its server, is not as it must be; the message says what is wrong, and what to do."""


def installed() -> bool:
    """Whether the extra ``nats`` of milepost-server is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("nats", "nkeys"))
