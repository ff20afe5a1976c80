"""Files of credentials that anybody on the machine may change: the log has a warning."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server.access.credentials.jwks import KeySet
from milepost.server.access.credentials.token_store import TokenStore


async def look(source: object) -> None:
    """Look at the file again."""
    if isinstance(source, KeySet):
        await source.refresh(force=True)
    else:
        assert isinstance(source, TokenStore)
        source.refresh()


@pytest.mark.parametrize("make", [TokenStore, lambda path: KeySet(str(path))], ids=["tokens", "keys"])
async def test_a_file_that_everybody_may_write(tmp_path: Path, make: type[TokenStore]) -> None:
    """It is used all the same; there is one warning each time that it becomes so, at the start or later."""
    path = tmp_path / "file"
    path.touch()
    seen: list[int] = []
    path.chmod(0o646)
    with capture_logs() as written:
        source = make(path)
        for mode in (0o646, 0o646, 0o664, 0o600, 0o622, 0o622):
            path.chmod(mode)
            await look(source)
            seen.append(len([line for line in written if line["log_level"] == "warning"]))

    assert seen == [1, 1, 1, 1, 2, 2]
    assert {line["path"] for line in written if line["log_level"] == "warning"} == {str(path)}
