"""Accepted frames, one by one, into a clip; the encoding goes on while the capture does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from capture.frame import ImageU8
from preprocess.clip.animation import Fitter, frame_share
from preprocess.clip.clip import Candidate, Clip, ClipEntry, ClipFile
from preprocess.clip.clip_options import ClipOptions, ClipReport
from preprocess.clip.encoder_pool import EncoderPool, EncodeTask
from preprocess.clip.images_out import ENDINGS, ImageFile, check_image, encode_image
from preprocess.clip.selection import Selection
from preprocess.errors import ClipRejected, EncodeError, GeometryError, OptionError
from preprocess.reasons import Reason
from preprocess.webp.muxer import durations_ms, mux
from preprocess.webp.riff import MAX_SIDE_PX
from preprocess.webp.stills import Ladder

__all__ = ["VIDEO_NAME", "ClipBuilder", "ClipOptions", "ClipRejected", "ClipReport"]

VIDEO_NAME = "video.webp"

_BEHIND = 0.5
"""Live, effort is lowered when this share of the waiting crops' room is taken."""


class ClipBuilder:
    """Selects, encodes and packs; one for each session, used by one thread.

    Parameters
    ----------
    options : container, limits, threads.
    colours : the plan's colours, all of which have to be in the clip; None without light
        information.
    expected_frames : the most candidates that can come, where that is known: with fewer than the
        selection takes, each frame's share of the file is larger from the start.

    Raises
    ------
    OptionError
        where ``max_frames`` is below one frame for each colour.
    """

    def __init__(
        self,
        options: ClipOptions,
        colours: Sequence[str] | None = None,
        expected_frames: int | None = None,
    ) -> None:
        plan = tuple(dict.fromkeys(colours)) if colours else None
        if plan is not None and len(plan) > options.max_frames:
            raise OptionError(
                f"max_frames: expected at least one for each of {len(plan)} colours,"
                f" got {options.max_frames}"
            )
        self._options = options
        self._selection = Selection(options.rule, plan)
        self._expected_frames = expected_frames
        held = options.hold_back if plan is None else options.hold_back_lit
        self._hold_back = 0 if options.live else held
        self._jobs: dict[int, EncodeTask[Ladder | ImageFile]] = {}
        self._held: dict[int, EncodeTask[Ladder | ImageFile]] = {}
        self._pool: EncoderPool[Ladder | ImageFile] = EncoderPool(
            options.workers, options.pending_crops + self._hold_back, options.stall_s
        )
        self._size_wh: tuple[int, int] | None = None
        self._method = options.method
        self._report = ClipReport(method=options.method if options.container == "webp" else None)
        self._open = True

    @property
    def report(self) -> ClipReport:
        """What has been done so far, and what was given up for it."""
        return self._report

    def add(self, candidate: Candidate, pixels: ImageU8) -> None:
        """Let an accepted frame compete; ``pixels`` is its crop, (H, W, 3) uint8 BGR.

        The crop is copied before this returns. Where as many crops wait as may, this waits for
        the encoders; with ``live`` it lowers their effort instead, then passes frames over.

        Raises
        ------
        EncodeError
            for a crop of another size than the first, a frame out of order, a colour that is not
            in the plan, after ``finish`` or ``close``, and where the encoders failed or stalled.
        GeometryError
            where the target leaves the crop, or the crop the full frame.
        """
        self._check_open()
        _check_frame(candidate, pixels, self._size_wh)
        if self._options.live:
            self._ease()
        if not self._pool.reserve(wait=not self._options.live):
            self._report = replace(self._report, skipped=self._report.skipped + 1)
            return
        try:
            offer = self._selection.offer(candidate)
        except EncodeError:
            self._pool.release()
            raise
        self._size_wh = (pixels.shape[1], pixels.shape[0])
        for seq in offer.evicted:
            self._held.pop(seq, None)
            self._jobs.pop(seq).cancel()
        lost = len(offer.evicted) + (not offer.kept)
        self._report = replace(
            self._report, offered=self._report.offered + 1, lost=self._report.lost + lost
        )
        if offer.kept:
            self._keep(candidate.seq, pixels)
        else:
            self._pool.release()

    def finish(self) -> Clip:
        """Wait for the last stills and return the clip; the builder is closed then.

        Raises
        ------
        ClipRejected
            with ``TOO_FEW_FRAMES``, ``TOO_FEW_PER_COLOUR``, ``TOO_SMALL_FILE`` or
            ``TOO_LARGE_FILE``.
        EncodeError
            after ``finish`` or ``close``, and where the encoders failed or stalled.
        """
        self._check_open()
        try:
            _check_counts(self._selection, self._options)
            self._start(leave=0)
            return self._animation() if self._options.container == "webp" else self._images()
        finally:
            self.close()

    def close(self) -> None:
        """Give up what is not finished and end the threads; idempotent."""
        self._open = False
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()
        self._held.clear()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if not self._open:
            raise EncodeError("the clip is finished or closed: start a new builder")

    def _ease(self) -> None:
        """Lower the effort of the stills to come once the encoders are behind."""
        options, lower = self._options, self._options.live_method
        if options.container != "webp" or lower >= self._method or self._pool.fullness < _BEHIND:
            return
        said = f"encoders behind: method {self._method} lowered to {lower}"
        self._method = lower
        fallbacks = (*self._report.fallbacks, said)
        self._report = replace(self._report, method=lower, fallbacks=fallbacks)

    def _keep(self, seq: int, pixels: ImageU8) -> None:
        job = self._pool.hold(pixels.copy(), self._encoder())
        self._jobs[seq] = self._held[seq] = job
        self._start(leave=self._hold_back)

    def _start(self, leave: int) -> None:
        """Hand the oldest crops to the threads until ``leave`` are held back."""
        while len(self._held) > leave:
            self._pool.start(self._held.pop(next(iter(self._held))))

    def _encoder(self) -> Callable[[ImageU8], Ladder | ImageFile]:
        if self._options.container != "webp":
            return partial(encode_image, options=self._options)
        expected = self._selection.expected
        if self._expected_frames is not None:
            expected = min(expected, self._expected_frames)
        share = frame_share(self._options.target_bytes, expected)
        return partial(_ladder, self._options, self._method, share)

    def _animation(self) -> Clip:
        ladders = {
            seq: value
            for seq, job in self._jobs.items()
            if isinstance(value := self._pool.result(job), Ladder)
        }
        fitted = Fitter(self._options, self._pool.map).fit(self._selection, ladders)
        said = self._report.fallbacks
        if fitted.raised_from_bytes is not None:
            said += (f"quality raised: {fitted.raised_from_bytes} bytes were too few",)
        self._report = replace(
            self._report, dropped=fitted.dropped, recoded=fitted.recoded, fallbacks=said
        )
        entries = [
            self._entry(candidate, index, VIDEO_NAME, index)
            for index, candidate in enumerate(fitted.chosen)
        ]
        content = mux(fitted.stills, durations_ms([entry.t_ms for entry in entries]))
        return self._clip((ClipFile(VIDEO_NAME, content),), entries, fitted.qualities)

    def _images(self) -> Clip:
        ending = ENDINGS[self._options.container]
        files, entries, qualities = [], [], []
        for index, candidate in enumerate(self._selection.chosen()):
            image = self._pool.result(self._jobs[candidate.seq])
            if isinstance(image, ImageFile):
                check_image(candidate.seq, image, self._options)
                files.append(ClipFile(f"frame-{index:03d}.{ending}", image.content))
                entries.append(self._entry(candidate, index, files[-1].name, 0))
                qualities += [image.quality] if image.quality is not None else []
        return self._clip(tuple(files), entries, qualities)

    def _entry(self, candidate: Candidate, index: int, name: str, number: int) -> ClipEntry:
        focus = self._options.focus
        with_target = focus == "every" or (focus == "first" and index == 0)
        return ClipEntry(
            file_name=name,
            frame_number=number,
            t_ms=candidate.t_frame_ns // 1_000_000,
            colour=candidate.colour,
            target=candidate.target if with_target else None,
            crop=candidate.crop,
            seq=candidate.seq,
        )

    def _clip(
        self, files: tuple[ClipFile, ...], entries: Sequence[ClipEntry], qualities: Sequence[int]
    ) -> Clip:
        low, high = (min(qualities), max(qualities)) if qualities else (None, None)
        self._report = replace(
            self._report,
            quality_low=low,
            quality_high=high,
            file_bytes=sum(len(file.content) for file in files),
        )
        dropped = self._report.dropped
        size = self._size_wh or (0, 0)
        return Clip(files, tuple(entries), size, low, dropped, self._options.image_type)


def _ladder(options: ClipOptions, method: int, share_bytes: int, pixels: ImageU8) -> Ladder:
    ladder = Ladder(options.quality, options.quality_min, method)
    ladder.build(pixels, share_bytes)
    return ladder


def _check_frame(candidate: Candidate, pixels: ImageU8, size_wh: tuple[int, int] | None) -> None:
    """Check the door: what the encoders and the metadata take for granted."""
    name = f"frame {candidate.seq}"
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != "uint8":
        raise EncodeError(f"{name}: expected (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    width, height = pixels.shape[1], pixels.shape[0]
    if (width, height) != (size_wh or (width, height)):
        raise EncodeError(f"{name}: a crop of {width}x{height} after crops of {size_wh}")
    if not 1 <= min(width, height) <= max(width, height) <= MAX_SIDE_PX:
        raise EncodeError(f"{name}: a crop of {width}x{height}; a side has 1 to {MAX_SIDE_PX}")
    target, crop = candidate.target, candidate.crop
    if min(target) < 0 or target.right > width or target.bottom > height:
        raise GeometryError(f"{name}: target {target} leaves the crop of {width}x{height}")
    right, bottom = crop.x_px + width, crop.y_px + height
    if min(crop.x_px, crop.y_px) < 0 or right > crop.full_width_px or bottom > crop.full_height_px:
        raise GeometryError(f"{name}: {crop} of {width}x{height} leaves the full frame")


def _check_counts(selection: Selection, options: ClipOptions) -> None:
    counts = selection.counts()
    total = sum(counts.values())
    if selection.colours is None:
        if total < options.min_frames:
            raise ClipRejected(
                (Reason.TOO_FEW_FRAMES,),
                f"{total} accepted frames, at least {options.min_frames} are needed",
            )
    elif total == 0:
        raise ClipRejected((Reason.TOO_FEW_FRAMES,), "no frame was accepted while a colour lit it")
    elif min(counts.values()) < options.min_per_colour:
        figures = ", ".join(f"{colour} {count}" for colour, count in counts.items())
        raise ClipRejected(
            (Reason.TOO_FEW_PER_COLOUR,),
            f"accepted frames per colour: {figures};"
            f" at least {options.min_per_colour} of each are needed",
        )
