"""docs/first-service.md, followed word for word: its programs, its tests, its commands, and its units."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import re
import runpy
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from milepost.client import Client
from milepost.testing import FakeWorker, MemoryServer
from tests.support.command import environment
from tests.support.ports import free_port, give_back
from tests.support.recipe_runs import running
from tests.support.rpc import eventually
from tests.support.server import MILEPOST

DOC: Final = (Path(__file__).parents[3] / "docs" / "first-service.md").read_text()
SET_UP: Final = ("make dist", "DIST=", "mkdir ../albums", "python3 -m venv", "pip install")
"""How the commands begin that install what this environment has."""


def blocks(language: str) -> list[str]:
    """The blocks in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", DOC, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """The commands, in their order."""
    found = [command for block in blocks("console") for command in block.removeprefix("$ ").split("\n$ ")]
    return [command for command in found if not command.startswith(SET_UP)]


@pytest.fixture
def ports() -> Iterator[dict[str, str]]:
    """A free port in place of each one of the page: of the server, its pages, and the application."""
    taken = {port: str(free_port()) for port in ("7070", "7080", "7090", "8000")}
    yield taken
    for port in taken.values():
        give_back(int(port))


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The directory of the service, with its programs."""
    for block in blocks("python"):
        name, _, program = block.removeprefix("# ").partition("\n")
        (tmp_path / name).write_text(program)
    return tmp_path


def settings(service: Path, ports: dict[str, str]) -> dict[str, str]:
    """The environment of a user whose shell has the service's environment, with these ports."""
    return environment(
        None,
        {
            "PATH": f"{MILEPOST.parent}{os.pathsep}{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(service / "config"),
            "MILEPOST_ADDRESS": f"127.0.0.1:{ports['7070']}",
            "MILEPOST_HTTP": f"127.0.0.1:{ports['7080']}",
            "MILEPOST_CONNECT_TIMEOUT": "60s",
            "UVICORN_PORT": ports["8000"],
        },
    )


def test_the_commands(service: Path, ports: dict[str, str]) -> None:
    """All succeed: an album of the operator's and one of a user's are transcribed, and the backup has both."""
    script = "\n".join(["set -e", "trap 'kill $(jobs -p) || true; wait' EXIT", *commands()])
    for port, free in ports.items():
        script = script.replace(f":{port}", f":{free}")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=service,
        env=settings(service, ports),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    logs = "".join(path.read_text() for path in sorted(service.glob("*.log")))

    assert done.returncode == 0, done.stdout + done.stderr + logs
    assert '{"words":5}\n' in done.stdout
    kinds = re.findall(r"^[0-9a-f-]{36}  (\w+) ", done.stdout.rpartition("\nJOB ")[2], re.MULTILINE)
    assert sorted(kinds) == ["album"] * 2 + ["track"] * 4


async def test_the_next_attempt_of_an_album(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the tracks of the attempt before, and no further ones."""
    album = runpy.run_path(str(service / "jobs.py"))["album"]
    async with (
        MemoryServer() as server,
        Client(server.address) as client,
        FakeWorker(server.address, ["track"], script=lambda job: job.succeed({"words": 2})),
    ):
        monkeypatch.setenv("MILEPOST_ADDRESS", server.address)
        async with client.start("album", {"tracks": ["one two", "one two"]}) as job:
            results = [await album(job) for _ in range(2)]
        tracks = [track async for track in client.list(parent_job_id=job.job_id)]

    assert (results, len(tracks)) == ([{"words": 4}] * 2, 2)


@pytest.mark.nightly
def test_the_programs_are_typed(service: Path) -> None:
    """By mypy, strictly."""
    names = sorted(path.name for path in service.glob("*.py"))
    command = [str(MILEPOST.with_name("mypy")), "--strict", "--cache-dir", "cache", *names]
    checked = subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


class Unit:
    """A unit of the page, with directories of the test in place of the system's."""

    def __init__(self, block: str, root: Path) -> None:
        self._parser = configparser.RawConfigParser()
        self._parser.read_string(block)
        self._root = root

    def words(self, name: str) -> list[str]:
        """The words of a setting of its service."""
        text = self._parser["Service"][name].replace("%i", "tracks").replace("/opt/albums/.venv/bin/", "")
        return shlex.split(re.sub(r"/(var/lib|etc)\b", rf"{self._root}\g<0>", text))


def make_tokens(directory: Path) -> None:
    """The files of /etc/albums."""
    directory.mkdir(parents=True)
    for subject, scope in (("tracks", "work"), ("operator", "admin")):
        create = [
            "token",
            "create",
            "--tokens",
            "tokens.toml",
            "--subject",
            subject,
            "--owner",
            "*",
            "--scope",
        ]
        made = subprocess.run(
            [MILEPOST, *create, scope], cwd=directory, capture_output=True, text=True, check=True
        )
        (directory / f"{subject}.token").write_text(made.stdout)


async def test_the_units(service: Path, ports: dict[str, str]) -> None:
    """The commands of both units run: the worker connects to the server, and both stop at SIGTERM."""
    server, worker = (Unit(block, service) for block in blocks("ini"))
    tokens = service / "etc" / "albums"
    make_tokens(tokens)
    (service / "var" / "lib").mkdir(parents=True)
    env = settings(service, ports)
    variable, _, value = worker.words("Environment")[0].partition("=")
    with running(*server.words("ExecStart"), settings=env, directory=service) as serving:
        assert serving.stdout is not None
        json.loads(await asyncio.to_thread(serving.stdout.readline))
        with running(
            *worker.words("ExecStart"), settings=env | {variable: value}, directory=service
        ) as working:
            token = (tokens / "operator.token").read_text().strip()
            async with Client(f"127.0.0.1:{ports['7070']}", token=token) as client:

                async def is_connected() -> bool:
                    return [list(each.kinds) async for each in client.workers()] == [["track"]]

                await eventually(is_connected)
    assert (working.returncode, serving.returncode) == (0, 0)
