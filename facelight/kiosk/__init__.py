"""The kiosk: carries out what the session state machine asks for, and tells it what happens."""
