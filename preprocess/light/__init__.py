"""The light that the screen throws on a face, measured in the frames: quality control only."""
