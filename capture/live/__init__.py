"""Cameras that run by themselves: webcams, MJPEG streams, and files played at their own pace."""
