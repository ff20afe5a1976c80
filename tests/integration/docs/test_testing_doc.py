"""The examples of docs/testing.md, as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DOC = Path(__file__).parents[3] / "docs" / "testing.md"
# Without it, pytest-asyncio warns.
OPTIONS = ("-o", "asyncio_default_fixture_loop_scope=function")


def test_examples(tmp_path: Path) -> None:
    """All examples pass under pytest."""
    blocks = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", DOC.read_text(), re.DOTALL | re.MULTILINE)
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *OPTIONS, tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "7 passed" in run.stdout, run.stdout + run.stderr
