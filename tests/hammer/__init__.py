"""Many people at the same resources, and an independent count of what comes of it. `make hammer` runs it long."""
