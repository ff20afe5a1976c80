"""What the server's log says of libraries."""

from __future__ import annotations

import subprocess
import sys

_LOGGED = """
import logging
from grpc._cython import cygrpc
from milepost.server.cli.log_output import configure
from milepost.server.rpc.call_log import ignore_lost_connections

configure("info")
ignore_lost_connections()
ignore_lost_connections()  # as the next server of the process does
for error in (cygrpc.ExecuteBatchError("Failed to send a response"), cygrpc.UsageError("RPC already finished")):
    try:
        raise error
    except Exception:
        logging.getLogger("grpc._cython.cygrpc").exception(type(error).__name__)
"""


def test_a_lost_connection_is_no_error() -> None:
    """A response that gRPC could not send since its connection was lost leaves no traceback; other errors do."""
    run = subprocess.run([sys.executable, "-c", _LOGGED], capture_output=True, text=True, check=True)
    assert ["ExecuteBatchError" in run.stderr, "UsageError" in run.stderr] == [False, True]
