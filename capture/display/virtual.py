"""A screen without glass: simulated sessions and tests see what was shown, and touch it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from capture.clock import Clock
from capture.display.pacing import Pacer, measure_refresh
from capture.display.port import FlipRecord, FlipSource, InputEvent, InputKind, Refresh
from capture.display.scene import Scene
from capture.errors import DisplayError


class VirtualScreen:
    """Shows nothing, at exact times of a clock; implements ``Screen``.

    Parameters
    ----------
    clock : the session clock; ``show`` advances a virtual one by a refresh.
    hz : refresh rate.
    size_wh : pretended size in pixels.
    on_flip : called with every flip and its scene, in the thread that shows.
    """

    def __init__(
        self,
        clock: Clock,
        hz: float = 60.0,
        size_wh: tuple[int, int] = (1920, 1080),
        on_flip: Callable[[FlipRecord, Scene], None] | None = None,
    ) -> None:
        self._clock = clock
        self._hz = hz
        self._size_wh = size_wh
        self._on_flip = on_flip
        self._pacer: Pacer | None = None
        self._refresh: Refresh | None = None
        self._inputs: deque[InputEvent] = deque()
        self.scene: Scene | None = None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._size_wh

    @property
    def refresh(self) -> Refresh:
        """What ``open`` measured."""
        if self._refresh is None:
            raise DisplayError("the screen is closed")
        return self._refresh

    def open(self) -> None:
        """Measure the clock's own beat."""
        if self._pacer is not None:
            return
        self._pacer = Pacer(self._clock, self._hz)
        self._refresh = measure_refresh(self._beat, 3, FlipSource.SIMULATED)

    def show(self, scene: Scene) -> FlipRecord:
        """Remember the scene and return the time of the next beat."""
        if self._pacer is None:
            raise DisplayError("the screen is closed")
        requested_ns = self._clock.now_ns()
        flipped_ns = self._beat()
        self.scene = scene
        record = FlipRecord(
            requested_ns, requested_ns, flipped_ns, self.refresh.hz, FlipSource.SIMULATED
        )
        if self._on_flip is not None:
            self._on_flip(record, scene)
        return record

    def press(self, action: str) -> None:
        """Touch the button with that action at the next ``poll``.

        Raises
        ------
        DisplayError
            the shown scene has no such button: a person could not touch it either.
        """
        scene = self.scene
        buttons = () if scene is None else (*scene.buttons, *scene.languages)
        if action not in {button.action for button in buttons}:
            raise DisplayError(f"no button {action!r} is on the screen")
        self._inputs.append(InputEvent(InputKind.TOUCH, action))

    def tap(self) -> None:
        """Touch the screen beside every button at the next ``poll``."""
        self._inputs.append(InputEvent(InputKind.TOUCH, at_px=(0, 0)))

    def quit(self) -> None:
        """Ask for the end at the next ``poll``."""
        self._inputs.append(InputEvent(InputKind.QUIT))

    def poll(self) -> tuple[InputEvent, ...]:
        """Return what was pressed."""
        events = tuple(self._inputs)
        self._inputs.clear()
        return events

    def close(self) -> None:
        """Forget the screen; idempotent."""
        self._pacer = None
        self._refresh = None

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

    def _beat(self) -> int:
        if self._pacer is not None:
            self._pacer.wait()
        return self._clock.now_ns()
