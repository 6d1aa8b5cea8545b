"""The screen: light for the face, guidance for the person, and the times of its flips."""
