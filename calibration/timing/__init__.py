"""The delay of a kiosk from the steps of its screen."""
