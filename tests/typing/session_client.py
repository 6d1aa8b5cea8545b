"""A camera class of one's own -> session -> an HTTP sender of one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

import facelight


class TurnedCamera:
    """Frames of a file, turned twice, as those of a camera of one's own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[facelight.Frame]:
        with facelight.open_source(self.path) as source:
            for frame in facelight.frames_of(source.camera):
                turned = frame.pixels[::-1, ::-1][::-1, ::-1]
                yield facelight.Frame(frame.seq, frame.t_frame_ns, frame.t_frame_ns, turned)


def main(folder: Path, service: str) -> str:
    """Return what the service decided."""
    session = facelight.run_session(TurnedCamera(folder / "session.mkv"))
    if session.clip is None:
        return f"rejected: {', '.join(session.reasons)} {session.detail}"
    submission = facelight.submission_of(session.clip, facelight.Origin(provenance="simulated"))
    answer = httpx.post(
        f"{service}/face/v1.1-preview.1/detectLiveness/singleModal",
        content=submission.body,
        headers={"content-type": submission.content_type, "Ocp-Apim-Subscription-Key": "local"},
    )
    return str(answer.json())


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2]))
