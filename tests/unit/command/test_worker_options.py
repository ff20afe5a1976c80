"""`milepost worker`: the command line takes precedence over the environment, and that over the code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from milepost.client import JobContext, Worker
from milepost.client._cli.commands.cmd_worker import worker as command
from milepost.client._transport.target import Target

CODE = Target("code.test:1", "of-the-code", False, None)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Worker:
    """The worker of a module, configured by the command, not run."""
    for name in ("MILEPOST_ADDRESS", "MILEPOST_TOKEN", "MILEPOST_TLS", "MILEPOST_TLS_CA", "MILEPOST_SPOOL"):
        monkeypatch.delenv(name, raising=False)
    worker = Worker(CODE.address, token=CODE.token, spool=tmp_path / "code", max_concurrency=3)

    @worker.job("k")
    async def handler(job: JobContext) -> None:
        """Nothing to do."""

    monkeypatch.setattr("milepost.client._cli.commands.cmd_worker._find", lambda target: worker)
    monkeypatch.setattr(Worker, "main", lambda self: None)
    return worker


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, CODE),
        (["--token", "t"], {}, Target("code.test:1", "t", False, None)),
        (["--tls"], {}, Target("code.test:1", "of-the-code", True, None)),
        (["--address", "line.test:2"], {}, Target("line.test:2", "of-the-code", False, None)),
        ([], {"MILEPOST_ADDRESS": "env.test:3"}, Target("env.test:3", "of-the-code", False, None)),
        (
            ["--address", "line.test:2"],
            {"MILEPOST_ADDRESS": "env.test:3", "MILEPOST_TOKEN": "of-the-env"},
            Target("line.test:2", "of-the-env", False, None),
        ),
    ],
)
def test_each_setting_has_its_own_precedence(
    made: Worker, arguments: list[str], environment: dict[str, str], expected: Target
) -> None:
    """An option replaces that setting; the others stay as in the code. Afterwards the environment is as before."""
    before = dict(os.environ)
    outcome = CliRunner().invoke(command, ["module:worker", *arguments], env=environment)

    assert (outcome.exit_code, outcome.output) == (0, "")
    assert made._settings.target == expected
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "code"),
        ([], {"MILEPOST_SPOOL": "env"}, "env"),
        (["--spool", "line"], {"MILEPOST_SPOOL": "env"}, "line"),
    ],
)
def test_so_has_the_spool(
    made: Worker, arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    """In order of precedence: the command line, the environment, the code."""
    outcome = CliRunner().invoke(command, ["module:worker", *arguments], env=environment)

    assert (outcome.exit_code, outcome.output) == (0, "")
    assert made._settings.spool is not None
    assert made._settings.spool.name == expected


def test_in_code_an_argument_comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Like the address and the token."""
    monkeypatch.setenv("MILEPOST_SPOOL", str(tmp_path / "env"))
    assert Worker(spool=tmp_path / "code")._settings.spool == tmp_path / "code"
    assert Worker()._settings.spool == tmp_path / "env"
