"""The durable log: the only truth there is about jobs. Everything else is a fold of it.

``event_log.py`` says what a log is, ``sqlite.py`` keeps one in a directory, ``frames.py`` is the form that its events
are kept in.
"""
