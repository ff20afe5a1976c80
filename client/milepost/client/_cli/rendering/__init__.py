"""Output of jobs and events: drawn on a terminal, as plain text, and as JSON."""
