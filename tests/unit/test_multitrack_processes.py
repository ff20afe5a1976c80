"""What the multitrack example starts for its engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.multitrack.processes import engine_environment


async def test_redis_in_a_relative_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a measurement is by default: Redis runs in it, and its URL is good in every directory."""
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("celery").mkdir()  # noqa: ASYNC240 - it takes no time

    async with engine_environment("celery", Path("celery")) as (environment, _):
        assert environment == {"CELERY_BROKER_URL": f"redis+socket://{tmp_path}/celery/redis.sock"}
