"""What the simulated camera looks at, and the screen that lights it."""
