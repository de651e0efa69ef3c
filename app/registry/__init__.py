"""IMPURE: the admin registry: a client for the operator, and the server itself."""
