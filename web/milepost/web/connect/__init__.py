"""The Connect protocol for JobService (https://connectrpc.com/docs/protocol): for clients in browsers, and for curl."""
