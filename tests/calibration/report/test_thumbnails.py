import base64
import io

import numpy as np
import pytest
from PIL import Image

from calibration.report.thumbnails import AT_MOST, HEIGHT_PX, candidates, data_uri, thumbnails
from calibration.tuning.material.labels import LabelledItem
from calibration.tuning.material.table import FrameTable
from calibration.tuning.options import Joint, TuneOptions
from preprocess.reasons import Reason
from preprocess.webp.muxer import mux
from preprocess.webp.stills import encode_still
from tests.calibration.tuning.made import (
    BASE,
    badness_of,
    blurred,
    item,
    material,
    measures,
    table,
    tune,
)
from tests.e2e.conftest import write_video

GOOD = {f"s{i}": [1.0 + i / 100] for i in range(60)}
OPTIONS = TuneOptions(0.1, limit=1.0, joint=Joint.NONE, relax=False)


def test_pictures_are_small_jpegs():
    uri = data_uri(np.zeros((400, 300, 3), np.uint8))
    content = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(content)).size == (96, HEIGHT_PX)


def test_frames_that_the_new_level_flips_come_first():
    found = tune(blurred(GOOD, {f"s{i}": [3.0] for i in range(20)}), OPTIONS)
    level = found.levels["blur_drop_pct"]
    chosen = list(candidates(found))
    assert len(chosen) == len(set(chosen))
    blur = badness_of(found, "blur_drop_pct")
    assert any(level < blur[f] <= BASE.blur_drop_pct for f in chosen)


def picture(folder, name, subject, *reasons):
    path = folder / name
    Image.new("RGB", (200, 150), (90, 120, 200)).save(path)
    return LabelledItem(path, name, subject, frozenset(reasons), "", name)


def test_images_are_cut_to_the_face_and_bounded_in_number(tmp_path):
    pairs = [
        (picture(tmp_path, f"{i}.png", f"s{i}"), table([measures(blur_pct=1.0 + i / 300)]))
        for i in range(150)
    ]
    pairs += [
        (picture(tmp_path, f"bad{i}.png", f"s{i}", Reason.BLURRED), table([measures(blur_pct=2)]))
        for i in range(20)
    ]
    found = thumbnails(tune(material(pairs), OPTIONS))
    assert 0 < len(found) <= AT_MOST
    content = base64.b64decode(next(iter(found.values())).partition(",")[2])
    width, height = Image.open(io.BytesIO(content)).size
    assert width < height  # the face's 40 x 50, not the picture's 200 x 150


def stored_session(folder, container):
    """Write what ``process`` leaves: two submitted frames of three, and their pictures."""
    folder.mkdir()
    (folder / "result.json").write_text("{}")
    (folder / "frames.csv").write_text("seq,frame_number\n4,0\n5,\n6,1\n")
    shades = [np.full((60, 40, 3), value, np.uint8) for value in (40, 200)]
    if container == "webp":
        stills = [encode_still(pixels, 90, 0) for pixels in shades]
        (folder / "video.webp").write_bytes(mux(stills, [33, 33]))
    elif container == "images":
        (folder / "images").mkdir()
        for number, pixels in enumerate(shades):
            Image.fromarray(pixels).save(folder / "images" / f"frame-{number:03d}.png")
    return LabelledItem(folder, folder.name, folder.name, frozenset(), "", folder.name)


@pytest.mark.parametrize("container", ["webp", "images", "gone"])
def test_pictures_of_delivered_sessions_come_from_their_clip(tmp_path, container):
    rows = [measures(blur_pct=1.0), measures(blur_pct=1.0), measures(blur_pct=1.2)]
    data = table(rows).data.copy()
    data[:, 0] = (4, 5, 6)
    pairs = [(stored_session(tmp_path / "one", container), FrameTable.of_rows(data[[0, 2]]))]
    pairs += [(item(f"s{i}", Reason.BLURRED), table([None])) for i in range(3)]
    pairs += [(item(f"g{i}", name=f"g{i}"), table([None])) for i in range(20)]
    found = thumbnails(tune(material(pairs), OPTIONS))
    shades = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))).mean()
        for _, uri in sorted(found.items())
    ]
    assert shades == ([] if container == "gone" else pytest.approx([40, 200], abs=3))


def test_frames_of_videos_are_found_within_a_budget(tmp_path, monkeypatch):
    frames = [np.full((64, 96, 3), 20 * number, np.uint8) for number in range(9)]
    path = write_video(tmp_path / "a.mkv", frames)
    video = LabelledItem(path, "a.mkv", "a", frozenset(), "", "a.mkv")
    data = table([measures(blur_pct=1.0)] * 9).data.copy()
    data[:, 3:7] = np.nan
    pairs = [(video, FrameTable.of_rows(data[[3, 8]]))]
    pairs += [(item(f"s{i}", Reason.BLURRED), table([None])) for i in range(3)]
    pairs += [(item(f"g{i}", name=f"g{i}"), table([None])) for i in range(20)]
    tuned = tune(material(pairs), OPTIONS)
    found = thumbnails(tuned)
    third = Image.open(io.BytesIO(base64.b64decode(found[0].partition(",")[2])))
    assert np.asarray(third).mean() == pytest.approx(60, abs=4)
    assert len(found) == 2
    monkeypatch.setattr("calibration.report.thumbnails.DECODED_FRAMES", 8)
    assert thumbnails(tuned) == {}
