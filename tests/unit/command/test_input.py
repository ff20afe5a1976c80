"""Values of the command line: inputs, durations, pairs, stages, addresses."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from milepost.client._cli.commands.job_input import read_input, set_value
from milepost.client._cli.commands.options import checked_address
from milepost.client._cli.commands.parameter_types import pair, seconds, stage
from milepost.v1 import Stage


def test_no_input_is_an_empty_one() -> None:
    """The input is optional."""
    assert read_input(None, []) == {}


def test_input_as_json() -> None:
    """A JSON object."""
    assert read_input('{"path": "/srv", "n": [1, 2.5, null]}', []) == {"path": "/srv", "n": [1, 2.5, None]}


def test_input_from_a_file(tmp_path: Path) -> None:
    """A name after an @."""
    file = tmp_path / "input.json"
    file.write_text('{"name": "naïve"}', encoding="utf-8")

    assert read_input(f"@{file}", []) == {"name": "naïve"}


def test_input_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b'{"a": 1}')))

    assert read_input("-", []) == {"a": 1}


def test_settings_come_on_top() -> None:
    """Values are JSON if they parse, otherwise text; dots nest; the last value counts."""
    settings = [("n", "3"), ("on", "true"), ("path", "/srv"), ("text", '"7"'), ("a.b.c", "[1]"), ("n", "4")]

    assert read_input('{"old": 1, "n": 2, "a": {"x": 0}}', settings) == {
        "n": 4,
        "old": 1,
        "on": True,
        "path": "/srv",
        "text": "7",
        "a": {"x": 0, "b": {"c": [1]}},
    }


@pytest.mark.parametrize(
    ("given", "settings", "key"),
    [
        ('{"path": "/a", "path": "/b"}', [], "path"),
        ('{"deep": [{"x": 1, "y": 2, "x": 1}]}', [], "x"),
        (None, [("deep", '{"x": 1, "x": 2}')], "x"),
    ],
)
def test_a_key_that_an_object_has_twice(given: str | None, settings: list[tuple[str, str]], key: str) -> None:
    """A repeated key is refused at any depth, since one of the values would be lost."""
    with pytest.raises(click.BadParameter, match=f"^An object has the key '{key}' twice\\.$"):
        read_input(given, settings)


def test_a_setting_that_is_no_json_number_is_text() -> None:
    """NaN is no JSON."""
    content: dict[str, object] = {}
    set_value(content, "n", "NaN")

    assert content == {"n": "NaN"}


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("it is not a JSON object.", "[1]"),
        ("it is not JSON: Expecting value: line 1 column 1 (char 0) (@FILE reads a file).", "input.json"),
        ("it is not JSON: NaN is no JSON (@FILE reads a file).", '{"a": NaN}'),
        ("/no/such/file cannot be read: No such file or directory.", "@/no/such/file"),
    ],
)
def test_input_that_cannot_be_read(expected: str, given: str) -> None:
    """The error says which input, and why."""
    with pytest.raises(click.BadParameter) as raised:
        read_input(given, [])

    assert raised.value.message == expected
    assert raised.value.param_hint == "'--input'"


def test_input_that_is_not_text(tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "input.json"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(click.BadParameter, match=r"is not UTF-8 text\.$"):
        read_input(f"@{file}", [])


def test_a_setting_within_something_else() -> None:
    """Only an object has nested values."""
    with pytest.raises(click.BadParameter) as raised:
        read_input('{"a": {"b": 1}}', [("a.b.c", "2")])

    assert raised.value.message == "a.b is not an object."


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (90.0, "90"),
        (0.25, "0.25"),
        (90.0, "90s"),
        (90.0, "1m30s"),
        (0.25, "250ms"),
        (7200.0, "2h"),
        (172800.0, "2d"),
    ],
)
def test_a_length_of_time(expected: float, text: str) -> None:
    """Seconds, or with units."""
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1x", "s", "1m 30s", "nan", "inf", "1e3", "20000y", "9999999999999"]
)
def test_no_length_of_time(text: str) -> None:
    """Invalid and excessive durations are refused."""
    with pytest.raises(click.BadParameter):
        seconds(text)


@pytest.mark.parametrize("text", ["-1", "-1s", "-1m30s", "-0.5"])
def test_a_negative_length_of_time(text: str) -> None:
    """The error says so."""
    with pytest.raises(click.BadParameter) as raised:
        seconds(text)

    assert raised.value.message == f"{text} is negative: a length of time is 0 or more."


def test_a_pair() -> None:
    """The first equals sign separates them; the value may be empty."""
    assert pair("a=b=c") == ("a", "b=c")
    assert pair("a=") == ("a", "")


@pytest.mark.parametrize("text", ["a", "=b", ""])
def test_no_pair(text: str) -> None:
    """A name and an equals sign are required."""
    with pytest.raises(click.BadParameter):
        pair(text)


def test_a_stage() -> None:
    """Its id, or an object as in the contract."""
    assert stage("scan") == Stage(stage_id="scan")
    assert stage('{"stageId": "hash", "total": 5, "unit": "bytes"}') == Stage(
        stage_id="hash", total=5, unit="bytes"
    )


@pytest.mark.parametrize("text", ['{"id": "hash"}', "{", '{"stageId": "a", "stageId": "b"}'])
def test_no_stage(text: str) -> None:
    """Unknown fields are refused."""
    with pytest.raises(click.BadParameter):
        stage(text)


@pytest.mark.parametrize(
    "text", ["127.0.0.1:7070", "localhost:1", "[::1]:65535", "unix:/run/milepost.sock", "dns:///a:1"]
)
def test_an_address(text: str) -> None:
    """A host and a port, or another address of gRPC."""
    assert text == checked_address(text)


@pytest.mark.parametrize(
    "text", ["", "localhost", ":7070", "localhost:", "localhost:http", "localhost:0", "h:65536"]
)
def test_no_address(text: str) -> None:
    """A typing error is reported before connecting."""
    with pytest.raises(click.BadParameter):
        checked_address(text)
