import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from capture.display.layout import Placing, layout
from capture.display.preview import oval_preview
from capture.display.renderer import Renderer
from capture.display.scene import Button, Mood, Scene, SceneKind
from capture.display.theme import Theme
from capture.light.illumination import PRIMARIES, Rgb

SIZE = (1280, 720)


@pytest.fixture
def renderer(theme: Theme) -> Renderer:
    return Renderer(theme)


def picture(renderer: Renderer, scene: Scene, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB."""
    surface = pygame.Surface(size)
    renderer.draw(surface, scene)
    return pygame.surfarray.array3d(surface).swapaxes(0, 1)


def light(rgb: Rgb, **more: object) -> Scene:
    fields = {"title": "Hold still, look here", "progress": 0.5} | more
    return Scene(SceneKind.LIGHT, rgb, **fields)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("size", [SIZE, (1920, 1080), (1080, 1920), (800, 480)], ids=str)
@pytest.mark.parametrize("rgb", [*PRIMARIES.values(), (128, 128, 128)], ids=str)
def test_nine_tenths_of_the_pixels_are_the_light(
    renderer: Renderer, rgb: Rgb, size: tuple[int, int]
) -> None:
    face = np.full((480, 640, 3), 200, np.uint8)
    lit = (picture(renderer, light(rgb, preview=face), size) == rgb).all(axis=2)
    assert lit.mean() >= 0.90


def test_what_stands_on_the_light_does_not_change_with_it(renderer: Renderer) -> None:
    """A prompt that changes with the colour would be a flash of its own."""
    face = np.full((480, 640, 3), 90, np.uint8)
    red = picture(renderer, light((255, 0, 0), preview=face, mood=Mood.NEUTRAL))
    green = picture(renderer, light((0, 255, 0), preview=face, mood=Mood.BAD))
    on_top = (red != (255, 0, 0)).any(axis=2) & (green != (0, 255, 0)).any(axis=2)
    mixed_edges = (red[on_top] != green[on_top]).any(axis=1).mean()
    assert mixed_edges < 0.03


def test_what_stands_on_the_light_has_no_colour(renderer: Renderer) -> None:
    colourful = np.zeros((480, 640, 3), np.uint8)
    colourful[..., 2] = 255
    grey = picture(renderer, light((128, 128, 128), preview=colourful)).astype(int)
    assert np.ptp(grey, axis=2).max() == 0


def test_the_preview_is_mirrored_and_centred() -> None:
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[:, 320:] = 255
    oval = pygame.surfarray.array3d(oval_preview(pixels, (150, 200))).swapaxes(0, 1)
    assert oval[100, 20, 0] == 255
    assert oval[100, 130, 0] == 0


@pytest.mark.parametrize("shape", [(720, 1280, 3), (1280, 720, 3), (121, 161, 3), (40, 40, 3)])
def test_frames_of_any_shape_fill_the_oval(shape: tuple[int, int, int]) -> None:
    surface = oval_preview(np.full(shape, 77, np.uint8), (151, 201))
    assert surface.get_size() == (151, 201)
    assert tuple(surface.get_at((75, 100))) == (77, 77, 77, 255)
    assert surface.get_at((0, 0)).a == 0


@pytest.mark.parametrize("kind", list(SceneKind))
def test_every_kind_of_scene_shows_its_words(renderer: Renderer, kind: SceneKind) -> None:
    blank = picture(renderer, Scene(kind))
    spoken = picture(renderer, Scene(kind, title="Hello"))
    assert (blank != spoken).any()


def test_progress_grows_from_the_side_where_reading_begins(renderer: Renderer) -> None:
    bar = layout(SIZE, SceneKind.GUIDE).bar
    row = bar.top + bar.height // 2
    quarter, three = bar.left + bar.width // 4, bar.right - bar.width // 4
    western = picture(renderer, Scene(SceneKind.GUIDE, progress=0.5))
    eastern = picture(renderer, Scene(SceneKind.GUIDE, progress=0.5, rtl=True))
    assert (western[row, quarter] == eastern[row, three]).all()
    assert (western[row, quarter] != eastern[row, quarter]).any()


@pytest.mark.parametrize("share", [-1.0, 0.0, 1.0, 7.0])
def test_progress_out_of_range_is_drawn_at_its_end(renderer: Renderer, share: float) -> None:
    bounded = min(1.0, max(0.0, share))
    wild = picture(renderer, Scene(SceneKind.GUIDE, progress=share))
    assert (wild == picture(renderer, Scene(SceneKind.GUIDE, progress=bounded))).all()


def test_good_and_bad_ends_differ_in_shape_not_only_in_colour(renderer: Renderer) -> None:
    good = picture(renderer, Scene(SceneKind.PAGE, mood=Mood.GOOD))
    bad = picture(renderer, Scene(SceneKind.PAGE, mood=Mood.BAD))
    white_good, white_bad = ((image == 255).all(axis=2) for image in (good, bad))
    assert (white_good ^ white_bad).sum() > 0.5 * white_good.sum()


def test_buttons_stand_where_the_layout_says(renderer: Renderer, theme: Theme) -> None:
    scene = Scene(SceneKind.PAGE, buttons=(Button("a", "A", primary=True), Button("b", "B")))
    image = picture(renderer, scene)
    first, second = layout(SIZE, SceneKind.PAGE, Placing(2)).buttons
    assert tuple(image[first.top + 5, first.centre[0]]) == theme.colours.accent
    assert tuple(image[second.top + 5, second.centre[0]]) == theme.colours.quiet
