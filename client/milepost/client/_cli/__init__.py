"""The `milepost` command."""
