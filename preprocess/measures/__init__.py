"""What can be measured of a face in a frame, in native units, as pure functions by family."""
