"""The event log in memory: for tests, and for nothing that must survive the process."""
