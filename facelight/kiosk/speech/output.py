"""Where sound goes: one channel of SDL's mixer, so that nothing is ever played over itself."""

from __future__ import annotations

from typing import Protocol

import pygame

from facelight.kiosk.speech.sound import RATE_HZ, Sound, SoundError

_BUFFER_SAMPLES = 512
_FADE_MS = 15


class Output(Protocol):
    """Plays one sound at a time; used by one thread."""

    def play(self, sound: Sound, volume: float) -> None:
        """Begin to play; what was playing ends."""
        ...

    def busy(self) -> bool:
        """Return whether something is still heard."""
        ...

    def stop(self) -> None:
        """Fade what is playing out."""
        ...

    def close(self) -> None:
        """Give the device back; idempotent."""
        ...


class MixerOutput:
    """SDL's default device, by pygame's mixer.

    Raises
    ------
    SoundError
        there is no sound device.
    """

    def __init__(self) -> None:
        try:
            pygame.mixer.init(RATE_HZ, -16, 2, _BUFFER_SAMPLES, allowedchanges=0)
        except pygame.error as error:
            raise SoundError(f"no sound device: {error}") from error
        pygame.mixer.set_num_channels(1)
        self._channel = pygame.mixer.Channel(0)

    def play(self, sound: Sound, volume: float) -> None:
        """Hand the sound to the mixer."""
        made = pygame.mixer.Sound(buffer=sound.tobytes())
        made.set_volume(volume)
        self._channel.play(made)

    def busy(self) -> bool:
        """Ask the mixer."""
        return self._channel.get_busy()

    def stop(self) -> None:
        """Fade out: a cut sound clicks."""
        self._channel.fadeout(_FADE_MS)

    def close(self) -> None:
        """Close the mixer."""
        if pygame.mixer.get_init():
            pygame.mixer.quit()
