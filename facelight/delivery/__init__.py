"""From a clip to the service: payload, client and credentials."""
