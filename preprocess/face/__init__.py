"""A face in a frame: landmarks, target rectangle, pose."""
