"""Animated WebP: stills by Pillow, our own container, a strict reader, and the size budget."""
