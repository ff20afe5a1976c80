"""Whatever is sent as a token, a claim, a key or a page token: it is taken or refused, and nothing fails."""

from __future__ import annotations

import asyncio
import base64
import json
import string
import time
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from milepost.contract.reasons import reason_name
from milepost.server.access.authenticator import Authenticator
from milepost.server.access.credentials import jwks, token_file, tokens
from milepost.server.access.credentials.claim_names import ClaimNames
from milepost.server.access.credentials.credential_settings import JwtSettings
from milepost.server.access.credentials.jwt_tokens import JwtTokens
from milepost.server.access.credentials.token_file import TokenEntry, TokenFileError
from milepost.server.access.credentials.token_store import TokenStore
from milepost.server.access.limits.principal_limits import parse_limits
from milepost.server.access.principal import Principal, Scope
from milepost.server.base.clock import SystemClock
from milepost.server.base.refusal import Refusal
from milepost.server.service import paging
from milepost.server.service.paging import InvalidPageToken
from milepost.v1 import JobFilter, ListJobsRequest, ListWorkersRequest
from tests.unit.server.access.signed_tokens import AUDIENCE, ISSUER, PRIVATE, public_key, segment, write_keys

many = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Halves of characters, too, which a JSON text or a surface other than gRPC may bring.
texts = st.text(st.characters(codec=None), max_size=60) | st.text(st.sampled_from(string.printable))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def mutations(text: str) -> st.SearchStrategy[str]:
    """The text with a part replaced, cut out, or put in."""
    ends = st.integers(0, len(text))
    return st.builds(
        lambda first, second, noise: text[: min(first, second)] + noise + text[max(first, second) :],
        ends,
        ends,
        st.text(st.sampled_from(string.ascii_letters + string.digits + "_-.= \n\x00é\ud800"), max_size=4),
    )


GOOD = tokens.new_token()


@pytest.fixture
def authenticator(tmp_path: Path) -> Authenticator:
    """A server's authenticator, with a token file and an issuer."""
    (tmp_path / "tokens.toml").write_text(
        f'[[token]]\nid = "a"\nsha256 = "{tokens.digest(GOOD)}"\nsubject = "a"\nowners = ["*"]\nscopes = ["read"]\n'
    )
    write_keys(tmp_path / "jwks.json", "EdDSA")
    jwts = JwtSettings(ISSUER, AUDIENCE, str(tmp_path / "jwks.json")).open(SystemClock())
    return Authenticator(SystemClock(), TokenStore(tmp_path / "tokens.toml"), jwts)


def refused(call: Callable[[], object]) -> str:
    """The reason of a refusal; empty if there is none."""
    try:
        call()
    except Refusal as refusal:
        return reason_name(refusal.reason)
    return ""


@many
@given(st.one_of(texts, mutations(f"Bearer {GOOD}"), st.binary(max_size=20)))
@example("Bearer mp_" + "\ud800" * 43 + "000000")
@example("Bearer \ud800.\ud800.\ud800")
def test_authorization(authenticator: Authenticator, value: str | bytes) -> None:
    """A header is a known token or UNAUTHENTICATED."""
    metadata = [("authorization", value)]
    found = refused(lambda: asyncio.run(authenticator.authenticate(metadata)))
    is_good = isinstance(value, str) and value[:7].lower() == "bearer " and value[7:].strip() == GOOD
    assert found == ("" if is_good else "UNAUTHENTICATED")


@many
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5u"]), values), values)
def test_headers_of_json_web_tokens(authenticator: Authenticator, header: object, claims: object) -> None:
    """Whatever they say, a token without a signature of the issuer is nobody's."""
    value = f"Bearer {segment(header)}.{segment(claims)}.AAAA"
    assert refused(lambda: asyncio.run(authenticator.authenticate([("authorization", value)]))) == (
        "UNAUTHENTICATED"
    )


CLAIMS = ["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "owners", "scope", "kinds", "limits"]


@many
@given(st.dictionaries(st.sampled_from(CLAIMS), values), st.sampled_from(["owners", "owners.a", "", "."]))
def test_claims(tmp_path: Path, changed: Mapping[str, Any], owners: str) -> None:
    """A signed token whose claims are anything is a principal that can be used, or refused."""
    write_keys(tmp_path / "jwks.json", "EdDSA")
    keys = jwks.KeySet(str(tmp_path / "jwks.json"))
    known = JwtTokens(keys, ISSUER, AUDIENCE, ClaimNames(owners=owners), SystemClock())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "a", "exp": time.time() + 600, "owners": ["a"]}
    try:
        signed = jwt.api_jws.encode(
            json.dumps({**good, **changed}).encode(), PRIVATE["EdDSA"], "EdDSA", {"kid": "EdDSA"}
        )
    except UnicodeEncodeError:  # half of a character
        return
    found: list[Principal] = []
    reason = refused(lambda: found.append(asyncio.run(known.principal(signed))))
    assert reason in ("", "UNAUTHENTICATED", "TOKEN_EXPIRED")
    for principal in found:
        assert principal.subject.isprintable()
        assert principal.scopes <= set(Scope)
        texts_of = [principal.subject, principal.credential_id, *principal.kinds, *(principal.owners or ())]
        assert all(text.encode() is not None for text in texts_of)
        assert principal.takes("any") in (True, False)


@many
@given(st.lists(values | st.fixed_dictionaries({"kid": texts, "kty": st.sampled_from(["RSA", "EC", "OKP"])})))
def test_key_sets(entries: list[Any]) -> None:
    """Entries that are no keys are left out; the others stay."""
    try:
        data = json.dumps({"keys": [*entries, public_key("ES256")]}).encode()
    except UnicodeEncodeError:
        return
    assert "ES256" in {key_id for key_id, _ in jwks._parse(data).by_id}


@many
@given(
    st.builds(
        lambda changed, kind, name: {**public_key(kind), name: changed},
        values,
        st.sampled_from(["RS256", "ES256", "EdDSA"]),
        st.sampled_from(["kty", "alg", "use", "kid", "n", "e", "x", "y", "crv", "d"]),
    )
)
def test_keys_that_are_nearly_good(entry: dict[str, Any]) -> None:
    """A key with one wrong member is left out, or verifies; it takes no other key away."""
    try:
        data = json.dumps({"keys": [entry, {**public_key("ES256"), "kid": "good"}]}).encode()
    except UnicodeEncodeError:
        return
    assert "good" in {key_id for key_id, _ in jwks._parse(data).by_id}


@many
@given(data=values)
def test_documents_of_keys(data: object) -> None:
    """What has no key is refused with a ValueError, which leaves the last good keys in force."""
    with pytest.raises((ValueError, jwt.PyJWTError)):
        jwks._parse(json.dumps(data).encode())


KEYS = ["id", "sha256", "subject", "owners", "scopes", "kinds", "limits", "expires", "revoked", "note", "san"]


@many
@given(
    st.dictionaries(st.sampled_from(KEYS), values),
    st.sampled_from(["token", "certificate"]),
    st.booleans(),
)
def test_token_files(changed: dict[str, Any], table: str, is_list: bool) -> None:
    """A file has entries that can be used, or is refused with a message without its digests."""
    digest = "0" * 63 + "1"
    good = {"id": "a", "subject": "a", "owners": ["a"], "scopes": ["read"]}
    good |= {"sha256": digest} if table == "token" else {"san": "a.test"}
    entry = {**good, **changed}
    document = {table: [entry] if is_list else entry}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", lambda _: document)
        entries: Mapping[str, TokenEntry] = {}
        told = ""
        try:
            entries = token_file.parse("")
        except TokenFileError as error:
            told = str(error)
    assert digest not in told
    for found in entries.values():
        assert found.principal.scopes <= set(Scope)
        assert found.principal.takes("any") in (True, False)


@many
@given(st.one_of(st.text(max_size=80), mutations('[[token]]\nid = "a"\nowners = ["a"]\nscopes = []\n')))
def test_texts_of_token_files(text: str) -> None:
    """No text makes the parser fail in another way."""
    with suppress(TokenFileError):
        token_file.parse(text)


@many
@given(st.lists(texts | mutations("events=5000/s"), max_size=3))
def test_limits(found: list[str]) -> None:
    """A limit is a positive number, or refused."""
    try:
        limits = parse_limits(found)
    except ValueError:
        return
    assert all(value >= 1 for _, value in limits)


REQUEST = ListJobsRequest(filter=JobFilter(owner="a"))
PAGE = paging.jobs_token(REQUEST, 5)
WORKERS_PAGE = paging.workers_token(ListWorkersRequest(), "w", "s")


def forged(request: object) -> st.SearchStrategy[str]:
    """Page tokens with a right digest and any key."""
    digest = json.loads(base64.urlsafe_b64decode(str(request) + "=="))[0]
    return st.builds(lambda key: segment([digest, key]), values)


@many
@given(st.one_of(st.text(max_size=60), mutations(PAGE), forged(PAGE), values.map(segment)))
def test_page_tokens_of_jobs(token: str) -> None:
    """A page token leads to a key that a store can have, or is refused."""
    request = ListJobsRequest()
    try:
        request.CopyFrom(REQUEST)
        request.page_token = token
    except UnicodeEncodeError:
        return
    try:
        key = paging.after_job(request)
    except InvalidPageToken:
        return
    assert key is None if not token else key is not None and 0 <= key < 2**63


@many
@given(st.one_of(st.text(max_size=60), mutations(WORKERS_PAGE), forged(WORKERS_PAGE), values.map(segment)))
def test_page_tokens_of_workers(token: str) -> None:
    """The same of workers, whose keys are two texts."""
    try:
        request = ListWorkersRequest(page_token=token)
    except UnicodeEncodeError:
        return
    try:
        key = paging.after_worker(request)
    except InvalidPageToken:
        return
    assert key is None or [type(part) for part in key] == [str, str]
