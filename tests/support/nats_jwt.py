"""Who may do what at servers of NATS, said by JWTs: an operator vouches for accounts, and an account for its users.

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

# -1 is for no limit.
_OF_USERS: dict[str, Any] = dict.fromkeys(("subs", "data", "payload"), -1)
_OF_ACCOUNTS = _OF_USERS | dict.fromkeys(("imports", "exports", "conn", "leaf"), -1) | {"wildcards": True}
_OF_STREAMS = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


class _Signer:
    """Who vouches for others with a key; ``name`` is its public half."""

    def __init__(self, prefix: int) -> None:
        self.seed = nkeys.encode_seed(secrets.token_bytes(32), prefix).decode()
        self._pair = nkeys.from_seed(bytearray(self.seed, "ascii"))
        self.name: str = self._pair.public_key.decode()

    def vouch(self, name: str, kind: str, **said: Any) -> str:
        """A JWT that says something about somebody."""
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        claims = {
            "jti": uuid.uuid4().hex,
            "iat": int(time.time()),
            "iss": self.name,
            "sub": name,
            "name": kind,
            "nats": {"type": kind, "version": 2, **said},
        }
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
        return f"{signed}.{_base64(self._pair.sign(signed.encode()))}"


class Account(_Signer):
    """What users share, such as streams."""

    def __init__(self) -> None:
        super().__init__(nkeys.PREFIX_BYTE_ACCOUNT)
        self._users: list[str] = []
        self._revoked: dict[str, int] = {}

    @property
    def limits(self) -> dict[str, Any]:
        """What is to be said of the account; it may have streams."""
        return {"limits": _OF_ACCOUNTS | _OF_STREAMS, "revocations": self._revoked}

    def write_credentials(self, path: Path) -> None:
        """Has a new user log in with that file, which is as ``nsc`` writes it."""
        user = _Signer(nkeys.PREFIX_BYTE_USER)
        self._users.append(user.name)
        token = self.vouch(user.name, "user", **_OF_USERS)
        written = path.with_suffix(".new")  # nobody is to read the half of it
        written.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )
        written.replace(path)

    def revoke(self) -> None:
        """Lets no user in any more that there has been until now."""
        self._revoked = dict.fromkeys(self._users, int(time.time()))


class Operator(_Signer):
    """Whom servers trust, and whose accounts they know."""

    def __init__(self, *accounts: Account) -> None:
        super().__init__(nkeys.PREFIX_BYTE_OPERATOR)
        self._accounts = accounts
        self._system = Account()
        self._itself = self.vouch(self.name, "operator")

    @property
    def settings(self) -> list[str]:
        """What is to be said of it in the configuration of a server."""
        known = {
            account.name: self.vouch(account.name, "account", **account.limits) for account in self._accounts
        }
        known[self._system.name] = self.vouch(self._system.name, "account", limits=_OF_ACCOUNTS)
        return [
            f"operator: {self._itself}",
            f"system_account: {self._system.name}",
            "resolver: MEMORY",
            f"resolver_preload: {json.dumps(known)}",
        ]


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
