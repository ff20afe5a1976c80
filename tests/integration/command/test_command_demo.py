"""`milepost demo` on a small directory."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.command import Outcome, Running, milepost, started
from tests.support.http_watch import http_client
from tests.support.rpc import eventually
from tests.support.server import ServerProcess

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A directory that is archived quickly."""
    directory = tmp_path / "small"
    directory.mkdir()
    for number in range(60):
        (directory / f"{number}.txt").write_bytes(bytes(range(256)) * 400 * (number + 1))
    return directory


def counted(outcome: Outcome) -> dict[str, int]:
    """The numbers in its output."""
    return {
        name.strip(): int(number)
        for name, number in re.findall(r"^  ([a-z ]+?) +(\d+)  ", outcome.out, re.MULTILINE)
    }


async def test_the_demo_cuts_and_resumes(small: Path, tmp_path: Path) -> None:
    """Nothing is lost or doubled; its artifacts exist, and its log can be read again."""
    outcome = await milepost("demo", small, "--output", tmp_path / "out", cwd=CHECKOUT)
    numbers = counted(outcome)
    (room,) = (tmp_path / "out").iterdir()
    job_id = outcome.out.rsplit(" ", 1)[1].strip()

    assert outcome.status == 0
    assert (numbers["lost"], numbers["doubled"]) == (0, 0)
    assert 0 < numbers["cut at"] == numbers["resumed at"] < numbers["events"]
    assert numbers["meanwhile"] > 0
    assert "Every event came once and in order, just as in a second, uncut replay." in outcome.out
    assert f"connection: live, resumed at {numbers['cut at']}" in outcome.err
    assert (
        f"  archive   {(room / 'small.tar.zst').stat().st_size / 1e3:.1f} kB  {room}/small.tar.zst"
        in outcome.out
    )
    manifest = json.loads((room / "small.tar.zst.manifest.json").read_text())
    assert f"{room}/small.tar.zst.manifest.json" in outcome.out
    assert manifest

    with ServerProcess(room / "store") as server:
        again = await milepost("watch", job_id, "--output", "json", address=server.address)

    assert (0, numbers["events"]) == (again.status, len(again.objects))


async def test_the_demo_ignores_settings_and_can_clean_up(small: Path, tmp_path: Path) -> None:
    """The demo ignores settings for another server."""
    outcome = await milepost(
        *("demo", small, "--output", tmp_path / "out", "--no-keep"),
        cwd=CHECKOUT,
        env={
            "MILEPOST_ADDRESS": "127.0.0.1:1",
            "MILEPOST_TOKEN": "x",
            "MILEPOST_DATA": "/nowhere",
            "MILEPOST_TLS": "1",
        },
    )

    assert outcome.status == 0
    assert list((tmp_path / "out").iterdir()) == []
    assert "milepost watch" not in outcome.out


async def halfway(demo: Running) -> dict[str, psutil.Process]:
    """Wait until the job runs; return the demo's processes by name."""
    await demo.says("Hash every file: started")
    children = psutil.Process(demo.process.pid).children()
    return {name: child for child in children for name in ("serve", "worker") if name in child.cmdline()}


@pytest.mark.parametrize(
    ("expected", "number"), [(130, signal.SIGINT), (143, signal.SIGTERM), (143, signal.SIGHUP)]
)
async def test_an_interrupted_demo_ends_its_processes(
    small: Path, tmp_path: Path, expected: int, number: signal.Signals
) -> None:
    """Both processes, also with repeated Ctrl-C; and it removes its directory, of which it has said nothing."""
    async with started("demo", small, "--output", tmp_path / "out", cwd=CHECKOUT) as demo:
        children = await halfway(demo)
        for _ in range(3):
            demo.signal(number)
        outcome = await demo.end()

    assert outcome.status == expected
    assert set(children) == {"serve", "worker"}
    assert [name for name, child in children.items() if child.is_running()] == []
    assert list((tmp_path / "out").iterdir()) == []
    assert "Traceback" not in outcome.err


async def test_a_demo_that_is_interrupted_while_it_starts_leaves_nothing(small: Path, tmp_path: Path) -> None:
    """From when its directory is there a signal makes it clean up."""
    out = tmp_path / "out"

    async def has_begun() -> bool:
        return any(out.glob("*"))

    async with started("demo", small, "--output", out, cwd=CHECKOUT) as demo:
        await eventually(has_begun)
        demo.signal(signal.SIGTERM)
        outcome = await demo.end()

    assert (outcome.status, list(out.iterdir())) == (143, [])


async def test_a_demo_whose_worker_dies_says_so(small: Path, tmp_path: Path) -> None:
    """It does not wait forever, and ends the server."""
    async with started("demo", small, "--output", tmp_path / "out", cwd=CHECKOUT) as demo:
        children = await halfway(demo)
        children["worker"].kill()
        outcome = await demo.end()

    assert outcome.status == 1
    assert outcome.err.splitlines()[-1].startswith(
        "Error: The worker ended with the status -9. The end of its log, "
    )
    (room,) = (tmp_path / "out").iterdir()
    assert f"The end of its log, {room}/worker.log: " in outcome.err
    assert not children["serve"].is_running()


async def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    """It is refused before anything starts."""
    outcome = await milepost("demo", tmp_path / "none", cwd=CHECKOUT)

    assert outcome.status == 2
    assert f"Directory '{tmp_path}/none' does not exist" in outcome.err


async def test_an_output_that_cannot_be_written(small: Path, tmp_path: Path) -> None:
    """The error is one line."""
    (tmp_path / "file").touch()
    outcome = await milepost("demo", small, "--output", tmp_path / "file" / "out", cwd=CHECKOUT)

    assert (outcome.status, len(outcome.err.splitlines())) == (2, 1)
    assert "Not a directory" in outcome.err


async def test_the_page_of_the_demo(tmp_path: Path) -> None:
    """The page shows the job that runs, and what it calls cancels it, as it would any other.

    The demo says so, and goes on serving the page until Ctrl-C; then it ends with the job's status.
    """
    big = tmp_path / "big"
    big.mkdir()
    with (big / "zeros").open("wb") as file:
        file.truncate(4 << 30)
    async with started("demo", big, "--web", "--output", tmp_path / "out", "--no-keep", cwd=CHECKOUT) as demo:
        url, _, job_id = (await demo.says("http://")).rpartition("/jobs/")
        async with http_client(url) as web:
            page = await web.get(f"/jobs/{job_id}")
            assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
            await web.post(f"/v1/jobs/{job_id}:cancel", json={"reason": "a click"})
            stays = await demo.says("The page stays until you press Ctrl-C: ")
            job = (await web.get(f"/v1/jobs/{job_id}")).json()["job"]
        demo.signal(signal.SIGINT)
        outcome = await demo.end()

    assert stays.endswith(f"{url}/jobs/{job_id}")
    assert job["state"] == "JOB_STATE_CANCELLED"
    assert outcome.status == 3
    assert "a click" in outcome.err + outcome.out
