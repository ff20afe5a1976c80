"""Share tokens: what they say, and that nobody else can say it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.contract.token_checksums import CHECKSUM_LENGTH, SHARE_PREFIX, checksum
from milepost.server.access.credentials import share_tokens, tokens
from milepost.server.access.credentials.share_tokens import TOKEN_LENGTH, Share, decode, derive_secret, encode
from milepost.server.access.credentials.shares import SharedJob, Shares
from milepost.server.access.principal import ANONYMOUS, Principal, Scope
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason
from tests.support.clock import FakeClock

SECRET = derive_secret(b"secret", "epoch")
JOB_IDS = st.text("abcXYZ019_-", min_size=1, max_size=128)
NUMBERS = st.integers(0, 2**63 - 1)
SHARES = st.builds(
    Share,
    JOB_IDS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.booleans(),
    st.text(max_size=128).filter(lambda s: s.isprintable()),
)
TOKEN = encode(Share("j", 1, 2, 3, can_cancel=True, subject="alice"), SECRET)


def signed(content: bytes) -> str:
    """A token with this content, which somebody without the secret has made up."""
    body = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return SHARE_PREFIX + body + checksum(body)


@given(SHARES)
def test_what_is_written_is_read(share: Share) -> None:
    """By the same secret only; a token has one line of letters that need no escape in a link."""
    token = encode(share, SECRET)
    assert decode(token, SECRET) == share
    assert decode(token, derive_secret(b"other", "epoch")) is None
    assert decode(token, derive_secret(b"secret", "other")) is None
    assert set(token) <= set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")
    assert len(token) <= TOKEN_LENGTH


@given(st.text(max_size=300), st.binary(max_size=300), st.integers(0, len(TOKEN) - 1))
def test_whatever_else(text: str, content: bytes, at: int) -> None:
    """Texts, contents that nobody has signed, and tokens with a character changed are none, and raise nothing."""
    changed = TOKEN[:at] + ("A" if TOKEN[at] != "A" else "B") + TOKEN[at + 1 :]
    body = changed[len(SHARE_PREFIX) : -CHECKSUM_LENGTH]
    mended = SHARE_PREFIX + body + checksum(body)
    found = [
        decode(each, SECRET) for each in (text, SHARE_PREFIX + text, signed(content), changed, TOKEN[:at])
    ]
    assert found == [None] * len(found)
    assert decode(mended, SECRET) in (None, decode(TOKEN, SECRET))


def test_other_tokens() -> None:
    """A share token is no token of the token file, and the other way round."""
    assert not tokens.is_token(TOKEN)
    assert not share_tokens.is_share_token(tokens.new_token())


class Jobs:
    """Jobs in memory, for ``Shares``."""

    def __init__(self) -> None:
        self.known = {"j": SharedJob("team-a", 7, 0), "other": SharedJob("team-b", 8, 0)}

    def secret(self) -> bytes:
        """See ``SharedJobs``."""
        return SECRET

    async def find(self, job_id: str, caller: str) -> SharedJob | None:
        """See ``SharedJobs``."""
        return self.known.get(job_id)


@pytest.fixture
def jobs() -> Jobs:
    """A job of team-a, and another one."""
    return Jobs()


@pytest.fixture
def clock() -> FakeClock:
    """The server's clock."""
    return FakeClock()


@pytest.fixture
def shares(clock: FakeClock, jobs: Jobs) -> Shares:
    """Shares of these jobs."""
    return Shares(clock, jobs)


async def reason(shares: Shares, token: str) -> str:
    """Why a token is refused; no text quotes it."""
    with pytest.raises(Refusal) as refused:
        await shares.principal(token)
    assert token[:20] not in refused.value.message
    return ErrorReason.Name(refused.value.reason).removeprefix("ERROR_REASON_")


async def test_principal(shares: Shares, clock: FakeClock) -> None:
    """The bearer has the job, of its owner, for the time that was asked for; the subject is who shared it."""
    sharer = Principal("alice", frozenset({"team-a", "team-b"}), frozenset(Scope))
    token, expire_time = await shares.issue(sharer, "j", 900, can_cancel=False)
    found = await shares.principal(token)
    assert found == Principal(
        "alice",
        frozenset({"team-a"}),
        frozenset({Scope.READ}),
        job_id="j",
        expire_time=clock.now() + 900 * 10**9,
        credential_id=found.credential_id,
    )
    assert found.expire_time == expire_time
    token, _ = await shares.issue(sharer, "j", 900, can_cancel=True)
    assert (await shares.principal(token)).scopes == {Scope.READ, Scope.CANCEL}


async def test_expired(shares: Shares, clock: FakeClock) -> None:
    """At its time, for calls and for open streams."""
    token, _ = await shares.issue(ANONYMOUS, "j", 60, can_cancel=False)
    principal = await shares.principal(token)
    clock.advance(59)
    shares.check(principal)
    clock.advance(1)
    assert await reason(shares, token) == "TOKEN_EXPIRED"
    with pytest.raises(Refusal, match="has expired"):
        shares.check(principal)


@pytest.mark.parametrize(
    "now", [SharedJob("team-a", 7, 1), SharedJob("team-a", 9, 0), None], ids=["revoked", "reused", "deleted"]
)
async def test_revoked(shares: Shares, jobs: Jobs, now: SharedJob | None) -> None:
    """By the next generation of shares, by a deletion, and for another job with the id; other jobs keep theirs."""
    token, _ = await shares.issue(ANONYMOUS, "j", 60, can_cancel=False)
    principal = await shares.principal(token)
    other, _ = await shares.issue(ANONYMOUS, "other", 60, can_cancel=False)
    del jobs.known["j"]
    if now is not None:
        jobs.known["j"] = now
    assert await reason(shares, token) == "TOKEN_EXPIRED"
    await shares.refresh([principal, await shares.principal(other), ANONYMOUS])
    with pytest.raises(Refusal, match="revoked"):
        shares.check(principal)
    shares.check(await shares.principal(other))


@pytest.mark.parametrize("token", [TOKEN[:-1], SHARE_PREFIX, signed(b""), signed(b"x" * 80)])
async def test_unauthenticated(shares: Shares, token: str) -> None:
    """A truncated one, and one that nobody has signed."""
    assert await reason(shares, token) == "UNAUTHENTICATED"
