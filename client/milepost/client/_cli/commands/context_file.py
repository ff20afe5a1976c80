"""The credentials file of the command: contexts, each with a server's address and credentials, in TOML.

::

    current = "prod"

    [context.prod]
    address = "milepost.example.com:7070"
    token_file = "/home/ann/.config/milepost/prod.token"
    tls = true

It is ``$XDG_CONFIG_HOME/milepost/config.toml``, by default below ``~/.config``.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import click

from milepost.contract.private_files import make_directory

__all__ = ["CONTEXT_NAME", "ContextFile", "ContextSettings"]

ContextSettings = Mapping[str, Any]
"""The settings of a context, by their names in the file."""

CONTEXT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_TEXTS: Final = frozenset({"address", "token", "token_file", "tls_ca", "tls_cert", "tls_key"})
_SWITCHES: Final = frozenset({"tls", "allow_plaintext_token"})


class ContextFile:
    """The contexts of this user.

    Attributes:
        path: The file, which need not exist.
        current: The name of the current context; empty for none.
        contexts: The settings of each context by its name.
    """

    def __init__(self, path: Path, document: Mapping[str, Any]) -> None:
        """Take the content of the file. Raises click.ClickException."""
        self.path = path
        unknown = document.keys() - {"current", "context"}
        if unknown:
            raise self._refused(f"it has an unknown key {min(unknown)!r}")
        self.current: str = document.get("current", "")
        self.contexts: dict[str, ContextSettings] = document.get("context", {})
        if not isinstance(self.current, str) or not isinstance(self.contexts, dict):
            raise self._refused("'current' is a name, and contexts stand under [context.NAME]")
        for name, settings in self.contexts.items():
            self._check(name, settings)

    @classmethod
    def load(cls) -> Self:
        """Read the file; without one there are no contexts. Raises click.ClickException."""
        try:
            base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        except RuntimeError:  # this user has no home, as in a container
            return cls(Path(), {})
        path = Path(base, "milepost", "config.toml")
        try:
            return cls(path, tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls(path, {})
        except OSError as error:
            raise click.ClickException(f"{str(path)!r} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{str(path)!r} is not a TOML file: {error}.") from error

    def find(self, name: str) -> ContextSettings:
        """The settings of a context. Raises click.UsageError if there is none of this name."""
        if name not in self.contexts:
            known = f"the contexts are {', '.join(sorted(self.contexts))}" if self.contexts else "it has none"
            raise click.UsageError(
                f"There is no context {name!r} in {str(self.path)!r}; {known}. "
                f"`milepost context set {name}` makes it."
            )
        return self.contexts[name]

    @property
    def is_private(self) -> bool:
        """Whether nobody but its owner can read it."""
        try:
            return not self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        except OSError:
            return True

    def save(self) -> None:
        """Replace the file, readable by its owner only. Comments in it stay. Raises click.ClickException."""
        import tomlkit

        try:
            document = tomlkit.parse(self.path.read_text(encoding="utf-8") if self.path.exists() else "")
            document.pop("current", None)
            if self.current:
                # Before the first table, or it would belong to the last one.
                document.add("current", tomlkit.item(self.current))
            tables = document.setdefault("context", tomlkit.table(is_super_table=True))
            for name in [name for name in tables if name not in self.contexts]:
                del tables[name]
            for name, settings in self.contexts.items():
                table = tables.setdefault(name, tomlkit.table())
                for key in [key for key in table if key not in settings]:
                    del table[key]
                table.update(settings)
            make_directory(self.path.parent)
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".config.")  # mode 0600
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(tomlkit.dumps(document))
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise click.ClickException(f"{str(self.path)!r} cannot be written: {error.strerror}.") from error

    def _check(self, name: str, settings: object) -> None:
        if not CONTEXT_NAME.fullmatch(name) or not isinstance(settings, dict):
            raise self._refused(
                f"{name!r} is not a context: [context.NAME], with letters, digits, '.', '_', '-'"
            )
        for key, value in settings.items():
            if key not in _TEXTS | _SWITCHES:
                raise self._refused(f"the context {name!r} has an unknown key {key!r}")
            if not isinstance(value, str if key in _TEXTS else bool):
                kind = "text" if key in _TEXTS else "true or false"
                raise self._refused(f"{key!r} of the context {name!r} is not {kind}")
        if "token" in settings and "token_file" in settings:
            raise self._refused(f"the context {name!r} has a token and a token file")

    def _refused(self, why: str) -> click.ClickException:
        return click.ClickException(f"{str(self.path)!r} cannot be used: {why}.")
