"""The audit log: what a leaf is made of, and how it is hashed (RFC 9162)."""
