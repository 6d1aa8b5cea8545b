"""One suite for every ``Screen``, then what is special about the pygame one."""

from collections.abc import Callable, Iterator

import pygame
import pytest

from capture.clock import VirtualClock
from capture.display import pygame_screen
from capture.display.layout import Placing, layout
from capture.display.pacing import Pacer, flips_block, measure_refresh
from capture.display.port import FlipSource, InputKind, Refresh, Screen
from capture.display.pygame_screen import PygameScreen, ScreenOptions
from capture.display.scene import Button, Scene, SceneKind
from capture.display.theme import Theme
from capture.display.virtual import VirtualScreen
from capture.errors import DisplayError

RED = Scene(SceneKind.LIGHT, (255, 0, 0))
PAGE = Scene(
    SceneKind.PAGE,
    title="Hello",
    buttons=(Button("start", "Start", "return", primary=True), Button("cancel", "No", "escape")),
)
Maker = Callable[[], Screen]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(5_000_000_000)


@pytest.fixture(params=["virtual", "pygame"])
def make(request: pytest.FixtureRequest, theme: Theme, clock: VirtualClock) -> Maker:
    if request.param == "virtual":
        return lambda: VirtualScreen(clock, size_wh=(1280, 720))
    return lambda: PygameScreen(theme, ScreenOptions(windowed=True), clock)


@pytest.fixture
def screen(make: Maker) -> Iterator[Screen]:
    with make() as opened:
        yield opened


def test_times_of_a_flip_are_in_order_and_increase(screen: Screen) -> None:
    records = [screen.show(RED) for _ in range(5)]
    for record in records:
        assert record.requested_ns <= record.submitted_ns <= record.flipped_ns
    flips = [record.flipped_ns for record in records]
    assert flips == sorted(set(flips))


def test_flips_come_at_the_measured_refresh(screen: Screen) -> None:
    times = [screen.show(RED).flipped_ns for _ in range(7)]
    assert (times[-1] - times[0]) / 6e6 == pytest.approx(screen.refresh.median_ms, rel=0.01)
    assert screen.refresh.hz == pytest.approx(60, rel=0.01)
    assert screen.refresh.missed == 0


def test_a_flip_after_a_pause_falls_on_a_later_beat(screen: Screen, clock: VirtualClock) -> None:
    first = screen.show(RED).flipped_ns
    clock.sleep_until(first + 110_000_000)
    beats = (screen.show(RED).flipped_ns - first) / (1e9 / screen.refresh.hz)
    assert beats == pytest.approx(7, abs=0.01)


def test_the_size_is_known(screen: Screen) -> None:
    assert screen.size_wh == (1280, 720)


def test_a_closed_screen_says_so_and_closes_again(make: Maker) -> None:
    screen = make()
    screen.close()
    with pytest.raises(DisplayError, match="closed"):
        screen.show(RED)
    with pytest.raises(DisplayError, match="closed"):
        _ = screen.refresh
    screen.open()
    screen.open()
    screen.show(RED)
    screen.close()
    screen.close()
    with pytest.raises(DisplayError, match="closed"):
        screen.show(RED)


def test_a_screen_can_be_opened_again(make: Maker) -> None:
    screen = make()
    for _ in range(2):
        with screen:
            assert screen.show(RED).flipped_ns > 0


def test_nothing_happened_is_no_event(screen: Screen) -> None:
    screen.show(RED)
    screen.poll()
    assert screen.poll() == ()


def test_a_virtual_screen_can_be_touched_where_a_button_is(clock: VirtualClock) -> None:
    with VirtualScreen(clock) as screen:
        screen.show(PAGE)
        screen.press("start")
        screen.quit()
        assert [(e.kind, e.action) for e in screen.poll()] == [
            (InputKind.TOUCH, "start"),
            (InputKind.QUIT, None),
        ]
        with pytest.raises(DisplayError, match="no button 'accept'"):
            screen.press("accept")


def test_whoever_listens_hears_of_every_virtual_flip(clock: VirtualClock) -> None:
    heard: list[tuple[int, Scene]] = []
    with VirtualScreen(clock, on_flip=lambda r, s: heard.append((r.flipped_ns, s))) as screen:
        record = screen.show(RED)
    assert heard == [(record.flipped_ns, RED)]


class TestPygame:
    @pytest.fixture
    def screen(self, theme: Theme, clock: VirtualClock) -> Iterator[PygameScreen]:
        with PygameScreen(theme, ScreenOptions(windowed=True), clock) as opened:
            yield opened

    def test_a_screen_without_scan_out_is_paced_and_says_swap(self, screen: PygameScreen) -> None:
        assert screen.refresh.source is FlipSource.SWAP
        assert screen.show(RED).source is FlipSource.SWAP

    def test_the_pixels_are_on_the_window_after_the_flip(self, screen: PygameScreen) -> None:
        screen.show(RED)
        window = pygame.display.get_surface()
        assert window is not None
        assert window.get_at((5, 700))[:3] == (255, 0, 0)

    def test_touches_and_keys_become_the_buttons_action(self, screen: PygameScreen) -> None:
        screen.show(PAGE)
        screen.poll()
        start, cancel = layout(screen.size_wh, SceneKind.PAGE, Placing(2)).buttons
        x, y = cancel.centre
        finger = {"x": start.centre[0] / 1280, "y": start.centre[1] / 720}
        post = pygame.event.post
        post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(x, y), button=1, touch=False))
        post(pygame.event.Event(pygame.FINGERDOWN, finger))
        post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(x, y), button=1, touch=True))
        post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(2, 2), button=1, touch=False))
        post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE))
        post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_a))
        post(pygame.event.Event(pygame.QUIT))
        found = [(event.kind, event.action, event.key) for event in screen.poll()]
        assert found == [
            (InputKind.TOUCH, "cancel", None),
            (InputKind.TOUCH, "start", None),
            (InputKind.TOUCH, None, None),
            (InputKind.KEY, "cancel", "escape"),
            (InputKind.KEY, None, "a"),
            (InputKind.QUIT, None, None),
        ]

    def test_buttons_of_the_scene_before_are_gone(self, screen: PygameScreen) -> None:
        screen.show(PAGE)
        screen.show(RED)
        screen.poll()
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RETURN))
        assert [event.action for event in screen.poll()] == [None]

    def test_a_rehearsal_finds_what_cannot_be_drawn(self, screen: PygameScreen) -> None:
        screen.rehearse([("en/page", PAGE)])
        with pytest.raises(DisplayError, match=r"screen th/page: .*U\+0E01"):
            screen.rehearse([("th/page", Scene(SceneKind.PAGE, title="ก"))])

    def test_a_display_that_is_not_there_is_named(self, theme: Theme, clock: VirtualClock) -> None:
        with pytest.raises(DisplayError, match="display 9: there are 1"):
            PygameScreen(theme, ScreenOptions(display=9), clock).open()

    def test_no_display_at_all_is_said_with_the_cure(
        self, theme: Theme, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
        monkeypatch.delenv("DISPLAY", raising=False)
        with pytest.raises(DisplayError, match=r"no display: .*DISPLAY.*KMSDRM"):
            PygameScreen(theme, clock=clock).open()

    def test_a_screen_that_nobody_sees_is_no_display_unless_asked_for(
        self, theme: Theme, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
        monkeypatch.delenv("SDL_VIDEO_DRIVER", raising=False)
        monkeypatch.setattr(pygame.display, "init", lambda: None)
        monkeypatch.setattr(pygame.display, "get_driver", lambda: "offscreen")
        with pytest.raises(DisplayError, match=r"no display: .* its offscreen driver; set DISPLAY"):
            PygameScreen(theme, clock=clock).open()

    def test_a_lost_display_is_an_error_of_ours(
        self, screen: PygameScreen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost() -> None:
            raise pygame.error("gone")

        monkeypatch.setattr(pygame.display, "flip", lost)
        with pytest.raises(DisplayError, match="the display is lost: gone"):
            screen.show(RED)


class TestScanOut:
    """A display that reports 60 Hz, and a driver that blocks, or does not."""

    @pytest.fixture(autouse=True)
    def real_display(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pygame_screen, "VIRTUAL_DRIVERS", frozenset())
        monkeypatch.setattr(pygame.display, "get_desktop_refresh_rates", lambda: [60])

    def flip_takes(self, ms: float, clock: VirtualClock, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(
            pygame.display, "flip", lambda: clock.sleep_until(clock.now_ns() + round(ms * 1e6))
        )

    def test_a_flip_that_blocks_is_a_vsync(
        self, theme: Theme, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.flip_takes(16.6, clock, monkeypatch)
        with PygameScreen(theme, ScreenOptions(windowed=True), clock) as screen:
            assert screen.refresh.source is FlipSource.VSYNC
            assert screen.refresh.hz == pytest.approx(60.2, abs=0.1)
            assert screen.refresh.flips == 120

    def test_flips_without_a_known_time_are_refused(
        self, theme: Theme, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.flip_takes(0.6, clock, monkeypatch)
        screen = PygameScreen(theme, ScreenOptions(windowed=True), clock)
        with pytest.raises(DisplayError, match=r"vsync does not block: 0.6 ms .* 60 Hz"):
            screen.open()
        with pytest.raises(DisplayError, match="closed"):
            _ = screen.refresh

    def test_they_may_be_allowed_and_are_then_paced(
        self, theme: Theme, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.flip_takes(0.6, clock, monkeypatch)
        options = ScreenOptions(windowed=True, unsynced=True)
        with PygameScreen(theme, options, clock) as screen:
            assert screen.refresh.source is FlipSource.SWAP
            assert screen.refresh.median_ms == pytest.approx(16.7, abs=0.1)


def test_missed_flips_are_counted() -> None:
    times = iter([0, 16, 33, 50, 100, 117, 133])
    found = measure_refresh(lambda: next(times) * 1_000_000, 7, FlipSource.VSYNC)
    assert found.missed == 1
    assert found.median_ms == pytest.approx(17, abs=1)


@pytest.mark.parametrize(
    ("median_ms", "blocks"), [(16.7, True), (33.4, True), (10.1, True), (9.9, False), (0.5, False)]
)
def test_a_flip_blocks_when_it_takes_most_of_a_refresh(median_ms: float, blocks: bool) -> None:
    refresh = Refresh(1000 / median_ms, median_ms, 0, 120, FlipSource.VSYNC)
    assert flips_block(refresh, 60) is blocks


def test_missed_beats_are_skipped_and_not_caught_up() -> None:
    clock = VirtualClock()
    pacer = Pacer(clock, 50)
    pacer.wait()
    clock.sleep_until(105_000_000)
    pacer.wait()
    assert clock.now_ns() == 120_000_000
    pacer.wait()
    assert clock.now_ns() == 140_000_000
