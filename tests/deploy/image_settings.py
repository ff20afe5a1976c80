"""What the image and the manifests say, and the secrets that they name."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.support.authority import LOOPBACK, Authority, chain_of
from tests.support.replacing import replace
from tests.support.token_files import Tokens

__all__ = ["DEPLOY", "DOCKERFILE", "image_environment", "image_health_check", "secrets"]


DEPLOY = Path(__file__).parents[2] / "deploy"


DOCKERFILE = DEPLOY.parent / "Dockerfile"


def secrets(directory: Path, authority: Authority) -> str:
    """Put what the secrets hold into a directory; return the token of an administrator."""
    directory.mkdir()
    issued = authority.issue(LOOPBACK)
    replace(directory / "tls.crt", chain_of(issued))
    replace(directory / "tls.key", issued.private_key_pem.bytes())
    replace(directory / "ca.crt", authority.pem)
    return Tokens(directory / "tokens.toml").add("me", ["*"], "admin")


def image_environment() -> dict[str, str]:
    """The settings of the image."""
    return dict(re.findall(r"(MILEPOST_\w+)=(\S+)", DOCKERFILE.read_text()))


def image_health_check() -> list[str]:
    """The command of the image's health check."""
    (command,) = re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", DOCKERFILE.read_text())
    found: list[str] = yaml.safe_load(command)
    return found
