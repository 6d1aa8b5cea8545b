"""The local service: speaks the contract on loopback, and is no liveness detector."""
