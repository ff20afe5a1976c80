"""How messages of a channel become reports: rules from a short file, or a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from milepost.client._bridge.mapped_message import (
    ENDS,
    FIELDS,
    MalformedMessage,
    MappedMessage,
    mapped_message,
)
from milepost.client._bridge.template import Scope, Template
from milepost.contract import durations
from milepost.contract.limits import KIND
from milepost.contract.name_rules import name_rule

__all__ = ["FunctionMapping", "JobRules", "MessageMapping", "RuleMapping", "read_mapping"]

IDLE: Final = 3600.0
"""Default in seconds until a job without messages has failed."""

_KEYS: Final = frozenset({"channel", "id", "kind", "idle", "sequential", "cancel", "message"})


@dataclass(frozen=True, slots=True)
class JobRules:
    """The rules for all jobs of a bridge.

    Attributes:
        kind: Kind of the jobs that the bridge starts; empty: messages have the ids of jobs that exist.
        idle: Seconds without a message after which a job has failed.
        sequential: Whether a stage has ended as soon as another one starts.
        has_fraction: Whether messages say how far the whole job is; None: the first message of a job shows it.
        cancel: Makes the channel and the message that ask the application to stop a job, of the job's id there; None
            if it cannot be asked.
    """

    kind: str = ""
    idle: float = IDLE
    sequential: bool = False
    has_fraction: bool | None = None
    cancel: Callable[[str], tuple[str, Any]] | None = None


class MessageMapping(Protocol):
    """Maps a message to its content."""

    @property
    def job_rules(self) -> JobRules:
        """The rules for all jobs."""

    def map(self, channel: str, message: Any) -> MappedMessage | None:
        """Map a decoded message; None if it has nothing to report.

        Raises:
            MalformedMessage: It is not as the mapping expects.
        """


class FunctionMapping:
    """A function of the application, which gets the channel and the decoded message.

    It returns a dict of the fields of `MappedMessage`, or None.
    """

    def __init__(self, function: Callable[[str, Any], Mapping[str, Any] | None], job_rules: JobRules) -> None:
        self.job_rules = job_rules
        self._function = function

    def map(self, channel: str, message: Any) -> MappedMessage | None:
        """See `MessageMapping.map`."""
        try:
            values = self._function(channel, message)
        except Exception as error:
            raise MalformedMessage(f"the function raised {type(error).__name__}") from error
        if values is None:
            return None
        if not isinstance(values, Mapping):
            raise MalformedMessage(f"the function returned a {type(values).__name__}, and not a dict")
        return mapped_message(values)


class RuleMapping:
    """The rules of a file: the first one whose conditions a message meets applies."""

    def __init__(
        self, job_rules: JobRules, job_id: Template, channel: re.Pattern[str] | None, rules: list[_Rule]
    ) -> None:
        self.job_rules = job_rules
        self._id = job_id
        self._channel = channel
        self._rules = rules

    def map(self, channel: str, message: Any) -> MappedMessage | None:
        """See `MessageMapping.map`."""
        groups = {"channel": channel}
        if self._channel is not None:
            match = self._channel.search(channel)
            if match is None:
                raise MalformedMessage("the channel's name is not as the mapping expects")
            groups |= match.groupdict(default="")
        scope = Scope(message, groups)
        rule = next((rule for rule in self._rules if rule.fits(scope)), None)
        if rule is None:
            return None
        return mapped_message({"id": self._id.value(scope), **rule.values(scope)})


@dataclass(frozen=True, slots=True)
class _Rule:
    conditions: Mapping[str, list[Any]]
    fields: Mapping[str, Template]

    def fits(self, scope: Scope) -> bool:
        return all(_is_one_of(scope.find(path), allowed) for path, allowed in self.conditions.items())

    def values(self, scope: Scope) -> dict[str, Any]:
        return {name: template.value(scope) for name, template in self.fields.items()}


def read_mapping(document: Mapping[str, Any]) -> RuleMapping:
    """The mapping of a file.

    Raises:
        ValueError: It is not a mapping; the text says what is wrong.
    """
    if unknown := document.keys() - _KEYS:
        raise ValueError(f"there is no key {min(unknown)!r}: use {', '.join(sorted(_KEYS))}")
    rules = [_rule(item) for item in _list(document.get("message"), "message")]
    if not rules:
        raise ValueError(
            "it has no rule: write [[message]] and what it gives, such as percent = '{percentage}'"
        )
    kind = _str(document.get("kind", ""), "kind")
    if kind and not KIND.fullmatch(kind):
        raise ValueError(f"kind = {kind!r} is not a kind of job: {name_rule(KIND)}")
    job_rules = JobRules(
        kind=kind,
        idle=_idle(document.get("idle", IDLE)),
        sequential=_bool(document.get("sequential", False), "sequential"),
        has_fraction=any({"fraction", "percent"} & rule.fields.keys() for rule in rules),
        cancel=_cancel(document["cancel"]) if "cancel" in document else None,
    )
    return RuleMapping(
        job_rules, Template(_str(document.get("id"), "id")), _pattern(document.get("channel")), rules
    )


def _rule(item: Any) -> _Rule:
    table = _table(item, "message")
    conditions = {
        path: allowed if isinstance(allowed, list) else [allowed]
        for path, allowed in _table(table.get("when", {}), "when").items()
    }
    given = {name: value for name, value in table.items() if name != "when"}
    allowed = FIELDS - {"id"}
    if unknown := given.keys() - allowed:
        raise ValueError(f"a message has no {min(unknown)!r}: use {', '.join(sorted(allowed))}")
    templates = {name: Template(_str(value, name)) for name, value in given.items()}
    end = given.get("end", "")
    if end and "{" not in end and end not in ENDS:
        raise ValueError(f"end = {end!r}: a job ends as one of {', '.join(ENDS)}")
    return _Rule(conditions, templates)


def _cancel(value: Any) -> Callable[[str], tuple[str, Any]]:
    table = _table(value, "cancel")
    channel = Template(_str(table.get("channel"), "channel of [cancel]"))
    message = table.get("message")
    if message is None:
        raise ValueError("[cancel] has no message")

    def request(job: str) -> tuple[str, Any]:
        scope = Scope({"id": job}, {})
        return channel.text(scope), _filled(message, scope)

    return request


def _filled(value: Any, scope: Scope) -> Any:
    """A value of the file with all templates in it filled."""
    match value:
        case str():
            return Template(value).text(scope)
        case Mapping():
            return {name: _filled(item, scope) for name, item in value.items()}
        case list():
            return [_filled(item, scope) for item in value]
    return value


def _is_one_of(value: Any, allowed: list[Any]) -> bool:
    return any(
        value is not None if each == "*" else type(value) is type(each) and value == each for each in allowed
    )


def _pattern(value: Any) -> re.Pattern[str] | None:
    if value is None:
        return None
    try:
        return re.compile(_str(value, "channel"))
    except re.error as error:
        raise ValueError(f"channel = {value!r} is not a regular expression: {error}") from error


def _idle(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("idle is neither a number of seconds nor text such as '10m'")
    seconds = durations.seconds(str(value))
    if seconds <= 0:
        raise ValueError("idle has to be longer than 0: a job that nobody ends would never end")
    return seconds


def _str(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing" if value is None else f"{name} has to be text, in quotes")
    return value


def _bool(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} has to be true or false")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list | None):
        raise ValueError(f"{name} has to be a list of tables: write [[{name}]]")
    return value or []


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} has to be a table")
    return value
