"""How a camera was found, on the disk until it has been given back.

A run that is killed in the colours leaves a locked exposure behind. The next run would find that,
and give *that* back; with this file it gives back what the dead one had found.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)


class FoundControls:
    """The values of one camera in a file of its own section; never raises.

    Parameters
    ----------
    path : of the file; its folder must be there. The file goes with the last camera given back.
    camera : whose values; the stable id.
    """

    def __init__(self, path: Path, camera: str) -> None:
        self._path = path
        self._camera = camera

    def left(self) -> dict[str, float]:
        """Return what a run that did not end had found; empty after one that did."""
        values = self._read().get(self._camera)
        if not isinstance(values, dict):
            return {}
        return {k: float(v) for k, v in values.items() if isinstance(v, int | float)}

    def keep(self, values: Mapping[str, float]) -> None:
        """Write down what was found, before anything is changed."""
        self._write(self._read() | {self._camera: dict(values)})

    def forget(self) -> None:
        """Note that the camera was given back."""
        known = self._read()
        if known.pop(self._camera, None) is not None:
            self._write(known)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _LOG.warning("%s: how the camera was found cannot be read: %s", self._path, error)
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, known: dict[str, Any]) -> None:
        try:
            if not known:
                self._path.unlink(missing_ok=True)
                return
            new = self._path.with_name(self._path.name + ".new")
            new.write_text(json.dumps(known, indent=1), encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            _LOG.warning(
                "%s: cannot be written (%s): after a crash the camera keeps its lock",
                self._path,
                error,
            )
