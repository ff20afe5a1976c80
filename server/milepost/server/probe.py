"""``python -m milepost.server.probe``: exits 0 if the server at MILEPOST_ADDRESS is serving.

For health checks of containers that have no other client of the gRPC health protocol.
"""

from __future__ import annotations

import os
import sys

import grpc
from grpc_health.v1 import health, health_pb2

# Seconds.
_TIMEOUT = 3.0


def main() -> int:
    """Send one health check; 0 for SERVING, else 1. For a server that listens on all addresses it uses loopback."""
    host, _, port = os.environ.get("MILEPOST_ADDRESS", "127.0.0.1:7070").rpartition(":")
    target = f"{'127.0.0.1' if host in ('', '0.0.0.0', '[::]') else host}:{port}"
    with grpc.insecure_channel(target) as channel:
        check = channel.unary_unary(
            f"/{health.SERVICE_NAME}/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT)
        except grpc.RpcError:
            return 1
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main())
