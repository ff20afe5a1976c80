"""The stream: its settings, which every node checks, and its identity.

The stream's first message holds its epoch and the secret of its leases, on a subject of its own; of the nodes that find
the stream empty only one can write it. If the stream has lost messages that a node has seen, another message on that
subject gives it a new epoch (rule 4).
"""

from __future__ import annotations

import json
import math
import secrets
import uuid
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import nats.js.errors
import structlog
from nats.js import JetStreamContext, api

from milepost.contract import limits
from milepost.server.log.jetstream import epoch_holders
from milepost.server.log.jetstream.nats_access import ConnectionLost, StreamLost, StreamRefused
from milepost.server.log.jetstream.nats_connection import REQUEST_TIMEOUT, NatsConnection
from milepost.server.log.jetstream.records import Kind, Record, encode
from milepost.server.log.log_errors import StoreFailed

_logger = structlog.get_logger("milepost.nats")

# Size that one message must be able to have: a request and some overhead.
_MIN_PAYLOAD: Final = limits.REQUEST_SIZE + 256 * limits.KIB

# Error codes of JetStream (https://github.com/nats-io/nats-server/blob/main/server/errors.json).
_REPLICAS_NOT_CLUSTERED = 10074
_STREAM_NAME_IN_USE = 10058
_NO_PEERS = 10005
_NO_MESSAGE = 10037
WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
NO_ROOM = frozenset({10002, 10023, 10028, 10047, 10077, 10122, 10123})

_REPLICAS = 3

_RESTORE = (
    "The copies of the nodes may be all there is: keep their data directories. docs/scaling.md says how to restore the "
    "stream from one."
)

NO_JOB: Final = "~"
"""A name that no job can have."""


class StreamIdentity(NamedTuple):
    """The identity of the stream. ``sequence`` is that of the message that holds it."""

    epoch: str
    lease_secret: str
    sequence: int


@dataclass(frozen=True)
class StreamNames:
    """The names of the stream and its subjects."""

    stream: str

    @property
    def jobs(self) -> str:
        """The subjects of all jobs."""
        return f"{self.stream}.job.*"

    @property
    def meta(self) -> str:
        """The subject of the stream's identity."""
        return f"{self.stream}.meta"

    @property
    def presence(self) -> str:
        """The subject of worker presence, outside the stream."""
        return f"{self.stream}.renew"

    def job(self, job_id: str) -> str:
        """The subject of a job."""
        return f"{self.stream}.job.{job_id}"

    def job_id(self, subject: str) -> str:
        """Return the job of a subject; empty if it is not a job's subject."""
        prefix = f"{self.stream}.job."
        return subject[len(prefix) :] if subject.startswith(prefix) else ""


class StreamMissing(StoreFailed):
    """The NATS server that was asked knows no such stream: it was deleted, or that server lags behind its creation."""

    def __init__(self, names: StreamNames, error: nats.js.errors.NotFoundError) -> None:
        super().__init__(f"The stream {names.stream!r} is gone: {error.description}.")


async def ensure_stream(
    connection: NatsConnection, names: StreamNames, replicas: int | None
) -> api.StreamInfo:
    """Return the stream; create it if there is none.

    Raises StreamRefused, ConnectionLost; StreamLost if there is none, but a node serves a copy of it.
    """
    if fault := payload_fault(connection):
        raise StreamRefused(fault)
    try:
        info = await connection.ask(lambda jetstream: jetstream.stream_info(names.stream))
    except nats.js.errors.NotFoundError:
        await _require_no_holder(connection, names)
        info = await connection.ask(lambda jetstream: _create(jetstream, names, replicas))
    wrong = faults(info.config, names, replicas)
    if wrong:
        raise StreamRefused(
            f"The stream {names.stream!r} has settings that Milepost cannot use: {'; '.join(wrong)}. "
            "Change it, or name another one with --nats-stream."
        )
    return info


def payload_fault(connection: NatsConnection) -> str:
    """Describe a NATS server whose messages are too small; empty if they are not."""
    payload = connection.client.max_payload
    if payload >= _MIN_PAYLOAD:
        return ""
    return (
        f"The NATS server takes messages of up to {payload:,} bytes; Milepost needs {_MIN_PAYLOAD:,}. "
        "Set max_payload: 8MB in its configuration."
    )


async def _create(jetstream: JetStreamContext, names: StreamNames, replicas: int | None) -> api.StreamInfo:
    config = api.StreamConfig(
        name=names.stream,
        description="Milepost: the events of its jobs",
        subjects=[names.jobs, names.meta],
        retention=api.RetentionPolicy.LIMITS,
        discard=api.DiscardPolicy.NEW,
        storage=api.StorageType.FILE,
        num_replicas=replicas or _REPLICAS,
        max_age=0,
        deny_delete=True,
        allow_direct=True,
    )
    try:
        info = await jetstream.add_stream(config)
    except nats.js.errors.APIError as error:
        if error.err_code == _STREAM_NAME_IN_USE:  # another node was first, with other settings
            return await jetstream.stream_info(names.stream)
        if error.err_code == _NO_PEERS:  # the cluster is still forming, or too small
            raise ConnectionLost(
                f"{config.num_replicas} replicas cannot be placed: {error.description}"
            ) from error
        if error.err_code != _REPLICAS_NOT_CLUSTERED or replicas is not None:
            raise StreamRefused(
                f"The stream {names.stream!r} with {config.num_replicas} replicas cannot be created: "
                f"{error.description}. Set their number with --nats-replicas."
            ) from error
        info = await jetstream.add_stream(config, num_replicas=1)
    _logger.info("stream created", stream=names.stream, replicas=info.config.num_replicas)
    return info


def faults(config: api.StreamConfig, names: StreamNames, replicas: int | None) -> list[str]:
    """Describe the settings that Milepost cannot use."""
    wrong: list[str] = []

    def require(condition: Any, otherwise: str) -> None:
        if not condition:
            wrong.append(otherwise)

    require(
        {names.jobs, names.meta} == set(config.subjects or []),
        f"its subjects are {config.subjects}, not {names.jobs} and {names.meta}",
    )
    require(config.storage == api.StorageType.FILE, "its storage is memory, not file")
    require(
        config.retention == api.RetentionPolicy.LIMITS, f"its retention is {config.retention}, not limits"
    )
    require(config.discard == api.DiscardPolicy.NEW, "it discards old messages when full, not new ones")
    require(not config.max_age, "its messages expire (max_age)")
    require((config.max_msgs_per_subject or -1) < 0, "it limits the messages of a subject")
    require(config.persist_mode in (None, api.PersistMode.DEFAULT), "it acknowledges before it has written")
    require(not config.no_ack, "it does not acknowledge")
    require(not config.sealed, "it is sealed")
    require(not config.deny_purge, "trimmed messages cannot be purged from it (deny_purge)")
    require(not config.allow_rollup_hdrs, "it can be rolled up")
    require(not config.mirror and not config.sources, "it copies another stream")
    require(not config.subject_transform, "it renames subjects")
    actual = config.num_replicas or 1
    require(replicas is None or actual >= replicas, f"it has {actual} replicas, not {replicas}")
    return wrong


async def identity(connection: NatsConnection, names: StreamNames) -> StreamIdentity:
    """Read the stream's identity; write one if the stream is new.

    Raises ConnectionLost; StreamLost if the stream is not new, or a node serves a copy of it.
    """
    last = await last_sequence(connection, names)
    found = await read_identity(connection, names)
    if found is None:
        if last:
            raise StreamLost(identity_lost(names))
        await _require_no_holder(connection, names)
        found = await _write_identity(connection, names, secrets.token_hex(32), after=0)
    return found


def identity_lost(names: StreamNames) -> str:
    """Describe a stream without its identity, and what to do."""
    return (
        f"The stream {names.stream!r} lacks its first message, which holds its epoch: somebody purged the stream or "
        f"deleted that message. {_RESTORE}"
    )


def gone(names: StreamNames) -> str:
    """Describe a stream that was deleted, and what to do."""
    return f"The stream {names.stream!r} was deleted. {_RESTORE}"


async def _require_no_holder(connection: NatsConnection, names: StreamNames) -> None:
    holder = await epoch_holders.find(connection, names.presence)
    if holder is not None:
        raise StreamLost(
            f"The stream {names.stream!r} is new, but the node at {holder.host} serves a copy of an earlier one, of "
            f"the epoch {holder.epoch} up to position {holder.position}. {_RESTORE}"
        )


async def change_epoch(
    connection: NatsConnection, names: StreamNames, before: StreamIdentity
) -> StreamIdentity:
    """Give a stream that lost messages a new epoch, unless another node already has. Raises ConnectionLost."""
    return await _write_identity(connection, names, before.lease_secret, after=before.sequence)


async def _write_identity(
    connection: NatsConnection, names: StreamNames, secret: str, after: int
) -> StreamIdentity:
    message = _meta(uuid.uuid4().hex, secret)
    reply = await connection.publish(names.meta, message, after, REQUEST_TIMEOUT)
    if reply.error and reply.error not in WRONG_LAST_SEQUENCE:
        raise StoreFailed(f"The stream refused a message: {reply.text}.")
    found = await read_identity(connection, names)
    if found is None:
        raise ConnectionLost("the stream's identity cannot be read")
    return found


def _meta(epoch: str, secret: str, *, filling: bool = False) -> bytes:
    content: dict[str, Any] = {"epoch": epoch, "lease_secret": secret}
    return json.dumps({**content, "filling": True} if filling else content).encode()


async def begin_import(connection: NatsConnection, names: StreamNames) -> bytes:
    """Reserve an empty stream for an import; return the message that ends the import. Raises StreamRefused."""
    epoch, secret = uuid.uuid4().hex, secrets.token_hex(32)
    info = await connection.ask(lambda jetstream: jetstream.stream_info(names.stream))
    taken = info.state.last_seq == 0 and await connection.publish(
        names.meta, _meta(epoch, secret, filling=True), 0, REQUEST_TIMEOUT
    )
    if not taken or taken.sequence != 1:
        raise StreamRefused(f"The stream {names.stream!r} is not empty. Name another one with --nats-stream.")
    return _meta(epoch, secret)


async def read_identity(connection: NatsConnection, names: StreamNames) -> StreamIdentity | None:
    """Read the stream's identity; None if it has none.

    Raises ConnectionLost; StreamRefused while a log is copied into the stream.
    """
    found = await message_at(connection, names, subject=names.meta)
    if found is None:
        return None
    sequence, data = found
    content = json.loads(data)
    if content.get("filling"):
        raise StreamRefused(
            f"milepost migrate is copying into the stream {names.stream!r}. Wait until it has finished; if it was "
            "interrupted, delete the stream and start it again."
        )
    return StreamIdentity(content["epoch"], content["lease_secret"], sequence)


async def last_sequence(connection: NatsConnection, names: StreamNames) -> int:
    """Return the sequence of the last message that the stream's leader has. Raises ConnectionLost, StreamMissing.

    It may be outdated if the leader was just elected, or has been replaced and does not know it yet.
    """
    try:
        info = await connection.ask(lambda jetstream: _info(jetstream, names))
    except nats.js.errors.NotFoundError as error:
        raise StreamMissing(names, error) from error
    return info.state.last_seq


async def leader_info(connection: NatsConnection, names: StreamNames) -> api.StreamInfo | None:
    """Return the settings and the state of the stream as its leader has them; None if there is no stream.

    Raises ConnectionLost.
    """
    try:
        return await connection.ask(lambda jetstream: _info(jetstream, names))
    except nats.js.errors.NotFoundError:
        return None


async def _info(jetstream: JetStreamContext, names: StreamNames) -> api.StreamInfo:
    """Ask the stream's leader for its state. Raises ConnectionLost if there is none."""
    info = await jetstream.stream_info(names.stream)
    if info.cluster is not None and not info.cluster.leader:  # the server is cut off from the others
        raise ConnectionLost("the stream's leader is not known here")
    return info


async def quorum_age(connection: NatsConnection, names: StreamNames) -> float:
    """Return the seconds since the stream's leader last heard from enough servers to be a majority with it.

    A leader that is cut off from the others goes on answering until it notices, after ten seconds. Healthy servers
    hear from each other once a second. Raises ConnectionLost.
    """
    info = await connection.ask(lambda jetstream: _info(jetstream, names))
    replicas = (info.cluster and info.cluster.replicas) or []
    # NATS reports a server that was never heard from with age 0, but not as current.
    ages = sorted((peer.active or 0) / 1e9 if peer.current or peer.active else math.inf for peer in replicas)
    needed = (len(replicas) + 1) // 2
    return ages[needed - 1] if needed else 0.0


async def has_lost(connection: NatsConnection, names: StreamNames, sequence: int) -> bool:
    """Whether the stream lacks a message that it once had. Raises ConnectionLost."""
    if await last_sequence(connection, names) >= sequence:
        return False
    # The leader may be outdated. It accepts one more message, an empty one, only after all earlier ones.
    message = encode(Record(Kind.COMMITS, secrets.token_bytes(16), 0))
    try:
        put = await connection.ask(lambda jetstream: jetstream.publish(names.job(NO_JOB), message))
    except nats.js.errors.APIError as error:
        raise ConnectionLost(f"the stream refused a message: {error.description}") from error
    return put.seq <= sequence


async def has_more(connection: NatsConnection, names: StreamNames, sequence: int) -> bool:
    """Whether the stream has any message after that one; True if it does not answer."""
    try:
        await connection.ask(
            lambda jetstream: jetstream.get_msg(names.stream, seq=sequence + 1, subject=">", next=True)
        )
    except nats.js.errors.NotFoundError:
        return False
    except ConnectionLost:
        pass
    return True


async def message_at(
    connection: NatsConnection, names: StreamNames, *, sequence: int | None = None, subject: str | None = None
) -> tuple[int, bytes] | None:
    """Read the message of that sequence, or the last one of the subject, from the stream's leader.

    Raises ConnectionLost, StreamMissing.
    """
    try:
        message = await connection.ask(
            lambda jetstream: jetstream.get_msg(names.stream, seq=sequence, subject=subject)
        )
    except nats.js.errors.NotFoundError as error:
        if error.err_code != _NO_MESSAGE:
            raise StreamMissing(names, error) from error
        return None
    assert message.seq is not None
    return message.seq, message.data or b""
