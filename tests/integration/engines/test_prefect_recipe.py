"""The recipe for Prefect, as it stands in docs/recipes.md, in an environment that uv makes for it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest

from milepost.client import Client
from tests.support.command import environment
from tests.support.ports import free_port
from tests.support.recipe_runs import check_script, running
from tests.support.rpc import eventually
from tests.support.server import Server

pytestmark = pytest.mark.nightly

REPOSITORY: Final = Path(__file__).parents[3]
RECIPES: Final = (REPOSITORY / "docs" / "recipes.md").read_text()
# Its own requirement of FastAPI keeps it out of this project's lock file.
PACKAGES: Final = ("prefect", str(REPOSITORY / "protos"), str(REPOSITORY / "client"))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The programs of an environment with the newest Prefect."""
    uv = Path(sys.executable).with_name("uv")
    directory = tmp_path / "environment"
    settings = {**os.environ, "UV_SYSTEM_CERTS": "true", "UV_PYTHON_DOWNLOADS": "never"}
    for arguments in (
        ("venv", "--quiet", "--python", sys.executable, str(directory)),
        ("pip", "install", "--quiet", "--python", str(directory / "bin" / "python"), *PACKAGES),
    ):
        subprocess.run([uv, *arguments], env=settings, check=True)
    return directory / "bin"


@pytest.fixture
def prefect(shared_server: Server, programs: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A Prefect server, and the environment that leads to it and to Milepost."""
    port = free_port()
    settings = environment(
        shared_server.address,
        {
            "PYTHONPATH": str(REPOSITORY),
            "PREFECT_HOME": str(tmp_path / "home"),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        },
    )
    command = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    with running(*command, settings=settings, directory=tmp_path, programs=programs):
        yield settings


def answers(url: str) -> bool:
    """Whether a web server answers."""
    try:
        with urllib.request.urlopen(url) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, ConnectionError):
        return False


async def test_prefect(client: Client, prefect: dict[str, str], programs: Path, tmp_path: Path) -> None:
    """Each attempt of the task is one of the job; Prefect and Milepost agree on the end."""
    await eventually(lambda: asyncio.to_thread(answers, f"{prefect['PREFECT_API_URL']}/health"))
    blocks = re.findall(r"^```python\n(.*?)^```", RECIPES, re.DOTALL | re.MULTILINE)
    (program,) = [block for block in blocks if "from prefect import" in block]
    (tmp_path / "album.py").write_text(program)

    await check_script(client, ("python", str(tmp_path / "album.py")), prefect, tmp_path, programs)
