"""Draws scenes on a pygame surface, on the screen's or on any other."""

from __future__ import annotations

from itertools import pairwise

import pygame

from capture.display.layout import Box, Layout, layout, placed_buttons, placing_of
from capture.display.preview import oval_mask, oval_preview, wide_preview
from capture.display.scene import Button, Direction, Mood, Scene, SceneKind
from capture.display.text.text import TextStyle, Typesetter
from capture.display.theme import Theme
from capture.errors import DisplayError
from capture.light.illumination import Rgb

LIGHT_PLATE: Rgb = (190, 190, 190)
LIGHT_INK: Rgb = (24, 24, 24)
LIGHT_TRACK: Rgb = (120, 120, 120)
"""What stands on the light never changes with it: a changing prompt would flash as well."""

_EMPTY_OVAL: Rgb = (88, 88, 88)
_SMOOTH = 4
_ARROW_UNITS = 12
"""Room for an arrow at either side of the preview."""


class Renderer:
    """Draws scenes in a theme.

    Parameters
    ----------
    text_scale : of all texts, as far as they fit.

    Raises
    ------
    DisplayError
        a font or the logo cannot be read.
    """

    def __init__(self, theme: Theme, text_scale: float = 1.0) -> None:
        self._theme = theme
        self._scale = text_scale
        self._type = Typesetter(theme.fonts)
        self._logo = None if theme.logo is None else _image(theme)
        self._shapes: dict[tuple[object, ...], pygame.Surface] = {}

    def check(self, text: str, origin: str) -> None:
        """Raise ``DisplayError`` for a character that no font of the theme has."""
        self._type.check(text, origin)

    def draw(self, surface: pygame.Surface, scene: Scene) -> None:
        """Draw a scene on the whole surface."""
        surface.fill(scene.field_rgb)
        places = layout(surface.get_size(), scene.kind, placing_of(scene, self._scale))
        if scene.kind in (SceneKind.ATTRACT, SceneKind.PAGE):
            self._draw_page(surface, scene, places)
        else:
            if scene.kind is SceneKind.WORKING:
                mark = self._wait_mark(places.oval.width)
                surface.blit(mark, (places.oval.left, places.oval.bottom - mark.get_height()))
            else:
                self._draw_oval(surface, scene, places)
            self._draw_prompt(surface, scene, places)
        self._draw_bar(surface, scene, places)
        for button, box in placed_buttons(scene, surface.get_size(), self._scale):
            self._draw_button(surface, button, box, scene, places.unit_px)

    def _draw_page(self, surface: pygame.Surface, scene: Scene, places: Layout) -> None:
        colours = self._theme.colours
        on_field = scene.kind is SceneKind.ATTRACT
        ink = colours.on_background if on_field else colours.ink
        if places.plate is not None:
            self._plate(surface, places.plate, colours.plate, 3 * places.unit_px)
        title, body = places.title, places.body
        mark = self._mark(scene, places)
        if mark is not None:
            space = mark.get_height() + 2 * places.unit_px
            surface.blit(mark, (title.centre[0] - mark.get_width() // 2, title.top))
            title = Box(title.left, title.top + space, title.width, title.height)
            body = Box(body.left, body.top + space, body.width, max(1, body.height - space))
        self._text(
            surface, scene, scene.title, title, ((14 if on_field else 9) * places.unit_px, ink)
        )
        self._text(surface, scene, scene.body, body, ((7 if on_field else 6) * places.unit_px, ink))

    def _draw_oval(self, surface: pygame.Surface, scene: Scene, places: Layout) -> None:
        lit = scene.kind is SceneKind.LIGHT
        ring = LIGHT_PLATE if lit else self._mood_colour(scene.mood)
        width = max(2, places.unit_px // 2) if lit else places.unit_px
        outer = places.oval
        inner = outer.inset(width)
        if scene.wide and scene.preview is not None:
            self._draw_wide(surface, scene, places, (ring, width))
            return
        surface.blit(self._oval(outer, ring), outer[:2])
        if scene.preview is None:
            surface.blit(self._oval(inner, _EMPTY_OVAL), inner[:2])
        else:
            surface.blit(oval_preview(scene.preview, (inner.width, inner.height)), inner[:2])

    def _draw_wide(
        self, surface: pygame.Surface, scene: Scene, places: Layout, ring_and_width: tuple[Rgb, int]
    ) -> None:
        """Draw the whole frame with the oval as an outline, and the arrow beside it."""
        if scene.preview is None:
            return
        unit, oval = places.unit_px, places.oval
        ring, width = ring_and_width
        room = surface.get_width() - 4 * unit - 2 * _ARROW_UNITS * unit
        picture = wide_preview(scene.preview, oval.height, room)
        left = oval.centre[0] - picture.get_width() // 2
        surface.blit(picture, (left, oval.top))
        outline = self._outline(oval, ring, width)
        surface.blit(outline, oval[:2])
        if scene.towards is not None:
            box = Box(left, oval.top, picture.get_width(), oval.height)
            self._draw_arrow(surface, scene.towards, box, unit)

    def _draw_arrow(self, surface: pygame.Surface, towards: Direction, box: Box, unit: int) -> None:
        """Draw a triangle at the side of the picture that the person should move to."""
        size, gap = (_ARROW_UNITS - 2) * unit, unit
        x, y = box.centre
        tips = {
            Direction.LEFT: ((box.left - gap - size, y), (1, -1), (1, 1)),
            Direction.RIGHT: ((box.right + gap + size, y), (-1, -1), (-1, 1)),
            Direction.UP: ((x, box.top + gap), (-1, 1), (1, 1)),
            Direction.DOWN: ((x, box.bottom - gap), (-1, -1), (1, -1)),
        }
        tip, *sides = tips[towards]
        points = [tip, *((tip[0] + dx * size, tip[1] + dy * size) for dx, dy in sides)]
        pygame.draw.polygon(surface, self._theme.colours.accent, points)
        pygame.draw.polygon(surface, self._theme.colours.plate, points, max(2, unit // 2))

    def _draw_prompt(self, surface: pygame.Surface, scene: Scene, places: Layout) -> None:
        lit = scene.kind is SceneKind.LIGHT
        colours = self._theme.colours
        if places.plate is not None and scene.title:
            plate = LIGHT_PLATE if lit else colours.plate
            self._plate(surface, places.plate, plate, places.unit_px)
            ink = LIGHT_INK if lit else colours.ink
            self._text(surface, scene, scene.title, places.title, (8 * places.unit_px, ink))
        if scene.body and not lit:
            largest = round(4 * places.unit_px * self._scale)
            text = TextStyle(places.body[2:], largest, (16, 16, 16), scene.rtl)
            surface.blit(self._type.paragraph(scene.body, text), places.body[:2])

    def _draw_bar(self, surface: pygame.Surface, scene: Scene, places: Layout) -> None:
        if scene.progress is None:
            return
        lit = scene.kind is SceneKind.LIGHT
        bar = places.bar
        radius = bar.height // 2
        done = round(bar.width * min(1.0, max(0.0, scene.progress)))
        left = bar.right - done if scene.rtl else bar.left
        fill = LIGHT_PLATE if lit else self._mood_colour(scene.mood)
        pygame.draw.rect(surface, LIGHT_TRACK if lit else (96, 96, 96), bar, border_radius=radius)
        pygame.draw.rect(surface, fill, Box(left, bar.top, done, bar.height), border_radius=radius)

    def _draw_button(
        self, surface: pygame.Surface, button: Button, box: Box, scene: Scene, unit: int
    ) -> None:
        colours = self._theme.colours
        behind = colours.accent if button.primary else colours.quiet
        ink = colours.on_accent if button.primary else colours.on_quiet
        self._plate(surface, box, behind, 2 * unit)
        self._text(surface, scene, button.text, box.inset(unit), (5 * unit, ink))

    def _text(
        self,
        surface: pygame.Surface,
        scene: Scene,
        text: str,
        box: Box,
        largest_and_ink: tuple[int, Rgb],
    ) -> None:
        if text:
            largest = round(largest_and_ink[0] * self._scale)
            style = TextStyle(box[2:], largest, largest_and_ink[1], scene.rtl)
            surface.blit(self._type.paragraph(text, style), box[:2])

    def _mood_colour(self, mood: Mood) -> Rgb:
        colours = self._theme.colours
        return {Mood.NEUTRAL: colours.accent, Mood.GOOD: colours.good, Mood.BAD: colours.bad}[mood]

    def _plate(self, surface: pygame.Surface, box: Box, colour: Rgb, radius: int) -> None:
        key = ("plate", box.width, box.height, colour, radius)
        if key not in self._shapes:
            plate = pygame.Surface((box.width * _SMOOTH, box.height * _SMOOTH), pygame.SRCALPHA)
            plate.fill((*colour, 0))  # else edges blend with black
            pygame.draw.rect(plate, colour, plate.get_rect(), border_radius=radius * _SMOOTH)
            self._shapes[key] = pygame.transform.smoothscale(plate, (box.width, box.height))
        surface.blit(self._shapes[key], box[:2])

    def _oval(self, box: Box, colour: Rgb) -> pygame.Surface:
        key = ("oval", box.width, box.height, colour)
        if key not in self._shapes:
            oval = pygame.Surface((box.width, box.height), pygame.SRCALPHA)
            oval.fill((*colour, 255))
            pygame.surfarray.pixels_alpha(oval)[:] = oval_mask(box.width, box.height).T
            self._shapes[key] = oval
        return self._shapes[key]

    def _outline(self, box: Box, colour: Rgb, width: int) -> pygame.Surface:
        key = ("outline", box.width, box.height, colour, width)
        if key not in self._shapes:
            ring = pygame.Surface((box.width * _SMOOTH, box.height * _SMOOTH), pygame.SRCALPHA)
            ring.fill((*colour, 0))
            pygame.draw.ellipse(ring, colour, ring.get_rect(), width * _SMOOTH)
            self._shapes[key] = pygame.transform.smoothscale(ring, (box.width, box.height))
        return self._shapes[key]

    def _wait_mark(self, size: int) -> pygame.Surface:
        """Return three dots: work goes on, and nothing is decided yet."""
        colour = self._theme.colours.accent
        key = ("wait", size, colour)
        if key not in self._shapes:
            big = size * _SMOOTH
            mark = pygame.Surface((big, big), pygame.SRCALPHA)
            mark.fill((*colour, 0))
            for across in (0.2, 0.5, 0.8):
                pygame.draw.circle(mark, colour, (round(across * big), big // 2), big // 10)
            self._shapes[key] = pygame.transform.smoothscale(mark, (size, size))
        return self._shapes[key]

    def _mark(self, scene: Scene, places: Layout) -> pygame.Surface | None:
        """Return what stands above the title: the logo, or the sign of a good or bad end."""
        size = 14 * places.unit_px
        if scene.kind is SceneKind.ATTRACT:
            return None if self._logo is None else _within(self._logo, (3 * size, size))
        return None if scene.mood is Mood.NEUTRAL else self._sign(scene.mood, size)

    def _sign(self, mood: Mood, size: int) -> pygame.Surface:
        key = ("sign", mood, size)
        if key not in self._shapes:
            self._shapes[key] = _sign(mood, self._mood_colour(mood), size)
        return self._shapes[key]


def _image(theme: Theme) -> pygame.Surface:
    try:
        return pygame.image.load(str(theme.logo))
    except (OSError, pygame.error) as error:
        raise DisplayError(f"{theme.logo}: no picture that could be read: {error}") from error


def _within(image: pygame.Surface, size_wh: tuple[int, int]) -> pygame.Surface:
    scale = min(size_wh[0] / image.get_width(), size_wh[1] / image.get_height())
    size = (max(1, round(image.get_width() * scale)), max(1, round(image.get_height() * scale)))
    return pygame.transform.smoothscale(image.convert_alpha(), size)


def _sign(mood: Mood, colour: Rgb, size: int) -> pygame.Surface:
    """Return a disc with a tick or an exclamation mark; shape tells what colour cannot."""
    big = size * _SMOOTH
    disc = pygame.Surface((big, big), pygame.SRCALPHA)
    disc.fill((*colour, 0))
    pygame.draw.circle(disc, colour, (big // 2, big // 2), big // 2)
    white = (255, 255, 255)
    thick = big // 10
    if mood is Mood.GOOD:
        points = [(0.27, 0.53), (0.44, 0.70), (0.74, 0.34)]
        for (x0, y0), (x1, y1) in pairwise(points):
            for step in range(65):
                x, y = x0 + (x1 - x0) * step / 64, y0 + (y1 - y0) * step / 64
                pygame.draw.circle(disc, white, (round(x * big), round(y * big)), thick // 2)
    else:
        body = pygame.Rect(0, 0, thick, round(0.34 * big))
        body.midtop = (big // 2, round(0.22 * big))
        pygame.draw.rect(disc, white, body, border_radius=thick // 2)
        pygame.draw.circle(disc, white, (big // 2, round(0.72 * big)), round(0.6 * thick))
    return pygame.transform.smoothscale(disc, (size, size))
