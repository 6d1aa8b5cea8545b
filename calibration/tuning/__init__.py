"""Thresholds from labelled material: measured, split by subject, tuned, reported."""
