"""The Python of the docs passes a strict type checker, as written."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[3]

APPLICATION: Final = (
    "from fastapi import FastAPI\nfrom milepost.client import Client\napp = FastAPI()\nclient = Client()\n"
)
JOB: Final = "from milepost.client import Client, JobContext, JobFailure, Worker\nworker = Worker()\n"


class Fragment(NamedTuple):
    """A block that is no program.

    Attributes:
        before: The lines that it assumes before it.
        in_function: Whether it stands in a function, so that it may await and return.
    """

    before: str = ""
    in_function: bool = False


# By a part of the block.
ASSUMED: Final[dict[str, Fragment]] = {
    '"user" in request.session': Fragment(APPLICATION),
    "milepost_app(Client(": Fragment(
        f"from milepost.web import ClientCall\n{APPLICATION}"
        "def authorize(request: object, call: ClientCall) -> bool: return False\n"
    ),
    "milepost.internal:7070": Fragment(APPLICATION),
    "event_response(": Fragment(f"from starlette.requests import Request\n{APPLICATION}"),
    "estimate.remaining_p50": Fragment(
        "from datetime import UTC\nfrom milepost.client import Client\nclient: Client\njob_id: str\n", True
    ),
    "pipeline.run_child(": Fragment("def recognise(page: int) -> str: return ''\n"),
    "if is_shadow(job):": Fragment(
        "from milepost.client import JobContext\njob: JobContext\nbody: str\ndef send(body: str) -> None: ...\n"
    ),
    "instance=task.id": Fragment(
        "from examples.recipes.pages import convert\nfrom milepost.client import Cancelled, SyncClient\n"
        "from milepost.client.errors import JobEndedError\n"
        "class task:\n    id: str\njob_id: str\n",
        True,
    ),
    "native.render(": Fragment(
        f"{JOB}from typing import Any, Callable\n"
        "class native:\n    @staticmethod\n    def render(scene: Any, on_frame: Callable[[], None]) -> None: ...\n"
    ),
    "requests.post(": Fragment(f"{JOB}from pathlib import Path\nimport requests\n"),
    "await convert(page)": Fragment(
        "from milepost.client import Client\nclient: Client\npages: list[str]\n"
        "async def convert(page: str) -> None: ...\n",
        True,
    ),
    "typed_event(event)": Fragment(
        "from examples.multitrack import multitrack_events_pb2 as events\n"
        "from examples.multitrack.typed_events import typed_event\n"
        "from milepost.client import JobContext, Watch\njob: JobContext\nwatch: Watch\n",
        True,
    ),
}
# Packages that this project does not install; what a decorated function returns is unknown to a type checker.
STUBS: Final = {
    "prefect": "from collections.abc import Callable\nfrom typing import Any\n"
    "def flow(function: Callable[..., object]) -> Callable[..., Any]: ...\n"
    "def task(**options: object) -> Callable[[Callable[..., object]], Callable[..., Any]]: ...\n"
    "runtime: Any\n",
    "requests": "def post(*arguments: object) -> None: ...\n",
}
MODULES: Final = {"hatchet.worker(": "worker", "from worker import": "order"}

DOCUMENTS: Final = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("*/README.md"),
        *ROOT.glob("examples/*/README.md"),
    )
    if "\n```python\n" in path.read_text() and path.name != "CHANGELOG.md"
)
GROUPS: Final = [[name for name in DOCUMENTS if name != "docs/celery.md"], ["docs/celery.md"]]
"""Modules of the same name are in different groups."""


def blocks(document: str) -> list[str]:
    """The blocks of Python in a document."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(), re.DOTALL | re.MULTILINE)


def modules(document: str) -> dict[str, str]:
    """The blocks of a document as modules."""
    found = {}
    for number, block in enumerate(blocks(document)):
        name = re.match(r"# (\w+)\.py\n", block)
        before, in_function = next((ASSUMED[part] for part in ASSUMED if part in block), Fragment())
        body = f"async def example() -> None:\n{textwrap.indent(block, '    ')}" if in_function else block
        stem = next((MODULES[part] for part in MODULES if part in block), None)
        stem = stem or re.sub(r"\W", "_", f"{document}_{number}")
        found[name[1] if name else stem] = f"{before}{body}"
    return found


def test_every_fragment_is_there() -> None:
    """What this file says of a block is of one that the documents have."""
    texts = [block for document in DOCUMENTS for block in blocks(document)]
    assert {part: sum(part in text for text in texts) for part in (*ASSUMED, *MODULES)} == dict.fromkeys(
        (*ASSUMED, *MODULES), 1
    )


def test_examples_pass_a_strict_type_checker(tmp_path: Path) -> None:
    """With what they assume declared before them."""
    for number, documents in enumerate(GROUPS):
        directory = tmp_path / str(number)
        directory.mkdir()
        sources = {name: text for document in documents for name, text in modules(document).items()}
        for name, text in sources.items():
            (directory / f"{name}.py").write_text(text)
        for name, text in STUBS.items():
            (directory / f"{name}.pyi").write_text(text)
        checked = subprocess.run(
            [
                sys.executable,
                "-m",
                "mypy",
                "--strict",
                "--cache-dir",
                tmp_path / "cache",
                *(f"{name}.py" for name in sources),
            ],
            capture_output=True,
            text=True,
            cwd=directory,
            env={"MYPYPATH": str(ROOT)},
            check=False,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
