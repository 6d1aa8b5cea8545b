"""A person who needs no photograph, lit by the screen and seen by a simulated camera."""
