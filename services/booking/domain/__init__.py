"""The rules of booking: plain Python, no I/O, no clock read, no ids made inside."""
