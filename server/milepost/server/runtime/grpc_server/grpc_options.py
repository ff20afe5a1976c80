"""Options of the gRPC server: what its core bounds before a call reaches the server's own code."""

from __future__ import annotations

from milepost.server.calls.call_memory import LARGEST_MESSAGE
from milepost.server.rpc.metadata_limit import METADATA_SIZE

CONCURRENT_STREAMS = 1_000
"""Open calls of one connection. Core refuses further ones, and counts those that were reset until they are cleaned up,
so that a client cannot open and reset them without end. A client whose library honours the limit waits, or connects
once more; the SDK has at most 500 on a connection."""

PENDING_CALLS = 5_000
"""Calls of a method, of all connections, that core holds until the server gets to them: as many as reconnect at once
after a restart. Beyond this number core refuses some, beyond ``PENDING_CALLS_MAX`` all, with CANCELLED."""

PENDING_CALLS_MAX = 10_000

_HANDSHAKE_TIMEOUT_MS = 20_000

_SETTINGS_TIMEOUT_MS = 10_000

_PING_INTERVAL_MS = 20_000
"""Silence after which the server pings a client."""

_PING_TIMEOUT_MS = 20_000
"""How long a client may take to answer a ping, after which it counts as dead. gRPC's own default, as the process of a
client may get no processor for ten seconds, and nothing waits for a dead one: leases have a limit of their own."""

GRPC_OPTIONS = [
    # A second server on the same port would silently get half of the connections.
    ("grpc.so_reuseport", 0),
    ("grpc.max_concurrent_streams", CONCURRENT_STREAMS),
    ("grpc.server.max_pending_requests", PENDING_CALLS),
    ("grpc.server.max_pending_requests_hard_limit", PENDING_CALLS_MAX),
    # The same twice: between the two, core would refuse at random.
    ("grpc.max_metadata_size", METADATA_SIZE),
    ("grpc.absolute_max_metadata_size", METADATA_SIZE),
    ("grpc.server_handshake_timeout_ms", _HANDSHAKE_TIMEOUT_MS),
    ("grpc.http2.settings_timeout", _SETTINGS_TIMEOUT_MS),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", _PING_INTERVAL_MS),
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    # Core would let clients send up to 64 MiB ahead of what the server reads, on every stream of a fast connection. Now
    # it is a fixed 64 KiB, and the rest of a message once the server waits for it.
    ("grpc.http2.bdp_probe", 0),
    # Records of each connection for a debugging service that the server does not have: 2 kB each.
    ("grpc.enable_channelz", 0),
]
