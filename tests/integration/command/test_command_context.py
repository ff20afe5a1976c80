"""`milepost context`, and commands with the credentials of one."""

from __future__ import annotations

import json
import stat
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from milepost.client._cli.main import milepost as group
from tests.support.command import milepost, started
from tests.support.forking import Forkery
from tests.support.rpc import eventually
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The credentials file of this user, which does not exist yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "milepost" / "config.toml"


def context(*arguments: str, stdin: str = "") -> str:
    """Run `milepost context`; return its output."""
    outcome = CliRunner().invoke(group, ["context", *arguments], input=stdin)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def saved(config: Path) -> str:
    """What the file holds; nothing if it does not exist."""
    return config.read_text() if config.exists() else ""


def listed() -> dict[str, dict[str, object]]:
    """The contexts, as JSON has them."""
    lines = context("list", "--output", "json").splitlines()
    return {found.pop("name"): found for found in map(json.loads, lines)}


def test_contexts_are_made_changed_and_deleted(config: Path, tmp_path: Path) -> None:
    """The file and its directory are the user's own; comments stay; what is not given stays."""
    token_file = tmp_path / "token"
    token_file.write_text("secret")
    context("set", "prod", "--address", "prod.test:1", "--tls", "--token", "-", stdin="mp_secret\n")
    config.write_text("# mine\n" + config.read_text())
    context("set", "stage", "--address", "stage.test:1", "--token-file", str(token_file))
    context("use", "prod")
    assert listed() == {
        "prod": {"current": True, "address": "prod.test:1", "tls": True, "hasToken": True},
        "stage": {
            "current": False,
            "address": "stage.test:1",
            "token_file": str(token_file),
            "hasToken": False,
        },
    }
    assert [stat.S_IMODE(path.stat().st_mode) for path in (config, config.parent)] == [0o600, 0o700]
    assert config.read_text().startswith("# mine\n")
    assert "mp_secret" in config.read_text()

    context("set", "prod", "--token-file", str(token_file), "--no-tls")
    context("use", "stage")
    assert "mp_secret" not in config.read_text()
    assert listed()["prod"] == {
        "current": False,
        "address": "prod.test:1",
        "token_file": str(token_file),
        "hasToken": False,
    }
    context("delete", "stage")
    assert listed().keys() == {"prod"}
    assert "current" not in config.read_text()
    context("set", "prod", "--token-file", "")
    assert listed()["prod"] == {"current": False, "address": "prod.test:1", "hasToken": False}
    assert config.read_text().startswith("# mine\n")


def test_context_list_shows_no_token(config: Path) -> None:
    """For people and for programs."""
    context("set", "prod", "--address", "prod.test:1", "--token", "mp_secret", "--tls")
    context("use", "prod")
    assert context("list").splitlines() == [
        "   NAME  ADDRESS      CREDENTIALS  TLS",
        "*  prod  prod.test:1  token        yes",
    ]
    assert "mp_secret" not in context("list") + context("list", "--output", "json")


def test_no_context_is_the_current_one_any_more(config: Path) -> None:
    """`use --none` keeps the contexts, and the default address holds again."""
    context("set", "prod", "--address", "prod.test:1")
    context("use", "prod")
    context("use", "--none")
    assert {name: found["current"] for name, found in listed().items()} == {"prod": False}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("use", "prod"), "There is no context 'prod'"),
        (("use",), "Give the NAME of a context, or --none."),
        (("use", "prod", "--none"), "Give the NAME of a context, or --none."),
        (("delete", "prod"), "There is no context 'prod'"),
        (("set", "a b"), "'a b' is not of letters"),
        (("set", "a", "--address", "nowhere"), "'nowhere' is not of the form HOST:PORT"),
        (("set", "a", "--token", "s3cret token"), "a token has printable ASCII characters only"),
        (("set", "a", "--token", "t", "--token-file", __file__), "Give --token or --token-file, not both"),
    ],
)
async def test_mistakes_are_named_and_change_nothing(
    config: Path, arguments: tuple[str, ...], message: str
) -> None:
    """The error names the mistake, and no file changes."""
    outcome = await milepost("context", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert "s3cret" not in outcome.err
    assert saved(config) == ""


async def test_tokens_of_the_environment_are_not_saved(config: Path) -> None:
    """What is set in the environment for other commands is not saved."""
    outcome = await milepost(
        "context", "set", "a", "--address", "a.test:1", env={"MILEPOST_TOKEN": "mp_secret"}
    )
    assert outcome.status == 0
    assert "mp_secret" not in saved(config)


async def test_a_command_with_a_context(config: Path, tmp_path: Path, forkery: Forkery) -> None:
    """It connects to its server with its credentials; a named one comes before the current one.

    A watch whose token file is replaced goes on.
    """
    known = Tokens(tmp_path / "tokens.toml")
    root = known.add("root", ["*"], "admin")
    (tmp_path / "token").write_text(known.add("ci", ["*"], "read", "submit", "cancel"))
    with ServerProcess(tmp_path / "data", "--tokens", str(known.path), forkery=forkery) as server:
        context("set", "ci", "--address", server.address, "--token-file", str(tmp_path / "token"))
        context("set", "root", "--address", server.address, "--token", root)
        context("use", "root")
        assert (await milepost("whoami", "--output", "json")).objects[0]["subject"] == "root"
        named = await milepost("whoami", "--output", "json", env={"MILEPOST_CONTEXT": "ci"})
        assert named.objects[0]["subject"] == "ci"
        refused = await milepost("whoami", address=server.address, env={"MILEPOST_TOKEN": "garbage"})
        assert (refused.status, refused.out) == (2, "")
        assert "Give a token with MILEPOST_TOKEN, --token-file or a context." in refused.err
        assert "garbage" not in refused.err

        await milepost("submit", "k", "--job-id", "j")
        async with started("watch", "j", "--context", "ci", "--output", "plain") as watching:
            await watching.says("submitted")
            (tmp_path / "token").write_text(known.add("ci-2", ["*"], "read"))
            known.remove("ci")
            await watching.says("live, resumed at")
            await milepost("cancel", "j", "--context", "root")
            assert (await watching.end()).status == 3


async def test_an_error_names_the_context_whose_server_it_is_of(
    config: Path, shared_server: ServerProcess
) -> None:
    """A job that is missing may be on the server of another context; another address is none's."""
    context("set", "here", "--address", shared_server.address)
    context("use", "here")
    missing = "Error: There is no job 'nobody'. Check the id, or list the jobs there are."
    assert (await milepost("get", "nobody")).err == f"{missing} The server is that of the context 'here'.\n"
    other = shared_server.address.replace("127.0.0.1", "localhost")
    assert (await milepost("get", "nobody", address=other)).err == f"{missing}\n"


async def test_no_token_in_plain_text(config: Path) -> None:
    """The command says which options help, and connects to nothing."""
    outcome = await milepost("list", "--address", "192.0.2.1:7070", "--token", "mp_secret")
    assert outcome.status == 2
    assert outcome.err == (
        "Error: The token would travel to 192.0.2.1:7070 in plain text, for anybody on the way to read. Encrypt the "
        "connection with --tls or --tls-ca, or allow that with --allow-plaintext-token.\n"
    )


async def test_completion_uses_the_context(config: Path, tmp_path: Path, forkery: Forkery) -> None:
    """Of jobs, with its credentials; and of contexts."""
    known = Tokens(tmp_path / "tokens.toml")
    token = known.add("root", ["*"], "admin")
    with ServerProcess(tmp_path / "data", "--tokens", str(known.path), forkery=forkery) as server:
        context("set", "root", "--address", server.address, "--token", token)
        await milepost("submit", "k", "--job-id", "completed", "--context", "root")

        async def completions(words: str) -> set[str]:
            """What the server has; without an answer of a busy one within a moment the command has nothing."""
            env = {
                "_MILEPOST_COMPLETE": "bash_complete",
                "COMP_WORDS": words,
                "COMP_CWORD": str(words.count(" ")),
            }
            outcome = await milepost(env=env)
            return {found for line in outcome.out.splitlines() if (found := line.partition(",")[2])}

        assert await eventually(partial(completions, "milepost get --context root co")) == {"completed"}
        assert await completions("milepost get --context r") == {"root"}
        assert await completions("milepost context use r") == {"root"}
