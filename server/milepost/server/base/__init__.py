"""What every other part of the server stands on: time, refusals, and versions of files."""
