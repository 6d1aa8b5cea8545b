"""The session as a pure state machine."""
