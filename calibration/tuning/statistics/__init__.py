"""Conformal limits, intervals and trade-off curves."""
