"""A recording of several tracks becomes a transcript: one pipeline, under each engine."""
