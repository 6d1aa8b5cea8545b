"""A profile at work: its lag for the labels, and only with the camera it was measured on."""

from __future__ import annotations

from calibration.profile import read_profile, require_camera
from capture.files.source import SessionSource, SourceKind
from capture.light.timeline import Timeline
from facelight.config.settings import Settings


def require_profiled(settings: Settings, camera_id: str) -> None:
    """Refuse to go on with a profile of another camera.

    Raises
    ------
    calibration.errors.ProfileError
        names both cameras and the cure.
    """
    if settings.profile is None:
        return
    require_camera(
        read_profile(settings.profile),
        settings.profile,
        camera_id,
        any_camera=settings.profile_any_camera,
    )


def timeline_in_force(source: SessionSource, settings: Settings) -> Timeline | None:
    """Return the light of a recorded session, with the profile's lag where there is a profile.

    A recording names its camera, so another camera's profile is refused; a plain video does not.

    Raises
    ------
    calibration.errors.ProfileError
        the recording is of another camera.
    """
    timeline = source.timeline
    if timeline is None or settings.profile is None:
        return timeline
    if source.kind is SourceKind.RECORDING:
        require_profiled(settings, source.camera.info.id)
    return Timeline(timeline.flips, settings.timing.timing(), timeline.end_ns)
