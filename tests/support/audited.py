"""A server whose audit log is read."""

from __future__ import annotations

import json
from typing import Any

from tests.support.rpc import eventually
from tests.support.server import ServerProcess

__all__ = ["Audited"]


class Audited(ServerProcess):
    """A server with tokens of a file and of an issuer, and an audit log."""

    async def audit(self, count: int, **wanted: str) -> list[dict[str, Any]]:
        """Wait for so many lines of the audit log with these values; return them without their times and peers."""

        async def found() -> list[dict[str, Any]] | None:
            text = (self.data.parent / "audit.jsonl").read_text()
            lines = [line for line in map(json.loads, text.splitlines()) if wanted.items() <= line.items()]
            return lines if len(lines) >= count else None

        return [
            {name: value for name, value in line.items() if name not in ("time", "peer")}
            for line in await eventually(found)
        ]
