"""JWT authentication of NATS: an operator signs the tokens of accounts, and accounts those of users.

The form is that of https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from pathlib import Path
from typing import Any

import nkeys

__all__ = ["Account", "Operator"]

# -1 means no limit.
_OF_USERS: dict[str, Any] = dict.fromkeys(("subs", "data", "payload"), -1)
_OF_ACCOUNTS = _OF_USERS | dict.fromkeys(("imports", "exports", "conn", "leaf"), -1) | {"wildcards": True}
_OF_STREAMS = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


class _Signer:
    """A key pair that signs tokens; ``name`` is the public key."""

    def __init__(self, prefix: int) -> None:
        self.seed = nkeys.encode_seed(secrets.token_bytes(32), prefix).decode()
        self._pair = nkeys.from_seed(bytearray(self.seed, "ascii"))
        self.name: str = self._pair.public_key.decode()

    def sign(self, name: str, kind: str, **claims: Any) -> str:
        """Sign a JWT about the holder of the key ``name``."""
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        payload = {
            "jti": uuid.uuid4().hex,
            "iat": int(time.time()),
            "iss": self.name,
            "sub": name,
            "name": kind,
            "nats": {"type": kind, "version": 2, **claims},
        }
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, payload))
        return f"{signed}.{_base64(self._pair.sign(signed.encode()))}"


class Account(_Signer):
    """An account, whose users share streams."""

    def __init__(self) -> None:
        super().__init__(nkeys.PREFIX_BYTE_ACCOUNT)
        self._users: list[str] = []
        self._revoked: dict[str, int] = {}

    @property
    def limits(self) -> dict[str, Any]:
        """The claims of the account, which may have streams."""
        return {"limits": _OF_ACCOUNTS | _OF_STREAMS, "revocations": self._revoked}

    def write_credentials(self, path: Path) -> None:
        """Create a user, and write its credentials file as ``nsc`` does."""
        user = _Signer(nkeys.PREFIX_BYTE_USER)
        self._users.append(user.name)
        token = self.sign(user.name, "user", **_OF_USERS)
        written = path.with_suffix(".new")  # replaced atomically, since a server may read it meanwhile
        written.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )
        written.replace(path)

    def revoke(self) -> None:
        """Revoke all present users."""
        self._revoked = dict.fromkeys(self._users, int(time.time()))


class Operator(_Signer):
    """The operator that servers trust, with its accounts."""

    def __init__(self, *accounts: Account) -> None:
        super().__init__(nkeys.PREFIX_BYTE_OPERATOR)
        self._accounts = accounts
        self._system = Account()
        self._itself = self.sign(self.name, "operator")

    @property
    def settings(self) -> list[str]:
        """The lines for the configuration of a server."""
        known = {
            account.name: self.sign(account.name, "account", **account.limits) for account in self._accounts
        }
        known[self._system.name] = self.sign(self._system.name, "account", limits=_OF_ACCOUNTS)
        return [
            f"operator: {self._itself}",
            f"system_account: {self._system.name}",
            "resolver: MEMORY",
            f"resolver_preload: {json.dumps(known)}",
        ]


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
