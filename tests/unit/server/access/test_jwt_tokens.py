"""JSON Web Tokens: which are accepted, and what principals they make."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from milepost.contract.reasons import reason_name
from milepost.server.access.credentials import jwks, jwt_tokens
from milepost.server.access.credentials.claim_names import ClaimNames
from milepost.server.access.credentials.jwks import MISS_INTERVAL, KeySet, SigningKeys
from milepost.server.access.credentials.jwt_tokens import LEEWAY, JwtTokens
from milepost.server.access.principal import Principal, Scope
from milepost.server.base.clock import SystemClock
from milepost.server.base.refusal import Refusal
from tests.unit.server.access.signed_tokens import (
    AUDIENCE,
    ISSUER,
    PRIVATE,
    STRANGER,
    public_key,
    reason,
    replace,
    segment,
    token,
    write_keys,
)


class MovableClock(SystemClock):
    """A clock that tests move."""

    offset = 0.0

    def now(self) -> int:
        """See ``Clock``."""
        return time.time_ns() + int(self.offset * 1e9)


def unsigned(**header: Any) -> str:
    """A token without a signature."""
    return (
        f"{segment({'alg': 'none', 'kid': 'EdDSA', **header})}.{segment({'iss': ISSUER, 'aud': AUDIENCE})}."
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key set with a key of each algorithm."""
    found = tmp_path / "jwks.json"
    write_keys(found, *PRIVATE)
    return found


@pytest.fixture
def clock() -> MovableClock:
    """The server's clock."""
    return MovableClock()


@pytest.fixture
def known(path: Path, clock: MovableClock) -> JwtTokens:
    """What verifies tokens."""
    return JwtTokens(KeySet(str(path)), ISSUER, AUDIENCE, ClaimNames(), clock)


@pytest.mark.parametrize("algorithm", PRIVATE)
async def test_a_good_token(known: JwtTokens, algorithm: str) -> None:
    """Signed with any of the asymmetric algorithms; unknown scopes give nothing."""
    principal = await known.principal(token(algorithm, exp=2000000000, jti="t-1"))
    assert principal == Principal(
        "alice",
        frozenset({"team-a"}),
        frozenset({Scope.SUBMIT, Scope.READ}),
        expire_time=2000000000 * 10**9,
        credential_id=f"jwt:{algorithm}:t-1",
    )


PUBLIC_PEM = PRIVATE["RS256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hmac_with_public_key() -> str:
    """A token that is signed with HMAC, with the public key as the secret."""
    signed = token("EdDSA").rpartition(".")[0].partition(".")[2]
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"RS256"}').decode().rstrip("=")
    signature = hmac.digest(PUBLIC_PEM, f"{header}.{signed}".encode(), "sha256")
    return f"{header}.{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: token(exp=time.time() - LEEWAY - 5), "TOKEN_EXPIRED"),
        (lambda: token(nbf=time.time() + LEEWAY + 60), "UNAUTHENTICATED"),
        (lambda: token(iss="https://other.test"), "UNAUTHENTICATED"),
        (lambda: token(aud="other"), "UNAUTHENTICATED"),
        (lambda: token(exp=None), "UNAUTHENTICATED"),
        (lambda: token(iss=None), "UNAUTHENTICATED"),
        (lambda: token(aud=None), "UNAUTHENTICATED"),
        (lambda: token(sub=None), "UNAUTHENTICATED"),
        (lambda: token(sub=7), "UNAUTHENTICATED"),
        (lambda: token(key=STRANGER), "UNAUTHENTICATED"),
        (lambda: token(key_id="unknown"), "UNAUTHENTICATED"),
        (lambda: token(key_id=""), "UNAUTHENTICATED"),
        (lambda: token("ES256", key_id="RS256"), "UNAUTHENTICATED"),
        (lambda: token()[:-4], "UNAUTHENTICATED"),
        (lambda: unsigned(), "UNAUTHENTICATED"),
        (lambda: unsigned(alg="None"), "UNAUTHENTICATED"),
        (lambda: hmac_with_public_key(), "UNAUTHENTICATED"),
        (lambda: "a.b.c", "UNAUTHENTICATED"),
        (lambda: "..", "UNAUTHENTICATED"),
        (lambda: token(owners=["x" * 100] * 200), "UNAUTHENTICATED"),
    ],
)
async def test_a_bad_token(known: JwtTokens, make: Callable[[], str], expected: str) -> None:
    """Expired, early, of another issuer or audience, without a claim, unsigned, forged, truncated, oversized."""
    assert await reason(known, make()) == expected


async def test_claims(path: Path, clock: MovableClock) -> None:
    """Claims are mapped by name: nested ones by dots, those of URLs as they are; a star stands for all owners."""
    names = ClaimNames.parse("subject=email,owners=org.teams,scopes=https://milepost.test/scopes,kinds=k")
    known = JwtTokens(KeySet(str(path)), ISSUER, AUDIENCE, names, clock)
    claims: dict[str, Any] = {
        "https://milepost.test/scopes": ["work"],
        "k": "transcribe.*",
        "email": "a@b.test",
    }
    principal = await known.principal(token(org={"teams": ["a", "b", 7]}, **claims))
    assert (principal.subject, principal.owners) == ("a@b.test", frozenset({"a", "b"}))
    assert (principal.scopes, principal.kinds) == (frozenset({Scope.WORK}), ("transcribe.*",))
    assert (await known.principal(token(org={"teams": "*"}, **claims))).owners is None
    assert (await known.principal(token(org="none", **claims))).owners == frozenset()


@pytest.mark.parametrize("claim", ["jobs=3 events=5/s", ["jobs=3", "events=5/s"]])
async def test_limits(known: JwtTokens, claim: object) -> None:
    """An issuer may set limits: in a list, or in one text."""
    assert (await known.principal(token(limits=claim))).limits == (("jobs", 3), ("events", 5))
    assert (await known.principal(token())).limits == ()


@pytest.mark.parametrize("claim", [5, {"jobs": 3}, ["jobs=3", 7], "jobs=many", ["jobs=1", "jobs=2"]])
async def test_limits_that_are_none(known: JwtTokens, claim: object) -> None:
    """A token whose limits the server cannot keep is refused, rather than taken without them."""
    assert await reason(known, token(limits=claim)) == "UNAUTHENTICATED"


@pytest.mark.parametrize("text", ["owners", "owner=x", "owners="])
def test_claims_that_are_no_map(text: str) -> None:
    """A mistake in the map is named."""
    with pytest.raises(ValueError, match="is not one of subject, owners, scopes, kinds"):
        ClaimNames.parse(text)


async def test_an_open_call_ends_with_its_token(known: JwtTokens, clock: MovableClock) -> None:
    """When it expires; until then it is in force."""
    principal = await known.principal(token(exp=time.time() + 600))
    known.check(principal)
    clock.offset = 600 + LEEWAY + 1
    with pytest.raises(Refusal) as refused:
        known.check(principal)
    assert reason_name(refused.value.reason) == "TOKEN_EXPIRED"


async def test_rotation(path: Path, known: JwtTokens) -> None:
    """A new key is found when its first token comes; a key that is withdrawn ends its tokens, also verified ones."""
    write_keys(path, "ES256")
    old = token("ES256")
    principal = await known.principal(old)
    write_keys(path, "EdDSA", "ES256")
    await known._keys.refresh(force=True)
    assert (await known.principal(token("EdDSA"))).subject == "alice"
    write_keys(path, "EdDSA")
    await known._keys.refresh(force=True)
    assert await reason(known, old) == "UNAUTHENTICATED"
    with pytest.raises(Refusal) as refused:
        known.check(principal)
    assert reason_name(refused.value.reason) == "TOKEN_EXPIRED"


async def test_a_verified_token_is_not_verified_again(
    known: JwtTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it expires, since a signature costs a hundred times as much as a look-up."""
    text = token()
    first = await known.principal(text)
    monkeypatch.setattr(jwt, "decode", None)
    assert await known.principal(text) is first


async def test_unknown_keys_are_throttled(path: Path) -> None:
    """Invented key ids make the server look at the source once in a while, not each time."""
    now, reads = 100.0, 0

    class Counting(KeySet):
        def _read(self) -> bytes:
            nonlocal reads
            reads += 1
            return path.read_bytes()

    keys = Counting(str(path), monotonic=lambda: now)
    for number in range(50):
        assert await keys.key(f"invented-{number}", "ES256") is None
    assert reads == 1
    now += MISS_INTERVAL
    assert await keys.key("another", "ES256") is None
    assert reads == 2


async def test_calls_during_a_look_at_the_source(path: Path) -> None:
    """They wait for it: after a rotation many calls come with the new key at once, and none of them is refused."""
    answering = threading.Event()

    class Slow(KeySet):
        def _read(self) -> bytes:
            answering.wait(120)
            return path.read_bytes()

    keys = Slow(str(path))
    asked = [asyncio.create_task(keys.key("ES256", "ES256")) for _ in range(3)]
    await asyncio.sleep(0)  # all of them have begun
    answering.set()
    found = await asyncio.gather(*asked)
    assert [key is not None for key in found] == [True] * 3


SECRET_KEY = '{"keys": [{"kid": "x", "kty": "oct", "k": "AA"}]}'


@pytest.mark.parametrize("broken", ["", "{}", '{"keys": []}', SECRET_KEY, "[]"])
async def test_the_last_good_keys_stay(path: Path, known: JwtTokens, broken: str) -> None:
    """While the source fails, or has no key that can verify."""
    text = token()
    await known.principal(text)
    replace(path, broken)
    await known._keys.refresh(force=True)
    assert (await known.principal(token(sub="bob"))).subject == "bob"
    replace(path, None)
    await known._keys.refresh(force=True)
    assert (await known.principal(token(sub="carol"))).subject == "carol"


@pytest.mark.parametrize(
    "changed",
    [
        *({"exp": value} for value in (float("nan"), float("inf"), 1e300, True, "9999999999")),
        *({"kinds": value} for value in ([], [5], {"a": 1}, ["x" * 200], "")),
        *({"sub": value} for value in ("a" * 200, "a\nb", "\ud800")),
    ],
    ids=str,
)
async def test_claims_that_say_nothing_usable(known: JwtTokens, changed: Mapping[str, Any]) -> None:
    """They refuse the token; without the kinds that cannot be read it would be for every kind."""
    assert await reason(known, token(**changed)) == "UNAUTHENTICATED"


async def test_owners_that_are_no_texts(known: JwtTokens) -> None:
    """Halves of characters, which no message can have, name no owner."""
    assert (await known.principal(token(owners=["\ud800", "a"]))).owners == frozenset({"a"})


async def test_a_key_id_with_colons(path: Path, known: JwtTokens) -> None:
    """Such as a URN: open calls go on."""
    replace(path, json.dumps({"keys": [public_key("EdDSA", "urn:key:1")]}))
    known.check(await known.principal(token(key_id="urn:key:1")))


async def test_a_key_set_that_is_nested_deeply(path: Path, known: JwtTokens) -> None:
    """It leaves the last good keys in force, as any other broken one does."""
    await known.principal(token())
    replace(path, '{"keys": ' + "[" * 100_000)
    await known._keys.refresh(force=True)
    assert (await known.principal(token(sub="bob"))).subject == "bob"


async def test_a_key_set_of_thousands_of_keys(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """It is parsed beside the event loop, which it would hold for longer than a pass may take: 1 MiB for 0.15 s."""
    parsed_by: list[int] = []
    parse = jwks._parse

    def note(data: bytes) -> SigningKeys:
        parsed_by.append(threading.get_ident())
        return parse(data)

    monkeypatch.setattr(jwks, "_parse", note)
    keys = KeySet(str(path))
    await keys.refresh(force=True)
    assert await keys.key("ES256", "ES256") is not None
    assert parsed_by
    assert threading.get_ident() not in parsed_by


async def test_verified_tokens_are_remembered_within_a_bound_of_bytes(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    """Tokens with as many owners as fit into them take as much memory as the bound says, and not more the more come."""
    bound = 256 << 10
    monkeypatch.setattr(jwt_tokens, "KNOWN_TOKENS_BYTES", bound)
    known = JwtTokens(KeySet(str(path)), ISSUER, AUDIENCE, ClaimNames(), SystemClock())
    texts = [token(owners=[f"{number}-{owner}" for owner in range(400)]) for number in range(60)]
    await known.principal(token())  # what verifying needs once
    tracemalloc.start()
    try:
        for text in texts:
            await known.principal(text)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.5 * bound < used < 1.2 * bound
