"""From the stills of the winners to one file within its limits: quality falls, then frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from preprocess.clip.clip import Candidate
from preprocess.clip.clip_options import ClipOptions
from preprocess.clip.selection import Selection
from preprocess.errors import ClipRejected
from preprocess.reasons import Reason
from preprocess.webp import budget
from preprocess.webp.muxer import FILE_OVERHEAD_BYTES, FRAME_OVERHEAD_BYTES, muxed_bytes
from preprocess.webp.riff import Still
from preprocess.webp.stills import RAISED_QUALITY, Ladder


class Spread(Protocol):
    """Does the work for all the items, in threads or not, and returns after the last."""

    def __call__(self, work: Callable[[Ladder], None], items: Sequence[Ladder], /) -> None:
        """Raise what ``work`` raised."""
        ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """The frames of the file in time order, one still and its quality for each."""

    chosen: tuple[Candidate, ...]
    stills: tuple[Still, ...]
    qualities: tuple[int, ...]
    dropped: int
    recoded: int
    raised_from_bytes: int | None = None


def frame_share(target_bytes: int, frames: int) -> int:
    """Return the bytes for one frame's chunks in a file of ``frames`` equal frames."""
    left = target_bytes - FILE_OVERHEAD_BYTES
    return max(0, left // max(1, frames) - FRAME_OVERHEAD_BYTES)


class Fitter:
    """Chooses a still for each winner so that the file is within ``options``' limits."""

    def __init__(self, options: ClipOptions, spread: Spread) -> None:
        self._options = options
        self._spread = spread
        self._recoded = 0

    def fit(self, selection: Selection, ladders: Mapping[int, Ladder]) -> Fitted:
        """Return the fitted clip; ``selection`` loses the frames that have to go.

        Raises
        ------
        ClipRejected
            ``TOO_LARGE_FILE`` or ``TOO_SMALL_FILE``.
        """
        options = self._options
        least = options.min_per_colour if selection.colours else options.min_frames
        dropped = 0
        while True:
            chosen = selection.chosen()
            frames = [ladders[candidate.seq] for candidate in chosen]
            qualities = self._qualities(frames)
            if qualities is not None:
                break
            if selection.drop_worst(max(1, least)) is None:
                raise self._too_large(frames)
            dropped += 1
        size = _file_bytes(frames, qualities)
        raised = size < options.min_bytes
        if raised:
            qualities = self._raise(frames)
        return Fitted(
            chosen,
            tuple(f.rungs[q] for f, q in zip(frames, qualities, strict=True)),
            tuple(qualities),
            dropped,
            self._recoded,
            size if raised else None,
        )

    def _qualities(self, frames: Sequence[Ladder]) -> list[int] | None:
        def recode(indices: Sequence[int], share: int) -> list[budget.Sizes]:
            self._recoded += len(indices)
            todo = [frames[index] for index in indices]
            self._spread(lambda ladder: ladder.recode(share), todo)
            return [ladder.sizes for ladder in todo]

        sizes = [ladder.sizes for ladder in frames]
        return budget.fit(sizes, self._room(len(frames)), self._options.quality_min, recode)

    def _raise(self, frames: Sequence[Ladder]) -> list[int]:
        """Return the highest qualities within the target: the file was below its smallest size."""
        self._spread(Ladder.raise_quality, frames)
        sizes = [ladder.sizes for ladder in frames]
        raised = budget.allot(sizes, self._room(len(frames))) or []
        size, least = _file_bytes(frames, raised), self._options.min_bytes
        if size < least:
            raise ClipRejected(
                (Reason.TOO_SMALL_FILE,),
                f"{size} bytes at quality {RAISED_QUALITY}, at least {least} are needed:"
                " the picture is plain; is the lens covered?",
            )
        return raised

    def _room(self, frames: int) -> int:
        """Bytes for the chunks of that many stills."""
        return self._options.target_bytes - muxed_bytes([0] * frames)

    def _too_large(self, frames: Sequence[Ladder]) -> ClipRejected:
        return ClipRejected(
            (Reason.TOO_LARGE_FILE,),
            f"{len(frames)} frames at quality {self._options.quality_min} are above"
            f" {self._options.target_bytes} bytes and none can be spared:"
            " raise target_bytes or lower quality_min",
        )


def _file_bytes(frames: Sequence[Ladder], qualities: Sequence[int]) -> int:
    stills = [f.rungs[quality] for f, quality in zip(frames, qualities, strict=True)]
    return muxed_bytes([len(still.chunks) for still in stills])
