"""Options of ``serve`` that say which credentials callers have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from milepost.server.access.credentials.claim_names import ClaimNames
from milepost.server.access.credentials.credential_settings import CredentialSettings, JwtSettings
from milepost.server.cli.listen_options import is_loopback
from milepost.server.cli.options import option, with_options


def _claims(value: str) -> ClaimNames:
    """Parse ``owners=org.teams,scopes=permissions``. Raises click.BadParameter."""
    try:
        return ClaimNames.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_OPTIONS = (
    option(
        "--tokens",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Token file (TOML): calls need a token in it. `milepost token create` adds one. It is read again when it "
        "changes.",
    ),
    option(
        "--jwt-issuer",
        default="",
        show_default=False,
        metavar="URL",
        help="Accept JSON Web Tokens of this issuer (claim iss), with milepost-server[jwt].",
    ),
    option(
        "--jwt-audience",
        default="",
        show_default=False,
        metavar="NAME",
        help="Audience that these tokens are for (claim aud).",
    ),
    option(
        "--jwt-jwks",
        default="",
        show_default=False,
        metavar="FILE|URL",
        help="Public keys of the issuer: a JSON Web Key Set.",
    ),
    option(
        "--jwt-claims",
        type=_claims,
        default="",
        show_default=False,
        metavar="MAP",
        help="Claims that principals are made of, such as owners=org.teams,scopes=permissions. Default: sub, owners, "
        "scope, kinds and limits.",
    ),
    option(
        "--allow-anonymous",
        is_flag=True,
        help="Listen beyond this machine although no credentials are configured: whoever reaches the port may do "
        "everything.",
    ),
)


def credential_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator with the options of credentials; the command gets them as ``credentials`` and ``allow_anonymous``."""

    @functools.wraps(command)
    def with_credentials(
        *arguments: Any,
        tokens: Path | None,
        jwt_issuer: str,
        jwt_audience: str,
        jwt_jwks: str,
        jwt_claims: ClaimNames,
        **options: Any,
    ) -> Any:
        jwt = _jwt(jwt_issuer, jwt_audience, jwt_jwks, jwt_claims)
        return command(*arguments, credentials=CredentialSettings(tokens, jwt), **options)

    return with_options(with_credentials, _OPTIONS)


def _jwt(issuer: str, audience: str, jwks: str, claims: ClaimNames) -> JwtSettings | None:
    """The issuer of tokens, if there is one. Raises click.UsageError, click.ClickException."""
    if not issuer and not audience and not jwks:
        return None
    if not issuer or not audience or not jwks:
        raise click.UsageError("--jwt-issuer, --jwt-audience and --jwt-jwks go together.")
    url = urlsplit(jwks)
    if url.scheme == "http" and not is_loopback(f"{url.hostname}:0"):
        raise click.UsageError(
            f"--jwt-jwks cannot be {jwks!r}: whoever sits in between could replace the keys. Use https, or a file."
        )
    if find_spec("jwt") is None:
        raise click.ClickException(
            "JSON Web Tokens need PyJWT, which milepost-server does not bring by itself. "
            "Install it with: pip install 'milepost-server[jwt]'"
        )
    return JwtSettings(issuer, audience, jwks, claims)
