"""``python -m milepost.server.probe [SERVICE]``: exits 0 if the server of this environment is serving.

For health checks of containers that have no other client of the gRPC health protocol. It reads the server's own
settings: MILEPOST_HEALTH_ADDRESS if there is one, else MILEPOST_ADDRESS, with TLS where MILEPOST_TLS_CERT is set. To a
server that demands certificates it shows that of MILEPOST_TLS_CLIENT_CERT and MILEPOST_TLS_CLIENT_KEY, or else the
server's own.

Orchestrators run it every few seconds, and loading gRPC would take ten times as long as the rest. So it writes the few
frames of one call itself (RFC 9113).
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
from collections.abc import Mapping, Sequence

TIMEOUT = 3.0
"""Seconds for connecting, and for each wait for an answer."""

_METHOD = "/grpc.health.v1.Health/Check"

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _GOAWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS = 1, 4
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# gRPC's prefix of a message, and HealthCheckResponse(status=SERVING).
_SERVING = b"\0\0\0\0\2\x08\x01"


def main(arguments: Sequence[str] = (), environment: Mapping[str, str] = os.environ) -> int:
    """Send one health check, for all services by default; 0 for SERVING, else 1 and the reason on stderr."""
    service = arguments[0] if arguments else ""
    health, address = environment.get("MILEPOST_HEALTH_ADDRESS"), environment.get("MILEPOST_ADDRESS")
    target = health or address or "127.0.0.1:7070"
    try:
        with _connect(target, {} if health else environment) as connection:
            answer = _check(connection, service)
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        print(f"{target}: {error}", file=sys.stderr)
        return 1
    if answer != _SERVING:
        print(f"{target}: {service or 'the server'} is not serving", file=sys.stderr)
        return 1
    return 0


def _connect(target: str, environment: Mapping[str, str]) -> socket.socket:
    """Connect, over loopback where the server listens on all addresses."""
    host, _, port = target.rpartition(":")
    host = "127.0.0.1" if host in ("", "0.0.0.0", "[::]") else host.strip("[]")
    plain = socket.create_connection((host, int(port)), timeout=TIMEOUT)
    try:
        tls = _tls(environment)
        return plain if tls is None else tls.wrap_socket(plain)
    except BaseException:
        plain.close()
        raise


def _tls(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """The settings of TLS for a server with those of the environment; None for one without TLS.

    The server is not verified: it is this very container's, and gets nothing that is secret. So neither the name nor
    the authority of its certificate matters, and a renewal that went wrong does not look like a server that is down.
    """
    server = environment.get("MILEPOST_TLS_CERT"), environment.get("MILEPOST_TLS_KEY")
    own = environment.get("MILEPOST_TLS_CLIENT_CERT"), environment.get("MILEPOST_TLS_CLIENT_KEY")
    if server[0] is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if environment.get("MILEPOST_TLS_CLIENT_CA"):
        certificate, key = own if own[0] is not None else server
        context.load_cert_chain(str(certificate), key)
    return context


def _check(connection: socket.socket, service: str) -> bytes:
    """Call the method; return the messages of its answer as they come."""
    name = service.encode()
    request = b"\x0a" + bytes([len(name)]) + name if name else b""
    connection.sendall(
        _PREFACE
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, 1, _request_headers())
        + _frame(_DATA, _END_STREAM, 1, struct.pack(">BI", 0, len(request)) + request)
    )
    answer = b""
    with connection.makefile("rb") as reader:
        while head := reader.read(9):
            size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            payload = reader.read(size)
            if kind == _DATA:
                answer += payload
            if kind in (_RST_STREAM, _GOAWAY) or (kind in (_DATA, _HEADERS) and flags & _END_STREAM):
                return answer
    raise ConnectionError("the server closed the connection without an answer")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _request_headers() -> bytes:
    """The header block, of literal fields that are in no table (RFC 7541, 6.2.2)."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": _METHOD,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    # Each string is shorter than 127 bytes, so that its length is one byte.
    return b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
