"""A server's token file, which tests change while the server runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from milepost.server.access.credentials import tokens

__all__ = ["Tokens"]


@dataclass
class Tokens:
    """The token file of a server."""

    path: Path
    entries: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    """All tokens that were made."""

    def add(self, subject: str, owners: list[str], *scopes: str, credential_id: str = "", **more: str) -> str:
        """Add a token, whose id is the subject by default; return it. ``more`` are further keys with TOML values."""
        token = tokens.new_token()
        self.secrets.append(token)
        credential_id = credential_id or subject
        values = {
            "id": f'"{credential_id}"',
            "sha256": f'"{tokens.digest(token)}"',
            "subject": f'"{subject}"',
        }
        values |= {"owners": str(owners), "scopes": str(list(scopes)), **more}
        self.entries[credential_id] = "[[token]]\n" + "".join(
            f"{key} = {value}\n" for key, value in values.items()
        )
        self.write()
        return token

    def remove(self, subject: str) -> None:
        """Delete a token."""
        del self.entries[subject]
        self.write()

    def write(self) -> None:
        """Replace the file, as editors and secret mounts do."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(self.entries.values()))
        fresh.replace(self.path)
