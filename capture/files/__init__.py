"""Recorded sessions: videos, pictures, recordings and their sidecars."""
