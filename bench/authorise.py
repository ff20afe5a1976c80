"""Authorise: processor time of authenticating and authorising a call, before and beside what it asks for."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from bench.figures import OURS, Figure, Round, Settings, rounds
from milepost.server.access.authenticator import Authenticator
from milepost.server.access.authorize import Action, Target, check
from milepost.server.access.credentials import tokens
from milepost.server.access.credentials.credential_settings import CredentialSettings, JwtSettings
from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.methods import check_method
from milepost.server.base.clock import SystemClock

__all__ = ["measure"]

_TOKENS: Final = 10_000
"""Tokens in the token file."""

_WEB_TOKENS: Final = 2000

_TURNS: Final = 3
"""Calls of each bearer in a round."""

_METHOD: Final = "/milepost.v1.JobService/GetJob"

_Call: TypeAlias = Callable[[str], Awaitable[None]]


def measure(settings: Settings) -> list[Figure]:
    """Authorise ``GetJob`` of an own job with each token in turn, beside what costs the most of it."""
    in_file, path = _token_file(settings.directory)
    by_file = CredentialSettings(tokens=path).open(SystemClock())
    signed, jwt_settings = _web_tokens(settings.directory)
    by_jwt = CredentialSettings(jwt=jwt_settings).open(SystemClock())
    with asyncio.Runner() as runner:

        def timed(call: _Call, bearers: Sequence[str]) -> Round:
            return runner.run(_timed(call, bearers))

        figures = rounds(
            f"authorising a call, token file of {_TOKENS:,}",
            {
                OURS: lambda: timed(_authorising(by_file, "file"), in_file),
                "SHA-256 of the token": lambda: timed(_hashed, in_file),
            },
            settings,
        )
        return figures + rounds(
            "authorising a call, JSON Web Token (ES256) that is known",
            {
                OURS: lambda: timed(_authorising(by_jwt, "jwt"), signed),
                "its signature verified": lambda: timed(_verifying(jwt_settings), signed),
            },
            settings,
        )


def _authorising(authenticator: Authenticator, owner: str) -> _Call:
    """Authenticate, check and authorise a call of a bearer, as the server does for each call."""
    limiter = Limiter()
    target = Target("job", owner, "kind", "")

    async def authorise(token: str) -> None:
        metadata = (("user-agent", "bench"), ("authorization", f"Bearer {token}"))
        principal = await authenticator.authenticate(metadata)
        await limiter.admit_request(principal)
        check_method(principal, _METHOD)
        check(principal, Action.READ, "job", target)

    return authorise


async def _hashed(token: str) -> None:
    hashlib.sha256(token.encode()).hexdigest()


def _verifying(settings: JwtSettings) -> _Call:
    jwk = jwt.PyJWKSet.from_json(Path(settings.jwks).read_text()).keys[0]

    async def verify(token: str) -> None:
        jwt.decode(token, jwk, algorithms=["ES256"], audience=settings.audience, issuer=settings.issuer)

    return verify


async def _timed(call: _Call, bearers: Sequence[str]) -> Round:
    """The mean of a round. The first turn is a warm-up and does not count."""
    taken = 0
    for turn in range(_TURNS):
        started = time.process_time_ns()
        for token in bearers:
            await call(token)
        taken += time.process_time_ns() - started if turn else 0
    return {"processor time, µs": taken / (_TURNS - 1) / len(bearers) / 1000}


def _token_file(directory: Path) -> tuple[list[str], Path]:
    made = [tokens.new_token() for _ in range(_TOKENS)]
    path = directory / "tokens.toml"
    path.write_text(
        "".join(
            f'[[token]]\nid = "t{number}"\nsha256 = "{tokens.digest(token)}"\nsubject = "s{number}"\n'
            f'owners = ["file"]\nscopes = ["submit", "read"]\n'
            for number, token in enumerate(made)
        )
    )
    return made, path


def _web_tokens(directory: Path) -> tuple[list[str], JwtSettings]:
    key = ec.generate_private_key(ec.SECP256R1())
    public: dict[str, Any] = json.loads(str(jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key())))
    path = directory / "jwks.json"
    path.write_text(json.dumps({"keys": [{**public, "kid": "key", "alg": "ES256"}]}))
    settings = JwtSettings("https://issuer.example", "milepost", str(path))
    claims = {"iss": settings.issuer, "aud": settings.audience, "exp": time.time() + 86_400}
    rights = {"owners": "jwt", "scope": "read submit"}
    made = [
        jwt.encode({**claims, **rights, "sub": f"s{number}"}, key, algorithm="ES256", headers={"kid": "key"})
        for number in range(_WEB_TOKENS)
    ]
    return made, settings
