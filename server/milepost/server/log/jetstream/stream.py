"""The stream: made with the right settings, refused with the wrong ones; and its identity.

The epoch and the secret of the leases belong to the stream. They are its first message, on a subject of its own, which
only one of the nodes that find the stream empty can write. A stream that has lost what a node has seen of it gets
another epoch by one more message there (rule 4).
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
from milepost.server.log.event_log import StoreFailed
from milepost.server.log.jetstream.nats_access import ConnectionLost, StreamRefused
from milepost.server.log.jetstream.nats_connection import REQUEST_TIMEOUT, NatsConnection
from milepost.server.log.jetstream.records import Kind, Record, encode

_log = structlog.get_logger("milepost.nats")

# What one message must be able to hold: a request, and a little.
_MIN_PAYLOAD: Final = limits.REQUEST_SIZE + 256 * limits.KIB

# How JetStream names what it refuses (https://github.com/nats-io/nats-server/blob/main/server/errors.json).
_REPLICAS_NOT_CLUSTERED = 10074
_STREAM_NAME_IN_USE = 10058
_NO_PEERS = 10005
_NO_MESSAGE = 10037
WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
NO_ROOM = frozenset({10002, 10023, 10028, 10047, 10077, 10122, 10123})

_REPLICAS = 3

# What no job is called.
_NO_JOB = "~"


class StreamIdentity(NamedTuple):
    """Who the stream is. ``sequence`` is that of the message that says so."""

    epoch: str
    lease_secret: str
    sequence: int


@dataclass(frozen=True)
class StreamNames:
    """What the stream and its subjects are called."""

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
        """The subject on which nodes tell each other, outside the stream, which workers were heard from."""
        return f"{self.stream}.renew"

    def job(self, job_id: str) -> str:
        """The subject of a job."""
        return f"{self.stream}.job.{job_id}"

    def job_id(self, subject: str) -> str:
        """The job of a subject; empty where it is not one of a job."""
        prefix = f"{self.stream}.job."
        return subject[len(prefix) :] if subject.startswith(prefix) else ""


async def ensure_stream(
    connection: NatsConnection, names: StreamNames, replicas: int | None
) -> api.StreamInfo:
    """The stream, made if there is none. Raises StreamRefused, ConnectionLost."""
    payload = connection.client.max_payload
    if payload < _MIN_PAYLOAD:
        raise StreamRefused(
            f"The NATS server takes messages of up to {payload:,} bytes; Milepost needs {_MIN_PAYLOAD:,}. "
            "Set max_payload: 8MB in its configuration."
        )
    try:
        info = await connection.ask(lambda jetstream: jetstream.stream_info(names.stream))
    except nats.js.errors.NotFoundError:
        info = await connection.ask(lambda jetstream: _make(jetstream, names, replicas))
    wrong = _faults(info.config, names, replicas)
    if wrong:
        raise StreamRefused(
            f"The stream {names.stream!r} is not as Milepost needs it: {'; '.join(wrong)}. "
            "Change it, or name another one with --nats-stream."
        )
    return info


async def _make(jetstream: JetStreamContext, names: StreamNames, replicas: int | None) -> api.StreamInfo:
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
        if error.err_code == _STREAM_NAME_IN_USE:  # another node was first, and asked for something else
            return await jetstream.stream_info(names.stream)
        if error.err_code == _NO_PEERS:  # the cluster is still coming together, or too small
            raise ConnectionLost(
                f"{config.num_replicas} replicas cannot be placed: {error.description}"
            ) from error
        if error.err_code != _REPLICAS_NOT_CLUSTERED or replicas is not None:
            raise StreamRefused(
                f"The stream {names.stream!r} with {config.num_replicas} replicas cannot be made: "
                f"{error.description}. --nats-replicas says how many there are to be."
            ) from error
        info = await jetstream.add_stream(config, num_replicas=1)
    _log.info("stream made", stream=names.stream, replicas=info.config.num_replicas)
    return info


def _faults(config: api.StreamConfig, names: StreamNames, replicas: int | None) -> list[str]:
    """What is wrong with its settings."""
    wrong: list[str] = []

    def must(right: Any, told: str) -> None:
        if not right:
            wrong.append(told)

    must(
        {names.jobs, names.meta} == set(config.subjects or []),
        f"its subjects are {config.subjects}, not {names.jobs} and {names.meta}",
    )
    must(config.storage == api.StorageType.FILE, "its storage is memory, not file")
    must(config.retention == api.RetentionPolicy.LIMITS, f"its retention is {config.retention}, not limits")
    must(config.discard == api.DiscardPolicy.NEW, "it discards old messages when it is full, not new ones")
    must(not config.max_age, "its messages expire (max_age)")
    must((config.max_msgs_per_subject or -1) < 0, "it limits the messages of a subject")
    must(config.persist_mode in (None, api.PersistMode.DEFAULT), "it acknowledges before it has written")
    must(not config.no_ack, "it does not acknowledge")
    must(not config.sealed, "it is sealed")
    must(not config.deny_purge, "what is trimmed cannot be purged from it (deny_purge)")
    must(not config.allow_rollup_hdrs, "it can be rolled up")
    must(not config.mirror and not config.sources, "it copies another stream")
    must(not config.subject_transform, "it renames subjects")
    kept = config.num_replicas or 1
    must(replicas is None or kept >= replicas, f"it has {kept} replicas, not {replicas}")
    return wrong


async def identity(connection: NatsConnection, names: StreamNames) -> StreamIdentity:
    """Who the stream is; settled with it where it is new. Raises ConnectionLost."""
    found = await _read_identity(connection, names)
    if found is None:
        found = await _write_identity(connection, names, secrets.token_hex(32), after=0)
    return found


async def change_epoch(
    connection: NatsConnection, names: StreamNames, before: StreamIdentity
) -> StreamIdentity:
    """Gives a stream that is not what it was another epoch, unless another node has. Raises ConnectionLost."""
    return await _write_identity(connection, names, before.lease_secret, after=before.sequence)


async def _write_identity(
    connection: NatsConnection, names: StreamNames, secret: str, after: int
) -> StreamIdentity:
    message = _meta(uuid.uuid4().hex, secret)
    reply = await connection.publish(names.meta, message, after, REQUEST_TIMEOUT)
    if reply.error and reply.error not in WRONG_LAST_SEQUENCE:
        raise StoreFailed(f"The stream takes nothing: {reply.text}.")
    found = await _read_identity(connection, names)
    if found is None:
        raise ConnectionLost("the stream's identity cannot be read")
    return found


def _meta(epoch: str, secret: str, *, filling: bool = False) -> bytes:
    content: dict[str, Any] = {"epoch": epoch, "lease_secret": secret}
    return json.dumps({**content, "filling": True} if filling else content).encode()


async def begin_import(connection: NatsConnection, names: StreamNames) -> bytes:
    """Takes an empty stream for what is to be copied into it; the message that is to end that. Raises StreamRefused."""
    epoch, secret = uuid.uuid4().hex, secrets.token_hex(32)
    info = await connection.ask(lambda jetstream: jetstream.stream_info(names.stream))
    taken = info.state.last_seq == 0 and await connection.publish(
        names.meta, _meta(epoch, secret, filling=True), 0, REQUEST_TIMEOUT
    )
    if not taken or taken.sequence != 1:
        raise StreamRefused(f"The stream {names.stream!r} is not empty. Name another one with --nats-stream.")
    return _meta(epoch, secret)


async def _read_identity(connection: NatsConnection, names: StreamNames) -> StreamIdentity | None:
    found = await message_at(connection, names, subject=names.meta)
    if found is None:
        return None
    sequence, data = found
    content = json.loads(data)
    if content.get("filling"):
        raise StreamRefused(
            f"The stream {names.stream!r} is being filled by milepost migrate. Wait until that is done; if it was "
            "broken off, delete the stream and begin again."
        )
    return StreamIdentity(content["epoch"], content["lease_secret"], sequence)


async def last_sequence(connection: NatsConnection, names: StreamNames) -> int:
    """The stream's last message, as its leader has it. Raises ConnectionLost.

    That may be an older one, where the leader was just chosen, or is none any more and has yet to learn of it.
    """
    info = await connection.ask(lambda jetstream: _info(jetstream, names))
    return info.state.last_seq


async def _info(jetstream: JetStreamContext, names: StreamNames) -> api.StreamInfo:
    """What the stream's leader says of it. Raises ConnectionLost where there is none."""
    info = await jetstream.stream_info(names.stream)
    if info.cluster is not None and not info.cluster.leader:  # the server is cut off from the others
        raise ConnectionLost("the stream's leader is not known here")
    return info


async def quorum_age(connection: NatsConnection, names: StreamNames) -> float:
    """How many seconds ago the stream's leader has heard from so many servers that they are most of them with it.

    A leader that is cut off from the others goes on answering until it notices, which takes it ten seconds. Where all
    is well the servers hear from each other once a second. Raises ConnectionLost.
    """
    info = await connection.ask(lambda jetstream: _info(jetstream, names))
    replicas = (info.cluster and info.cluster.replicas) or []
    # One that was never heard from is said to have been just now, but not to be current.
    ages = sorted((peer.active or 0) / 1e9 if peer.current or peer.active else math.inf for peer in replicas)
    needed = (len(replicas) + 1) // 2
    return ages[needed - 1] if needed else 0.0


async def has_lost(connection: NatsConnection, names: StreamNames, sequence: int) -> bool:
    """Whether the stream lacks a message that was in it. Raises ConnectionLost."""
    if await last_sequence(connection, names) >= sequence:
        return False
    # One message more, which says nothing, gets in only where all is that got in before.
    message = encode(Record(Kind.COMMITS, secrets.token_bytes(16), 0))
    try:
        put = await connection.ask(lambda jetstream: jetstream.publish(names.job(_NO_JOB), message))
    except nats.js.errors.APIError as error:
        raise ConnectionLost(f"the stream takes nothing: {error.description}") from error
    return put.seq <= sequence


async def has_more(connection: NatsConnection, names: StreamNames, sequence: int) -> bool:
    """Whether the stream has anything after that message; True where it cannot be asked."""
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

    Raises ConnectionLost.
    """
    try:
        message = await connection.ask(
            lambda jetstream: jetstream.get_msg(names.stream, seq=sequence, subject=subject)
        )
    except nats.js.errors.NotFoundError as error:
        if error.err_code != _NO_MESSAGE:
            raise StoreFailed(f"The stream {names.stream!r} is gone: {error.description}.") from error
        return None
    assert message.seq is not None
    return message.seq, message.data or b""
