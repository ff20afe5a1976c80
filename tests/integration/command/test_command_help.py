"""The help and version of the command."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from milepost.client._cli.commands.exit_status import ExitStatus
from milepost.client._cli.main import milepost as group
from tests.support.command import Outcome, milepost

COMMANDS = group.list_commands(click.Context(group))


def options(name: str) -> list[click.Option]:
    """The options of a command."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def command_paths(of: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    """The words of each command in a group, subcommands as well."""
    context = click.Context(of)
    for name in of.list_commands(context):
        command = of.get_command(context, name)
        yield (*names, name)
        if isinstance(command, click.Group):
            yield from command_paths(command, *names, name)


def test_the_commands() -> None:
    """The commands of the client and of the server."""
    assert COMMANDS == [
        "migrate",
        "serve",
        "token",
        "worker",
        "submit",
        "watch",
        "get",
        "list",
        "workers",
        "history",
        "diff",
        "logs",
        "cancel",
        "delete",
        "share",
        "whoami",
        "context",
        "backup",
        "bridge",
        "exec",
        "demo",
    ]


async def test_help_lists_all_commands_and_statuses() -> None:
    """It also says how to enable shell completion."""
    outcome = await milepost("--help")

    assert (outcome.status, outcome.err) == (0, "")
    assert re.findall(r"^  (\w+) {2,}[A-Z]", outcome.out.partition("Commands:")[2], re.MULTILINE) == COMMANDS
    assert [int(status) for status in ExitStatus] == [
        int(number) for number in re.findall(r"^ +(\d+)  ", outcome.out, re.MULTILINE)
    ]
    assert "_MILEPOST_COMPLETE=bash_source milepost" in outcome.out


@pytest.mark.parametrize("name", [(), ("context",), ("token",)])
async def test_without_a_command_help_is_printed(name: tuple[str, ...]) -> None:
    """Help and nothing else, and the status of a wrong command line."""
    outcome = await milepost(*name)

    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (await milepost(*name, "--help")).out


@pytest.fixture(scope="module")
def help_of() -> Callable[[str], Awaitable[Outcome]]:
    """The help of a command, or of all for an empty name, which is run once."""
    known: dict[str, Outcome] = {}

    async def run(name: str) -> Outcome:
        if name not in known:
            known[name] = await milepost(*name.split(), "--help")
        return known[name]

    return run


@pytest.mark.parametrize("name", COMMANDS)
async def test_each_option_has_an_environment_variable(
    help_of: Callable[[str], Awaitable[Outcome]], name: str
) -> None:
    """The variable is named after the option, with or without the command's name; help says so once."""
    outcome = await help_of(name)
    command = group.get_command(click.Context(group), name)
    assert command is not None
    context = click.Context(
        command, info_name=name, parent=click.Context(group, auto_envvar_prefix="MILEPOST")
    )
    for option in options(name):
        twin = option.envvar or f"{context.auto_envvar_prefix}_{option.name}".upper()
        words = re.sub("[^A-Z]", "_", option.opts[0].lstrip("-").upper())

        assert twin in {f"MILEPOST_{words}", f"MILEPOST_{name.upper()}_{words}"}

    assert (outcome.status, outcome.out.count("env var")) == (0, 0)
    assert re.search(r"(from the environment|in the environment)", " ".join(outcome.out.split()))


@pytest.mark.parametrize("name", COMMANDS)
async def test_the_overview_matches_each_help(
    help_of: Callable[[str], Awaitable[Outcome]], name: str
) -> None:
    """The overview has the first sentence of each command without importing it; each help has examples."""
    overview = " ".join((await help_of("")).out.split())
    text = (await help_of(name)).out
    command = group.get_command(click.Context(group), name)
    assert command is not None
    first = " ".join((command.help or "").partition("\n\n")[0].split())

    assert f" {name} {first} " in overview
    assert re.search(rf"\n *Examples:\n +milepost {name}", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_defaults_stand_in_one_pair_of_brackets(name: str) -> None:
    """Also described defaults, which click puts in parentheses."""
    text = " ".join(CliRunner().invoke(group, [name, "--help"]).output.split())
    described = [option.show_default for option in options(name) if isinstance(option.show_default, str)]

    assert re.findall(r"\[[^]]*[(\[]", text.partition("Options:")[2].partition("Examples:")[0]) == []
    for words in described:
        assert f"[default: {words}]" in text


@pytest.mark.parametrize("name", ["", *COMMANDS, "context set", "token create", "bridge redis"])
def test_help_on_a_narrow_terminal(name: str) -> None:
    """Descriptions keep three quarters of the width; only examples and the names of options are wider than it."""
    text = CliRunner().invoke(group, [*name.split(), "--help"], terminal_width=50).output
    described = text.partition("Options:")[2].partition("Examples:")[0].partition("Shell completion")[0]
    names = re.compile(r" {2}(-|\[)\S.*")

    assert [line for line in described.splitlines() if len(line) > 50 and not names.fullmatch(line)] == []
    assert [line for line in described.splitlines() if line.startswith(" " * 17)] == []
    assert not re.search(r"\w\.\.\.$", described, re.MULTILINE)
    assert [line for line in text.splitlines() if re.fullmatch(r"\S.{49,}:", line)] == []  # a heading


def test_no_default_is_shown_as_empty_text() -> None:
    """An option whose default is nothing has none in its help."""
    assert [
        path
        for path in command_paths(group)
        if re.search(r'default:\s*""', CliRunner().invoke(group, [*path, "--help"]).output)
    ] == []


async def test_an_option_before_the_command() -> None:
    """The error says where options stand."""
    outcome = await milepost("--address", "127.0.0.1:1", "list")

    assert outcome.status == 2
    assert outcome.err == (
        "Error: There is no option '--address' before a command. Options of a command stand after it, as in "
        "`milepost list --address HOST:PORT`. Try 'milepost --help'.\n"
    )


async def test_a_wrong_value_of_the_environment() -> None:
    """The error names the variable, since nobody sees it on the command line."""
    outcome = await milepost("list", env={"MILEPOST_LIST_LIMIT": "-1"})

    assert outcome.status == 2
    assert "'--limit': -1 " in outcome.err
    assert " It is from the environment: MILEPOST_LIST_LIMIT. " in outcome.err


async def test_an_interrupt_while_modules_are_imported(tmp_path: Path) -> None:
    """Ctrl-C ends the command with its status, without a traceback, also before it has begun."""
    tmp_path.joinpath("click.py").write_text("raise KeyboardInterrupt\n")
    outcome = await milepost("list", env={"PYTHONPATH": str(tmp_path)})

    assert (outcome.status, outcome.out, outcome.err) == (130, "", "")


async def test_did_you_mean() -> None:
    """The error suggests a similar command."""
    outcome = await milepost("wacth")

    assert outcome.status == 2
    assert outcome.err == "Error: There is no command 'wacth'. Did you mean watch? Try 'milepost --help'.\n"


def test_commands_are_imported_when_they_run() -> None:
    """Neither help nor the completion of options needs the SDK, gRPC or rich."""
    heavy = (
        "grpc",
        "google.protobuf",
        "rich",
        "structlog",
        "asyncio",
        "milepost.v1",
        "milepost.server.runtime.server",
    )
    probe = (
        "import sys; from milepost.client._cli.main import milepost\n"
        f"for name in {['', *COMMANDS]!r}:\n"
        "    milepost.main([*name.split(), '--help'], standalone_mode=False, prog_name='milepost')\n"
        f"    sys.stderr.write(''.join(f'{{name}}: {{each}} ' for each in {heavy!r} if each in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stderr == ""


@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name in COMMANDS for option in options(name) if option.metavar == "TIME"],
    ids=lambda found: found.name if isinstance(found, click.Option) else found,
)
def test_durations_are_parsed_alike(name: str, option: click.Option) -> None:
    """With units; the error for a negative one says so."""
    assert option.type_cast_value(click.Context(group), "1m30s") == 90.0
    with pytest.raises(click.BadParameter, match=r"^-1s is negative: a length of time is 0 or more\.$"):
        option.type_cast_value(click.Context(group), "-1s")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_shell_completion(shell: str) -> None:
    """The script for each shell, and the completions."""
    script = await milepost(env={"_MILEPOST_COMPLETE": f"{shell}_source"})

    assert script.status == 0
    assert "_MILEPOST_COMPLETE" in script.out


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"watch", "whoami", "worker", "workers"}, "milepost w"),
        ({"plain"}, "milepost watch j --output p"),
        ({"cancelling", "cancelled"}, "milepost list --state c"),
    ],
)
async def test_completions(expected: set[str], words: str) -> None:
    """Commands, options and their values."""
    count = len(words.split()) - 1
    outcome = await milepost(
        env={"_MILEPOST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    )

    assert {line.partition(",")[2] for line in outcome.out.splitlines()} == expected


async def test_the_version() -> None:
    """The version of the client."""
    outcome = await milepost("--version")

    assert (outcome.status, outcome.out) == (0, "milepost 0.1.0\n")


def test_packages_that_do_not_go_together() -> None:
    """Such as stubs of gRPC for protobuf 7 beside protobuf 6, which Hatchet's SDK brings: no defect of Milepost."""
    code = (
        "from google.protobuf.runtime_version import VersionError\n"
        "from milepost.client._cli import main as command\n"
        "def run():\n"
        "    raise VersionError('Detected versions: gencode 7.35.1 runtime 6.33.6. Runtime version cannot be older.')\n"
        "command.run = run\n"
        "command.main()\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "Error: The installed packages do not go together: Detected versions: gencode 7.35.1 runtime 6.33.6. "
        "Install them again in one command, so that versions are chosen that do.\n"
    )
