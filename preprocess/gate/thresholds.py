"""The gate's limits as settings: an accept and a drop level for each measure, unit and source.

Between the two levels a frame may be submitted, but the live gate does not start on it. Drop levels
follow the service's contract, not what looks best: a good face turned away is a person standing
before a kiosk that does not work.
"""

from __future__ import annotations

from capture.options import option, options


@options
class Thresholds:
    """Accept and drop level of each measure, in the measure's own unit."""

    second_face_accept: float = option(
        0.25, unit="area ratio", low=0.0, high=1.0, why="own cut: a passer-by at twice the distance"
    )
    second_face_drop: float = option(
        0.4, unit="area ratio", low=0.0, high=1.0, why="own cut: from here on either may be meant"
    )
    cut_accept: float = option(
        0.01, unit="share of the face", low=0.0, high=1.0, why="the mesh's own error at the oval"
    )
    cut_drop: float = option(
        0.04, unit="share of the face", low=0.0, high=1.0, why="own cut: chin or cheek is missing"
    )
    face_side_accept_px: float = option(
        140.0, unit="px at 1920x1080", low=0.0, high=4000.0, why="drop level plus tracker noise"
    )
    face_side_drop_px: float = option(
        128.0, unit="px at 1920x1080", low=0.0, high=4000.0, why="service: detectable from 128x128"
    )
    ied_accept_px: float = option(
        64.0,
        unit="px",
        low=0.0,
        high=2000.0,
        why="service: 200 px of face go with 100 px between the eyes, so 128 px with 64",
    )
    ied_drop_px: float = option(
        50.0, unit="px", low=0.0, high=2000.0, why="a 128 px face on the mesh has 55: none below"
    )
    ied_best_px: float = option(
        100.0,
        unit="px",
        low=0.0,
        high=2000.0,
        why="service: best from 100 px; warns, never rejects",
    )
    pitch_zero_deg: float = option(
        0.0, unit="deg", low=-45.0, high=45.0, why="pitch of a frontal face on this installation"
    )
    yaw_accept_deg: float = option(15.0, unit="deg", low=0.0, high=90.0, why="LUNA ID accepts 15")
    yaw_drop_deg: float = option(25.0, unit="deg", low=0.0, high=90.0, why="LUNA ID rejects at 25")
    pitch_accept_deg: float = option(15.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    pitch_drop_deg: float = option(25.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    roll_accept_deg: float = option(15.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    roll_drop_deg: float = option(25.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    over_grey_accept: float = option(
        0.01, unit="share of the face", low=0.0, high=1.0, why="half the drop level"
    )
    over_grey_drop: float = option(
        0.02, unit="share of the face", low=0.0, high=1.0, why="more than glasses and sweat glint"
    )
    over_two_accept: float = option(
        0.01, unit="share of the face", low=0.0, high=1.0, why="half the drop level"
    )
    over_two_drop: float = option(
        0.02,
        unit="share of the face",
        low=0.0,
        high=1.0,
        why="measured: 161 ordinary photos stay below .015; two channels gone show no face",
    )
    over_any_accept: float = option(
        0.15, unit="share of the face", low=0.0, high=1.0, why="above 90 % of good photos"
    )
    over_any_drop: float = option(
        0.25,
        unit="share of the face",
        low=0.0,
        high=1.0,
        why="with bright highlights only: red clips on .3 to .5 under warm lamps, clearly seen",
    )
    over_any_warn: float = option(
        0.15,
        unit="share of the face",
        low=0.0,
        high=1.0,
        why="warns only: one channel alone carries no light signal any more",
    )
    highlight_accept_codes: float = option(
        230.0, unit="codes", low=0.0, high=255.0, why="drop level less frame-to-frame noise"
    )
    highlight_drop_codes: float = option(
        232.0,
        unit="codes",
        low=0.0,
        high=255.0,
        why="measured: red clipping alone 222 to 231, +1 EV of ordinary photos mostly above",
    )
    over_lit_accept: float = option(
        0.02,
        unit="share of the face",
        low=0.0,
        high=1.0,
        why="warns only: clipped skin carries no light signal",
    )
    frame_bright_accept_codes: float = option(
        138.0,
        unit="codes",
        low=0.0,
        high=255.0,
        why="white reads 139 at -2 EV: beyond any spot; the dimmest room at -.25 EV has 139",
    )
    frame_bright_drop_codes: float = option(
        128.0,
        unit="codes",
        low=0.0,
        high=255.0,
        why="measured: ordinary rooms at -.5 EV read 128 and more, whatever the skin; white itself "
        "103 at -3 EV",
    )
    contrast_accept_codes: float = option(
        95.0, unit="codes", low=0.0, high=255.0, why="drop level plus frame-to-frame noise"
    )
    contrast_drop_codes: float = option(
        90.0,
        unit="codes",
        low=0.0,
        high=255.0,
        why="only of dark faces in frames without a bright spot: faces at -3 EV read 50 to 74",
    )
    luminance_accept: float = option(
        0.13, unit="linear, 0..1", low=0.0, high=1.0, why="drop level plus frame-to-frame noise"
    )
    luminance_drop: float = option(
        0.12,
        unit="linear, 0..1",
        low=0.0,
        high=1.0,
        why="only with weak contrast and no bright spot: dark skin has this in any light",
    )
    snr_accept: float = option(
        4.0, unit="ratio", low=0.0, high=100.0, why="drop level plus frame-to-frame noise"
    )
    snr_drop: float = option(
        3.0,
        unit="ratio",
        low=0.0,
        high=100.0,
        why="measured: grainy but good photos go down to 3.4",
    )
    backlit_snr_accept: float = option(
        4.0, unit="ratio", low=0.0, high=100.0, why="as snr, in a frame with bright spots"
    )
    backlit_snr_drop: float = option(
        3.0, unit="ratio", low=0.0, high=100.0, why="as snr, in a frame with bright spots"
    )
    backlit_frame_codes: float = option(
        200.0, unit="codes", low=0.0, high=255.0, why="a window or a lamp behind the person"
    )
    backlit_luminance_accept: float = option(
        0.055, unit="linear, 0..1", low=0.0, high=1.0, why="drop level plus frame-to-frame noise"
    )
    backlit_luminance_drop: float = option(
        0.05,
        unit="linear, 0..1",
        low=0.0,
        high=1.0,
        why="only with dull eyes and nothing that shines: dark skin has this in any light",
    )
    backlit_face_accept_codes: float = option(
        105.0, unit="codes", low=0.0, high=255.0, why="drop level plus frame-to-frame noise"
    )
    backlit_face_drop_codes: float = option(
        100.0,
        unit="codes",
        low=0.0,
        high=255.0,
        why="measured: a face 3 stops below the room has nothing brighter than 73 to 101",
    )
    backlit_eyes_accept_codes: float = option(
        65.0, unit="codes", low=0.0, high=255.0, why="drop level plus frame-to-frame noise"
    )
    backlit_eyes_drop_codes: float = option(
        60.0,
        unit="codes",
        low=0.0,
        high=255.0,
        why="measured: whites of faces that dark read 70 and more in ordinary light at -.5 EV, "
        "whatever the skin; 60 in the median 3 stops below the room",
    )
    backlit_eyes_open_t: float = option(
        0.05,
        unit="eye-to-chin distances",
        low=0.0,
        high=1.0,
        why="between narrower lids hardly any white is seen",
    )
    eyes_contrast_accept: float = option(
        2.0,
        unit="ratio",
        low=1.0,
        high=100.0,
        why="warns only: opaque glasses read 1.1 to 1.4, open eyes 4.9, at -2 EV 3.1",
    )
    speed_accept_ied_s: float = option(
        0.5, unit="IED/s", low=0.0, high=100.0, why="1/60 s smears by .24 % IED, no measurable blur"
    )
    speed_drop_ied_s: float = option(
        0.8, unit="IED/s", low=0.0, high=100.0, why="1/30 s smears by .8 % IED: blur's drop level"
    )
    blur_accept_pct: float = option(
        1.4, unit="% of IED", low=0.0, high=20.0, why="measured: 98 % of good frames are below"
    )
    blur_drop_pct: float = option(
        1.55,
        unit="% of IED",
        low=0.0,
        high=20.0,
        why="measured: no defocus of 2 % IED below it, no portrait above",
    )
    side_light_accept_stops: float = option(
        1.0,
        unit="stops",
        low=0.0,
        high=10.0,
        why="twice the light on one cheek; warns only: portraits have 3",
    )
    occluded_accept: float = option(
        0.35, unit="share of spots", low=0.0, high=1.0, why="warns only: beards and make-up vary"
    )
    eyes_open_accept_t: float = option(
        0.03, unit="eye-to-chin distances", low=0.0, high=1.0, why="OFIQ EyesOpen 73"
    )
    mouth_open_accept_t: float = option(
        0.15, unit="eye-to-chin distances", low=0.0, high=1.0, why="OFIQ MouthClosed 70; warns only"
    )
