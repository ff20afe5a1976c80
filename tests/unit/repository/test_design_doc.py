"""The design describes the code as it is: its folders, its files, and the functions of its walks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.repository.sources import PACKAGES, ROOT, Definitions

DESIGN = ROOT / "docs" / "design.md"
TEXT = re.sub(r"```.*?```", "", DESIGN.read_text(), flags=re.DOTALL)


def is_ours(path: Path) -> bool:
    """Whether the file is in no directory that tools make."""
    parts = path.relative_to(ROOT).parts
    return not {"node_modules", "build", "dist"} & set(parts) and not any(
        part.startswith(".") for part in parts
    )


PATTERNS = ("*.md", "docs/**/*.md", "*/README.md", "*/*/README.md", "tests/contract/vectors/README.md")

DOCUMENTS = sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern) if is_ours(path)})
"""Of the repository alone: other directories, such as pytest's, may come while the workers of pytest collect tests."""


OWN_CODE = TEXT.partition("## Where Milepost reaches into libraries")[0]
"""The sections whose names are Milepost's own; the last one names what libraries define."""


def code_words() -> Iterator[str]:
    """The words in code style that name something in Python or in the contract."""
    for word in re.findall(r"`([^`\n]+)`", OWN_CODE):
        is_path = "/" in word or re.search(r"\.(py|json|db)$", word)
        if re.fullmatch(r"[A-Za-z_][\w.]*", word) and not is_path:
            yield word


def in_a_walk(word: str) -> bool:
    """Whether the word can only be a function or a class of the code."""
    return "." in word or word.startswith("_") or bool(re.fullmatch(r"(?:[A-Z][a-z]+)+", word))


FOREIGN = {"milepost.v1.WorkerService"}
"""Words of that form that name something else: a service by its full name."""


def test_each_function_and_class_that_the_design_names_exists() -> None:
    """`Class.method`, `module.function`, `_private` and `ClassName` are defined in the sources or in the contract."""
    definitions = Definitions()
    named = {word for word in code_words() if in_a_walk(word)} - FOREIGN

    assert len(named) > 20
    assert sorted(word for word in named if not definitions.has(word)) == []


@pytest.mark.parametrize("package", ["server", "client", "web"])
def test_the_listing_has_each_folder_and_no_other(package: str) -> None:
    """A folder of the package is in the table of its folders, and each folder of the table exists."""
    table = TEXT.partition(f"| folder of `{package}/milepost/{package}`")[2].partition("\n\n")[0]
    listed = {word.strip("/") for word in re.findall(r"`([\w/]+)/`", table)}
    present = {path.name for path in PACKAGES[package].iterdir() if (path / "__init__.py").exists()}

    assert present - listed == set()
    files = {path.relative_to(PACKAGES[package]).as_posix() for path in PACKAGES[package].rglob("*")}
    names = {Path(name).name for name in files}
    assert {name for name in listed if Path(name).name not in names} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    """A relative link leads to a file or directory, and one that is labelled as a file leads to that file."""
    links = re.findall(r"\[([^\]]*)\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    relative = [(label, target) for label, target in links if "://" not in target and ":" not in target]
    missing = [target for _, target in relative if not (document.parent / target).exists()]
    mislabelled = [
        (label, target)
        for label, target in relative
        if re.fullmatch(r"`?[\w.]+\.(py|md|proto)`?", label) and Path(target).name != label.strip("`")
    ]

    assert missing == []
    assert mislabelled == []


def headings(document: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_headings(document: Path) -> None:
    """A link to a part of a document leads to one of its headings."""
    links = re.findall(r"\]\(([^)\s#]*\.md)?#([^)\s]+)\)", document.read_text())
    missing = [
        (target, anchor)
        for target, anchor in links
        if anchor not in headings(document.parent / target if target else document)
    ]

    assert missing == []


def prose(document: Path) -> list[str]:
    """Its lines without tables and blocks of code."""
    text = re.sub(r"^ *```.*?^ *```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    return [line for line in text.splitlines() if not line.lstrip().startswith("|")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_is_wrapped(document: Path) -> None:
    """At 120 columns, with room for an edit that leaves the rest of its paragraph as it is."""
    assert [line for line in prose(document) if len(line) > 130] == []


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_decisions_are_numbered_one_after_the_other() -> None:
    """A number names one decision: two of the same number come from two branches, and one of them has to move."""
    numbers = [int(path.name[:4]) for path in DECISIONS]

    assert numbers == list(range(1, len(numbers) + 1))


def test_the_index_has_each_decision_once() -> None:
    """A new decision needs a line in the index, under its subject."""
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    listed = re.findall(r"^- \[(\d{4})\]\((.+?)\): ", index, re.MULTILINE)

    assert sorted(listed) == [(path.name[:4], path.name) for path in DECISIONS]


def test_the_index_leads_to_each_document() -> None:
    """A new document needs a question that it answers."""
    index = (ROOT / "docs" / "README.md").read_text()
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)[#)]", index))

    assert {path.name for path in (ROOT / "docs").glob("*.md")} - linked == {"README.md"}
