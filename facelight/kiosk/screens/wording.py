"""Languages and theme of the kiosk: all read and checked before anything is shown."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from capture.display.text.fonts import with_fallbacks
from capture.display.theme import load_theme
from capture.light.plan import PlanOptions
from facelight.config.kiosk_options import KioskOptions
from facelight.errors import SettingsError
from facelight.kiosk.screens.scenes import Wording
from facelight.kiosk.screens.texts import language, theme_file


class Words:
    """The wording in use; a person's choice of language ends with their session."""

    def __init__(self, options: KioskOptions, plan: PlanOptions, *, light: bool) -> None:
        codes = dict.fromkeys([options.language, *options.languages])
        self._languages = {code: language(code) for code in codes}
        first = self._languages[options.language]
        slots = len(plan.colours) * plan.repeats
        light_ms = slots * (plan.dwell_ms + plan.jitter_ms) + plan.lead_in_ms + plan.tail_ms
        theme = load_theme(theme_file(options.theme))
        consent = _consent(options.consent_file)
        said = [
            text for lang in self._languages.values() for text in (lang.name, *lang.texts.values())
        ]
        folder = Path(options.fonts) if options.fonts else None
        fonts = with_fallbacks(theme.fonts, [*said, consent or ""], folder)
        self._own = Wording(
            language=first,
            theme=replace(theme, fonts=fonts),
            languages={lang.code: lang.name for lang in self._languages.values()},
            consent=consent,
            light_s=math.ceil(light_ms / 1000),
            light=light,
            spoken=options.speech == "voice",
        )
        self.wording = self._own

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the languages offered."""
        return tuple(language.code for language in self._languages.values())

    def choose(self, code: str) -> None:
        """Speak another of the offered languages until ``reset``."""
        chosen = next((lang for lang in self._languages.values() if lang.code == code), None)
        if chosen is not None:
            self.wording = replace(self._own, language=chosen)

    def reset(self) -> None:
        """Speak the kiosk's own language again."""
        self.wording = self._own

    def all(self) -> list[Wording]:
        """Return the wording in every language, to rehearse."""
        return [replace(self._own, language=lang) for lang in self._languages.values()]


def _consent(file: str) -> str | None:
    if not file:
        return None
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"kiosk.consent_file: {file}: cannot be read: {error}") from error
    if not text:
        raise SettingsError(f"kiosk.consent_file: {file}: the consent text is empty")
    return text
