"""The image's steps work: each COPY and RUN of the build, and the entry point with a root that nothing can write to."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.client import Client
from tests.deploy.image_settings import DOCKERFILE, image_environment, image_health_check, secrets
from tests.support.authority import LOOPBACK, Authority
from tests.support.command import environment
from tests.support.ports import free_port
from tests.support.replacing import replace

ROOT = DOCKERFILE.parent
UV = Path(sys.executable).with_name("uv")

ISOLATE = """
mount --make-rprivate /
mount --bind "$DATA" "$DATA"
mount --options remount,bind,ro /
cd "$DATA"
exec unshare --user --map-user=10001 --map-group=10001 \
    setpriv --no-new-privs "$@"
"""
"""Runs a command as the image's user, who has no privileges, where only the data can be written to."""

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "true"], check=False).returncode
        != 0,
        reason="this machine lets nobody make namespaces",
    ),
]


def instructions(stage: str) -> list[tuple[str, str]]:
    """The instructions of a stage of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in filter(str.strip, text.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            name = rest.partition(" AS ")[2]
            found[name] = []
        else:
            found[name].append((word, rest.strip()))
    return found[stage]


def copy(source: Path, target: Path) -> None:
    """As COPY does, without what .dockerignore leaves out."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    left_out = {ROOT / line for line in lines if line and line[0] not in "!*#"}
    anywhere = {line.removeprefix("**/") for line in lines if line.startswith("**/")}

    def ignored(directory: str, names: list[str]) -> set[str]:
        return {name for name in names if name in anywhere or Path(directory, name) in left_out}

    if source.is_dir():
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stage `build` makes, in place of /opt/milepost."""
    base = tmp_path_factory.mktemp("image")
    source, made = base / "src", base / "milepost"
    source.mkdir()
    settings: dict[str, str] = {"PATH": f"{UV.parent}:{os.environ['PATH']}", "UV_PYTHON": sys.executable}
    for word, rest in instructions("build"):
        if word == "ENV":
            settings |= dict(re.findall(r"(\w+)=(\S+)", rest.replace("/opt/milepost", str(made))))
        elif word == "COPY" and not rest.startswith("--from"):
            *files, target = rest.split()
            for each in files:
                place = source / target
                copy(
                    ROOT / each,
                    place / Path(each).name if target == "./" or (ROOT / each).is_file() else place,
                )
        elif word == "RUN":
            command = re.sub(r"--mount=\S+", "", rest)
            done = subprocess.run(
                command,
                shell=True,
                cwd=source,
                env=environment(None) | settings,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
    shutil.rmtree(source)  # the last stage has none of it
    return made


def isolated(data: Path, *command: str | Path) -> list[str]:
    """A command that is isolated as the manifests isolate the container."""
    script = ISOLATE.replace('"$DATA"', shlex.quote(str(data)))
    return [
        *("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh"),
        *map(str, command),
    ]


def test_nothing_but_the_data_can_be_written(tmp_path: Path) -> None:
    """So the test below shows something."""
    (tmp_path / "data").mkdir()
    script = (
        f"touch {tmp_path}/data/there; ! touch {tmp_path}/elsewhere; id -u; grep CapEff /proc/self/status"
    )
    done = subprocess.run(
        isolated(tmp_path / "data", "sh", "-c", script), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["10001", "CapEff:", "0" * 16]
    assert [each.name for each in tmp_path.rglob("*") if each.name != "data"] == ["there"]


async def test_the_entry_point(tmp_path: Path, image: Path) -> None:
    """It serves with tokens and TLS from secrets, its health check finds it healthy, and SIGTERM stops it."""
    authority, (data, mounted) = Authority(), (tmp_path / "data", tmp_path / "secrets")
    data.mkdir()
    token = secrets(mounted, authority)
    settings = image_environment() | {
        "MILEPOST_ADDRESS": f"0.0.0.0:{free_port()}",
        "MILEPOST_HTTP": f"0.0.0.0:{free_port()}",
        "MILEPOST_DATA": str(data),
        "MILEPOST_TOKENS": str(mounted / "tokens.toml"),
        "MILEPOST_TLS_CERT": str(mounted / "tls.crt"),
        "MILEPOST_TLS_KEY": str(mounted / "tls.key"),
        "PATH": f"{image / 'bin'}:{os.environ['PATH']}",
    }
    (entry_point,) = (rest for word, rest in instructions("") if word == "ENTRYPOINT")
    command = re.findall(r'"([^"]+)"', entry_point)
    server = await asyncio.create_subprocess_exec(
        *isolated(data, image / "bin" / command[0], *command[1:]),
        env=environment(None) | settings,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        assert await server.stdout.readline(), "it did not start"
        replace(tmp_path / "trusted.pem", authority.pem)
        address = f"{LOOPBACK}:{settings['MILEPOST_ADDRESS'].rpartition(':')[2]}"
        async with Client(address, token=token, tls_ca=tmp_path / "trusted.pem") as client:
            assert (await client.whoami()).subject == "me"
            assert (await client.submit("k", {"a": 1})).kind == "k"
        program, *arguments = image_health_check()
        check = await asyncio.create_subprocess_exec(
            *isolated(data, image / "bin" / program, *arguments), env=environment(None) | settings
        )
        assert await check.wait() == 0
        server.terminate()
        assert await server.wait() == 0
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()
