"""Measurements beside their peers, in one run: ``python -m bench``."""
