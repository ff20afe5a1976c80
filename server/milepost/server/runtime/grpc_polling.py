"""Polling of gRPC's connections by the thread that grpc.aio has anyway.

A thread of grpc.aio waits for what gRPC's core has done. By default core has further threads ("event_engine") that wait
for the sockets, and each report, event and acknowledgement changes threads once more. Without them the thread of
grpc.aio polls the sockets itself, as it did by default in earlier versions (decision 0072).
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Final

VARIABLE: Final = "GRPC_EXPERIMENTS"
"""Features of core that are on, or off with a minus. It reads them when it is loaded."""

_NO_FURTHER_THREADS: Final = "-event_engine_listener"

_LAST_VERSION: Final = (1, 85)
"""Of grpcio, of those that are tested. A core that no longer knows the feature logs that at each start."""


def poll_in_one_thread() -> None:
    """Have gRPC poll like this in this process, unless the environment says something else; before it is imported."""
    major, minor, *_ = version("grpcio").split(".")
    if (int(major), int(minor)) <= _LAST_VERSION:
        os.environ.setdefault(VARIABLE, _NO_FURTHER_THREADS)
