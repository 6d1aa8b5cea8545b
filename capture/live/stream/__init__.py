"""MJPEG over HTTP."""
