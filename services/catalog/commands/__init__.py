"""Use cases that change things; each runs in the caller's transaction."""
