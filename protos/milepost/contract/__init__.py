"""The contract beyond its messages, shared by server and client.

``limits`` has the bounds of fields, ``job_states`` the groups of states, ``reasons`` the names of error reasons,
``status_codes`` the gRPC status of each reason; ``durations`` parses durations that people write, ``printable`` escapes
text for terminals, ``private_files`` restricts files to their owner, ``message_json`` writes messages as JSON,
``comments`` reads the comments of the protos, ``sized_cache`` is a cache that is bounded in bytes.
"""
