"""The log of many nodes: a NATS JetStream stream, and beside each node a projection of it that is read from.

``records.py`` is what a message holds, ``stream.py`` the stream's settings and its identity, ``link.py`` the
connection, ``lanes.py`` how commits get into the stream, ``follower.py`` how they come out of it in order,
``projection.py`` and ``applying.py`` how they get into the node's own SQLite, and ``log.py`` puts it together.
"""
