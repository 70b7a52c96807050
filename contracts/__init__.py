"""What services say to each other, and cooperatives to their peers: data only, no behaviour."""
