"""Webcams: OpenCV's backends, V4L2, and the controls that are locked for the light."""
