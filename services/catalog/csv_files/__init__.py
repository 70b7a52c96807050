"""Offers and needs as CSV: reading, checking, writing. No I/O."""
