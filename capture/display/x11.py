"""What happens when the X server dies: Xlib ends the process, unless somebody is asked before.

Xlib calls a handler that must not return, then ``exit``; by then threads of ours still run, and the
destructors of C++ libraries abort under them. The handler here lets the program put things in order
and ends the process without destructors.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Callable

import pygame

_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_LOG = logging.getLogger(__name__)
_installed: list[object] = []
"""Xlib keeps only the address of the handler."""


def when_x_server_dies(call: Callable[[], None], code: int = 1) -> bool:
    """Call ``call`` when the connection to the X server breaks, then end the process.

    ``call`` runs in the thread that uses the display and must not touch it. Whatever it raises is
    logged. Returns False where no X server is used.
    """
    if not pygame.display.get_init() or pygame.display.get_driver() != "x11":
        return False
    try:
        xlib = ctypes.CDLL("libX11.so.6")  # the very library that SDL has loaded
    except OSError as error:
        _LOG.warning("the death of the X server will end the process at once: %s", error)
        return False

    def handler(_display: int | None) -> int:
        try:
            call()
        except Exception:  # noqa: BLE001 - the process ends here, whatever it was
            _LOG.exception("putting things in order after the X server died")
        finally:
            logging.shutdown()
            os._exit(code)

    kept = _HANDLER(handler)
    _installed.append(kept)
    xlib.XSetIOErrorHandler.argtypes = [_HANDLER]
    xlib.XSetIOErrorHandler.restype = ctypes.c_void_p
    xlib.XSetIOErrorHandler(kept)
    return True
