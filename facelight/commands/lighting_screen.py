"""The kiosk's screen, watched: its flips light the simulator, and are counted."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from capture.display.port import FlipRecord, InputEvent, Refresh, Screen
from capture.display.scene import Scene
from capture.simulator.scene.simulated_screen import FlipHistory


class LightingScreen:
    """A screen whose flips also light the simulator; other cameras do not care."""

    def __init__(self, screen: Screen, history: FlipHistory) -> None:
        self._screen = screen
        self._history = history
        self._turn: Callable[[], object] = int
        self._flip: Callable[[FlipRecord], object] = id

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._screen.size_wh

    @property
    def refresh(self) -> Refresh:
        """What ``open`` measured."""
        return self._screen.refresh

    def each_turn(self, call: Callable[[], object]) -> None:
        """Call ``call`` after every flip: once a turn of the main loop."""
        self._turn = call

    def each_flip(self, call: Callable[[FlipRecord], object]) -> None:
        """Call ``call`` with every flip."""
        self._flip = call

    def open(self) -> None:
        """Take the display."""
        self._screen.open()

    def show(self, scene: Scene) -> FlipRecord:
        """Show a scene and remember its light."""
        shown = self._screen.show(scene)
        self._history.on_flip(shown, scene)
        self._flip(shown)
        self._turn()
        return shown

    def poll(self) -> tuple[InputEvent, ...]:
        """Return what happened since the last call."""
        return self._screen.poll()

    def close(self) -> None:
        """Give the display back."""
        self._screen.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
