"""Each planted bug is noticed by the tests that are there for it; see the README beside this file."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tests.mutants.mutants import ROOT, Mutant, all_mutants, copy_tree, missing_tests, run_tests

# What pytest exits with when tests ran and some of them failed; anything else is no verdict.
_TESTS_FAILED = 1


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, for the bugs."""
    copy = tmp_path_factory.mktemp("mutants") / "tree"
    copy_tree(copy)
    return copy


@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda mutant: mutant.name)
def test_a_mutant_is_up_to_date(mutant: Mutant, tmp_path: Path) -> None:
    """Its patch applies to the code as it is, what it makes of that is code, and the tests that it names exist."""
    for file in mutant.files:
        copy = tmp_path / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, copy)
    applied = mutant.apply(tmp_path)

    assert applied.stderr == ""
    for file in mutant.files:
        if file.endswith(".py"):
            ast.parse((tmp_path / file).read_text(), file)
    assert missing_tests(mutant, ROOT) == []


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda mutant: mutant.name)
def test_a_mutant_is_killed(mutant: Mutant, tree: Path) -> None:
    """Each of its tests passes without the bug, and fails with it."""
    sound = run_tests(tree, mutant.tests)
    assert sound.returncode == 0, sound.stdout

    assert mutant.apply(tree).stderr == ""
    try:
        planted = [run_tests(tree, (test,)) for test in mutant.tests]
    finally:
        assert mutant.apply(tree, "--reverse").stderr == ""

    for run in planted:
        assert run.returncode == _TESTS_FAILED, f"survived: {mutant.promise}\n{run.stdout}"
