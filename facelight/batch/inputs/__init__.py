"""What was named on the command line, as single inputs."""
