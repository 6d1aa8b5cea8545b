"""The quality gate: measures and limits in, a verdict out."""
