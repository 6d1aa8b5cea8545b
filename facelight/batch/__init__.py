"""Recorded sessions in, output directories and a summary out."""
