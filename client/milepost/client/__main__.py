"""``python -m milepost.client`` is the command `milepost`."""

from milepost.client.cli import main

if __name__ == "__main__":
    main()
