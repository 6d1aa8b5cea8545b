"""facelight."""
