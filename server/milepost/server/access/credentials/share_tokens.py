"""Share tokens: what they say, signed with a secret of the store, so that they are stored nowhere.

A token is the prefix ``mps_``, base64url of a fixed head, the id of the job, the name of who shared it and an HMAC of
them all, and the checksum of other tokens, by which secret scanners find it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from typing import Final, NamedTuple

from milepost.contract import limits
from milepost.contract.token_checksums import CHECKSUM_LENGTH, SHARE_PREFIX, checksum
from milepost.server.access.principal import Scope

TOKEN_LENGTH: Final = 1024
"""Characters of a token at most: a job's id and a subject have 128 characters each."""

_VERSION: Final = 1
# Version, flags, key of the job, generation of its shares, expiry in seconds since 1970, length of the job's id.
_HEAD: Final = struct.Struct(">BBqqqB")
_CANCEL: Final = 1
_MAC_LENGTH: Final = hashlib.sha256().digest_size


class Share(NamedTuple):
    """The content of a share token.

    Attributes:
        job_id: The job, with its children.
        key: See ``JobIdentity.key``.
        generation: The generation of the job's shares that it belongs to.
        expire_time: When it expires, in seconds since 1970.
        can_cancel: Whether its bearer may cancel the job, besides reading it.
        subject: Who shared the job.
    """

    job_id: str
    key: int
    generation: int
    expire_time: int
    can_cancel: bool
    subject: str

    @property
    def scopes(self) -> frozenset[Scope]:
        """The scopes of its bearer."""
        return frozenset({Scope.READ, Scope.CANCEL} if self.can_cancel else {Scope.READ})


def derive_secret(store_secret: bytes, epoch: str) -> bytes:
    """Derive the secret of share tokens, which differs from that of lease tokens and from epoch to epoch.

    A store that has lost data may have lost revocations, too.
    """
    return hmac.digest(store_secret, f"milepost share tokens {epoch}".encode(), "sha256")


def encode(share: Share, secret: bytes) -> str:
    """Make a token."""
    job_id = share.job_id.encode()
    flags = _CANCEL if share.can_cancel else 0
    head = _HEAD.pack(_VERSION, flags, share.key, share.generation, share.expire_time, len(job_id))
    content = head + job_id + share.subject.encode()
    body = base64.urlsafe_b64encode(content + hmac.digest(secret, content, "sha256")).decode().rstrip("=")
    return SHARE_PREFIX + body + checksum(body)


def is_share_token(text: str) -> bool:
    """Whether the text has the form and the checksum of a share token: a truncated or mistyped one has not."""
    body = text[len(SHARE_PREFIX) : -CHECKSUM_LENGTH]
    return (
        text.startswith(SHARE_PREFIX)
        and len(text) <= TOKEN_LENGTH
        and text.isascii()
        and text[-CHECKSUM_LENGTH:] == checksum(body)
    )


def decode(token: str, secret: bytes) -> Share | None:
    """Decode a token; None for one that was not made with this secret."""
    if not is_share_token(token):
        return None
    body = token[len(SHARE_PREFIX) : -CHECKSUM_LENGTH]
    try:
        signed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    content, mac = signed[:-_MAC_LENGTH], signed[-_MAC_LENGTH:]
    if not hmac.compare_digest(mac, hmac.digest(secret, content, "sha256")):
        return None
    # From here on the server has written it, though maybe another version of it.
    version, flags, key, generation, expire_time, length = _HEAD.unpack_from(content)
    if version != _VERSION:
        return None
    names = content[_HEAD.size :]
    return Share(
        names[:length].decode(),
        key,
        generation,
        expire_time,
        bool(flags & _CANCEL),
        names[length:].decode()[: limits.NAME_LENGTH],
    )
