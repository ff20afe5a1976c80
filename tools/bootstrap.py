"""Bring `.venv` in line with `uv.lock`, given nothing but a Python.

uv itself is a development dependency, locked like the rest. Where `.venv` does not have it yet, its wheel is
fetched as the lock names it, checked against the hash in the lock, and used once from a temporary directory.
No pip, no ensurepip and no other uv are needed, and none of them is asked: there is one way only to set up.
"""

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
SETTINGS = {
    "UV_PROJECT_ENVIRONMENT": str(ROOT / ".venv"),
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_SYSTEM_CERTS": "true",
}


def main() -> None:
    """Sync `.venv` with the lock, using the Python that runs this script."""
    with tempfile.TemporaryDirectory() as directory:
        uv = UV if UV.exists() else fetch_uv(Path(directory))
        subprocess.run(
            [uv, "sync", "--frozen", "--python", sys.executable],
            cwd=ROOT,
            env=os.environ | SETTINGS,
            check=True,
        )


def fetch_uv(directory: Path) -> Path:
    """Put the locked uv into the directory and return its path."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    package = next(package for package in lock["package"] if package["name"] == "uv")
    wheel = choose_wheel(package["wheels"])
    print(f"Fetching uv {package['version']}", flush=True)
    with urllib.request.urlopen(wheel["url"], timeout=60) as response:
        content = response.read()
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != wheel["hash"]:
        sys.exit(f"{wheel['url']} does not have the hash that uv.lock gives")
    archive = directory / "uv.whl"
    archive.write_bytes(content)
    with zipfile.ZipFile(archive) as files:
        member = next(name for name in files.namelist() if name.endswith(".data/scripts/uv"))
        uv = Path(files.extract(member, directory))
    uv.chmod(0o755)
    return uv


def choose_wheel(wheels: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the wheel for this machine."""
    if sys.platform == "darwin":
        system = "macosx_"
    else:
        system = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    for wheel in wheels:
        tag = wheel["url"].rpartition("-")[2]
        if system in tag and tag.endswith(f"_{platform.machine()}.whl"):
            return wheel
    sys.exit(f"uv.lock has no uv for {system.rstrip('_')} on {platform.machine()}")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
