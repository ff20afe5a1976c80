"""Run a bridge: the implementation of `milepost bridge redis`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import click
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from milepost.client._bridge.inbound_bridge import InboundBridge
from milepost.client._bridge.mapping_source import find_function, find_mapping
from milepost.client._bridge.message_mapping import FunctionMapping, JobRules, MessageMapping
from milepost.client._bridge.outbound_bridge import ChannelName, OutboundBridge
from milepost.client._bridge.redis_server import describe, publish, redis_client, redis_name
from milepost.client._bridge.redis_subscriber import RedisSubscriber
from milepost.client._bridge.redis_writer import AnotherBridge, RedisWriter
from milepost.client._cli.commands import log_setup
from milepost.client._cli.commands.async_runner import run
from milepost.client._cli.commands.exit_status import CommandError, ExitStatus
from milepost.client._cli.commands.options import ServerOptions

__all__ = ["BridgeOptions", "run_bridge"]


@dataclass(frozen=True)
class BridgeOptions:
    """The options of the command."""

    url: str
    channels: Sequence[str]
    mapping: str
    kinds: Sequence[str]
    owner: str
    idle: float
    max_jobs: int
    publish: str
    stream: str
    max_length: int
    labels: Mapping[str, str]
    state_key: str
    from_start: bool
    given: Collection[str]
    """Names of the options that are arguments, not settings of the environment, which several bridges may share."""


# Options that one direction has, and the other one has not.
_INBOUND_OPTIONS: Final = ("--idle", "--max-jobs")
_OUTBOUND_OPTIONS: Final = ("--max-length", "--label", "--state-key", "--from-start")


def run_bridge(server: ServerOptions, options: BridgeOptions, log_level: str) -> None:
    """Run until a signal."""
    writes = bool(options.publish or options.stream)
    if writes == bool(options.channels):
        raise click.UsageError(
            "Give either --channel, for messages that become reports, or --publish or --stream, for events that become "
            "messages. For both run two bridges, on channels of different names."
        )
    if writes:
        _refuse(options, _INBOUND_OPTIONS, "with --publish and --stream")
        if not options.stream:
            _refuse(options, ("--max-length",), "without --stream")
    else:
        _refuse(options, _OUTBOUND_OPTIONS, "with --channel")
    try:
        redis = redis_client(options.url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--url'") from None
    main = (
        _write(server, options, redis, *_publication(options))
        if writes
        else _read(server, options, redis, _mapping(options))
    )
    log_setup.configure(log_level)
    run(main)


def _refuse(options: BridgeOptions, names: Sequence[str], why: str) -> None:
    """Refuse options that do nothing here."""
    for name in names:
        if name in options.given:
            raise click.UsageError(f"{name} does nothing {why}: leave it out.")


def _mapping(options: BridgeOptions) -> MessageMapping:
    if not options.mapping:
        raise click.UsageError("--channel needs --map: what the messages mean.")
    if len(options.kinds) > 1:
        raise click.UsageError("The jobs of a bridge have one kind: give --kind once.")
    rules = JobRules(kind=next(iter(options.kinds), ""), idle=options.idle)
    try:
        mapping = find_mapping(options.mapping, rules)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--map'") from error
    if not isinstance(mapping, FunctionMapping):
        _refuse(
            options, ("--idle", "--kind"), f"with the mapping {options.mapping!r}, which says that itself"
        )
    return mapping


def _publication(options: BridgeOptions) -> tuple[ChannelName | None, Callable[..., Any] | None]:
    try:
        channel = ChannelName(options.publish) if options.publish else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--publish'") from error
    try:
        return channel, find_function(options.mapping) if options.mapping else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--map'") from error


async def _read(server: ServerOptions, options: BridgeOptions, redis: Redis, mapping: MessageMapping) -> None:
    name = redis_name(options.url)
    async with server.client(wait=False) as client:
        inbound = InboundBridge(
            client, mapping, partial(publish, redis), owner=options.owner, max_jobs=options.max_jobs
        )
        reader = RedisSubscriber(redis, name, options.channels, inbound.receive, inbound.interrupted)
        running = [asyncio.create_task(part) for part in (reader.run(), inbound.run())]
        try:
            ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:  # with its error: a bridge that only reads would end no idle job
                task.result()
        except AuthenticationError as error:
            raise CommandError(f"{describe(error, name)}.", ExitStatus.FAILED, json=False) from None
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            await inbound.close()
            await redis.aclose()


async def _write(
    server: ServerOptions,
    options: BridgeOptions,
    redis: Redis,
    channel: ChannelName | None,
    function: Callable[..., Any] | None,
) -> None:
    name = redis_name(options.url)
    writer = RedisWriter(
        redis, name, state=options.state_key, stream=options.stream, max_length=options.max_length
    )
    async with server.client(wait=False) as client:
        outbound = OutboundBridge(
            client,
            writer,
            channel,
            publication=function,
            from_start=options.from_start,
            kinds=options.kinds,
            owner=options.owner,
            labels=options.labels,
        )
        try:
            await outbound.run()
        except AnotherBridge:
            raise CommandError(
                f"Another bridge has started since that keeps its position in {options.state_key!r}; this one ends. "
                "Give each a --state-key of its own.",
                ExitStatus.FAILED,
                json=False,
            ) from None
        except AuthenticationError as error:
            raise CommandError(f"{describe(error, name)}.", ExitStatus.FAILED, json=False) from None
        finally:
            await redis.aclose()
