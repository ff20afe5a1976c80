"""The event log in an embedded SQLite database: one writer thread, a pool of readers."""
