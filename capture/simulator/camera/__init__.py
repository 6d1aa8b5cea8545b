"""The simulated camera: exposures, sensor and delivery."""
