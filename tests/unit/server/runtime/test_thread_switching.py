"""How threads of the server take turns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SERVE = """
import sys
from milepost.server.cli import server_process

class Stop(Exception):
    pass

def stop(*arguments):
    raise Stop

server_process.LoopLag = stop
try:
    server_process.run(None)
except Stop:
    print(sys.getswitchinterval())
"""


def test_the_server_shortens_the_turns_of_threads(tmp_path: Path) -> None:
    """Before its event loop begins."""
    served = subprocess.run(
        [sys.executable, "-c", _SERVE], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert served.stdout == "0.0005\n"
