"""The control port: a program beside the kiosk starts, watches and cancels sessions over HTTP."""
