"""The kiosk's screen by pygame-ce (SDL2): KMSDRM, X11, Wayland, Windows, macOS.

With a display that reports its refresh rate the flip blocks until the picture is taken (vsync), and
its return is the flip's time. A screen without scan-out (Xvfb, SDL's offscreen and dummy drivers)
reports no rate; SDL would then sleep *after* the swap, up to 12 ms late and jittering (measured
under Xvfb), so vsync stays off there, the beat is ours and the swap's return is the time (0.2 ms).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

import pygame

from capture.clock import Clock, SystemClock
from capture.display.layout import Box, placed_buttons
from capture.display.pacing import Pacer, flips_block, measure_refresh
from capture.display.port import FlipRecord, FlipSource, InputEvent, InputKind, Refresh
from capture.display.renderer import Renderer
from capture.display.scene import Button, Scene
from capture.display.theme import Theme
from capture.errors import DisplayError
from capture.options import option, options

VIRTUAL_DRIVERS = frozenset({"dummy", "offscreen"})


@options
class ScreenOptions:
    """Which display, and what to do when its flips have no time."""

    display: int = option(
        0, unit="index", low=0, high=15, why="the kiosk's own display comes first"
    )
    windowed: bool = option(
        False, unit="", why="full screen: everything that is not lit does not light the face"
    )
    window_width: int = option(
        1280, unit="px", low=320, high=7680, why="fits a laptop; only used when windowed"
    )
    window_height: int = option(
        720, unit="px", low=320, high=4320, why="fits a laptop; only used when windowed"
    )
    unsynced: bool = option(
        False, unit="", why="without vsync the flips' times are guesses and labels may be wrong"
    )
    text_scale: float = option(
        1.0, unit="ratio", low=0.8, high=2.0, why="larger where people stand farther away"
    )
    paced_hz: float = option(
        60.0, unit="Hz", low=20.0, high=240.0, why="beat of a screen that has none of its own"
    )
    measured_flips: int = option(
        120, unit="flips", low=10, high=600, why="two seconds: a median and a count of misses"
    )


class PygameScreen:
    """A ``Screen`` on a real (or virtual) display.

    Parameters
    ----------
    theme : colours, fonts and logo.
    options : which display and how.
    clock : the session clock; on Linux SDL, camera driver and ``SystemClock`` share one.
    """

    def __init__(
        self, theme: Theme, options: ScreenOptions | None = None, clock: Clock | None = None
    ) -> None:
        self._theme = theme
        self._options = options or ScreenOptions()
        self._clock = clock or SystemClock()
        self._renderer = Renderer(theme, self._options.text_scale)
        self._surface: pygame.Surface | None = None
        self._pacer: Pacer | None = None
        self._refresh: Refresh | None = None
        self._shown: Scene | None = None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._window().get_size()

    @property
    def refresh(self) -> Refresh:
        """What ``open`` measured."""
        if self._refresh is None:
            raise DisplayError("the screen is closed")
        return self._refresh

    def open(self) -> None:
        """Take the display, show the theme's background and measure the refresh."""
        if self._surface is not None:
            return
        os.environ.setdefault("SDL_VIDEO_DOUBLE_BUFFER", "1")  # KMSDRM queues one frame more
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # SIGTERM is the kiosk's
        try:
            pygame.display.init()
            _refuse_unasked()
            self._surface = self._mode()
        except pygame.error as error:
            self.close()
            raise DisplayError(
                f"no display: {error}; set DISPLAY or WAYLAND_DISPLAY, or run on a console with "
                "KMSDRM (SDL_VIDEODRIVER=kmsdrm)"
            ) from error
        pygame.display.set_caption("facelight")
        pygame.display.set_allow_screensaver(False)
        pygame.mouse.set_visible(self._options.windowed)
        try:
            self._refresh = self._measured()
        except DisplayError:
            self.close()
            raise

    def rehearse(self, scenes: Iterable[tuple[str, Scene]]) -> None:
        """Draw scenes without showing them: what cannot be drawn is found before anyone comes.

        Raises
        ------
        DisplayError
            a character has no glyph, or a text does not fit; names the scene.
        """
        canvas = pygame.Surface(self.size_wh)
        for name, scene in scenes:
            try:
                self._renderer.draw(canvas, scene)
            except DisplayError as error:
                raise DisplayError(f"screen {name}: {error}") from error

    def show(self, scene: Scene) -> FlipRecord:
        """Draw, flip and return the times."""
        requested_ns = self._clock.now_ns()
        self._renderer.draw(self._window(), scene)
        submitted_ns = self._clock.now_ns()
        flipped_ns = self._flip()
        self._shown = scene
        return FlipRecord(
            requested_ns, submitted_ns, flipped_ns, self.refresh.hz, self.refresh.source
        )

    def poll(self) -> tuple[InputEvent, ...]:
        """Return touches, clicks, keys and the wish to end."""
        self._window()
        return tuple(_events(pygame.event.get(), self._buttons()))

    def close(self) -> None:
        """Give the display back."""
        self._surface = self._pacer = self._refresh = self._shown = None
        if pygame.display.get_init():
            pygame.display.quit()

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

    def _mode(self) -> pygame.Surface:
        count = pygame.display.get_num_displays()
        if self._options.display >= count:
            raise DisplayError(f"display {self._options.display}: there are {count}, from 0 on")
        vsync = 0 if self._nominal_hz() is None else 1
        if not self._options.windowed:
            size_wh, flags = (
                pygame.display.get_desktop_sizes()[self._options.display],
                pygame.FULLSCREEN,
            )
        else:
            size_wh, flags = (self._options.window_width, self._options.window_height), 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "no fast renderer": what flips do is measured below
            return pygame.display.set_mode(
                size_wh, flags, display=self._options.display, vsync=vsync
            )

    def _nominal_hz(self) -> float | None:
        """Return the display's own rate; None where there is no scan-out to wait for."""
        if pygame.display.get_driver() in VIRTUAL_DRIVERS:
            return None
        return pygame.display.get_desktop_refresh_rates()[self._options.display] or None

    def _measured(self) -> Refresh:
        nominal_hz = self._nominal_hz()
        self._window().fill(self._theme.colours.background)
        if nominal_hz is not None:
            found = measure_refresh(self._flip, self._options.measured_flips, FlipSource.VSYNC)
            if flips_block(found, nominal_hz):
                return found
            if not self._options.unsynced:
                raise DisplayError(
                    f"vsync does not block: {found.median_ms:.1f} ms a flip on a display of "
                    f"{nominal_hz:g} Hz, so nobody knows when a colour is shown; use KMSDRM or "
                    "another driver, or allow it with kiosk.unsynced"
                )
        self._pacer = Pacer(self._clock, nominal_hz or self._options.paced_hz)
        return measure_refresh(self._flip, self._options.measured_flips, FlipSource.SWAP)

    def _flip(self) -> int:
        if self._pacer is not None:
            self._pacer.wait()
        try:
            pygame.display.flip()
        except pygame.error as error:
            raise DisplayError(f"the display is lost: {error}") from error
        return self._clock.now_ns()

    def _window(self) -> pygame.Surface:
        if self._surface is None:
            raise DisplayError("the screen is closed")
        return self._surface

    def _buttons(self) -> tuple[tuple[Button, Box], ...]:
        if self._shown is None:
            return ()
        return tuple(placed_buttons(self._shown, self.size_wh, self._options.text_scale))


def _refuse_unasked() -> None:
    """Raise ``pygame.error`` where SDL fell back to a screen that nobody can see."""
    driver = pygame.display.get_driver()
    asked = os.environ.get("SDL_VIDEODRIVER") or os.environ.get("SDL_VIDEO_DRIVER")
    if driver in VIRTUAL_DRIVERS and not asked:
        raise pygame.error(f"SDL found none and fell back to its {driver} driver")


def _events(
    events: Iterable[pygame.event.Event], buttons: tuple[tuple[Button, Box], ...]
) -> Iterator[InputEvent]:
    for event in events:
        if event.type == pygame.QUIT:
            yield InputEvent(InputKind.QUIT)
        elif event.type == pygame.KEYDOWN:
            name = pygame.key.name(event.key)
            action = next((button.action for button, _ in buttons if button.key == name), None)
            yield InputEvent(InputKind.KEY, action, key=name)
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1 and not event.touch:
            yield _touch(event.pos, buttons)
        elif event.type == pygame.FINGERDOWN:
            width, height = pygame.display.get_window_size()
            yield _touch((round(event.x * width), round(event.y * height)), buttons)


def _touch(at_px: tuple[int, int], buttons: tuple[tuple[Button, Box], ...]) -> InputEvent:
    action = next((button.action for button, box in buttons if box.holds(*at_px)), None)
    return InputEvent(InputKind.TOUCH, action, at_px=at_px)
