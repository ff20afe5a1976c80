"""`milepost token`: the tokens of a token file."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from milepost.server.access.credentials import token_file, tokens
from milepost.server.cli.token_table import token_lines
from tests.support.command import milepost

CREATE = ("--subject", "ci", "--owner", "team-a", "--scope", "submit,read")


async def create(path: Path, *options: str) -> str:
    """Create a token; return it."""
    outcome = await milepost("token", "create", "--tokens", str(path), *CREATE, *options)
    assert outcome.status == 0, outcome.err
    return outcome.out.strip()


async def listed(path: Path) -> list[dict[str, object]]:
    """The tokens of the file."""
    outcome = await milepost("token", "list", "--tokens", str(path), "--output", "json")
    return [json.loads(line) for line in outcome.out.splitlines()]


async def test_create(tmp_path: Path) -> None:
    """The token is printed once; the file has its digest only, and is readable by its owner only."""
    path = tmp_path / "tokens.toml"
    made = await create(path, "--kind", "transcribe.*", "--expires", "90d", "--note", "nightly")
    assert tokens.is_token(made)
    assert made not in path.read_text()
    entry = token_file.parse(path.read_text())[tokens.digest(made)]
    assert (entry.principal.subject, entry.principal.kinds, entry.note) == (
        "ci",
        ("transcribe.*",),
        "nightly",
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_limits(tmp_path: Path) -> None:
    """A token may have limits of its own; a mistake in one is named, and adds no token."""
    path = tmp_path / "tokens.toml"
    made = await create(path, "--limit", "events=5000/s", "--limit", "input=64MiB")
    principal = token_file.parse(path.read_text())[tokens.digest(made)].principal
    assert principal.limits == (("events", 5000), ("input", 64 << 20))
    wrong = await milepost("token", "create", "--tokens", str(path), *CREATE, "--limit", "input=5/s")
    assert (wrong.status, wrong.out) == (2, "")
    assert "'input=5/s' has a unit that input does not have; write 'input=100MiB'" in wrong.err.replace(
        "\n", " "
    )
    assert len(await listed(path)) == 1


async def test_the_end_of_a_lifetime_is_said(tmp_path: Path) -> None:
    """Of a token and of a certificate: a number without a unit is seconds, as in every option, and soon over."""
    path = tmp_path / "tokens.toml"
    options = ("--tokens", str(path), *CREATE, "--expires", "3")
    made = await milepost("token", "create", *options)
    named = await milepost("token", "create", *options, "--certificate", "spiffe://example.org/ci")
    one, two = await listed(path)
    until = [str(entry["expires"])[:19].replace("T", " ") for entry in (one, two)]
    assert made.err == f"Token {one['id']} for 'ci' until {until[0]} UTC. Keep it: it is not shown again.\n"
    assert named.err == (
        f"Certificates with the name 'spiffe://example.org/ci' are 'ci' until {until[1]} UTC, as {two['id']}.\n"
    )


async def test_a_pattern_that_no_kind_matches(tmp_path: Path) -> None:
    """It is refused: the token would be good for nothing."""
    path = tmp_path / "tokens.toml"
    outcome = await milepost("token", "create", "--tokens", str(path), *CREATE, "--kind", "a*b**[")
    assert outcome.status == 2
    assert "'a*b**[' matches no kind: kinds have" in " ".join(outcome.err.split())
    assert not path.exists()


async def test_comments_and_other_tokens_are_kept(tmp_path: Path) -> None:
    """Comments and earlier tokens stay when a token is added or revoked."""
    path = tmp_path / "tokens.toml"
    first = await create(path)
    path.write_text("# ours\n" + path.read_text())
    second = await create(path)
    (one, _) = await listed(path)
    assert (await milepost("token", "revoke", str(one["id"]), "--tokens", str(path))).status == 0
    entries = token_file.parse(path.read_text())
    assert path.read_text().startswith("# ours\n")
    assert [entries[tokens.digest(token)].revoked for token in (first, second)] == [True, False]
    assert [entry["state"] for entry in await listed(path)] == ["revoked", "active"]


async def test_the_token_file_keeps_its_permissions(tmp_path: Path) -> None:
    """The server may run as another user: a revoked token would go on if it could not read the file any more."""
    path = tmp_path / "tokens.toml"
    await create(path)
    path.chmod(0o640)
    (entry,) = await listed(path)
    revoked = await milepost("token", "revoke", str(entry["id"]), "--tokens", str(path))
    assert revoked.status == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_list_shows_no_digest(tmp_path: Path) -> None:
    """As text for people, too."""
    path = tmp_path / "tokens.toml"
    made = await create(path)
    outcome = await milepost("token", "list", "--tokens", str(path))
    assert outcome.out.splitlines()[0].split() == [
        "ID",
        "SUBJECT",
        "OWNERS",
        "SCOPES",
        "KINDS",
        "STATE",
        "NOTE",
    ]
    assert tokens.digest(made) not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("revoke", "none"), "There is no token 'none'"),
        (("list",), "There is no token file "),
        (
            ("create", *CREATE, "--scope", "reed"),
            "'reed' is not a scope; the scopes are submit, read, cancel, work, admin",
        ),
        (("create", *CREATE, "--note", "x", "--subject", "a\nb"), "'subject' of token 1"),
    ],
)
async def test_mistakes_are_named_and_change_nothing(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """A mistake is named, and changes nothing."""
    path = tmp_path / "tokens.toml"
    outcome = await milepost("token", *arguments, "--tokens", str(path))
    assert outcome.status == 2
    assert message in outcome.err
    assert not path.exists()


async def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The reason, in one line. The temporary file beside it has a longer name, which no file system takes."""
    path = tmp_path / ("t" * 250)
    outcome = await milepost("token", "create", "--tokens", str(path), *CREATE)
    assert (outcome.status, outcome.out, outcome.err) == (
        2,
        "",
        f"Error: '{path}' cannot be written, and is as it was: File name too long.\n",
    )


async def test_a_broken_file(tmp_path: Path) -> None:
    """Nothing is written over what cannot be read."""
    path = tmp_path / "tokens.toml"
    path.write_text("[[token")
    outcome = await milepost("token", "create", "--tokens", str(path), *CREATE)
    assert outcome.status == 2
    assert "is not a token file" in outcome.err
    assert path.read_text() == "[[token"


async def test_without_credentials_only_loopback_is_served(tmp_path: Path) -> None:
    """Without credentials the server listens on this machine only."""
    outcome = await milepost("serve", "--address", "0.0.0.0:0", "--data", str(tmp_path / "data"))
    assert outcome.status == 2
    assert "no credentials are configured. Set --tokens" in outcome.err


async def test_a_bad_token_file_stops_the_start(tmp_path: Path) -> None:
    """A server does not start without the tokens that it was told to know."""
    missing = str(tmp_path / "missing")
    outcome = await milepost(
        "serve", "--address", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--tokens", missing
    )
    assert outcome.status == 2
    assert "cannot be used: it cannot be read: No such file or directory" in outcome.err


def test_a_table_that_does_not_fit_the_terminal_has_a_line_for_each_field() -> None:
    """Cut it would lack what it is looked at for, and broken nobody could read it."""
    entries: list[dict[str, object]] = [
        {
            "id": "4f1c09aa",
            "subject": "ci",
            "owners": ["team-a"],
            "scopes": ["submit", "read"],
            "state": "active",
        }
    ]
    table = [
        "ID        SUBJECT  OWNERS  SCOPES       KINDS  STATE   NOTE",
        "4f1c09aa  ci       team-a  submit,read         active",
    ]

    assert [list(token_lines(entries, width)) for width in (None, 80)] == [table, table]
    assert list(token_lines(entries, 50)) == [
        "4f1c09aa",
        "  subject: ci",
        "  owners: team-a",
        "  scopes: submit,read",
        "  state: active",
    ]


def test_columns_line_up_on_a_terminal() -> None:
    """Text is measured in cells: wide characters take two, combining ones none; and none of it steers the terminal."""
    notes = ["平仮名", "e\u0301te\u0301", "two\nlines", "\x1b[31mred"]
    entries = [
        {"id": "4f1c09aa", "subject": note, "owners": ["*"], "scopes": ["read"], "state": "active"}
        for note in notes
    ]
    assert list(token_lines(entries, None)) == [
        "ID        SUBJECT      OWNERS  SCOPES  KINDS  STATE   NOTE",
        "4f1c09aa  平仮名       *       read           active",
        "4f1c09aa  e\u0301te\u0301          *       read           active",
        "4f1c09aa  two lines    *       read           active",
        "4f1c09aa  \\x1b[31mred  *       read           active",
    ]
    assert len(list(token_lines(entries, 58))) == 5


async def test_json_of_tokens_does_not_steer_a_terminal(tmp_path: Path) -> None:
    """What would is escaped, as JSON has it."""
    path = tmp_path / "tokens.toml"
    await create(path, "--note", "\u202eabc")
    outcome = await milepost("token", "list", "--tokens", str(path), "--output", "json")
    assert r'"note": "\u202eabc"' in outcome.out
