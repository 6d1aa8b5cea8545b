"""Face trackers: the protocol, and a room for each adapter."""
