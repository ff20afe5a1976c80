"""The log of many nodes: a NATS JetStream stream, and on each node a local SQLite projection of it for reading.

``records.py`` encodes messages, ``stream.py`` has the stream's settings and identity, ``nats_connection.py`` the
connection. ``job_publisher.py`` publishes commits and ``drop_publisher.py`` drops; ``ordered_consumer.py`` receives all
messages in order; ``projection.py`` and ``applier.py`` apply them to SQLite. ``jetstream_log.py`` assembles the parts.
"""
