"""nginx in front of a server, with its default settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.ports import free_port, give_back

_CONFIGURATION = """
error_log {directory}/error.log;
pid {directory}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location = /ready {{ return 200; }}
        location / {{ proxy_pass {upstream}; }}
        location /milepost/ {{ proxy_pass {upstream}/; }}
        location /named/ {{ proxy_set_header Host $http_host; proxy_pass {upstream}/; }}
    }}
}}
"""


@contextmanager
def nginx(directory: Path, upstream: str) -> Iterator[str]:
    """Run nginx as a proxy of ``upstream``, at the root and below ``/milepost/``; yield its URL.

    Below ``/named/`` it passes on the name and the port that clients call it by.

    Without nginx the test is skipped, except in CI (REQUIRE_NGINX), where it fails.
    """
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None and not os.environ.get("REQUIRE_NGINX"):
        pytest.skip("nginx is not installed: Debian has it as nginx-light")
    assert program is not None, "nginx is not installed"
    port = free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(directory=directory, port=port, upstream=upstream))
    files = ["-p", str(directory), "-e", str(directory / "error.log"), "-c", str(configuration)]
    command = [program, *files, "-g", "daemon off;"]
    with subprocess.Popen(command) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/ready", process)
            yield url
        finally:
            process.terminate()
    give_back(port)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            urlopen(url, timeout=120).close()
        except OSError:
            assert process.poll() is None, "nginx did not start"
            assert time.monotonic() < until, "nginx does not answer"
            time.sleep(0.05)
        else:
            return
