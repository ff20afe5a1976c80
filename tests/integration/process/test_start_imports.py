"""What a server imports as it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_server_starts_without_rich(tmp_path: Path) -> None:
    """Structlog would import it, and what it needs, for tracebacks on terminals, which the server writes plainly."""
    serve = ["-m", "milepost.client", "serve", "--address", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-X", "importtime", *serve, "--data", tmp_path / "data"],
            stdout=subprocess.PIPE,
            stderr=log,
            env={name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")},
        ) as server,
    ):
        assert server.stdout is not None
        ready = server.stdout.readline()
        server.terminate()
    lines = (tmp_path / "log").read_text().splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines}

    assert ready
    assert {"structlog.dev", "rich.console", "pygments"} & imported == {"structlog.dev"}
