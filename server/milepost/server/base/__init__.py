"""What every other part of the server stands on: time, refusals, repeated work, and versions of files."""
