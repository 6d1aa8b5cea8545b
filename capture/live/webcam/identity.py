"""Who a webcam is: driver, bus, USB device and port, and whether it is a device at all.

A virtual camera shows whatever a program feeds it. What is read here comes from the kernel (sysfs)
and from the driver: an honest machine tells the truth, whoever controls the kernel can forge it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from capture.errors import CameraError
from capture.live.pin import Pin, parse_pin
from capture.live.webcam.v4l2 import Ioctl, capability, ioctl

VIRTUAL_DRIVERS = frozenset(
    {
        "v4l2loopback",
        "akvcam",
        "vivid",
        "vimc",
        "vicodec",
        "droidcam",
        "v4l2loopbackdc",
        "webcamoid",
    }
)
"""Drivers without a sensor, as ``VIDIOC_QUERYCAP`` names them, without blanks and signs."""

_VIRTUAL_NAMES = re.compile(
    r"\b(obs\b|virtual|loopback|dummy video|droidcam|manycam|snap camera|xsplit|iriun|epoccam"
    r"|akvcam|webcamoid|ndi\b|mmhmm|camtwist|splitcam|e2esoft|vcam|ip webcam|fake)",
    re.IGNORECASE,
)


class Virtual(StrEnum):
    """Whether a camera is a program instead of a device."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What the system says of a camera; texts are empty where it says nothing.

    Attributes
    ----------
    name : for people, as the driver gives it.
    driver, bus : of ``VIDIOC_QUERYCAP``.
    vendor, product : USB ids, four hex digits each.
    serial : of the USB device.
    port : the USB port it is plugged into, such as ``1-4.2``.
    virtual : whether it is a program instead of a device.
    why : what that was seen by.
    """

    name: str = ""
    driver: str = ""
    bus: str = ""
    vendor: str = ""
    product: str = ""
    serial: str = ""
    port: str = ""
    virtual: Virtual = Virtual.UNKNOWN
    why: str = ""

    @property
    def pin(self) -> str:
        """What to write into ``camera.pin`` to take this camera at this port only; may be empty."""
        if not self.vendor:
            return ""
        serial = f":{self.serial}" if self.serial else ""
        port = f"@{self.port}" if self.port else ""
        return f"{self.vendor}:{self.product}{serial}{port}"

    def details(self) -> dict[str, str]:
        """Return what is known as texts by name, for recordings, events and people."""
        known = {
            "driver": self.driver,
            "bus": self.bus,
            "vendor": self.vendor,
            "product": self.product,
            "serial": self.serial,
            "port": self.port,
            "virtual": self.virtual.value,
            "virtual_why": self.why,
        }
        return {name: text for name, text in known.items() if text}


def is_pinned(who: DeviceIdentity, pin: Pin) -> bool:
    """Return whether a camera is the pinned one."""
    return (
        (who.vendor.lower(), who.product.lower()) == (pin.vendor, pin.product)
        and pin.serial in (None, who.serial)
        and pin.port in (None, who.port)
    )


def read_identity(node: Path, root: Path = Path("/"), call: Ioctl = ioctl) -> DeviceIdentity:
    """Return who is behind a V4L2 node; never raises.

    Parameters
    ----------
    root : where ``sys`` is.
    """
    told = capability(node, call)
    entry = root / "sys/class/video4linux" / node.name
    name = _text(entry / "name") or (told.card if told else "")
    usb = _usb_device(entry)
    who = DeviceIdentity(
        name=name,
        driver=told.driver if told else "",
        bus=told.bus if told else "",
        vendor=_text(usb / "idVendor") if usb else "",
        product=_text(usb / "idProduct") if usb else "",
        serial=_text(usb / "serial") if usb else "",
        port=usb.name if usb else "",
    )
    virtual, why = verdict(who, in_virtual_tree="/devices/virtual/" in str(entry.resolve()))
    return DeviceIdentity(
        who.name, who.driver, who.bus, who.vendor, who.product, who.serial, who.port, virtual, why
    )


def named_identity(name: str, backend: str) -> DeviceIdentity:
    """Return what a name alone says, where the system tells no more (Windows, macOS)."""
    found = _VIRTUAL_NAMES.search(name)
    if found:
        return DeviceIdentity(name, virtual=Virtual.YES, why=f"its name: {name}")
    return DeviceIdentity(name, virtual=Virtual.UNKNOWN, why=f"{backend} tells no driver")


def verdict(who: DeviceIdentity, *, in_virtual_tree: bool) -> tuple[Virtual, str]:
    """Return whether a camera is virtual, and by what that was seen."""
    driver = re.sub(r"[^a-z0-9]", "", who.driver.lower())
    if driver in VIRTUAL_DRIVERS:
        return Virtual.YES, f"its driver: {who.driver}"
    if in_virtual_tree:
        return Virtual.YES, "the kernel lists it under /sys/devices/virtual"
    if _VIRTUAL_NAMES.search(who.name):
        return Virtual.YES, f"its name: {who.name}"
    if who.vendor:
        return Virtual.NO, f"USB device {who.vendor}:{who.product} at port {who.port}"
    if who.bus.lower().startswith(("usb-", "pci:")):
        return Virtual.NO, f"its driver {who.driver} says: {who.bus}"
    return Virtual.UNKNOWN, "neither the kernel nor the driver names a device"


def ensure_wanted(camera: str, who: DeviceIdentity, *, allow_virtual: bool, pin: str) -> None:
    """Raise where a camera is not the one to take.

    Raises
    ------
    CameraError
        it is virtual and that is not allowed, or it is not the pinned one; says what to do.
    """
    if who.virtual is Virtual.YES and not allow_virtual:
        raise CameraError(
            f"camera {camera} is virtual ({who.why}): a program can feed it any picture; use a "
            "real camera, or allow it with camera.allow_virtual = true"
        )
    if pin and not is_pinned(who, parse_pin(pin)):
        found = who.pin or "no USB device"
        raise CameraError(
            f"another camera: {camera} is {found}, and camera.pin names {pin}; put the pinned one "
            f"back, or agree to the exchange with camera.pin = {who.pin or ''!r}"
        )


def _usb_device(entry: Path) -> Path | None:
    """Return the sysfs folder of the USB device above a video node."""
    device = (entry / "device").resolve()
    return next((p for p in (device, *device.parents) if (p / "idVendor").is_file()), None)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
