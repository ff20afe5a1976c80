"""``milepost token``: create, list and revoke the tokens and certificates of a token file."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from milepost.contract.printable import escape_json
from milepost.server.cli.options import duration, option

_EPILOG = """\b
Examples:
  milepost token create --tokens tokens.toml --subject ci --owner team-a --scope submit,read
  milepost token create --subject gpu-1 --owner '*' --scope work --kind 'transcribe.*' --expires 90d
  milepost token create --certificate spiffe://example.org/gpu-1 --subject gpu-1 --owner '*' --scope work
  milepost token list --tokens tokens.toml
  milepost token revoke 4f1c09aa

Running servers read the file again within a second. --tokens is also read from the environment: MILEPOST_TOKENS.
"""


def _scopes(value: str) -> tuple[str, ...]:
    """Parse ``submit,read``. Raises click.BadParameter."""
    from milepost.server.access.principal import Scope

    names = tuple(name.strip() for name in value.split(",") if name.strip())
    unknown = sorted(set(names) - set(Scope))
    if unknown or not names:
        found = repr(unknown[0]) if unknown else "nothing"
        raise click.BadParameter(f"{found} is not a scope; the scopes are {', '.join(Scope)}.")
    return names


def _kind(value: str) -> str:
    """Check a pattern of kinds. Raises click.BadParameter."""
    from milepost.server.access.principal import can_match_kind

    if not can_match_kind(value):
        raise click.BadParameter(
            f"{value!r} matches no kind: kinds have up to 64 lower-case letters, digits, '.', '_' and '-', and begin "
            "with a letter or digit; * stands for any text."
        )
    return value


_tokens_option = option(
    "--tokens",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The token file; created if missing.",
)


@click.group(epilog=_EPILOG)
def token() -> None:
    """Create, list and revoke access tokens.

    Client certificates, which the file knows by a name in them, are listed and revoked like tokens.

    A server with --tokens FILE accepts calls with a token of that file only. The file has the SHA-256 of each token,
    never the token itself. With --tls-client-ca it also accepts certificates that the file names.
    """


@token.command()
@_tokens_option
@click.option(
    "--subject", required=True, metavar="NAME", help="Who the token is for, as logs and events name it."
)
@click.option(
    "--owner",
    "owners",
    multiple=True,
    required=True,
    metavar="OWNER",
    help="Owner of jobs that it may access; *: all.",
)
@click.option(
    "--scope",
    "scopes",
    type=_scopes,
    required=True,
    metavar="SCOPES",
    help="Scopes: any of submit,read,cancel,work,admin.",
)
@click.option(
    "--kind",
    "kinds",
    type=_kind,
    multiple=True,
    metavar="PATTERN",
    help="Kinds that it may submit and work on, such as 'transcribe.*'. Default: all.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="Limit of its own instead of the server's: watches=100, jobs=1000, input=64MiB, requests=50/s, events=5000/s.",
)
@click.option(
    "--expires",
    type=duration(1),
    metavar="TIME",
    help="Lifetime, such as 90d; seconds without a unit. Default: unlimited.",
)
@click.option("--note", metavar="TEXT", help="Note about its purpose.")
@click.option(
    "--certificate",
    "san",
    metavar="NAME",
    help="Make no token: name a client certificate, by a URI or DNS name among its subject alternative names.",
)
def create(
    path: Path,
    subject: str,
    owners: Sequence[str],
    scopes: Sequence[str],
    kinds: Sequence[str],
    limits: Sequence[str],
    expires: float | None,
    note: str | None,
    san: str | None,
) -> None:
    """Create a token and print it, once: it is stored nowhere. Or name a client certificate."""
    from milepost.server.access.credentials import tokens
    from milepost.server.cli.token_writer import TokenWriter

    made = tokens.new_token() if san is None else ""
    now = datetime.now(UTC).replace(microsecond=0)
    expire_time = None if expires is None else now + timedelta(seconds=expires)
    until = "" if expire_time is None else f" until {expire_time:%Y-%m-%d %H:%M:%S} UTC"
    credential_id = secrets.token_hex(4)
    entry: dict[str, object] = {
        "id": credential_id,
        "sha256": tokens.digest(made) if made else None,
        "san": san,
        "subject": subject,
        "owners": list(owners),
        "scopes": list(scopes),
        "kinds": list(kinds),
        "limits": list(limits),
        "created": now,
        "expires": expire_time,
        "note": note,
    }
    with TokenWriter(path) as writer:
        name = "certificate" if san is not None else "token"
        writer.add(name, {key: value for key, value in entry.items() if value not in (None, [])})
    if not made:
        click.echo(
            f"Certificates with the name {san!r} are {subject!r}{until}, as {credential_id}.", err=True
        )
        return
    click.echo(f"Token {credential_id} for {subject!r}{until}. Keep it: it is not shown again.", err=True)
    click.echo(made)


@token.command(name="list")
@_tokens_option
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", help="Output format.")
def list_tokens(path: Path, output: str) -> None:
    """List the tokens of the file, without the tokens themselves, and the certificates."""
    from milepost.server.cli.token_table import token_lines
    from milepost.server.cli.token_writer import TokenWriter

    if not path.exists():
        raise click.ClickException(
            f"There is no token file {str(path)!r}. `milepost token create` makes one."
        )
    with TokenWriter(path) as writer:
        entries = writer.entries()
    if output == "json":
        for entry in entries:
            click.echo(escape_json(json.dumps(entry, ensure_ascii=False)))
        return
    if not entries:
        click.echo(f"There is no token in {str(path)!r}.", err=True)
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in token_lines(entries, width):
        sys.stdout.write(line + "\n")


@token.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_tokens_option
def revoke(path: Path, ids: Sequence[str]) -> None:
    """Revoke tokens and certificates by their ids, as `milepost token list` shows them."""
    from milepost.server.cli.token_writer import TokenWriter

    with TokenWriter(path) as writer:
        for credential_id in ids:
            if not writer.revoke(credential_id):
                raise click.ClickException(
                    f"There is no token {credential_id!r} in {str(path)!r}. See `milepost token list`."
                )
    click.echo(f"Revoked {', '.join(ids)}. Open streams end within seconds.", err=True)
