"""The screen: light for the face, guidance for the person, and the times of its flips."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # its banner goes to stdout, as data do
