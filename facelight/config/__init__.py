"""Settings with their origin, profiles in force, logging."""
