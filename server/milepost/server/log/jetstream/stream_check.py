"""Checks of the stream while a node follows it: whether it is still the same one, and whether it may be written to."""

from __future__ import annotations

from milepost.server.log.jetstream import stream
from milepost.server.log.jetstream.nats_access import ConnectionLost, StreamRefused
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.stream import StreamIdentity, StreamNames
from milepost.server.log.jetstream.write_faults import WriteFaults
from milepost.server.log.log_errors import StoreFailed

_REPLACED = "The stream lacks messages that this node has read from it: it was restored or replaced."


class StreamCheck:
    """Checks the stream that has this identity, and sets its fault in ``faults``."""

    def __init__(
        self,
        connection: NatsConnection,
        names: StreamNames,
        replicas: int | None,
        identity: StreamIdentity,
        faults: WriteFaults,
    ) -> None:
        self._connection = connection
        self._names = names
        self._replicas = replicas
        self._identity = identity
        self._faults = faults

    async def run(self, last: int) -> None:
        """Check it; ``last`` is the newest message that this node has read.

        Raises StoreFailed if it is another stream now, ConnectionLost if it does not answer or is gone.
        """
        names = self._names
        info = await stream.leader_info(self._connection, names)
        if info is None:
            self._faults.set("stream", stream.gone(names))
            raise ConnectionLost("the stream is gone")
        try:
            found = await stream.read_identity(self._connection, names)
        except StreamRefused as error:  # somebody is copying another log into it
            raise StoreFailed(_REPLACED) from error
        if found is None and info.state.last_seq >= last:
            self._faults.set("stream", stream.identity_lost(names))
            return
        if found is None or found[:2] != self._identity[:2]:
            raise StoreFailed(_REPLACED)
        if await stream.has_lost(self._connection, names, last):
            raise StoreFailed(_REPLACED)
        self._faults.set("payload", stream.payload_fault(self._connection))
        wrong = stream.faults(info.config, names, self._replicas)
        fault = f"Somebody changed the stream {names.stream!r}: {'; '.join(wrong)}. Change it back."
        self._faults.set("stream", fault if wrong else "")
