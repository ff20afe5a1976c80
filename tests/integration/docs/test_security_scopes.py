"""The tables of docs/security.md that say which scopes a call, and a command, needs."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Final

import pytest

from milepost.client import Client, JobContext, Worker
from milepost.client.errors import JobFailed, MilepostError
from milepost.server.access.authorize import SCOPES
from milepost.server.access.methods import ACTIONS
from milepost.server.access.principal import Scope
from milepost.v1 import Claim, Dispatch
from tests.support.command import Outcome, milepost
from tests.support.forking import Forkery
from tests.support.rpc import connect
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens

DOC: Final = Path(__file__).parents[3] / "docs" / "security.md"

COMMANDS: Final[Mapping[str, str]] = {
    "milepost submit": "submit k --external",
    "milepost submit --watch": "submit k --watch --start-deadline 1s",
    "milepost delete": "delete ENDED",
    "milepost get": "get ENDED",
    "milepost list": "list",
    "milepost watch": "watch ENDED",
    "milepost logs": "logs ENDED",
    "milepost history": "history k --owner team-a",
    "milepost diff": "diff ENDED ENDED",
    "milepost share": "share ENDED",
    "milepost share --cancel": "share ENDED --cancel",
    "milepost cancel": "cancel OPEN",
    "milepost cancel --wait": "cancel HELD --wait --grace-period 1s",
    "milepost exec": "exec --kind k -- true",
    "milepost exec --job-id": "exec --job-id OPEN -- true",
    "milepost workers": "workers",
    "milepost backup": "backup BACKUP",
    "milepost whoami": "whoami",
}
"""An example of each command of the table.

ENDED is a job that has ended, OPEN one that waits to be claimed, HELD one that was claimed.
"""

WITHOUT_EXAMPLE: Final = {"milepost worker"}
"""A worker makes one call, ``Work``, and does not end."""


def table(heading: str) -> dict[str, set[Scope]]:
    """By what the first column names, the scopes of the other one, in the table with this heading."""
    rows = DOC.read_text().partition(f"\n{heading}\n|---|---|\n")[2].partition("\n\n")[0]
    found: dict[str, set[Scope]] = {}
    for row in rows.splitlines():
        _, names, scopes, _ = row.split("|")
        for name in re.findall(r"`([^`]+)`", names):
            found[name] = {scope for scope in Scope if f"`{scope}`" in scopes}
    return found


def test_the_calls_of_each_scope() -> None:
    """Every call is in the row of the scope that the server asks for."""
    rows = DOC.read_text().partition("\n| scope | calls |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    listed: dict[str, set[str]] = {}
    for row in rows:
        scope, calls = row.strip("|").split("|")
        for call in re.findall(r"`([A-Z]\w+)`", calls):
            listed.setdefault(call, set()).add(scope.strip().split(",")[0].strip("`"))
    needed = {
        path.rpartition("/")[2]: {str(SCOPES[action]) if action in SCOPES else "none"}
        for path, action in ACTIONS.items()
    }
    needed["ShareJob"].add("cancel")  # for a share that may cancel

    assert listed == needed


def test_every_command_is_in_the_table() -> None:
    """Those that the table names, and those that are tried below, are the same."""
    assert set(table("| command | scopes |")) == set(COMMANDS) | WITHOUT_EXAMPLE


class Callers:
    """A server, with a token for each set of scopes."""

    def __init__(self, directory: Path, forkery: Forkery) -> None:
        self.directory = directory
        self.known = Tokens(directory / "tokens.toml")
        self.tokens = {
            frozenset(scopes): self.known.add(
                "-".join(scopes) or "none", ["*"], *(scope.value for scope in scopes)
            )
            for size in range(4)
            for scopes in combinations(Scope, size)
        }
        self.server = ServerProcess(directory / "data", "--tokens", str(self.known.path), forkery=forkery)

    async def run(self, command: str, scopes: frozenset[Scope]) -> Outcome:
        """Run an example with exactly these scopes, on jobs of its own."""
        admin = self.tokens[frozenset({Scope.ADMIN})]
        async with connect(self.server.address, token=admin) as rpc, rpc.session(kinds=[]) as session:
            ended, waiting, held = [
                (await rpc.submit(owner="team-a", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
                for _ in range(3)
            ]
            await rpc.cancel(ended)
            await session.send(claim=Claim(job_id=held))
            await session.take()
            names = {
                "ENDED": ended,
                "OPEN": waiting,
                "HELD": held,
                "BACKUP": str(self.directory / f"{held}.db"),
            }
            return await milepost(
                *[names.get(word, word) for word in command.split()],
                address=self.server.address,
                env={"MILEPOST_TOKEN": self.tokens[scopes]},
            )


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[Callers]:
    """The server, running."""
    made = Callers(tmp_path_factory.mktemp("scopes"), forkery)
    with made.server:
        yield made


@pytest.mark.nightly
async def test_what_each_command_needs(callers: Callers) -> None:
    """With the scopes of the table no call of the command is denied; with one fewer some call is."""
    found, expected = {}, {}
    for name, scopes in table("| command | scopes |").items():
        if name in WITHOUT_EXAMPLE:
            continue
        enough = frozenset(scopes)
        for given in (enough, *(enough - {scope} for scope in enough)):
            done = await callers.run(COMMANDS[name], given)
            found[name, given] = " may not " in done.err
            expected[name, given] = given != enough
    assert found == expected


def scopes_of(program: str) -> frozenset[Scope]:
    """The scopes of the program whose row begins with this."""
    rows = (
        DOC.read_text().partition("\n| program | scopes |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    )
    (row,) = [row for row in rows if row.startswith(f"| {program}")]
    return frozenset(
        scope
        for scope in Scope
        if f"`{scope}`" in row.rpartition("|")[0].rpartition("|")[2].partition(";")[0]
    )


async def test_what_each_program_needs(callers: Callers) -> None:
    """Code that starts or claims a job, and a worker whose handler waits for a child, do with what the table says."""
    address, admin = callers.server.address, callers.tokens[frozenset({Scope.ADMIN})]

    async def start(client: Client, token: str) -> None:
        async with client.start("k"):
            pass

    async def attach(client: Client, token: str) -> None:
        async with Client(address, token=admin) as owner:
            job = await owner.submit("k", dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with client.attach(job.job_id):
            pass

    async def wait_for_a_child(client: Client, token: str) -> None:
        kind = uuid.uuid4().hex
        worker = Worker(address, token=token)

        @worker.job(kind)
        async def handle(job: JobContext) -> None:
            child = await client.submit("k", parent_job_id=job.job_id, start_deadline=1)
            with pytest.raises(JobFailed):  # since nobody takes it
                await client.result(child.job_id)

        working = asyncio.create_task(worker.run())
        async with Client(address, token=admin) as owner:
            job = await owner.submit(kind)
            ending = asyncio.create_task(owner.result(job.job_id))
            await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
            worker.stop()
            ending.cancel()  # if the worker has ended, since it may not work
            outcomes = await asyncio.gather(working, ending, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, MilepostError):
                raise outcome

    programs = {
        "code that reports its own job": start,
        "… or claims one": attach,
        "… and wait for their results": wait_for_a_child,
    }
    found, expected = {}, {}
    for name, program in programs.items():
        enough = scopes_of(name)
        for given in (enough, *(enough - {scope} for scope in enough)):
            async with Client(address, token=callers.tokens[given]) as client:
                try:
                    await program(client, callers.tokens[given])
                    found[name, given] = True
                except MilepostError:
                    found[name, given] = False
            expected[name, given] = given == enough
    assert found == expected
