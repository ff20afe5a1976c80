"""Tokens and the file that knows them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.credentials import token_file, tokens
from milepost.server.access.credentials.token_file import TokenFileError
from milepost.server.access.credentials.token_store import CHECK_LIMIT, SETTLE_TIME, TokenStore
from milepost.server.access.principal import ANONYMOUS, Principal, Scope
from milepost.server.base.clock import SystemClock
from milepost.server.base.refusal import Refusal
from milepost.server.calls.open_calls import OpenCalls
from milepost.v1 import ErrorReason

TOKEN = tokens.new_token()


class FixedClock(SystemClock):
    """A clock that stands at an instant."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        """See ``Clock``."""
        return self._now


def entry(token: str = TOKEN, **changed: str) -> str:
    """An entry of a token file; values are TOML."""
    values = {
        "id": '"4f1c09aa"',
        "sha256": f'"{tokens.digest(token)}"',
        "subject": '"ci"',
        "owners": '["team-a"]',
        "scopes": '["submit", "read"]',
        **changed,
    }
    return "[[token]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value)


def authenticator(path: Path, text: str, now: int = 0) -> Authenticator:
    """An authenticator with this token file."""
    path.write_text(text)
    return Authenticator(FixedClock(now), TokenStore(path))


def bearer(token: str) -> list[tuple[str, str | bytes]]:
    """The metadata of a call with a token."""
    return [("authorization", f"Bearer {token}")]


async def reason(
    authenticator: Authenticator, metadata: list[tuple[str, str | bytes]]
) -> ErrorReason.ValueType:
    """Why these metadata are refused; the text must not quote the token."""
    with pytest.raises(Refusal) as refused:
        await authenticator.authenticate(metadata)
    assert TOKEN[3:] not in refused.value.message
    return refused.value.reason


def test_form() -> None:
    """A token has 256 bits of randomness behind a prefix, and a checksum that every change breaks."""
    assert TOKEN.startswith("mp_")
    assert len(TOKEN) == len("mp_") + 43 + 6
    assert tokens.is_token(TOKEN)
    assert len({tokens.new_token() for _ in range(1000)}) == 1000
    broken = [TOKEN[:-1], TOKEN[1:], TOKEN + "0", TOKEN.swapcase(), ""]
    broken += [TOKEN[:i] + ("0" if TOKEN[i] != "0" else "1") + TOKEN[i + 1 :] for i in range(3, len(TOKEN))]
    assert [text for text in broken if tokens.is_token(text)] == []


def test_principal() -> None:
    """An entry becomes a principal; a time without an offset is in UTC, and a date is its beginning."""
    text = entry(kinds='["transcribe.*"]', expires="2027-01-31", note='"nightly"', revoked="true")
    parsed = token_file.parse(text)[tokens.digest(TOKEN)]
    assert parsed.principal == Principal(
        "ci",
        frozenset({"team-a"}),
        frozenset({Scope.SUBMIT, Scope.READ}),
        kinds=("transcribe.*",),
        expire_time=1801353600 * 10**9,
        credential_id="4f1c09aa",
    )
    assert (parsed.revoked, parsed.note) == (True, "nightly")


def test_a_missing_file(tmp_path: Path) -> None:
    """A server does not start with a token file that is not there: everybody would be let in, or nobody."""
    with pytest.raises(TokenFileError, match="it cannot be read: No such file"):
        TokenStore(tmp_path / "tokens")


def test_all_owners() -> None:
    """A star stands for all owners."""
    assert token_file.parse(entry(owners='["*"]'))[tokens.digest(TOKEN)].principal.owners is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[token", "it is not TOML"),
        ("[token]\n", r"tokens stand under \[\[token\]\]"),
        ('[[tokens]]\nid = "1"\n', "unknown key 'tokens'"),
        (entry(subject=""), "token 1 has no 'subject'"),
        (entry(scopes='["reed"]'), "unknown scope 'reed'; there are submit, read, cancel, work, admin"),
        (entry(scopes='"read"'), "'scopes' of token 1 is not a list"),
        (entry(owners="[]"), "token 1 has no owner"),
        (entry(sha256='"abc"'), "not 64 hexadecimal digits"),
        (
            entry(limits='["beds=1"]'),
            "'limits' of token 1 cannot be used: 'beds=1' is not one of watches, jobs",
        ),
        (entry(limits='["jobs=1", "jobs=2"]'), "a limit is given twice"),
        (entry(expires='"tomorrow"'), "'expires' of token 1 is not a time"),
        (entry(revoked='"yes"'), "'revoked' of token 1"),
        (entry(expire="2027-01-31"), "unknown key 'expire'"),
        (entry() + entry(), "token 2 has the id or the sha256 of an earlier one"),
        (entry(subject='"a\\u001bb"'), "'subject' of token 1 is not a text"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, message: str) -> None:
    """A mistake is named with its place; an unknown key is one, since a misspelt limit must not go unnoticed."""
    with pytest.raises(TokenFileError, match=message):
        token_file.parse(text)


async def test_without_credentials() -> None:
    """Without credentials configured everyone is the principal anonymous, whatever they send."""
    assert await Authenticator(SystemClock()).authenticate(bearer("anything")) == ANONYMOUS


async def test_authenticate(tmp_path: Path) -> None:
    """A known token gives its principal; the scheme is in any case."""
    known = authenticator(tmp_path / "tokens", entry())
    assert (await known.authenticate(bearer(TOKEN))).subject == "ci"
    assert (await known.authenticate([("authorization", f"bearer {TOKEN}")])).subject == "ci"


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [("authorization", TOKEN)],
        [("authorization", f"Basic {TOKEN}")],
        [("authorization", b"Bearer")],
        bearer("garbage"),
        bearer(TOKEN[:-1]),
        bearer(tokens.new_token()),
        bearer(TOKEN) + bearer(TOKEN),
    ],
)
async def test_unauthenticated(tmp_path: Path, metadata: list[tuple[str, str | bytes]]) -> None:
    """No token, two, a truncated one and an unknown one are UNAUTHENTICATED."""
    known = authenticator(tmp_path / "tokens", entry())
    assert await reason(known, metadata) == ErrorReason.ERROR_REASON_UNAUTHENTICATED


async def test_expired(tmp_path: Path) -> None:
    """A token that has expired or is revoked is TOKEN_EXPIRED: its bearer needs another one."""
    path, expire_time = tmp_path / "tokens", 1801353600 * 10**9
    text = entry(expires="2027-01-31T00:00:00Z")
    assert (await authenticator(path, text, expire_time - 1).authenticate(bearer(TOKEN))).subject == "ci"
    assert (
        await reason(authenticator(path, text, expire_time), bearer(TOKEN))
        == ErrorReason.ERROR_REASON_TOKEN_EXPIRED
    )
    revoked = authenticator(path, entry(revoked="true"))
    assert await reason(revoked, bearer(TOKEN)) == ErrorReason.ERROR_REASON_TOKEN_EXPIRED


async def test_reload(tmp_path: Path) -> None:
    """A changed file is read again; a broken or missing one leaves the last good tokens in force."""
    path = tmp_path / "tokens"
    known = authenticator(path, entry())
    principal = await known.authenticate(bearer(TOKEN))
    path.write_text("[[token")
    await known.refresh()
    known.check(principal)
    path.unlink()
    await known.refresh()
    known.check(principal)
    other = tokens.new_token()
    path.with_suffix(".new").write_text(entry(other))
    path.with_suffix(".new").replace(path)
    await known.refresh()
    assert (await known.authenticate(bearer(other))).subject == "ci"
    assert await reason(known, bearer(TOKEN)) == ErrorReason.ERROR_REASON_UNAUTHENTICATED


@pytest.mark.parametrize("last", ['kinds = ["k"]', "expires = 2020-01-01", "revoked = true"])
async def test_a_file_that_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """It is read once it stays as it is: its beginning parses, but lacks what narrows the last token."""
    path, other = tmp_path / "tokens", tokens.new_token()
    known = authenticator(path, entry(), time.time_ns())
    added = entry() + entry(other, id='"another"')
    path.write_text(added)
    waits: list[float] = []

    def write_the_rest(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            path.write_text(f"{added}{last}\n")

    monkeypatch.setattr(time, "sleep", write_the_rest)
    await known.refresh()
    assert await reason(known, bearer(other)) == ErrorReason.ERROR_REASON_UNAUTHENTICATED
    await known.refresh()
    if last.startswith("kinds"):
        assert (await known.authenticate(bearer(other))).kinds == ("k",)
    else:
        assert await reason(known, bearer(other)) == ErrorReason.ERROR_REASON_TOKEN_EXPIRED
    assert (await known.authenticate(bearer(TOKEN))).kinds == ()
    assert waits == [SETTLE_TIME] * 2


async def test_a_file_that_changes_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read at the third look: whoever writes to it must not keep a revoked token in force."""
    path = tmp_path / "tokens"
    known = authenticator(path, entry(), time.time_ns())
    changes = 0

    def change(_seconds: float) -> None:
        nonlocal changes
        changes += 1
        path.write_text(f"{entry(revoked='true')}# {'x' * changes}\n")

    monkeypatch.setattr(time, "sleep", change)
    change(0)
    for _ in range(CHECK_LIMIT - 1):
        await known.refresh()
        assert (await known.authenticate(bearer(TOKEN))).kinds == ()
    await known.refresh()
    assert await reason(known, bearer(TOKEN)) == ErrorReason.ERROR_REASON_TOKEN_EXPIRED


@pytest.mark.parametrize(
    "changed", ["", entry(revoked="true"), entry(scopes='["read"]'), entry(limits='["jobs=1"]')]
)
async def test_open_call(tmp_path: Path, changed: str) -> None:
    """An open call ends with TOKEN_EXPIRED once its token is deleted, revoked, or has other rights."""
    path = tmp_path / "tokens"
    known = authenticator(path, entry())
    principal = await known.authenticate(bearer(TOKEN))
    known.check(principal)
    path.write_text(changed)
    await known.refresh()
    with pytest.raises(Refusal) as refused:
        known.check(principal)
    assert refused.value.reason == ErrorReason.ERROR_REASON_TOKEN_EXPIRED


@pytest.mark.parametrize("text", ["token = " + "[" * 5000, entry(note="1" * 5000)], ids=["nested", "digits"])
async def test_a_file_that_no_parser_takes(tmp_path: Path, text: str) -> None:
    """It is broken like any other: the earlier tokens stay in force."""
    known = authenticator(tmp_path / "tokens", entry())
    principal = await known.authenticate(bearer(TOKEN))
    (tmp_path / "tokens").write_text(text)
    await known.refresh()
    known.check(principal)


async def test_another_secret_with_the_same_id(tmp_path: Path) -> None:
    """Open calls of the earlier secret end: it may be replaced because it leaked."""
    known = authenticator(tmp_path / "tokens", entry())
    principal = await known.authenticate(bearer(TOKEN))
    (tmp_path / "tokens").write_text(entry(tokens.new_token()))
    await known.refresh()
    with pytest.raises(Refusal):
        known.check(principal)


def test_kinds_with_many_stars() -> None:
    """A pattern is matched in time that grows with its length only, however many stars it has."""
    kinds = ("*a" * 40 + "b", "x*y*", "*.*z")
    principal = Principal("ci", None, frozenset(Scope), kinds=kinds)
    assert [kind for kind in ("a" * 120, "xy", "x.y.z", "zx", "a.z", "y") if principal.takes(kind)] == [
        "xy",
        "x.y.z",
        "a.z",
    ]


async def test_a_call_whose_request_comes_after_the_revocation(tmp_path: Path) -> None:
    """It is refused when its request is there, though its token was good when the call began."""
    known = authenticator(tmp_path / "tokens", entry())
    principal = await known.authenticate(bearer(TOKEN))
    (tmp_path / "tokens").write_text(entry(revoked="true"))
    await known.refresh()
    with pytest.raises(Refusal), OpenCalls(known).serving(principal):
        pass
