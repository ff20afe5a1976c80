"""The durable event log: the source of truth about jobs. Everything else is a fold of it.

``event_log.py`` defines the interface, ``sqlite/`` implements it in a directory, ``jetstream/`` in a NATS
stream that many nodes share; ``store.py`` opens either. ``frames.py`` is the encoding of stored events.
"""
