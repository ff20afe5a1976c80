"""docs/first-service.md, followed word for word: its programs, its tests, its commands, and its units."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import re
import runpy
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from milepost.client import Client
from milepost.testing import FakeWorker, MemoryServer
from tests.support.command import environment
from tests.support.http_watch import http_client
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
        return shlex.split(within(self._root, text))

    def environment(self) -> dict[str, str]:
        """What the unit sets."""
        service = self._parser["Service"]
        lines = self.words("Environment") if "Environment" in service else []
        if "EnvironmentFile" in service:
            lines += Path(*self.words("EnvironmentFile")).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def secrets(self) -> set[tuple[str, str]]:
        """The files of /etc/albums that its programs read, each with the user that they run as."""
        words = [*self.words("ExecStart"), *self.environment().values()]
        names = [Path(word).name for word in words if word.startswith(f"{self._root}/etc/")]
        return {(self._parser["Service"]["User"], name) for name in names}


def within(root: Path, text: str) -> str:
    """The text with directories of the test in place of the system's."""
    return re.sub(r"/(var/lib|etc/albums|opt/albums)\b", rf"{root}\g<0>", text)


def install(service: Path, env: dict[str, str]) -> set[tuple[str, str]]:
    """Do what root does, but for what is the machine's; each secret, with the user whom it is given to."""
    (script,) = blocks("bash")
    tokens = [command for command in commands() if command.startswith("milepost token create")]
    steps = [step for step in script.splitlines() if not re.search(r"useradd|systemctl|bin/pip|venv", step)]
    lines = ["set -e", *tokens, *(re.sub(r"-o \w+ ", "", within(service, step)) for step in steps)]
    subprocess.run(["bash", "-c", "\n".join(lines)], cwd=service, env=env, check=True)
    given = re.findall(r"^install -o (\w+) -m 600 (.+) /etc/albums$", script, re.MULTILINE)
    assert {f"useradd --system {user}" for user, _ in given} <= set(script.splitlines())
    return {(user, name) for user, names in given for name in names.split()}


async def test_the_units(service: Path, ports: dict[str, str]) -> None:
    """Programs find what root installs, as their users; the worker connects; cookies need TLS; all stop at SIGTERM."""
    env = settings(service, ports)
    given = install(service, env)
    units = server, worker, app = [Unit(block, service) for block in blocks("ini")]
    assert given - {("albums", "albums.token")} == set.union(*(unit.secrets() for unit in units))
    (service / "var" / "lib").mkdir(parents=True)
    home = service / "opt" / "albums"
    with running(*server.words("ExecStart"), settings=env, directory=service) as serving:
        assert serving.stdout is not None
        json.loads(await asyncio.to_thread(serving.stdout.readline))
        with (
            running(
                *worker.words("ExecStart"), settings=env | worker.environment(), directory=home
            ) as working,
            running(*app.words("ExecStart"), settings=env | app.environment(), directory=home) as applied,
        ):
            token = (service / "operator.token").read_text().strip()
            async with (
                Client(f"127.0.0.1:{ports['7070']}", token=token) as client,
                http_client(f"http://127.0.0.1:{ports['8000']}") as browser,
            ):

                async def is_connected() -> bool:
                    return [list(each.kinds) async for each in client.workers()] == [["track"]]

                async def signs_in() -> bool:
                    try:
                        answer = await browser.post("/sign-in", data={"user": "ann"})
                    except httpx.TransportError:
                        return False
                    return answer.headers["set-cookie"].endswith("; secure")

                await eventually(is_connected)
                await eventually(signs_in)
    assert (working.returncode, serving.returncode) == (0, 0)
    assert applied.returncode in {0, -signal.SIGTERM}  # systemd takes both for a clean end
