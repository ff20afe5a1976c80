"""Where a command's server and credentials come from: option, environment, context, default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from milepost.client import JobContext, Worker
from milepost.client._cli.commands import cmd_worker
from milepost.client._cli.commands.options import ServerOptions, server_options
from milepost.client._transport.target import Target
from milepost.client._transport.token_source import TokenFile

CONTEXTS = """
current = "prod"

[context.prod]
address = "prod.test:1"
token = "of-prod"
tls = true

[context.stage]
address = "stage.test:2"
token_file = "{dir}/stage"
tls_ca = "{dir}/ca"
tls_cert = "{dir}/cert"
tls_key = "{dir}/key"

[context.plain]
address = "plain.test:3"
token = "of-plain"
allow_plaintext_token = true
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with files for options."""
    for name in ("given", "env", "stage", "ca", "cert", "key", "cert-2", "key-2"):
        (tmp_path / name).write_text(f"of-{name}")
    return tmp_path


@pytest.fixture
def config(files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The credentials file of this user; the environment has no other settings."""
    for name in [name for name in os.environ if name.startswith("MILEPOST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(files / "config"))
    path = files / "config" / "milepost" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(CONTEXTS.replace("{dir}", str(files)))
    path.chmod(0o600)
    return path


def resolve(*arguments: str, **environment: str) -> Target:
    """What a command with these options connects to."""
    found = []

    @click.command()
    @server_options
    def probe(server: ServerOptions) -> None:
        found.append(server.target())

    env = {f"MILEPOST_{name}": value for name, value in environment.items()}
    outcome = CliRunner().invoke(probe, arguments, env=env)
    if outcome.exit_code:
        raise click.ClickException(outcome.output)
    return found[0]


PROD = Target("prod.test:1", "of-prod", True, None)


def test_the_current_context(config: Path) -> None:
    """Says what neither options nor the environment say."""
    assert resolve() == PROD
    assert resolve("--token", "given") == Target("prod.test:1", "given", True, None)
    assert resolve(TOKEN="env") == Target("prod.test:1", "env", True, None)
    assert resolve("--token", "given", TOKEN="env") == Target("prod.test:1", "given", True, None)


def test_without_a_file(config: Path) -> None:
    """There are no contexts."""
    config.unlink()
    assert resolve() == Target("127.0.0.1:7070", "", False, None)


@pytest.mark.parametrize(
    ("arguments", "environment"), [(("--context", "stage"), {}), ((), {"CONTEXT": "stage"})]
)
def test_a_named_context(
    config: Path, files: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    """Instead of the current one; with files for everything."""
    token = TokenFile(files / "stage")
    stage = Target("stage.test:2", token, True, files / "ca", files / "cert", files / "key")
    assert resolve(*arguments, **environment) == stage
    assert resolve("--context", "plain", **environment) == Target(
        "plain.test:3", "of-plain", False, None, allow_plaintext_token=True
    )


def test_the_credentials_of_the_current_context_are_for_its_server(config: Path) -> None:
    """Another address does not get them, wherever it is given; its own does, and so does any with a named context."""
    other = Target("other.test:9", "", False, None)
    assert resolve("--address", "other.test:9") == other
    assert resolve(ADDRESS="other.test:9") == other
    assert resolve(ADDRESS="prod.test:1") == PROD
    assert resolve("--context", "prod", ADDRESS="other.test:9") == PROD.changed(address="other.test:9")


def test_a_token_and_a_token_file_are_one_setting(config: Path, files: Path) -> None:
    """The one that is given nearer holds; of two equally near ones the token."""
    given, env = str(files / "given"), str(files / "env")

    def token(*arguments: str, **environment: str) -> Any:
        return resolve(*arguments, **environment).token

    assert token("--token-file", given, TOKEN="env") == TokenFile(files / "given")
    assert token("--token", "given", TOKEN_FILE=env) == "given"
    assert token(TOKEN_FILE=env) == TokenFile(files / "env")
    assert token(TOKEN_FILE=env, TOKEN="env") == "env"
    assert token("--context", "stage", "--token", "given") == "given"
    assert token("--context", "stage") == TokenFile(files / "stage")


def test_a_certificate_and_its_key_are_one_setting(config: Path, files: Path) -> None:
    """A certificate of the environment does not get the key of a context."""
    cert, key = files / "cert-2", files / "key-2"
    both = {"TLS_CLIENT_CERT": str(cert), "TLS_CLIENT_KEY": str(key)}
    found = resolve("--context", "stage", **both)
    assert (found.tls_cert, found.tls_key) == (cert, key)
    assert resolve("--address", "a.test:1", **both) == Target("a.test:1", "", True, None, cert, key)
    with pytest.raises(click.ClickException, match="--tls-client-cert and --tls-client-key go together"):
        resolve("--context", "stage", TLS_CLIENT_CERT=str(cert))
    with pytest.raises(click.ClickException, match="--tls-client-cert and --tls-client-key go together"):
        resolve("--tls-cert", str(cert))


def test_the_variables_of_the_server_are_not_the_clients(config: Path, files: Path) -> None:
    """MILEPOST_TLS_CERT and MILEPOST_TLS_KEY are the server's."""
    config.unlink()
    found = resolve(TLS_CERT=str(files / "cert"), TLS_KEY=str(files / "key"), TOKENS=str(files / "given"))
    assert found == Target("127.0.0.1:7070", "", False, None)


def test_plain_text(config: Path) -> None:
    """Is allowed by an option or the environment."""
    config.unlink()
    assert resolve("--allow-plaintext-token").allow_plaintext_token
    assert resolve(ALLOW_PLAINTEXT_TOKEN="1").allow_plaintext_token
    assert not resolve().allow_plaintext_token


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (CONTEXTS, ("--context", "prof"), "There is no context 'prof' in "),
        ('current = "gone"', (), "There is no context 'gone' in "),
        ("current", (), "is not a TOML file: "),
        ("currant = 1", (), "it has an unknown key 'currant'"),
        ("context = 1", (), "contexts stand under [context.NAME]"),
        ("[context.a]\ntoken = 1", (), "'token' of the context 'a' is not text"),
        ("[context.a]\ntls = 'yes'", (), "'tls' of the context 'a' is not true or false"),
        ("[context.a]\nadress = ''", (), "the context 'a' has an unknown key 'adress'"),
        (
            "[context.a]\ntoken = 's3cret'\ntoken_file = 'f'",
            (),
            "the context 'a' has a token and a token file",
        ),
        ("[context.'a b']\ntls = true", (), "'a b' is not a context"),
        (
            "current = 'a'\n[context.a]\ntls_ca = '/missing'",
            (),
            "'tls_ca' of the context 'a' is not a file: '/missing'",
        ),
        (
            "current = 'a'\n[context.a]\ntoken = 's3cret token'",
            (),
            "The token cannot be used: a token has printable",
        ),
        ("current = 'a'\n[context.a]\naddress = 'a'", (), "'a' is not of the form HOST:PORT"),
    ],
)
def test_mistakes_in_the_file(config: Path, content: str, arguments: tuple[str, ...], message: str) -> None:
    """Are named, and no secret is shown."""
    config.write_text(content)
    with pytest.raises(click.ClickException) as error:
        resolve(*arguments)
    assert message in error.value.message
    assert "s3cret" not in error.value.message


def test_a_file_that_others_can_read(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is warned of, if the context has a token."""

    @click.command()
    @server_options
    def probe(server: ServerOptions) -> None:
        """Nothing to do."""

    config.chmod(0o640)
    assert "chmod 600" in CliRunner().invoke(probe, []).output
    assert CliRunner().invoke(probe, ["--context", "stage"]).output == ""


@pytest.mark.parametrize(
    ("code", "arguments", "expected"),
    [
        ({}, (), PROD),
        ({"token": "of-the-code"}, (), PROD),
        ({"address": "code.test:1", "token": "t"}, (), Target("code.test:1", "t", False, None)),
        ({"address": "code.test:1"}, ("--context", "prod"), PROD),
        ({"address": "code.test:1"}, ("--address", "prod.test:1"), PROD),
    ],
)
def test_a_worker(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: dict[str, Any],
    arguments: tuple[str, ...],
    expected: Target,
) -> None:
    """The address in its code counts as given: the current context holds for no other one."""
    worker = Worker(**code)

    @worker.job("k")
    async def handler(job: JobContext) -> None:
        """Nothing to do."""

    monkeypatch.setattr(cmd_worker, "_find", lambda target: worker)
    monkeypatch.setattr(Worker, "main", lambda self: None)
    outcome = CliRunner().invoke(cmd_worker.worker, ["module:worker", *arguments])
    assert (outcome.exit_code, outcome.output) == (0, "")
    assert worker._settings.target == expected
