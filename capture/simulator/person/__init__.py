"""The simulated person: shape, skin, expression and movement."""
