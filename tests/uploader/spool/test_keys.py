"""Where the device key comes from."""

from __future__ import annotations

import base64
import os
import pickle
import stat

import pytest

from uploader.errors import SpoolKeyError
from uploader.spool.disk import RealDisk
from uploader.spool.keys import CREDENTIAL, VARIABLE, DeviceKey, create_key, find_key

RAW = bytes(range(32))
FORMS = [
    pytest.param(RAW.hex(), id="hex"),
    pytest.param(RAW.hex().upper() + "\n", id="upper case and line end"),
    pytest.param(base64.b64encode(RAW).decode(), id="base64"),
]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")


def revealed(key: DeviceKey | None) -> bytes:
    assert key is not None
    return key.reveal()


def test_there_is_none_before_the_first_use(tmp_path):
    assert find_key(tmp_path / "device.key", {}) is None


@posix
def test_a_made_key_is_found_again_and_is_the_owners_alone(tmp_path):
    file = tmp_path / "deep" / "device.key"
    made = create_key(file, RealDisk())
    assert revealed(find_key(file, {})) == made.reveal()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["device.key"]


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused_with_the_cure(tmp_path, mode):
    file = tmp_path / "device.key"
    create_key(file, RealDisk())
    file.chmod(mode)
    with pytest.raises(SpoolKeyError, match="chmod 600"):
        find_key(file, {})


@pytest.mark.parametrize("text", FORMS)
def test_the_environment_comes_first(tmp_path, text):
    create_key(tmp_path / "device.key", RealDisk())
    assert revealed(find_key(tmp_path / "device.key", {VARIABLE: text})) == RAW


@pytest.mark.parametrize("content", [*(str(f.values[0]).encode() for f in FORMS), RAW])
def test_a_systemd_credential_comes_before_the_file(tmp_path, content):
    create_key(tmp_path / "device.key", RealDisk())
    (tmp_path / CREDENTIAL).write_bytes(content)
    found = find_key(tmp_path / "device.key", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert revealed(found) == RAW


@pytest.mark.parametrize(
    "text", ["canary", "0" * 63, "0" * 66, "!" * 44, base64.b64encode(RAW[:31]).decode()]
)
def test_a_malformed_key_is_refused_and_not_repeated(tmp_path, text):
    with pytest.raises(SpoolKeyError, match="64 hex") as caught:
        find_key(tmp_path / "x", {VARIABLE: text})
    assert text not in str(caught.value)


def test_an_empty_file_is_no_key(tmp_path):
    file = tmp_path / "device.key"
    file.touch(mode=0o600)
    with pytest.raises(SpoolKeyError, match="nothing is deleted"):
        find_key(file, {})


def test_a_key_shows_only_its_id_and_is_never_pickled():
    key = DeviceKey(RAW)
    assert RAW.hex() not in repr(key)
    assert key.key_id.hex() in repr(key)
    assert DeviceKey.generate().key_id != key.key_id
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(SpoolKeyError, match="32 bytes"):
        DeviceKey(b"short")


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SpoolKeyError, match="cannot be written"):
        create_key(tmp_path / "file" / "device.key", RealDisk())
