"""`milepost backup`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.exit_status import CommandError, ExitStatus
from milepost.client._cli.commands.options import ServerOptions, output_option, server_options
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.standard_streams import write_stdout

if TYPE_CHECKING:
    from milepost.client._cli.commands.new_file import NewFile
    from milepost.client._transport.channel import LazyChannel
    from milepost.client._transport.fork_safety import grpc
    from milepost.v1 import BackupHeader, BackUpRequest, BackUpResponse

    _Call: TypeAlias = grpc.aio.UnaryStreamCall[BackUpRequest, BackUpResponse]

__all__ = ["backup"]


@command(
    examples=(
        "milepost backup /backups/milepost-$(date +%F).db",
        "milepost backup --address milepost.internal:7070 --tls milepost.db",
    )
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@output_option
@server_options
def backup(server: ServerOptions, file: Path, output: str) -> None:
    """Copy the server's log to FILE, while the server runs.

    FILE is a SQLite database with everything that was durable at one moment; reports and watches go on meanwhile. It is
    made on this machine, readable only by you, and only once it is complete; an existing file is never replaced.

    To restore it, stop the server, put FILE in the place of milepost.db, delete milepost.db-wal and milepost.db-shm,
    and start the server: subscribers get EPOCH_CHANGED.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.new_file import NewFile
    from milepost.client._cli.rendering.text import human_size

    async def main() -> BackupHeader:
        channel = server.channel()
        try:
            with NewFile(file) as new:
                return await _receive(channel, new)
        finally:
            await channel.close()

    try:
        header = run(main())
    except FileExistsError:
        raise click.UsageError(
            f"{str(file)!r} exists, and a backup replaces nothing. Name another file."
        ) from None
    except OSError as error:
        message = f"{str(file)!r} cannot be written ({error.strerror})."
        raise CommandError(message, ExitStatus.OUTPUT_FAILED, json=output == "json") from error
    if output == "json":
        fields = {"file": str(file), "sizeBytes": str(header.size_bytes), "epoch": header.epoch}
        write_stdout(dump_json({"backup": {**fields, "lastPosition": str(header.last_position)}}))
    else:
        write_stdout(f"{file}  {human_size(header.size_bytes)}  epoch {header.epoch}")


async def _receive(channel: LazyChannel, new: NewFile) -> BackupHeader:
    """Write the copy as the server sends it, and return what it is. Raises OSError, MilepostError."""
    from milepost.client.errors import ProtocolError

    digest, received = hashlib.sha256(), 0
    call, header = await channel.patiently(lambda: _begin(channel))
    try:
        if new.free < header.size_bytes:
            raise OSError(0, f"it needs {header.size_bytes:,} bytes, and {new.free:,} are free")
        while (part := await _read(channel, call)) is not None:
            match part.WhichOneof("part"):
                case "data":
                    digest.update(part.data)
                    received += len(part.data)
                    new.write(part.data)
                case "sha256" if (part.sha256, header.size_bytes) == (digest.digest(), received):
                    new.finish()
                    return header
        raise ProtocolError(
            "The backup did not arrive as the server sent it. Nothing was kept; start it again."
        )
    finally:
        call.cancel()


async def _begin(channel: LazyChannel) -> tuple[_Call, BackupHeader]:
    """Ask for a backup; the call, and what the server is going to send."""
    from milepost.client.errors import ProtocolError
    from milepost.v1 import BackUpRequest

    metadata = await channel.tokens.metadata()
    call = channel.track(channel.admin().BackUp(BackUpRequest(), metadata=metadata))
    part = await _read(channel, call)
    if part is None or not part.HasField("header"):
        call.cancel()
        raise ProtocolError("The backup did not begin with its header.")
    return call, part.header


async def _read(channel: LazyChannel, call: _Call) -> BackUpResponse | None:
    """The next part; None at the end."""
    from milepost.client._transport.error_mapping import error_from_status
    from milepost.client._transport.fork_safety import grpc
    from milepost.v1 import BackUpResponse

    try:
        part = await call.read()
    except grpc.aio.AioRpcError as error:
        raise error_from_status(error, channel.target.address) from error
    return part if isinstance(part, BackUpResponse) else None
