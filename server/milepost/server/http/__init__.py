"""HTTP: the application of ``milepost.web`` over the server's own services, and the port that it is served at."""
