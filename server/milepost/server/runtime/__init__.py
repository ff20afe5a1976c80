"""Start and stop of the server, assembly of its parts, and what all parts need: clock, tasks, timestamps."""
