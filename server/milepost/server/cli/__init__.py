"""The commands that the server adds to `milepost`: `serve` and `migrate`."""
