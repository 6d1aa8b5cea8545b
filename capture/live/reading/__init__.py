"""The reader thread: which frames are new, and when each was taken."""
