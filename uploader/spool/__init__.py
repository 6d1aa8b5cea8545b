"""Submissions kept on disk until they are delivered, and the worker that delivers them."""
