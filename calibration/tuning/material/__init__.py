"""Labelled material: read, measured, kept."""
