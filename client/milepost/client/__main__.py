"""The command `milepost`, as it is installed, and as ``python -m milepost.client``.

The SDK comes without what the command needs, an extra of `milepost-client`. Without it the command says so.
"""

import importlib.util
import sys
from typing import Final

__all__ = ["main"]

# The extra `cli` of milepost-client.
_NEEDED: Final = ("click", "rich", "structlog")
_USAGE: Final = 2


def main() -> None:
    """Runs the command line of this process, and exits."""
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        sys.exit(_refuse(missing))
    from milepost.client._cli.main import main as run

    run()


def _refuse(missing: list[str]) -> int:
    print(
        f"Error: The milepost command needs {', '.join(missing)}, which milepost-client does not bring by itself. "
        "Install it with: pip install 'milepost-client[cli]' (or milepost-server, which has the server too).",
        file=sys.stderr,
    )
    return _USAGE


if __name__ == "__main__":
    main()
