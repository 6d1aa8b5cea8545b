"""``python -m capture.simulator sim:... --out DIR``: look at a simulated session.

Writes every frame of a short session of colours as PNG, and ``truth.csv``.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from capture.errors import CaptureError
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, IlluminationPlan, Slot
from capture.simulator.planned_session import simulate
from capture.simulator.sim_spec import parse_spec

PREVIEW_PLAN = IlluminationPlan(
    (
        Slot(None, NEUTRAL_RGB, 400.0),
        *(Slot(name, PRIMARIES[name], 400.0) for name in ("Red", "Green", "Blue")),
        Slot(None, NEUTRAL_RGB, 200.0),
    )
)


def main(arguments: list[str] | None = None) -> int:
    """Write the preview; 0 when done, 1 when the specification cannot be simulated."""
    parser = argparse.ArgumentParser("capture.simulator", description=__doc__)
    parser.add_argument("spec", nargs="?", default="sim:", help="camera specification")
    parser.add_argument("--out", type=Path, required=True, help="folder for frames and truth.csv")
    chosen = parser.parse_args(arguments)
    try:
        count = preview(chosen.spec, chosen.out)
    except CaptureError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{count} frames in {chosen.out}\n")
    return 0


def preview(spec: str, out: Path) -> int:
    """Write the frames and the truth of a session; return how many frames."""
    import cv2  # noqa: PLC0415

    camera = simulate(PREVIEW_PLAN, parse_spec(spec)).camera
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with (out / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["seq", "t_ms", "label", "colour", "people", "yaw", "pitch", "roll"])
        while (frame := camera.read()) is not None:
            cv2.imwrite(str(out / f"{frame.seq:04d}.png"), frame.pixels)
            true = camera.truth(frame.seq)
            angles = (
                (true.pose.yaw_deg, true.pose.pitch_deg, true.pose.roll_deg) if true.pose else ()
            )
            t_ms = f"{frame.t_frame_ns / 1e6:.3f}"
            label = true.label
            shown = (f"{angle:.2f}" for angle in angles)
            rows.writerow([frame.seq, t_ms, label.kind, label.colour or "", true.people, *shown])
            count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
