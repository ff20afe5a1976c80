"""A server that cannot serve yet logs that, and can be stopped."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.command import environment
from tests.support.ports import free_port
from tests.support.server import MILEPOST


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_waits_for_nats_can_be_stopped(tmp_path: Path, number: signal.Signals) -> None:
    """It stops like any other, without having been ready; it has logged what it waits for."""
    store = f"nats://127.0.0.1:{free_port()}"
    command = [str(MILEPOST), "serve", "--address", "127.0.0.1:0", "--data", str(tmp_path / "data")]
    command += ["--store", store]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(None)
    ) as process:
        try:
            assert process.stderr is not None
            lines = (json.loads(line) for line in process.stderr)
            waiting = next(line for line in lines if line["event"] == "waiting for NATS before serving")
            process.send_signal(number)
            out, _ = process.communicate()
        finally:
            process.kill()

    assert store == waiting["store"]
    assert (process.returncode, out) == (0, "")
