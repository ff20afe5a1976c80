"""Every credential that is not good, at every method."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jwt
import pytest

from milepost.server.access.credentials import tokens
from milepost.server.access.credentials.jwt_tokens import LEEWAY
from milepost.server.access.methods import ACTIONS
from milepost.web import service
from tests.support.authority import LOOPBACK, Authority, ServerFiles
from tests.support.forking import Forkery
from tests.support.http_calls import Answer, by_connect, rest
from tests.support.http_watch import http_client
from tests.support.issuer import Issuer
from tests.support.methods import METHODS, outcome, request_for
from tests.support.rpc import connect
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens

BAD, ENDED = ("UNAUTHENTICATED", "UNAUTHENTICATED"), ("UNAUTHENTICATED", "TOKEN_EXPIRED")
EVERYTHING: Final[dict[str, Any]] = {"owners": "*", "scope": "admin"}
SCOPELESS = {"/milepost.v1.JobService/WhoAmI"}
"""Methods that take a credential, and no scope."""


class Door:
    """A server that knows tokens of a file and of an issuer."""

    def __init__(self, directory: Path, forkery: Forkery) -> None:
        self.known = Tokens(directory / "tokens.toml")
        self.issuer = Issuer()
        self.issuer.add_key("one")
        self.admin = self.known.add("admin", ["*"], "admin")
        self.powerless = self.known.add("powerless", ["*"])
        self.refused = self._refused()
        url = self.issuer.url
        options = ["--tokens", str(self.known.path), "--jwt-issuer", url, "--jwt-audience", "milepost"]
        self.server = ServerProcess(
            directory / "data", *options, "--jwt-jwks", f"{url}/jwks", forkery=forkery, http=True
        )

    def _refused(self) -> dict[str, tuple[str | None, tuple[str, str]]]:
        """What is sent as authorization, and how that is refused, by name."""
        known, issuer, now = self.known, self.issuer, time.time()
        good = known.add("good", ["*"], "admin")
        expired = known.add("expired", ["*"], "admin", expires="2020-01-01")
        revoked = known.add("revoked", ["*"], "admin", revoked="true")
        jwt_good = issuer.token("one", **EVERYTHING)
        issuer.add_key("two")  # never published
        unknown = issuer.token("two", **EVERYTHING)
        forged = issuer.token("two", headers={"kid": "one"}, **EVERYTHING)
        public = issuer.public_pem("one")
        issuer.remove_key("two")
        as_bearer = {
            "empty": ("", BAD),
            "garbage": ("garbage", BAD),
            "truncated": (good[:-1], BAD),
            "unknown": (tokens.new_token(), BAD),
            "of another kind": ("mps" + good[2:], BAD),
            "expired": (expired, ENDED),
            "revoked": (revoked, ENDED),
            "JWT garbage": ("a.b.c", BAD),
            "JWT truncated": (jwt_good[:-4], BAD),
            "JWT expired": (issuer.token("one", **EVERYTHING, exp=now - LEEWAY - 60), ENDED),
            "JWT not yet valid": (issuer.token("one", **EVERYTHING, nbf=now + LEEWAY + 600), BAD),
            "JWT of another issuer": (issuer.token("one", **EVERYTHING, iss="https://id.test"), BAD),
            "JWT for another audience": (issuer.token("one", **EVERYTHING, aud="other"), BAD),
            "JWT with alg=none": (_unsigned(jwt_good), BAD),
            "JWT with HS256 and the public key": (_with_hmac(jwt_good, public), BAD),
            "JWT with an unknown kid": (unknown, BAD),
            "JWT with a known kid and another key": (forged, BAD),
        }
        found: dict[str, tuple[str | None, tuple[str, str]]] = {
            name: (f"Bearer {token}", refusal) for name, (token, refusal) in as_bearer.items()
        }
        return {
            "none": (None, BAD),
            "without a scheme": (good, BAD),
            "basic": (f"Basic {good}", BAD),
            **found,
        }


def _unsigned(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "one"})


def _with_hmac(token: str, secret: bytes) -> str:
    """The token with its claims, signed with HMAC: some libraries would take the public key for the secret."""
    header = (
        base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "one"}).encode()).decode().rstrip("=")
    )
    signed = f"{header}.{token.split('.')[1]}"
    mac = hmac.digest(secret, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[Door]:
    """The server, with all these credentials in its file from the beginning."""
    made = Door(tmp_path_factory.mktemp("door"), forkery)
    with made.server:
        yield made
    made.issuer.close()


def test_every_method_has_an_action() -> None:
    """A method that is added without saying which scope it needs is a mistake, and is denied to everyone."""
    assert set(ACTIONS) == set(METHODS)


@pytest.mark.parametrize("path", METHODS)
async def test_invalid_credentials_are_refused_at_every_method(door: Door, path: str) -> None:
    """Before the request is examined; the refusal says whether another token would help."""
    found = {}
    async with connect(door.server.address) as rpc:
        for name, (authorization, _) in door.refused.items():
            metadata = [] if authorization is None else [("authorization", authorization)]
            refusal = await outcome(rpc.channel, path, b"", metadata)
            found[name] = None if refusal is None else (refusal.code, refusal.reason)
        twice = [("authorization", f"Bearer {door.admin}")] * 2
        refusal = await outcome(rpc.channel, path, b"", twice)
        assert refusal is not None
        assert (refusal.code, refusal.reason) == BAD
    assert found == {name: refusal for name, (_, refusal) in door.refused.items()}


@pytest.mark.parametrize("method", service.METHODS)
async def test_invalid_credentials_are_refused_at_every_route(door: Door, method: str) -> None:
    """By REST and by Connect, with the same reasons."""
    found, expected = {}, {}
    async with http_client(door.server.url) as http:
        for name, (authorization, (_, reason)) in door.refused.items():
            # Spaces at the end are no part of a header of HTTP.
            headers = {} if authorization is None else {"authorization": authorization.strip()}
            for call in (rest, by_connect):
                found[name, call.__name__] = await call(http, method, "missing", headers)
                expected[name, call.__name__] = Answer(401, reason)
    assert found == expected


@pytest.mark.parametrize("path", METHODS)
async def test_a_credential_without_a_scope(door: Door, path: str) -> None:
    """Is denied at every method but a few; one with all scopes is let in everywhere, whatever it asks for."""
    found = {}
    async with connect(door.server.address) as rpc:
        for name, token in (("powerless", door.powerless), ("admin", door.admin)):
            request = request_for(path, "missing").SerializeToString()
            refusal = await outcome(rpc.channel, path, request, [("authorization", f"Bearer {token}")])
            found[name] = "" if refusal is None else refusal.reason
    assert found["powerless"] == ("" if path in SCOPELESS else "PERMISSION_DENIED")
    assert found["admin"] in ("", "INVALID_FIELD", "JOB_NOT_FOUND")


async def test_client_certificates_are_required_at_every_method(tmp_path: Path, forkery: Forkery) -> None:
    """With --tls-client-ca no method is reached without a valid certificate, and each is with one."""
    authority = Authority()
    known = Tokens(tmp_path / "tokens.toml")
    admin = known.add("admin", ["*"], "admin")
    options = [*ServerFiles(tmp_path, authority, authority).options, "--tokens", str(known.path)]
    shown = {
        "missing": authority.channel_credentials(),
        "of another authority": authority.channel_credentials(Authority().issue(LOOPBACK)),
        "expired": authority.channel_credentials(authority.issue(LOOPBACK, expired=True)),
        "right": authority.channel_credentials(authority.issue(LOOPBACK)),
    }
    found: dict[str, set[str]] = {}
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as server:
        for name, credentials in shown.items():
            async with connect(server.address, tls=credentials) as rpc:
                for path in METHODS:
                    request = request_for(path, "missing").SerializeToString()
                    metadata = [("authorization", f"Bearer {admin}")]
                    refusal = await outcome(rpc.channel, path, request, metadata)
                    code = "OK" if refusal is None else refusal.code
                    found.setdefault(name, set()).add(code)
    assert found == {
        "missing": {"UNAVAILABLE"},
        "of another authority": {"UNAVAILABLE"},
        "expired": {"UNAVAILABLE"},
        "right": {"OK", "INVALID_ARGUMENT", "NOT_FOUND"},
    }
