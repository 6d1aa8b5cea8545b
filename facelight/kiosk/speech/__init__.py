"""For who cannot see the screen: guiding tones, and every caption spoken in the language chosen."""
