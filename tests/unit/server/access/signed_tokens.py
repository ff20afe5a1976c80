"""An issuer's keys, the tokens that they sign, and why a server refuses one."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from milepost.contract.reasons import reason_name
from milepost.server.access.credentials.jwt_tokens import JwtTokens
from milepost.server.base.refusal import Refusal

__all__ = [
    "AUDIENCE",
    "ISSUER",
    "PRIVATE",
    "STRANGER",
    "public_key",
    "reason",
    "replace",
    "segment",
    "token",
    "write_keys",
]


ISSUER = "https://issuer.test"


AUDIENCE = "milepost"


PRIVATE: Mapping[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


STRANGER = ed25519.Ed25519PrivateKey.generate()


def public_key(algorithm: str, key_id: str = "", private: Any = None) -> dict[str, Any]:
    """The public key as a JSON Web Key."""
    encoded = jwt.get_algorithm_by_name(algorithm).to_jwk((private or PRIVATE[algorithm]).public_key())
    return {**json.loads(str(encoded)), "kid": key_id or algorithm, "alg": algorithm, "use": "sig"}


def write_keys(path: Path, *algorithms: str) -> None:
    """Write a key set."""
    path.write_text(json.dumps({"keys": [public_key(name) for name in algorithms]}))


def token(algorithm: str = "EdDSA", key: Any = None, key_id: str | None = None, **changed: Any) -> str:
    """A token; claims that are None are left out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": time.time() + 600,
        "owners": ["team-a"],
        "scope": "milepost:submit read other",
        **changed,
    }
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        key or PRIVATE[algorithm],
        algorithm=algorithm,
        headers={"kid": algorithm if key_id is None else key_id},
    )


def segment(value: object) -> str:
    """A header or claims as a token has them."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def reason(known: JwtTokens, text: str) -> str:
    """Why a token is refused."""
    with pytest.raises(Refusal) as refused:
        await known.principal(text)
    assert text[:40] not in refused.value.message
    return reason_name(refused.value.reason)


def replace(path: Path, text: str | None) -> None:
    """Replace the file; delete it with None."""
    path.unlink()
    if text is not None:
        path.write_text(text)
