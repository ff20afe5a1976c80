"""The files of TLS: checked, read again when they change, and given to both ports."""
