"""The service's operations: detection, sessions, audit; the only field names of the wire."""
