"""What is in the wheels and source distributions."""

from __future__ import annotations

import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.installed.conftest import ROOT

pytestmark = pytest.mark.installed

MEMBERS = {
    "all": "milepost",
    "client": "milepost_client",
    "protos": "milepost_protos",
    "server": "milepost_server",
    "web": "milepost_web",
}


def project(member: str) -> dict[str, Any]:
    """The `project` table of the member's `pyproject.toml`."""
    found: dict[str, Any] = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
    return found


def tracked(member: str) -> set[str]:
    """The files of the package, as git knows them, from the member's directory."""
    listed = subprocess.run(
        ["git", "ls-files", "milepost"], cwd=ROOT / member, capture_output=True, text=True, check=True
    )
    return set(listed.stdout.splitlines())


def test_there_is_a_wheel_and_a_source_distribution_of_each(dist: Path) -> None:
    """There is no other file."""
    assert sorted(path.name for path in dist.iterdir() if path.name != ".gitignore") == sorted(
        f"{name}-{project(member)['version']}{suffix}"
        for member, name in MEMBERS.items()
        for suffix in (".tar.gz", "-py3-none-any.whl")
    )


@pytest.mark.parametrize("member", MEMBERS)
def test_a_wheel_has_every_file_of_its_package(dist: Path, member: str) -> None:
    """Protos, stubs and marks of types too; no two wheels have the same one."""
    (path,) = dist.glob(f"{MEMBERS[member]}-*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    info = {name for name in names if ".dist-info/" in name}

    assert names - info == tracked(member)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in info)


@pytest.mark.parametrize("member", MEMBERS)
def test_a_source_distribution_is_complete(dist: Path, member: str) -> None:
    """The package, its licence and its README."""
    (path,) = dist.glob(f"{MEMBERS[member]}-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isfile()}

    assert tracked(member) | {"LICENSE", "README.md", "pyproject.toml"} <= names


def test_distributions_require_each_other_at_the_same_version() -> None:
    """They are released together; older versions are not tested."""
    versions = {project(member)["version"] for member in MEMBERS}
    asked = {
        requirement.rpartition("==")[2]
        for member in MEMBERS
        for requirements in (
            project(member)["dependencies"],
            *project(member).get("optional-dependencies", {}).values(),
        )
        for requirement in requirements
        if requirement.startswith("milepost-")
    }

    assert len(versions) == 1
    assert asked == versions


@pytest.mark.parametrize("member", MEMBERS)
def test_the_licence_is_the_same_everywhere(member: str) -> None:
    """Each distribution includes it."""
    assert (ROOT / member / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
