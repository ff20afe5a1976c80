"""The connection to a server: channel, fork safety, backoff, error mapping."""
