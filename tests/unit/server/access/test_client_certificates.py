"""Certificates of clients as credentials, without a connection."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.credentials import token_file, tokens
from milepost.server.access.credentials.client_certificates import (
    KNOWN_SIZE,
    AuthContext,
    client_certificate,
    expire_time,
    known_expire_time,
)
from milepost.server.access.credentials.token_file import TokenFileError
from milepost.server.access.credentials.token_store import TokenStore
from milepost.server.base.clock import SystemClock
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason
from tests.support.authority import Authority
from tests.support.clock import START, FakeClock

NAME = "spiffe://example.org/ci"
PEM = Authority().issue("ci.example.org").cert_chain_pems[0].bytes()


def entry(name: str, **changed: str) -> str:
    """An entry of the token file for certificates with a name; values are TOML."""
    values = {"id": '"c1"', "san": f'"{name}"', "subject": '"ci"', "owners": '["a"]', "scopes": '["read"]'}
    return "[[certificate]]\n" + "".join(f"{key} = {value}\n" for key, value in {**values, **changed}.items())


def shown(*uris: str, dns: tuple[str, ...] = (), pem: bytes = PEM) -> AuthContext:
    """The properties of a connection whose client has shown a certificate with these names."""
    return {
        "x509_pem_cert": [pem],
        "x509_common_name": [NAME.encode()],
        "peer_uri": [name.encode() for name in uris],
        "peer_dns": [name.encode() for name in dns],
    }


def knowing(path: Path, text: str) -> Authenticator:
    """An authenticator with this token file."""
    path.write_text(text)
    return Authenticator(SystemClock(), TokenStore(path))


async def authenticate(path: Path, text: str, connection: AuthContext, token: str = "") -> str:
    """Who a call over this connection is, or why it is refused."""
    metadata: list[tuple[str, str | bytes]] = [("authorization", f"Bearer {token}")] if token else []
    try:
        found = await knowing(path, text).authenticate(metadata, lambda: connection)
    except Refusal as refusal:
        return ErrorReason.Name(refusal.reason).removeprefix("ERROR_REASON_")
    return found.subject


@pytest.mark.parametrize(
    ("text", "connection", "found"),
    [
        (entry(NAME), shown(NAME), "ci"),
        (entry("ci.example.org"), shown(dns=("ci.example.org",)), "ci"),
        (entry(NAME), shown("spiffe://example.org/other", NAME), "ci"),
        (entry(NAME), shown(NAME + "/"), "UNAUTHENTICATED"),
        (entry(NAME), shown(NAME.upper()), "UNAUTHENTICATED"),
        (entry(NAME), shown(), "UNAUTHENTICATED"),  # the common name is no name
        (entry(NAME), {}, "UNAUTHENTICATED"),
        (entry(NAME), shown(NAME, pem=b"hello"), "UNAUTHENTICATED"),
        (entry(NAME, revoked="true"), shown(NAME), "TOKEN_EXPIRED"),
        (entry(NAME, expires="2020-01-01"), shown(NAME), "TOKEN_EXPIRED"),
    ],
)
async def test_certificates(tmp_path: Path, text: str, connection: AuthContext, found: str) -> None:
    """A name is found exactly as the file has it; its entry may be revoked or expire, as a token's."""
    assert await authenticate(tmp_path / "tokens", text, connection) == found


async def test_an_expired_certificate(tmp_path: Path) -> None:
    """A connection lives longer than its certificate: calls over it are refused from then on."""
    expired = Authority().issue("ci.example.org", expired=True).cert_chain_pems[0].bytes()
    found = await authenticate(tmp_path / "tokens", entry(NAME), shown(NAME, pem=expired))
    assert found == "TOKEN_EXPIRED"


async def test_tokens_go_first(tmp_path: Path) -> None:
    """A token of the call goes before the certificate of the connection, and a bad one is not excused by it."""
    token = tokens.new_token()
    text = entry(NAME) + entry("x", id='"t1"', subject='"them"').replace(
        "[[certificate]]", "[[token]]"
    ).replace('san = "x"', f'sha256 = "{tokens.digest(token)}"')
    found = [
        await authenticate(tmp_path / "tokens", text, shown(NAME), each)
        for each in (token, "", tokens.new_token())
    ]
    assert found == ["them", "ci", "UNAUTHENTICATED"]


async def test_a_certificate_that_expires(tmp_path: Path) -> None:
    """A call ends when the certificate of its connection does, though its entry does not."""
    path = tmp_path / "tokens"
    path.write_text(entry(NAME, expires="9999-01-01"))
    clock = FakeClock()
    clock.jump(expire_time(PEM) / 1e9 - START - 1)
    known = Authenticator(clock, TokenStore(path))
    principal = await known.authenticate([], lambda: shown(NAME))
    known.check(principal)
    assert principal.expire_time == expire_time(PEM)
    clock.jump(1)
    with pytest.raises(Refusal) as refused:
        known.check(principal)
    assert refused.value.reason == ErrorReason.ERROR_REASON_TOKEN_EXPIRED


async def test_open_calls(tmp_path: Path) -> None:
    """A call over a certificate ends when its entry is revoked or changed, as with a token."""
    path = tmp_path / "tokens"
    known = knowing(path, entry(NAME))
    principal = await known.authenticate([], lambda: shown(NAME))
    known.check(principal)
    for text in (entry(NAME, revoked="true"), entry(NAME, scopes='["work"]'), ""):
        path.write_text(text)
        await known.refresh()
        with pytest.raises(Refusal) as refused:
            known.check(principal)
        assert refused.value.reason == ErrorReason.ERROR_REASON_TOKEN_EXPIRED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (entry(""), "'san' of certificate 1 is not a text of 1 to 2048"),
        (entry(NAME) + entry(NAME, id='"c2"'), "certificate 2 has the id or the san of an earlier one"),
        (entry(NAME, sha256='"x"'), "certificate 1 has an unknown key 'sha256'"),
        ("[certificate]\n", r"certificates stand under \[\[certificate\]\]"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, message: str) -> None:
    """A mistake in an entry is named with its place."""
    with pytest.raises(TokenFileError, match=message):
        token_file.parse(text)


@pytest.mark.parametrize("year", [2049, 2050, 2100])
def test_end_of_validity(year: int) -> None:
    """Times are written in one way until 2049, and in another one from 2050 on."""
    end = datetime.datetime(year, 12, 31, 23, 59, 58, tzinfo=datetime.UTC)
    pem = trustme.CA().issue_cert("x.example.org", not_after=end).cert_chain_pems[0].bytes()
    assert expire_time(pem) == int(end.timestamp()) * 10**9


@given(st.binary(max_size=400), st.integers(0, 400))
def test_whatever_is_shown(noise: bytes, at: int) -> None:
    """No certificate, a part of one and one with bytes changed raise nothing but ValueError."""
    for pem in (noise, PEM[:at], PEM[:at] + noise + PEM[at + len(noise) :]):
        try:
            expire_time(pem)
        except ValueError:
            continue


def test_no_certificate() -> None:
    """A connection in plain text shows none."""
    assert client_certificate({}) is None


def test_a_large_certificate_is_not_remembered() -> None:
    """What is remembered is bounded in bytes: their number, and what each has at most."""
    expire_time(PEM)
    before = known_expire_time.cache_info().currsize
    large = PEM + b"\n" * KNOWN_SIZE
    assert expire_time(large) == expire_time(PEM)
    assert known_expire_time.cache_info().currsize == before
