"""A series of samples fitted to the plan: slots, delay, exposure, labels, flips."""
