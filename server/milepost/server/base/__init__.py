"""What all of the server stands on: time, failpoints, refusals, field checks, and the encoding of events."""
