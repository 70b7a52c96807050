"""Use cases that change things. Each takes the session of a transaction that the edge has opened."""
