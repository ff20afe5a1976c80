"""Each distribution alone: what works, and the errors for what is not installed."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

import milepost.client
from tests.installed.conftest import ROOT, Installed, uv
from tests.support.nats import NatsServer
from tests.support.server import ServerProcess

pytestmark = pytest.mark.installed

Install = Callable[..., Installed]

SDK = {
    *("milepost-client", "milepost-protos"),
    *("googleapis-common-protos", "grpcio", "grpcio-status", "protobuf", "typing-extensions"),
    *("types-grpcio", "types-protobuf"),
}
COMMAND = {"__main__", "_cli"}
"""What of `milepost.client` is the command."""
OF_TQDM = tuple(f"milepost.client.tqdm.{name}" for name in ("asyncio", "contrib", "notebook", "rich"))
"""What of it is made of tqdm's own modules."""
OF_EXTRAS = {
    "celery": ("milepost.client.engines.celery", "milepost.client.engines._celery_engine"),
    "hatchet": ("milepost.client.engines.hatchet", "milepost.client.engines._hatchet_engine"),
    "redis": ("milepost.client._bridge",),
}
"""What of it an extra is for."""
CLI = {"click", "rich", "structlog", "tomlkit"}
TOUR = Path(__file__).with_name("tour.py")
BARS = Path(__file__).with_name("bars.py")


def test_the_sdk_alone(install: Install) -> None:
    """It requires nothing that only the command needs, and each of its modules can be imported."""
    sdk = install("milepost-client")
    modules = [
        module.name
        for module in pkgutil.walk_packages(milepost.client.__path__, "milepost.client.")
        if module.name.split(".")[2] not in COMMAND
        and not module.name.startswith((*OF_TQDM, *chain(*OF_EXTRAS.values())))
    ]
    done = sdk.run("python", "-c", "".join(f"import {name}\n" for name in modules))

    assert sdk.packages() == SDK
    assert "milepost.client._worker.subprocess.handler_process" in modules
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("extra", OF_EXTRAS)
def test_an_extra_brings_what_its_modules_need(install: Install, extra: str) -> None:
    """For the modules that it is for, with the versions of everything that it brings."""
    modules = [
        module.name
        for module in pkgutil.walk_packages(milepost.client.__path__, "milepost.client.")
        if module.name.startswith(OF_EXTRAS[extra]) and not module.name.endswith("_main")
    ]
    done = install(f"milepost-client[{extra}]").run(
        "python", "-c", "".join(f"import {name}\n" for name in modules)
    )

    assert modules != []
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sdk_alone_submits_works_and_attaches(install: Install, shared_server: ServerProcess) -> None:
    """It submits, follows, works in every way, attaches, shows bars and logs."""
    done = install("milepost-client").run("python", TOUR, shared_server.address)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "done"


def test_the_test_doubles_come_with_the_sdk(install: Install) -> None:
    """Only the in-memory server needs milepost-server; the error says so."""
    sdk = install("milepost-client")
    done = sdk.run(
        "python",
        "-c",
        "from milepost.testing import FakeWorker, run_handler\n"
        "print(run_handler(lambda job: {'n': job.input['n']}, {'n': 1}).result)\n"
        "from milepost.testing import MemoryServer\n",
    )

    assert done.stdout == "{'n': 1}\n"
    assert done.stderr.splitlines()[-1].endswith(" pip install milepost-server")


@pytest.mark.parametrize("arguments", [(), ("list",), ("serve", "--data", "data")])
def test_the_command_without_its_extra(install: Install, arguments: tuple[str, ...]) -> None:
    """It says which package to install; whatever it is asked for, and however it is called."""
    sdk = install("milepost-client")
    for done in (sdk.run("milepost", *arguments), sdk.run("python", "-m", "milepost.client", *arguments)):
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("Error: The milepost command needs click, rich, structlog")
        assert "pip install 'milepost-client[cli]'" in done.stderr


def test_the_command_without_the_server(install: Install) -> None:
    """It has the client's commands, and names the package of the others."""
    client = install("milepost-client[cli]")
    listed = client.run("milepost", "--help")

    assert client.packages() >= SDK | CLI
    assert client.packages().isdisjoint({"milepost-server", "milepost"})
    assert re.search(r"^  submit ", listed.stdout, re.MULTILINE)
    assert not re.search(r"^  serve ", listed.stdout, re.MULTILINE)
    for command, package in (
        (("serve",), "'milepost-server'"),
        (("serve", "--data", "here"), "'milepost-server'"),
        (("migrate", "--from", "sqlite://here"), "'milepost-server[nats]'"),
        (("demo",), "milepost"),
    ):
        done = client.run("milepost", *command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.splitlines()[-1].endswith(f" pip install {package}")


def test_the_server_has_the_command(install: Install, tmp_path: Path) -> None:
    """It serves from a database, and names the packages for a log in NATS and for the example."""
    server = install("milepost-server")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "milepost.db").touch()
    version = server.run("milepost", "--version")

    assert server.packages().isdisjoint({"nats-py", "nkeys", "milepost"})
    assert (version.returncode, version.stderr) == (0, "")
    for arguments in (
        ("serve", "--data", tmp_path / "data", "--store", "nats://user:secret@127.0.0.1:1"),
        ("migrate", "--from", tmp_path / "data", "--to", "nats://user:secret@127.0.0.1:1"),
    ):
        done = server.run("milepost", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.splitlines()[-1].endswith(" pip install 'milepost-server[nats]'")
        assert "secret" not in done.stderr
    done = server.run("milepost", "worker", "milepost.examples.archive:worker")
    assert (done.returncode, done.stdout) == (2, "")
    assert "comes with another package. Install it with: pip install milepost " in done.stderr


def test_the_server_with_nats(install: Install, nats_server: NatsServer, tmp_path: Path) -> None:
    """The extra is sufficient for a log in NATS."""
    server = install("milepost-server[nats]", binary=False)
    with ServerProcess(tmp_path / "data"):
        pass
    stream = f"test-{uuid.uuid4().hex}"
    done = server.run(
        *("milepost", "migrate", "--from", tmp_path / "data", "--to", nats_server.url),
        *("--nats-stream", stream),
    )

    assert {"nats-py", "nkeys"} <= server.packages()
    assert json.loads(done.stdout) == {"stream": stream, "jobs": 0, "events": 0}, done.stderr


def test_all_distributions_run_the_demo(install: Install, tmp_path: Path) -> None:
    """Wheels are sufficient; the demo runs its own job, without a checkout."""
    everything = install("milepost")
    small = tmp_path / "small"
    small.mkdir()
    for number in range(60):
        (small / f"{number}.txt").write_bytes(bytes(range(256)) * 400 * (number + 1))
    done = everything.run("milepost", "demo", small, "--output", tmp_path / "out")

    assert everything.packages().isdisjoint({"nats-py", "nkeys"})
    assert done.returncode == 0, done.stderr
    assert "Every event came once and in order, just as in a second, uncut replay." in done.stdout
    assert list((tmp_path / "out").glob("*/small.tar.zst"))


def test_bars_work_with_pandas_notebooks_and_rich(install: Install, shared_server: ServerProcess) -> None:
    """Bars of pandas, of a notebook and of rich report to the job and work like tqdm's."""
    done = install("milepost-client", "tqdm", "pandas", "ipywidgets", "rich").run(
        "python", BARS, shared_server.address
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-6:] == [
        "auto 3.0 of 3.0",
        "applied 4.0 of 4.0",
        "grouped 2.0 of 2.0",
        "mapped 4.0 of 4.0",
        "notebook 3.0 of 3.0",
        "rich 3.0 of 3.0",
    ]


def test_types_come_with_the_sdk(install: Install, tmp_path: Path) -> None:
    """A type error in a user's script is found, in uses of messages, stubs and the SDK."""
    checked = install("milepost-client", "mypy")
    script = tmp_path / "script.py"
    script.write_text(
        "import grpc\n"
        "from milepost.client import SyncClient\n"
        "from milepost.v1 import Job\n"
        "from milepost.v1.job_service_pb2_grpc import JobServiceStub\n"
        "\n"
        "\n"
        "def show(client: SyncClient, job: Job, stub: JobServiceStub) -> None:\n"
        "    print(job.state, job.retry_time.ToDatetime(), client.get('j').job_id)\n"
        "    print(job.statee)\n"
        "    print(job.retry_time.ToDatetim())\n"
        "    print(client.gett('j'))\n"
        "    print(client.get('j').statee)\n"
        "    stub.GetJobb\n"
        "    print(grpc.StatusCode.NOT_FOUNDD)\n"
    )
    done = checked.run("python", "-m", "mypy", "--strict", script)
    found = re.findall(r'^.*?script\.py:(\d+): error: .*?(?:attribute "(\w+)")', done.stdout, re.MULTILINE)

    assert found == [
        ("9", "statee"),
        ("10", "ToDatetim"),
        ("11", "gett"),
        ("12", "statee"),
        ("13", "GetJobb"),
        ("14", "NOT_FOUNDD"),
    ], done.stdout
    assert "Found 6 errors in 1 file" in done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with what is committed here: a clone that is not a whole one, as CI may have it, can't be cloned."""
    archive, directory = tmp_path / "committed.tar", tmp_path / "repository"
    directory.mkdir()
    subprocess.run(["git", "archive", "--output", archive, "HEAD"], cwd=ROOT, check=True)
    subprocess.run(["tar", "-xf", archive, "-C", directory], check=True)
    author = ("-c", "user.name=Tests", "-c", "user.email=tests@example.com")
    for arguments in (
        ("init", "--quiet"),
        ("add", "."),
        (*author, "commit", "--quiet", "--message", "All of it"),
    ):
        subprocess.run(["git", *arguments], cwd=directory, check=True)
    return directory


def test_from_git(fresh: Callable[[str], Path], versions: Path, repository: Path) -> None:
    """With the README's command, from the commit."""
    directory = fresh("from-git")
    url = f"git+{repository.as_uri()}"
    uv(
        *("pip", "install", "--quiet", "--python", directory, "--constraints", versions),
        *(f"milepost-{name} @ {url}#subdirectory={name}" for name in ("protos", "client")),
    )
    done = Installed(directory).run("python", "-c", "import milepost.client; print(milepost.client.__file__)")

    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).is_relative_to(directory)


@pytest.mark.nightly
def test_pip_installs_it(dist: Path, tmp_path: Path) -> None:
    """With Python's own pip, without the lock file's versions and without a compiler."""
    everything = Installed(tmp_path / "environment")
    uv("venv", "--quiet", "--seed", "--python", sys.executable, everything.directory)
    done = everything.run(
        *("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--only-binary", ":all:", "--find-links", dist, "milepost"),
    )

    assert done.returncode == 0, done.stderr
    assert everything.run("milepost", "serve", "--help").returncode == 0
