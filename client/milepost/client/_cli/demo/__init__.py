"""What `milepost demo` is made of: a server, a worker and a relay that cuts the connection, and an audit of it."""
