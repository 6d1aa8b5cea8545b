"""The bytes of a video file around its frames: checked structure and exact times."""
