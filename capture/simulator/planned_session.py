"""A whole simulated session from a plan: the flips are planned first, the frames follow."""

from __future__ import annotations

from dataclasses import dataclass, replace

from capture.clock import VirtualClock
from capture.light.illumination import Flip, IlluminationPlan
from capture.light.timeline import Timeline, Timing
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.lighting import SimulatedScreenOptions
from capture.simulator.options import CameraOptions, SimulatorOptions
from capture.simulator.scene.simulated_screen import FlipHistory, SimulatedScreen


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """A camera that ends with its plan, and the timeline that labels its frames."""

    camera: SimulatedCamera
    timeline: Timeline


def true_timing(camera: CameraOptions, screen: SimulatedScreenOptions) -> Timing:
    """Return the timing that a perfect calibration of the simulated kiosk would find."""
    return Timing(
        latency_ns=round(camera.latency_ms * 1e6),
        latency_uncertainty_ns=round(3e6 * camera.stamp_jitter_ms),
        exposure_ns=round(camera.exposure_ms * 1e6),
        readout_ns=round(camera.readout_ms * 1e6),
        scanout_ns=round(screen.scan_ms * 1e6),
        settle_ns=round(3e6 * screen.lcd_tau_ms),
    )


def step_latency_ns(camera: CameraOptions, screen: SimulatedScreenOptions) -> int:
    """Return the lag that a correlation or a step measurement finds.

    To the latency, which counts from the first light of a flip, it adds half the scan-out and the
    panel's time constant: the centre of the change.
    """
    return round(1e6 * (camera.latency_ms + screen.scan_ms / 2 + screen.lcd_tau_ms))


def plan_flips(plan: IlluminationPlan, screen: SimulatedScreen, start_ns: int) -> list[Flip]:
    """Return the flips of a plan that starts after ``start_ns``, each on a refresh."""
    flips: list[Flip] = []
    due_ns = float(start_ns)
    for slot in plan.slots:
        flips.append(Flip(screen.next_refresh_ns(int(due_ns)), slot.colour, slot.rgb))
        due_ns = flips[-1].t_ns + slot.dwell_ms * 1e6 - 1e9 / screen.options.refresh_hz / 2
    return flips


def simulate(
    plan: IlluminationPlan, options: SimulatorOptions, seed: int | None = None
) -> SimulatedSession:
    """Return a camera that sees ``plan`` shown, on a clock of its own that starts at 0.

    The camera settles on the person and locks first, as a kiosk does; ``read`` returns None once
    the plan is over. ``seed`` replaces that of ``options``.
    """
    if seed is not None:
        options = replace(options, seed=seed)
    clock = VirtualClock()
    flips = plan_flips(plan, SimulatedScreen(clock, options.screen), 0)
    if options.duration_s == 0:
        options = replace(options, duration_s=plan.duration_ms / 1e3)
    camera = SimulatedCamera(options, clock, FlipHistory(flips))
    camera.settle()
    camera.lock()
    ends_ns = flips[-1].t_ns + round(plan.slots[-1].dwell_ms * 1e6) if flips else None
    timeline = Timeline(flips, true_timing(options.camera, options.screen), ends_ns)
    return SimulatedSession(camera, timeline)
