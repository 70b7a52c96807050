"""`make demo`: two linked cooperatives on this machine, with sample data, and the main job played on the terminal."""
