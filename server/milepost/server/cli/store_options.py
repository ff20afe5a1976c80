"""Options that select the store of the log, and the credentials for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from milepost.server.cli.options import EXISTING_FILE, with_options

if TYPE_CHECKING:
    from milepost.server.log.store import NatsStore

_SCHEME = re.compile(r"(nats|tls|ws|wss)://")
_STREAM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CREDENTIALS = ("BEGIN NATS USER JWT-----\n", "BEGIN USER NKEY SEED-----\n")
_SEED = re.compile(r"SU[A-Z2-7]{56}")


def parse_servers(value: str) -> tuple[str, ...]:
    """Parse ``nats://host:4222,host:4222`` into one URL each; empty for ``sqlite``. Raises click.BadParameter."""
    if value == "sqlite":
        return ()
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise click.BadParameter(f"{value!r} is neither sqlite nor nats://host:4222,host:4222.")
    urls = [url if _SCHEME.match(url) else scheme.group() + url for url in value.split(",")]
    if any(not _SCHEME.sub("", url) for url in urls):
        raise click.BadParameter(f"{value!r} names a server without a host.")
    return tuple(urls)


def store_options(option: Callable[..., Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Decorator with the options of ``selected_store``, each made with ``option``."""
    where = option(
        "--store",
        type=parse_servers,
        metavar="URL",
        default="sqlite",
        help="Store of the log: sqlite, in the data directory; or, for many nodes, NATS JetStream: "
        "nats://host:4222,host:4222, with a local copy for reads in the data directory.",
    )
    synced = option(
        "--nats-sync-always",
        is_flag=True,
        help="Confirm that the NATS servers run with sync_interval: always; silences the warning.",
    )
    access = access_options(option)
    return lambda command: where(access(synced(command)))


def access_options(option: Callable[..., Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Decorator with the options for the stream and its credentials."""
    options = (
        option(
            "--nats-stream",
            default="milepost",
            metavar="NAME",
            help="Name of the stream; created if missing.",
        ),
        option(
            "--nats-replicas",
            type=click.IntRange(1, 5),
            help="Number of stream replicas. Default: 3 in a NATS cluster, else 1.",
        ),
        option(
            "--nats-credentials",
            type=EXISTING_FILE,
            help="Credentials file for NATS (user JWT and NKey seed).",
        ),
        option("--nats-nkey-seed", type=EXISTING_FILE, help="NKey seed file for NATS."),
        option(
            "--nats-tls-ca",
            type=EXISTING_FILE,
            help="CA bundle for NATS (PEM). Default: the system's.",
        ),
        option("--nats-tls-cert", type=EXISTING_FILE, help="Client certificate for NATS (PEM)."),
        option("--nats-tls-key", type=EXISTING_FILE, help="Private key of --nats-tls-cert (PEM)."),
    )

    return partial(with_options, options=options)


def selected_store(
    *,
    store: tuple[str, ...],
    nats_stream: str,
    nats_replicas: int | None,
    nats_credentials: Path | None,
    nats_nkey_seed: Path | None,
    nats_tls_ca: Path | None,
    nats_tls_cert: Path | None,
    nats_tls_key: Path | None,
    nats_sync_always: bool = False,
) -> NatsStore | None:
    """The selected store; None for the data directory. Raises click.UsageError."""
    from milepost.server.log.jetstream.nats_access import NatsAccess, installed
    from milepost.server.log.store import NatsStore

    if not store:
        if nats_sync_always or any(
            (nats_replicas, nats_credentials, nats_nkey_seed, nats_tls_ca, nats_tls_cert, nats_tls_key)
        ):
            raise click.UsageError("The --nats-… options are for a log in NATS: --store nats://host:4222.")
        return None
    if not installed():
        raise click.ClickException(
            "A log in NATS needs nats-py and nkeys, which milepost-server does not bring by itself. "
            "Install them with: pip install 'milepost-server[nats]'"
        )
    if not _STREAM.fullmatch(nats_stream):
        raise click.UsageError(
            f"--nats-stream cannot be {nats_stream!r}: letters, digits, - and _ only, up to 64."
        )
    if (nats_tls_cert is None) != (nats_tls_key is None):
        raise click.UsageError("--nats-tls-cert and --nats-tls-key go together.")
    if nats_credentials is not None and nats_nkey_seed is not None:
        raise click.UsageError("--nats-credentials and --nats-nkey-seed are two ways to log in; give one.")
    if nats_credentials is not None and not all(part in _text(nats_credentials) for part in _CREDENTIALS):
        raise click.UsageError(
            f"--nats-credentials needs a JWT and its NKey seed, as nsc writes them, not {nats_credentials}."
        )
    if nats_nkey_seed is not None and not _SEED.fullmatch(_text(nats_nkey_seed).strip()):
        raise click.UsageError(
            f"--nats-nkey-seed needs the seed of a user, SU…, which {nats_nkey_seed} is not."
        )
    access = NatsAccess(
        store,
        credentials=nats_credentials,
        nkey_seed=nats_nkey_seed,
        tls_ca=nats_tls_ca,
        tls_certificate=nats_tls_cert,
        tls_key=nats_tls_key,
    )
    return NatsStore(access, nats_stream, nats_replicas, synced=nats_sync_always)


def _text(path: Path) -> str:
    """The text of a file that need not be UTF-8."""
    return path.read_bytes().decode(errors="replace")
