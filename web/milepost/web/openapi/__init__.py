"""What REST and the streams are, for programs: OpenAPI 3.1, made from the protos and the table of routes."""
