"""docs/operating.md has every option of the server."""

from __future__ import annotations

import re

import click

from milepost.server.cli.serve import serve
from tests.unit.repository.sources import ROOT

DOC = ROOT / "docs" / "operating.md"


def test_the_table_has_each_option_and_no_other() -> None:
    """The first column names what `milepost serve --help` lists."""
    table = DOC.read_text().partition("\n## All options\n")[2]
    listed = [
        name
        for cell in re.findall(r"^\| (`--.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(--[\w-]+)`", cell)
    ]
    options = [option.opts[0] for option in serve.params if isinstance(option, click.Option)]

    assert sorted(listed) == sorted(options)
