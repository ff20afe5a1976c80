"""A Redis server as a bridge reaches it: its name without credentials, its client, and which errors pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from milepost.client._transport.backoff import Backoff

__all__ = ["OUTAGE", "cancellable", "describe", "publish", "redis_client", "redis_name"]

OUTAGE: Final = (exceptions.RedisError, OSError)
"""Errors of a server that is away, or refuses what it took before, as when it is full."""

_Result = TypeVar("_Result")

# Seconds to connect, and for an answer.
_TIMEOUT: Final = 10.0


def redis_name(url: str) -> str:
    """The name of a URL's server in texts: without user and password."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return parts.path
        return f"{parts.hostname or 'localhost'}:{parts.port or 6379}{parts.path}"
    except ValueError:
        return "Redis"


def redis_client(url: str) -> Redis:
    """A client that connects on first use, and does not repeat what failed.

    Raises:
        ValueError: It is no URL of a Redis server. The text does not have it, since a part may be a password.
    """
    if not _has_database_number(url):
        raise ValueError("The URL of Redis ends with a database that is not a number, as it is in HOST/0.")
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=_TIMEOUT,
            socket_timeout=_TIMEOUT,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=False,
        )
    except (ValueError, TypeError, exceptions.RedisError):
        raise ValueError(
            "The URL of Redis is not of the form redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], rediss://… for TLS, or "
            "unix://PATH; special characters of a password are %-encoded."
        ) from None


def _has_database_number(url: str) -> bool:
    """Whether the database of a URL, if it names one, is a number: redis-py takes any other name for 0."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return True  # the client says what is wrong
    database = parts.path.removeprefix("/")
    return parts.scheme not in ("redis", "rediss") or not database or database.isdecimal()


async def cancellable(call: Awaitable[_Result]) -> _Result:
    """Await a call of redis-py so that cancelling it is never lost.

    It sends by `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that comes as its future is done.
    """
    running = asyncio.ensure_future(call)
    try:
        await asyncio.wait((running,))
    finally:
        running.cancel()
    return running.result()


async def publish(redis: Redis, channel: str, body: bytes) -> None:
    """Publish a message, once the server is there."""
    backoff = Backoff()
    while True:
        try:
            await cancellable(redis.publish(channel, body))
        except OUTAGE:
            await asyncio.sleep(backoff.next_delay())
        else:
            return


def describe(error: BaseException, name: str) -> str:
    """Describe an error for people, without credentials."""
    match error:
        case exceptions.AuthenticationError():
            return f"Redis at {name} refuses the credentials"
        case TimeoutError() | exceptions.TimeoutError():
            return f"Redis at {name} does not answer"
        case OSError() | exceptions.ConnectionError():
            return f"Redis at {name} is unreachable"
    return f"Redis at {name}: {type(error).__name__}: {str(error)[:200]}"
