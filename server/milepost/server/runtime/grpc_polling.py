"""Polling of connections by the thread that grpc.aio has anyway.

grpc.aio waits for gRPC's core in a thread of its own. By default core has further threads ("EventEngine") that wait for
the sockets, and hand what they read on to that one. A report and the event that comes of it took three such hand-overs,
and a tenth of their processor time. Without them the thread of grpc.aio polls the sockets itself, as in all releases of
grpcio before 1.83.
"""

from __future__ import annotations

import os
from typing import Final

# What core reads once, when it is first used: names of features, those that are to be off with a minus.
_VARIABLE: Final = "GRPC_EXPERIMENTS"
_NO_FURTHER_THREADS: Final = "-event_engine_listener"


def poll_in_one_thread() -> None:
    """Have gRPC's servers of this process poll like this, unless the environment says something else.

    Call it before the first of them is made.
    """
    os.environ.setdefault(_VARIABLE, _NO_FURTHER_THREADS)
