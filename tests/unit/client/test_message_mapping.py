"""Mappings of messages of existing channels."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from milepost.client._bridge.mapped_message import MalformedMessage, MappedMessage, mapped_message
from milepost.client._bridge.mapping_source import find_function, find_mapping, shipped_mappings
from milepost.client._bridge.message_mapping import JobRules, read_mapping
from milepost.client._bridge.template import Scope, Template


def mapped(name: str, channel: str, message: Any) -> MappedMessage | None:
    """What a shipped mapping makes of a message."""
    return find_mapping(name, JobRules()).map(channel, message)


SHIPPED: list[tuple[str, str, dict[str, Any], MappedMessage | None]] = [
    (
        "status",
        "ts:4711",
        {"event": "STATUS", "data": {"value": "processing"}},
        MappedMessage("4711", stage="processing"),
    ),
    (
        "status",
        "ts:4711",
        {"event": "STATUS", "data": {"value": "ended"}},
        MappedMessage("4711", end="succeeded"),
    ),
    (
        "status",
        "ts:4711",
        {"event": "STATUS", "data": {"value": "error", "message": "no audio"}},
        MappedMessage("4711", end="failed", failure="no audio"),
    ),
    (
        "status",
        "ts:4711",
        {"event": "TOPIC", "data": {"title": "Tea"}},
        MappedMessage("4711", event="TOPIC", data={"title": "Tea"}),
    ),
    ("status", "ts:4711", {"data": {}}, None),
    (
        "progress",
        "progress:a-b",
        {"type": "progress", "percentage": 40, "stage": "render", "sub_progress": 0.5},
        MappedMessage("a-b", fraction=0.4, stage="render", stage_fraction=0.5),
    ),
    ("progress", "p:1", {"type": "progress", "percentage": "12.5%"}, MappedMessage("1", fraction=0.125)),
    (
        "progress",
        "p:1",
        {"type": "complete", "result": 3},
        MappedMessage("1", end="succeeded", result={"value": 3}),
    ),
    (
        "progress",
        "p:1",
        {"type": "error", "message": "out of memory", "code": "OOM"},
        MappedMessage("1", end="failed", failure="out of memory", code="OOM"),
    ),
    (
        "progress",
        "p:1",
        {"type": "log", "message": "warm", "level": "WARN"},
        MappedMessage("1", log="warm", severity="warning"),
    ),
    (
        "experiment",
        "experiments",
        {
            "experiment_id": 17,
            "status": "running",
            "progress": 0.4,
            "message": "epoch 4",
            "step": 4,
            "total_steps": 10,
        },
        MappedMessage("17", fraction=0.4, message="epoch 4", current=4.0, total=10.0),
    ),
    ("experiment", "e", {"experiment_id": 17, "status": "completed"}, MappedMessage("17", end="succeeded")),
    ("experiment", "e", {"experiment_id": 17, "status": "stopped"}, MappedMessage("17", end="cancelled")),
    ("experiment", "e", {"something": "else"}, None),
]


@pytest.mark.parametrize(("name", "channel", "message", "expected"), SHIPPED)
def test_shipped_mappings(
    name: str, channel: str, message: dict[str, Any], expected: MappedMessage | None
) -> None:
    """Each says what its messages mean, and nothing of others."""
    assert mapped(name, channel, message) == expected


def test_all_shipped_mappings_are_tested() -> None:
    """None is added without."""
    assert shipped_mappings() == sorted({name for name, *_ in SHIPPED})


@pytest.mark.parametrize(
    ("name", "message", "why"),
    [
        ("progress", {"type": "progress", "percentage": "half"}, "percent is not a number"),
        ("progress", {"type": "progress", "percentage": True}, "percent is not a number"),
        ("progress", {"type": "progress", "percentage": float("nan")}, "percent is not a number"),
        ("progress", {"type": "progress", "percentage": [1]}, "percent is not a number"),
        ("progress", {"type": "progress", "percentage": 500}, "percent is not between 0 and 100"),
        ("progress", {"type": "progress", "percentage": -1}, "percent is not between 0 and 100"),
        ("progress", {"type": "progress", "sub_progress": 40}, "stage_fraction is not between 0 and 1"),
        ("experiment", {"experiment_id": 1, "progress": 40}, "fraction is not between 0 and 1"),
        ("experiment", {"experiment_id": ""}, "the id of the job has 0 characters"),
        ("experiment", {"experiment_id": "x" * 513}, "the id of the job has 513 characters"),
    ],
)
def test_malformed_messages(name: str, message: Any, why: str) -> None:
    """The reason says what is wrong, and nothing that the message says."""
    with pytest.raises(MalformedMessage, match=why):
        mapped(name, "p:1", message)


@pytest.mark.parametrize(("given", "fraction"), [(100.00000001, 1.0), (-1e-12, 0.0), (100, 1.0), ("0%", 0.0)])
def test_a_rounded_percentage_is_in_its_range(given: object, fraction: float) -> None:
    """A sum of parts may be beyond 100 by a rounding error, and is 100 then."""
    assert mapped_message({"id": "1", "percent": given}).fraction == fraction


def test_a_channel_that_the_mapping_does_not_expect() -> None:
    """Its messages have no job."""
    with pytest.raises(MalformedMessage, match="channel's name"):
        mapped("progress", "p:", {"type": "progress"})


@pytest.mark.parametrize("message", [None, 3, "text", [], [1, 2]])
def test_messages_that_are_no_objects_say_nothing(message: Any) -> None:
    """They are JSON, and meet no condition."""
    assert mapped("progress", "p:1", message) is None


def test_templates() -> None:
    """A single reference keeps its type; text has each reference filled, and missing ones empty."""
    scope = Scope({"a": {"b": [1.5, True]}, "n": None}, {"id": "7"})
    templates = [
        "{a.b.0}",
        "{a.b.1}",
        "{a.b.2}",
        "{a.b.x}",
        "{n}",
        "{@id}",
        "run {@id} {a.b.1}{gone}",
        "",
        "plain",
    ]
    expected = [1.5, True, None, None, None, "7", "run 7 true", None, "plain"]
    assert [Template(text).value(scope) for text in templates] == expected


RULE = {"id": "{id}", "message": [{"percent": "{p}"}]}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "no rule"),
        ({**RULE, "colour": 1}, "no key 'colour'"),
        ({"message": [{"percent": "{p}"}]}, "id is missing"),
        ({**RULE, "kind": "NO KIND"}, "not a kind of job"),
        ({**RULE, "idle": "soon"}, "not a length of time"),
        ({**RULE, "idle": 0}, "longer than 0"),
        ({**RULE, "idle": True}, "idle is neither"),
        ({**RULE, "sequential": 1}, "true or false"),
        ({**RULE, "channel": "("}, "not a regular expression"),
        ({**RULE, "message": [{"colour": "red"}]}, "a message has no 'colour'"),
        ({**RULE, "message": [{"end": "over"}]}, "a job ends as one of"),
        ({**RULE, "message": [{"percent": 3}]}, "percent has to be text"),
        ({**RULE, "message": {}}, "a list of tables"),
        ({**RULE, "message": [3]}, "message has to be a table"),
        ({**RULE, "cancel": {}}, "channel of .cancel. is missing"),
        ({**RULE, "cancel": {"channel": "c"}}, "has no message"),
    ],
)
def test_files_that_are_no_mappings(document: dict[str, Any], why: str) -> None:
    """The error says which key is wrong."""
    with pytest.raises(ValueError, match=why):
        read_mapping(document)


def test_the_message_that_asks_to_stop() -> None:
    """Has the job's id where the file says so."""
    cancel = {"channel": "control:{id}", "message": {"type": "cancel", "ids": ["{id}"], "n": 1}}
    request = read_mapping({**RULE, "cancel": cancel}).job_rules.cancel
    assert request is not None
    assert request("7") == ("control:7", {"type": "cancel", "ids": ["7"], "n": 1})


def test_where_mappings_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TOML, JSON, and functions of a module in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "m.toml").write_text('id = "{id}"\n[[message]]\npercent = "{p}"\n')
    (tmp_path / "m.json").write_text(json.dumps(RULE))
    (tmp_path / "own_mapping_of_test.py").write_text(
        "def of(channel, message):\n"
        "    return None if message is None else {'id': channel, 'percent': message['p']}\n"
    )
    for source in ("m.toml", "m.json", "own_mapping_of_test:of"):
        expected = MappedMessage("7", fraction=0.5)
        assert find_mapping(source, JobRules()).map("7", {"id": "7", "p": 50}) == expected
    function = find_mapping("own_mapping_of_test:of", JobRules(kind="k"))
    assert (function.map("7", None), function.job_rules.kind) == (None, "k")
    with pytest.raises(MalformedMessage, match="the function raised KeyError"):
        function.map("7", {})


@pytest.mark.parametrize("source", ["gone.toml", "broken.toml", "list.json", "own:gone", "json:decoder"])
def test_mappings_that_cannot_be_had(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text("id = ")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(ValueError, match=source):
        find_mapping(source, JobRules())


def test_functions_may_not_set_what_there_is_not() -> None:
    """A typing error does not pass silently."""
    with pytest.raises(MalformedMessage, match="no field 'percents'"):
        mapped_message({"id": "1", "percents": 3})


def test_a_function_of_a_module_whose_name_another_one_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python imports the other one: the error says so, and what to do."""
    (tmp_path / "queue.py").write_text("def mapped(channel, message): return None\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    with pytest.raises(
        ValueError, match="'queue' is a module of Python's standard library; give yours another"
    ):
        find_function("queue:mapped")
