"""Options of ``serve`` for TLS."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from milepost.server.cli.options import EXISTING_FILE, option, with_options
from milepost.server.runtime.tls.tls_files import TlsFiles

# gRPC accepts TLS 1.2 and 1.3, and has no option for that in Python. What it has is the list of the cipher suites of
# TLS 1.2, as a variable of the environment. This one needs a key that both sides know, which gRPC's servers never have:
# so no handshake of TLS 1.2 succeeds. The suites of 1.3 are not configurable, and stay.
_CIPHER_SUITES = "GRPC_SSL_CIPHER_SUITES"
_NO_SUITE_OF_1_2 = "ECDHE-PSK-AES128-CBC-SHA"

_OPTIONS = (
    option("--tls-cert", type=EXISTING_FILE, help="Certificate chain of the server (PEM). Default: no TLS."),
    option("--tls-key", type=EXISTING_FILE, help="Private key of --tls-cert (PEM)."),
    option(
        "--tls-client-ca",
        type=EXISTING_FILE,
        help="Certificates of authorities (PEM): clients need a certificate of one of them.",
    ),
    option(
        "--tls-min-version",
        type=click.Choice(["1.2", "1.3"]),
        default="1.2",
        help="Oldest version of TLS that clients may use.",
    ),
)


def tls_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator with the options of TLS; the command gets them as ``tls``: files, or None for plain text."""

    @functools.wraps(command)
    def with_tls(
        *arguments: Any,
        tls_cert: Path | None,
        tls_key: Path | None,
        tls_client_ca: Path | None,
        tls_min_version: str,
        **options: Any,
    ) -> Any:
        if (tls_cert is None) != (tls_key is None):
            raise click.UsageError("--tls-cert and --tls-key go together.")
        if tls_cert is None or tls_key is None:
            if tls_client_ca is not None or tls_min_version != "1.2":
                raise click.UsageError(
                    "--tls-client-ca and --tls-min-version need --tls-cert and --tls-key: without them there is no TLS."
                )
            return command(*arguments, tls=None, **options)
        if tls_min_version == "1.3":
            _refuse_tls_1_2()
        return command(*arguments, tls=TlsFiles(tls_cert, tls_key, tls_client_ca, tls_min_version), **options)

    return with_options(with_tls, _OPTIONS)


def _refuse_tls_1_2() -> None:
    if "grpc" in sys.modules:
        raise click.ClickException(
            "--tls-min-version 1.3 has no effect in a process that has loaded gRPC already. Start `milepost serve` in "
            f"a process of its own, or set {_CIPHER_SUITES}={_NO_SUITE_OF_1_2} before instead of the option."
        )
    os.environ[_CIPHER_SUITES] = _NO_SUITE_OF_1_2
