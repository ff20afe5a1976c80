"""The example of docs/celery.md is what happens."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.server import Server

DOCUMENT = Path(__file__).parents[3] / "docs" / "celery.md"


async def test_the_example_runs(broker: RedisServer, shared_server: Server, tmp_path: Path) -> None:
    """A worker runs album.py, and publish.py prints progress, the job's result and the task's."""
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL):
        # A busy server answers late, and then jobs are not submitted.
        (tmp_path / name).write_text(code.replace('"127.0.0.1:7070"))', '"127.0.0.1:7070"), timeout=120)'))
    environment = {
        "BROKER_URL": f"{broker.url}/6",
        "MILEPOST_ADDRESS": shared_server.address,
        "PYTHONPATH": str(tmp_path),
    }
    with CeleryWorker("album", tmp_path / "album.log", environment=environment):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "publish.py",
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
    lines = output.decode().splitlines()

    assert process.returncode == 0
    assert lines[-3:] == ["album.scan: 100%", "job: {'pages': 3}", "task: an album of 6 pages"]
