"""`milepost demo`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.exit_status import ExitStatus
from milepost.client._cli.commands.options import option
from milepost.client._cli.standard_streams import write_stderr, write_stdout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from milepost.client._cli.demo.event_audit import EventAudit
    from milepost.v1 import Job

__all__ = ["demo"]

_EXAMPLE_MODULE: Final = "milepost.examples.archive"
# Directories within that of the standard library whose content depends on installed packages.
_EXCLUDED_DIRECTORIES: Final = ("site-packages", "dist-packages", "__pycache__")
_DATA_DIRECTORY: Final = "store"


@command(examples=("milepost demo", "milepost demo --web", "milepost demo ~/photos --no-keep"))
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@option(
    "--output",
    "directory",
    envvar="MILEPOST_DEMO_OUTPUT",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Parent of the new directory for the archive and the server's data. Default: that of temporary files.",
)
@option(
    "--keep/--no-keep",
    default=True,
    help="Keep that directory once the job has ended, to look at it later. An interrupted demo removes it.",
)
@option("--web/--no-web", default=False, help="Show the job's page too, in a browser if there is one here.")
def demo(path: Path | None, directory: Path | None, keep: bool, web: bool) -> None:
    """Demonstrate a watch that resumes after a lost connection.

    Starts a server and a worker as separate processes, and follows a job that packs PATH, by default Python's standard
    library, into an archive. Halfway through, the subscriber's TCP connection is cut for about a second while the job
    continues; then the subscriber resumes after its last event. At the end every event is accounted for. With --web the
    server goes on until Ctrl-C, so that the page stays.
    """
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.outcome import of_job
    from milepost.v1 import JobState

    _check_installation()
    _clear_environment()
    job, audit = run(_demo(path, directory, keep=keep, web=web))
    if job.state != JobState.JOB_STATE_SUCCEEDED:
        raise Exit(of_job(job))
    if not audit.good:
        raise Exit(ExitStatus.FAILED)


async def _demo(path: Path | None, parent: Path | None, *, keep: bool, web: bool) -> tuple[Job, EventAudit]:
    """Run the demo in a new directory, and remove it unless the user was told what is in it.

    The directory is made here, and not before, since here a signal cancels what runs.
    """
    from milepost.client._cli.demo.demo_processes import DemoFailed

    with ExitStack() as removal:
        directory_path = _make_directory(parent)
        removal.callback(shutil.rmtree, directory_path, ignore_errors=True)
        kept = removal.pop_all if keep else None
        try:
            return await _run(_input(path, directory_path), directory_path, kept, web=web)
        except DemoFailed:  # its message names the log there
            if kept:
                kept()
            raise


async def _run(
    content: Mapping[str, object], directory_path: Path, kept: Callable[[], object] | None, *, web: bool
) -> tuple[Job, EventAudit]:
    """Run the server, the worker and the job. ``kept`` is called once the directory is to be kept; None: never."""
    import asyncio

    from milepost.client import Client
    from milepost.client._cli.commands.follow import view_for
    from milepost.client._cli.demo import demo_processes
    from milepost.client._cli.demo.demo_page import keep_page, show_page
    from milepost.client._cli.demo.demo_run import show
    from milepost.client._cli.demo.tcp_relay import TcpRelay

    async with (
        demo_processes.server(directory_path / _DATA_DIRECTORY, directory_path / "server.log", web=web) as (
            server,
            address,
            url,
        ),
        demo_processes.worker(f"{_EXAMPLE_MODULE}:worker", address, directory_path / "worker.log") as worker,
        TcpRelay(address) as relay,
        Client(relay.address) as client,
        Client(address) as direct,
    ):
        write_stderr(f"server      {address}")
        write_stderr(f"subscriber  by way of {relay.address}, a relay that can be cut")
        write_stderr(f"archiving   {content['path']}\n")

        def on_submitted(job_id: str) -> None:
            if url:
                show_page(f"{url}/jobs/{job_id}")

        run_task = asyncio.create_task(
            show(client, direct, relay, content, lambda: view_for("auto"), on_submitted)
        )
        exit_tasks = [asyncio.create_task(running.ended()) for running in (server, worker)]
        try:
            done, _ = await asyncio.wait((run_task, *exit_tasks), return_when=asyncio.FIRST_COMPLETED)
            for exit_task in exit_tasks:
                if exit_task in done:
                    raise exit_task.result()
            job, audit = run_task.result()
            _print_summary(job, audit, directory_path / _DATA_DIRECTORY if kept else None)
            if kept:
                kept()
            if url:
                await keep_page(f"{url}/jobs/{job.job_id}")
            return job, audit
        finally:
            for task in (run_task, *exit_tasks):
                task.cancel()
            await asyncio.wait((run_task, *exit_tasks))


def _print_summary(job: Job, audit: EventAudit, data: Path | None) -> None:
    """Print what became of the events of a job that succeeded; of another one, where its ``data`` is kept."""
    from milepost.client._cli.demo.event_audit import summary
    from milepost.v1 import JobState

    if job.state == JobState.JOB_STATE_SUCCEEDED:
        write_stdout("")
        for line in summary(job, audit, data, _program()):
            write_stdout(line)
    elif data is not None:
        write_stderr(f"\nThe server's data and the logs of both processes are in {data.parent}")


def _input(path: Path | None, directory_path: Path) -> dict[str, object]:
    """Input of the job."""
    import sysconfig

    root = (path or Path(sysconfig.get_path("stdlib"))).resolve()
    content: dict[str, object] = {
        "path": str(root),
        "output": str(directory_path / f"{root.name or 'root'}.tar.zst"),
    }
    if path is None:
        content["exclude"] = list(_EXCLUDED_DIRECTORIES)
    return content


def _make_directory(directory: Path | None) -> Path:
    """Create a new directory for everything that the demo writes."""
    import tempfile

    try:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="milepost-demo-", dir=directory)).resolve()
    except OSError as error:
        raise click.BadParameter(
            f"no directory can be made in {directory}: {error.strerror}.", param_hint="'--output'"
        ) from error


def _program() -> str:
    """How to run this command again: by name if it is on PATH, else by the path used now."""
    called = sys.argv[0]
    return "milepost" if shutil.which("milepost") or Path(called).name != "milepost" else called


def _check_installation() -> None:
    """Check for the server and the example job, which other distributions provide."""
    for module in ("milepost.server", _EXAMPLE_MODULE):
        if not _is_there(module):
            raise click.ClickException(
                f"The demo needs the server and an example job, and {module} is not installed. "
                "Install everything with: pip install milepost"
            )


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        # Not even its parent package is installed.
        return False


def _clear_environment() -> None:
    """Remove settings for other servers from the environment: the demo's clients use its own server."""
    for name in [name for name in os.environ if name.startswith("MILEPOST_") and name != "MILEPOST_DEBUG"]:
        del os.environ[name]
