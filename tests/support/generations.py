"""All credentials of a server and its clients, of which a new generation takes over while they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost.client import Client
from milepost.client.errors import Unauthenticated, Unreachable
from tests.support.authority import Authority, ClientFiles, ServerFiles
from tests.support.issuer import Issuer
from tests.support.replacing import replace
from tests.support.rpc import eventually
from tests.support.token_files import Tokens

__all__ = ["Generations"]


class Generations:
    """Certificates, authorities, signing keys and tokens. The newest generation and the one before it are in force.

    ``options`` are those of the server, ``client`` the TLS files of all clients. A client without a token is
    identified by its certificate, and may work; one with a token may submit, one with a JSON Web Token may read.
    """

    def __init__(self, directory: Path, issuer: Issuer, *, keys_in_file: bool) -> None:
        self._directory, self._issuer = directory, issuer
        self._key_path = directory / "jwks.json" if keys_in_file else None
        self._known = Tokens(directory / "tokens.toml")
        self._servers, self._clients = [Authority()], [Authority()]
        self._tokens: list[str] = []
        self._files = ServerFiles(directory, self._servers[0], self._clients[0])
        keys = f"{issuer.url}/jwks" if self._key_path is None else str(self._key_path)
        self.options = [
            *self._files.options,
            *("--tokens", str(self._known.path), "--jwt-issuer", issuer.url, "--jwt-audience", "milepost"),
            *("--jwt-jwks", keys),
        ]
        self.current = 0
        self._publish(0)
        self.client = self._files_of(0, "client")

    def token(self) -> str:
        """The token that a client gets now."""
        return self._tokens[self.current]

    def json_web_token(self) -> str:
        """The same, signed by the issuer."""
        return self._signed(self.current)

    async def publish(self, address: str) -> None:
        """Add the next generation, withdraw the last but one, and wait until the server knows both."""
        number = self.current + 1
        self._servers.append(Authority())
        self._clients.append(Authority())
        outdated = self._signed(number - 2) if number > 1 else ""
        self._publish(number)
        files = self._files_of(number, f"client-{number}")
        for token, subject in (
            ("", "worker"),
            (self._tokens[number], "submitter"),
            (self._signed(number), "reader"),
        ):
            await self._accepted(address, files, token, subject)
        if number > 1:
            await self._refused(address, files, self._tokens[number - 2])
            await self._refused(address, files, outdated)

    def use(self) -> None:
        """Let the server and all clients use the next generation."""
        number = self.current + 1
        self._files.renew(self._servers[number])
        replace(self.client.ca, self._servers[number - 1].pem + self._servers[number].pem)
        self.client.renew(self._clients[number].issue_uri(_name(number)))
        self.current = number

    async def check_the_last(self, address: str) -> None:
        """The server shows the newest certificate, and takes no client certificate of the last authority but one."""
        newest = self._files_of(self.current, "newest")
        replace(newest.ca, self._servers[self.current].pem)
        outdated = self._files_of(self.current - 2, "outdated")
        replace(outdated.ca, self._servers[self.current].pem)
        await self._accepted(address, newest, "", "worker")
        async with Client(address, timeout=10, **outdated.options) as client:
            with pytest.raises(Unreachable):
                await client.whoami()

    def _publish(self, number: int) -> None:
        self._known.entries[_name(number)] = (
            f'[[certificate]]\nid = "worker-{number}"\nsan = "{_name(number)}"\nsubject = "worker"\n'
            'owners = ["*"]\nscopes = ["work"]\n'
        )
        if number > 1:
            for name in (_name(number - 2), f"submitter-{number - 2}"):
                self._known.entries[name] += "revoked = true\n"
        scopes = ("submit", "read")
        self._tokens.append(
            self._known.add("submitter", ["team-a"], *scopes, credential_id=f"submitter-{number}")
        )
        if number > 1:
            self._issuer.withdraw_key(str(number - 2))
        self._issuer.add_key(str(number))
        if self._key_path is not None:
            replace(self._key_path, self._issuer.key_set())
        replace(self._files.client_ca, b"".join(authority.pem for authority in self._clients[-2:]))

    def _signed(self, number: int) -> str:
        return self._issuer.token(str(number), sub="reader", scope="read")

    def _files_of(self, number: int, name: str) -> ClientFiles:
        shown = self._clients[number].issue_uri(_name(number))
        return ClientFiles(self._directory / name, self._servers[max(number - 1, 0)], shown)

    async def _accepted(self, address: str, files: ClientFiles, token: str, subject: str) -> None:
        async def is_accepted() -> bool:
            return await self._subject(address, files, token) == subject

        await eventually(is_accepted)

    async def _refused(self, address: str, files: ClientFiles, token: str) -> None:
        async def is_refused() -> bool:
            return not await self._subject(address, files, token)

        await eventually(is_refused)

    async def _subject(self, address: str, files: ClientFiles, token: str) -> str:
        """Whom the server takes a new client for; empty where it refuses its credential."""
        async with Client(address, token=token, **files.options) as client:
            try:
                return (await client.whoami()).subject
            except Unauthenticated:
                return ""


def _name(number: int) -> str:
    return f"spiffe://example.org/worker-{number}"
