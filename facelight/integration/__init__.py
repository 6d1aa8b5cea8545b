"""What a program of somebody else's calls; offered lazily by ``facelight`` itself."""
