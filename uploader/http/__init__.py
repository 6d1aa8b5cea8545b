"""HTTP with one attempt a call: transport, credentials, answers and what they mean."""
