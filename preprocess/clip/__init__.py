"""Accepted frames into a clip: crop, selection, encoding, size budget."""
