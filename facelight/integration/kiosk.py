"""The whole kiosk, or one that works with devices of one's own."""

from __future__ import annotations

from facelight.commands.run_kiosk import KioskRequest, run_kiosk
from facelight.kiosk.app import Devices, Extras, KioskSession

__all__ = ["Devices", "Extras", "KioskRequest", "KioskSession", "run_kiosk"]
