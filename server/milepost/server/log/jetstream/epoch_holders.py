"""Whether other nodes serve a copy of a stream that itself is gone.

A node that finds a stream without an epoch cannot tell a first start from a stream that was deleted while other nodes
serve what was in it. A node that serves listens on the subject of worker presence, so the question goes there: NATS
itself answers at once if nobody listens.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

import nats.errors

from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection

_TIMEOUT: Final = 2.0

# Nodes of earlier versions require the first three fields, and do not answer.
_QUESTION: Final = json.dumps({"node": "", "jobs": [], "run": "", "holds": True}).encode()


class EpochHolder(NamedTuple):
    """A node that serves a copy of the stream of this epoch, up to this position."""

    host: str
    epoch: str
    position: int


async def find(connection: NatsConnection, presence: str) -> EpochHolder | None:
    """Ask on the subject ``presence`` who serves a copy; None if nobody does. Raises ConnectionLost."""
    try:
        answer = await connection.client.request(presence, _QUESTION, timeout=_TIMEOUT)
    except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
        return None
    except (nats.errors.Error, OSError) as error:
        raise ConnectionLost(str(error)) from error
    return EpochHolder(*json.loads(answer.data))


def answer(holder: EpochHolder) -> bytes:
    """Encode the answer of a node that serves."""
    return json.dumps(holder).encode()
