"""The spool: undelivered reports on disk, until a server has acknowledged them."""
