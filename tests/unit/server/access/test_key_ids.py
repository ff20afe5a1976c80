"""Keys of an issuer with one id: which of them verifies tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server.access.credentials.claim_names import ClaimNames
from milepost.server.access.credentials.jwks import KeySet
from milepost.server.access.credentials.jwt_tokens import JwtTokens
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
    token,
    write_keys,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key set with a key of each algorithm."""
    found = tmp_path / "jwks.json"
    write_keys(found, *PRIVATE)
    return found


@pytest.fixture
def known(path: Path) -> JwtTokens:
    """What verifies tokens."""
    return JwtTokens(KeySet(str(path)), ISSUER, AUDIENCE, ClaimNames(), SystemClock())


async def test_another_key_with_the_same_id(path: Path, known: JwtTokens) -> None:
    """The earlier key is withdrawn, with the tokens that were verified with it."""
    replace(path, json.dumps({"keys": [public_key("EdDSA", "k")]}))
    text = token("EdDSA", key_id="k")
    principal = await known.principal(text)
    replace(path, json.dumps({"keys": [public_key("ES256", "k")]}))
    await known._keys.refresh(force=True)
    assert await reason(known, text) == "UNAUTHENTICATED"
    with pytest.raises(Refusal):
        known.check(principal)


async def test_keys_of_different_algorithms_with_the_same_id(path: Path, known: JwtTokens) -> None:
    """Each verifies the tokens of its algorithm, in whichever order the set has them."""
    keys = [public_key(algorithm, "k") for algorithm in PRIVATE]
    for order in (keys, keys[::-1]):
        replace(path, json.dumps({"keys": order}))
        await known._keys.refresh(force=True)
        for algorithm in PRIVATE:
            text = token(algorithm, key_id="k", jti=str(order))
            assert (await known.principal(text)).subject == "alice"
        confused = token("EdDSA", key_id="k", key=STRANGER)
        assert await reason(known, confused) == "UNAUTHENTICATED"


async def test_different_keys_with_the_same_id_and_algorithm(path: Path, known: JwtTokens) -> None:
    """None of them verifies anything, in whichever order, and the log says so once; the other keys do as before."""
    one, other = public_key("EdDSA", "k"), public_key("EdDSA", "k", STRANGER)
    for order in ([one, other], [other, one]):
        replace(path, json.dumps({"keys": [one]}))
        await known._keys.refresh(force=True)
        principal = await known.principal(token(key_id="k"))
        replace(path, json.dumps({"keys": [*order, public_key("ES256")]}))
        with capture_logs() as written:
            for _ in range(2):
                await known._keys.refresh(force=True)
        with pytest.raises(Refusal):
            known.check(principal)
        for key in (None, STRANGER):
            assert await reason(known, token(key=key, key_id="k")) == "UNAUTHENTICATED"
        assert (await known.principal(token("ES256"))).subject == "alice"
        warnings = [line for line in written if line["log_level"] == "warning"]
        assert [line["key_ids"] for line in warnings] == [["k"]]


async def test_the_same_key_twice(path: Path, known: JwtTokens) -> None:
    """Is that key."""
    replace(path, json.dumps({"keys": [public_key("EdDSA")] * 2}))
    assert (await known.principal(token())).subject == "alice"
