"""A table in parts: parallel, resumable, byte-exact."""
