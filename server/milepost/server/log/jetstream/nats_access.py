"""Settings and errors of NATS that do not need nats-py, which is an extra."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NatsAccess:
    """Addresses and credentials of NATS. ``servers`` are URLs: ``nats://host:4222`` or ``tls://host:4222``."""

    servers: tuple[str, ...]
    credentials: Path | None = None
    """A file with a JWT and its NKey seed, as ``nsc`` creates it."""
    nkey_seed: Path | None = None
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


class ConnectionLost(Exception):
    """NATS is unreachable or did not answer. The request may have taken effect."""


class StreamLost(Exception):
    """The stream or its identity was deleted, and a copy may be all that is left; the message says what to do."""


class StreamRefused(Exception):
    """The stream or its server has unsuitable settings; the message names them and what to do."""


def installed() -> bool:
    """Whether the extra ``nats`` of milepost-server is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("nats", "nkeys"))
