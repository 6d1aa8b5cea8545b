"""What the local service makes of a request: files, faces, quality, light."""
