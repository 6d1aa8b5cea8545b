"""What a command does, where that is not a room of its own."""
