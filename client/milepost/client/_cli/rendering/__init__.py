"""What people and programs see of jobs and their events: on a terminal, as plain text, and as JSON."""
