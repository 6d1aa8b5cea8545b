"""The FaceMesh adapter (mediapipe)."""
