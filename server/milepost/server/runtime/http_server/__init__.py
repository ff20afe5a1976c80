"""The port of HTTP: uvicorn in the server's event loop, and what bounds its connections."""
