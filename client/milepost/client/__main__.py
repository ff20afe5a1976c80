"""The `milepost` command, as installed and as ``python -m milepost.client``.

The packages that only the command needs are an extra of `milepost-client`; without them the command prints how to
install them.
"""

import importlib.util
import sys
from typing import Final

__all__ = ["main"]

# Packages of the extra `cli` of milepost-client.
_REQUIRED_PACKAGES: Final = ("click", "rich", "structlog")
_USAGE_ERROR: Final = 2
_INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line of this process, and exit."""
    if missing := [name for name in _REQUIRED_PACKAGES if importlib.util.find_spec(name) is None]:
        sys.exit(_print_missing(missing))
    try:
        from milepost.client._cli.main import main as run

        run()
    except KeyboardInterrupt:  # while modules are imported; a command that runs handles Ctrl-C itself
        sys.exit(_INTERRUPTED)


def _print_missing(missing: list[str]) -> int:
    print(
        f"Error: The milepost command needs {', '.join(missing)}, which milepost-client does not bring by itself. "
        "Install it with: pip install 'milepost-client[cli]' (or milepost-server, which has the server too).",
        file=sys.stderr,
    )
    return _USAGE_ERROR


if __name__ == "__main__":
    main()
