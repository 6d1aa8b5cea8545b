import base64
import io

import numpy as np
from PIL import Image

from calibration.tuning.labels import Item
from calibration.tuning.options import Joint, TuneOptions
from calibration.tuning.thumbnails import AT_MOST, HEIGHT_PX, candidates, data_uri, thumbnails
from calibration.tuning.tuner import tune
from preprocess.reasons import Reason
from tests.calibration.tuning.made import blurred, material, measures, table

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
    blur = found.badness[14]
    assert any(level < blur[f] <= 1.55 for f in chosen)


def picture(folder, name, subject, *reasons):
    path = folder / name
    Image.new("RGB", (200, 150), (90, 120, 200)).save(path)
    return Item(path, name, subject, frozenset(reasons), "", name)


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
