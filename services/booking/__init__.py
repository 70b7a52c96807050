"""How resources can be booked, and the life of every booking."""
