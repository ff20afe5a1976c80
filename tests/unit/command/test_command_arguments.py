"""Arguments that a command refuses before it does anything."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from milepost.client._cli.commands.cmd_exec import execute
from milepost.client._cli.commands.options import checked_address


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:7070", "127.0.0.1:7070/x", "localhost", ":7070", "h:0"]
)
def test_an_address_is_host_and_port(address: str) -> None:
    """A URL is none, whatever its end looks like."""
    with pytest.raises(click.BadParameter, match="is not of the form HOST:PORT"):
        checked_address(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:7070", "[::1]:7070", "unix:/run/milepost.sock", "dns:///nodes:7070"]
)
def test_an_address_may_have_a_scheme_of_grpc(address: str) -> None:
    """Those are passed on as they are."""
    assert checked_address(address) == address


def test_an_empty_command_is_refused() -> None:
    """It makes no job."""
    outcome = CliRunner().invoke(execute, ["--kind", "k", "--", ""])

    assert outcome.exit_code == 2
    assert "COMMAND is empty." in outcome.output
