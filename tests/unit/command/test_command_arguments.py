"""Arguments that a command refuses before it does anything."""

from __future__ import annotations

import sys

import click
import pytest
from click.testing import CliRunner

from milepost.client._cli.commands.cmd_exec import execute
from milepost.client._cli.commands.cmd_worker import worker
from milepost.client._cli.commands.options import checked_address
from milepost.client._cli.main import milepost


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:7070", "127.0.0.1:7070/x", "localhost", ":7070", "h:0"]
)
def test_an_address_is_host_and_port(address: str) -> None:
    """A URL is no address of a server, whatever its end looks like."""
    with pytest.raises(click.BadParameter, match="is not of the form HOST:PORT"):
        checked_address(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:7070", "[::1]:7070", "unix:/run/milepost.sock", "dns:///nodes:7070"]
)
def test_an_address_may_have_a_scheme_of_grpc(address: str) -> None:
    """They are passed on unchanged."""
    assert checked_address(address) == address


def test_an_empty_command_is_refused() -> None:
    """It makes no job."""
    outcome = CliRunner().invoke(execute, ["--kind", "k", "--", ""])

    assert outcome.exit_code == 2
    assert "COMMAND is empty." in outcome.output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exec enc -- true", "for an existing one. Did you mean `milepost exec --kind enc -- …`?"),
        ("exec true", "for an existing one.\n"),
        ("exec --kind a --job-id b true", "for an existing one.\n"),
        ("list enc", "'enc' is an argument, and this command takes options only. Did you mean `--kind enc`?"),
        ("workers ENC", "'ENC' is an argument, and this command takes options only.\n"),
        ("whoami enc", "'enc' is an argument, and this command takes options only.\n"),
    ],
)
def test_a_kind_is_an_option(command: str, said: str) -> None:
    """Where it is given as an argument, the error says so; only submit and history take it as one."""
    outcome = CliRunner(env={"COLUMNS": "200"}).invoke(milepost, command.split())

    assert outcome.exit_code == 2
    assert said in outcome.output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("submit k --priority 5000", "5,000 is out of bounds: it must be -1,000 to 1,000."),
        ("submit k --workload -1", "-1.0 is out of bounds: it must be at least 0."),
        ("serve --tail-memory 0", "0 is out of bounds: it must be at least 1."),
    ],
)
def test_bounds_of_numbers_are_in_words(command: str, said: str) -> None:
    """In errors and in help, also of commands of other packages."""
    words = command.split()
    outcome = CliRunner().invoke(milepost, words)
    shown = CliRunner().invoke(milepost, [words[0], "--help"])

    assert (outcome.exit_code, shown.exit_code) == (2, 0)
    assert said in outcome.output
    assert f"[{said.rpartition(' must be ')[2].rstrip('.')}]" in shown.output
    assert "<=" not in shown.output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["submit", "k", "--owner", "caf\udce9"], "'--owner'"),
        (["submit", "k", "--label", "file=caf\udce9.wav"], "'--label' / '-l'"),
        (["submit", "caf\udce9"], "'KIND'"),
        (["list", "--kind", "caf\udce9"], "'--kind' / '-k'"),
        (["cancel", "j", "--reason", "caf\udce9"], "'--reason'"),
        (["whoami", "--token", "caf\udce9"], "'--token'"),
    ],
)
def test_text_that_is_no_utf_8_is_refused(arguments: list[str], named: str) -> None:
    """As the name of an old file in an option, which the error names; it does not repeat the text."""
    outcome = CliRunner().invoke(milepost, arguments)

    assert outcome.exit_code == 2
    assert f"Invalid value for {named}: It has bytes that are no UTF-8." in outcome.output
    assert "caf" not in outcome.output


@pytest.mark.parametrize("command", ["submit k", "list", "watch", "exec --kind k"])
def test_a_label_has_one_value(command: str) -> None:
    """A second value is refused, since the first would be lost; the same pair may be repeated."""
    labels = ["--label", "team=a", "--label", "team=a", "--label", "team=b"]
    outcome = CliRunner().invoke(milepost, [*command.split(), *labels, *(["true"] * ("exec" in command))])

    assert outcome.exit_code == 2
    assert "The label 'team' has two values, 'a' and 'b'." in outcome.output


@pytest.mark.parametrize(
    ("module", "package"),
    [("milepost.examples.archive", "milepost"), ("milepost.server.runtime", "milepost-server")],
)
def test_a_worker_of_a_package_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    """The error names it and how to install it."""
    part = ".".join(module.split(".")[:2])
    for name in [part, *(name for name in sys.modules if name.startswith(f"{part}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    outcome = CliRunner().invoke(worker, [f"{module}:worker"])

    assert outcome.exit_code == 2
    expected = f"{part} comes with another package. Install it with: pip install {package}"
    assert expected in " ".join(outcome.output.split())
