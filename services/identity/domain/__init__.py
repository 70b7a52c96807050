"""The rules of identity: plain Python, no I/O, no clock, no ids made inside."""
