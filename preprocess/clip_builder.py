"""Accepted frames, one by one, into a clip; the encoding goes on while the capture does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from capture.frame import ImageU8
from preprocess.clip import Candidate, Clip, ClipEntry, ClipFile
from preprocess.clip_options import ClipOptions, ClipReport
from preprocess.encoder_pool import EncoderPool, Job
from preprocess.errors import ClipRejected, EncodeError, GeometryError
from preprocess.images_out import ENDINGS, ImageFile, encode_image
from preprocess.reasons import Reason
from preprocess.selection import Selection
from preprocess.webp import budget
from preprocess.webp.muxer import (
    FILE_OVERHEAD_BYTES,
    FRAME_OVERHEAD_BYTES,
    durations_ms,
    mux,
    muxed_bytes,
)
from preprocess.webp.riff import MAX_SIDE_PX
from preprocess.webp.stills import RAISED_QUALITY, Ladder, quality_range

VIDEO_NAME = "video.webp"


class ClipBuilder:
    """Selects, encodes and packs; one for each session, used by one thread.

    Parameters
    ----------
    options : container, limits, threads.
    colours : the plan's colours, all of which have to be in the clip; None without light
        information.
    expected_frames : the most candidates that can come, where that is known: with fewer than the
        selection takes, each frame's share of the file is larger from the start.
    """

    def __init__(
        self,
        options: ClipOptions,
        colours: Sequence[str] | None = None,
        expected_frames: int | None = None,
    ) -> None:
        plan = tuple(dict.fromkeys(colours)) if colours is not None else None
        if plan is not None and not 1 <= len(plan) <= options.max_frames:
            raise EncodeError(
                f"max_frames: expected at least one for each of {len(plan)} colours,"
                f" got {options.max_frames}"
            )
        self._options = options
        self._selection = Selection(options.rule, plan)
        self._expected_frames = expected_frames
        self._jobs: dict[int, Job[Ladder | ImageFile]] = {}
        self._pool: EncoderPool[Ladder | ImageFile] = EncoderPool(
            options.workers, options.pending_crops, options.stall_s
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
        self._check(candidate, pixels)
        if not self._pool.reserve(wait=not self._options.live):
            self._fall_back()
            return
        try:
            offer = self._selection.offer(candidate)
        except EncodeError:
            self._pool.release()
            raise
        for seq in offer.evicted:
            self._jobs.pop(seq).cancel()
        self._report = replace(
            self._report,
            offered=self._report.offered + 1,
            lost=self._report.lost + len(offer.evicted) + (not offer.kept),
        )
        if offer.kept:
            self._jobs[candidate.seq] = self._pool.submit(pixels.copy(), self._encoder())
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
            self._check_counts()
            return self._animation() if self._options.container == "webp" else self._images()
        finally:
            self.close()

    def close(self) -> None:
        """Give up what is not finished and end the threads; idempotent."""
        self._open = False
        self._jobs.clear()
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

    def _check(self, candidate: Candidate, pixels: ImageU8) -> None:
        self._check_open()
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != "uint8":
            raise EncodeError(
                f"frame {candidate.seq}: expected (H, W, 3) uint8,"
                f" got {pixels.shape} {pixels.dtype}"
            )
        size_wh = (pixels.shape[1], pixels.shape[0])
        self._size_wh = self._size_wh or size_wh
        if size_wh != self._size_wh or not 1 <= min(size_wh) <= max(size_wh) <= MAX_SIDE_PX:
            raise EncodeError(
                f"frame {candidate.seq}: a crop of {size_wh}, expected {self._size_wh}"
                f" with sides of 1 to {MAX_SIDE_PX}"
            )
        target, crop = candidate.target, candidate.crop
        if min(target) < 0 or target.right > size_wh[0] or target.bottom > size_wh[1]:
            raise GeometryError(f"frame {candidate.seq}: target {target} leaves the crop {size_wh}")
        if (
            min(crop.x_px, crop.y_px) < 0
            or crop.x_px + size_wh[0] > crop.full_width_px
            or crop.y_px + size_wh[1] > crop.full_height_px
        ):
            raise GeometryError(f"frame {candidate.seq}: crop {crop} leaves the full frame")

    def _fall_back(self) -> None:
        """Live, and the encoders are behind: less effort first; this frame is passed over."""
        said = self._report.fallbacks
        lower = self._options.live_method
        if self._options.container == "webp" and lower < self._method:
            self._method = lower
            said += (f"encoders behind: method {self._options.method} lowered to {lower}",)
        self._report = replace(
            self._report, skipped=self._report.skipped + 1, method=self._method, fallbacks=said
        )

    def _encoder(self) -> Callable[[ImageU8], Ladder | ImageFile]:
        if self._options.container == "webp":
            return partial(_ladder, self._options, self._method, self._share())
        return partial(encode_image, options=self._options)

    def _share(self) -> int:
        """Bytes for the chunks of one frame of a clip of the expected length."""
        frames = max(1, min(self._selection.expected, self._expected_frames or 1 << 30))
        left = self._options.target_bytes - FILE_OVERHEAD_BYTES
        return max(0, left // frames - FRAME_OVERHEAD_BYTES)

    def _check_counts(self) -> None:
        options, counts = self._options, self._selection.counts()
        total = sum(counts.values())
        if self._selection.colours is None:
            if total < max(1, options.min_frames):
                raise ClipRejected(
                    (Reason.TOO_FEW_FRAMES,),
                    f"{total} accepted frames, at least {options.min_frames} are needed:"
                    " hold still, face the camera, for longer",
                )
            return
        if total == 0:
            raise ClipRejected((Reason.TOO_FEW_FRAMES,), "no frame was accepted under the light")
        if min(counts.values()) < options.min_per_colour:
            figures = ", ".join(f"{colour} {count}" for colour, count in counts.items())
            raise ClipRejected(
                (Reason.TOO_FEW_PER_COLOUR,),
                f"accepted frames per colour: {figures};"
                f" at least {options.min_per_colour} of each are needed",
            )

    def _animation(self) -> Clip:
        ladders = {
            seq: value
            for seq, job in self._jobs.items()
            if isinstance(value := self._pool.result(job), Ladder)
        }
        chosen, qualities = self._fit(ladders)
        stills = [
            ladders[c.seq].rungs[quality] for c, quality in zip(chosen, qualities, strict=True)
        ]
        entries = [self._entry(c, index, VIDEO_NAME, index) for index, c in enumerate(chosen)]
        content = mux(stills, durations_ms([entry.t_ms for entry in entries]))
        return self._clip((ClipFile(VIDEO_NAME, content),), entries, qualities)

    def _fit(self, ladders: dict[int, Ladder]) -> tuple[list[Candidate], list[int]]:
        """Return the frames, and the quality of each, that meet the limits."""
        options = self._options
        least = options.min_per_colour if self._selection.colours else options.min_frames
        while True:
            chosen = list(self._selection.chosen())
            frames = [ladders[candidate.seq] for candidate in chosen]
            room = options.target_bytes - muxed_bytes([0] * len(frames))
            qualities = budget.fit(
                [ladder.sizes for ladder in frames],
                room,
                options.quality_min,
                partial(self._recode, frames),
            )
            if qualities is not None:
                return chosen, self._raise(frames, qualities)
            if self._selection.drop_worst(max(1, least)) is None:
                raise ClipRejected(
                    (Reason.TOO_LARGE_FILE,),
                    f"{len(frames)} frames at quality {options.quality_min} are above"
                    f" {options.target_bytes} bytes and none can be spared: raise target_bytes or"
                    " lower quality_min",
                )
            self._report = replace(self._report, dropped=self._report.dropped + 1)

    def _recode(
        self, frames: Sequence[Ladder], indices: Sequence[int], share: int
    ) -> list[budget.Sizes]:
        self._report = replace(self._report, recoded=self._report.recoded + len(indices))
        self._pool.map(lambda index: frames[index].recode(share), indices)
        return [frames[index].sizes for index in indices]

    def _raise(self, frames: Sequence[Ladder], qualities: list[int]) -> list[int]:
        """Return the qualities, the highest where the file would be below its smallest size."""
        options = self._options

        def total(picks: Sequence[int]) -> int:
            return muxed_bytes([len(f.rungs[q].chunks) for f, q in zip(frames, picks, strict=True)])

        if total(qualities) >= options.min_bytes:
            return qualities
        self._pool.map(Ladder.raise_quality, frames)
        raised = [RAISED_QUALITY] * len(frames)
        size = total(raised)
        if not options.min_bytes <= size <= options.target_bytes:
            raise ClipRejected(
                (Reason.TOO_SMALL_FILE,),
                f"{size} bytes at quality {RAISED_QUALITY}, at least {options.min_bytes} are"
                " needed: the picture is plain; is the lens covered?",
            )
        said = f"quality raised to {RAISED_QUALITY}: {total(qualities)} bytes were too few"
        self._report = replace(self._report, fallbacks=(*self._report.fallbacks, said))
        return raised

    def _images(self) -> Clip:
        ending = ENDINGS[self._options.container]
        files, entries, qualities = [], [], []
        for index, candidate in enumerate(self._selection.chosen()):
            image = self._pool.result(self._jobs[candidate.seq])
            if not isinstance(image, ImageFile):
                raise EncodeError(f"frame {candidate.seq}: no image file was made")
            self._check_image(candidate, image)
            name = f"frame-{index:03d}.{ending}"
            files.append(ClipFile(name, image.content))
            entries.append(self._entry(candidate, index, name, 0))
            qualities += [image.quality] if image.quality is not None else []
        return self._clip(tuple(files), entries, qualities)

    def _check_image(self, candidate: Candidate, image: ImageFile) -> None:
        size, options = len(image.content), self._options
        if size > options.file_limit_bytes:
            cure = "use jpeg or webp" if options.container == "png" else "lower quality_min"
            raise ClipRejected(
                (Reason.TOO_LARGE_FILE,),
                f"frame {candidate.seq}: {size} bytes as {options.container}, at most"
                f" {options.file_limit_bytes} are taken: {cure}, or submit a smaller crop",
            )
        if size < options.min_bytes:
            raise ClipRejected(
                (Reason.TOO_SMALL_FILE,),
                f"frame {candidate.seq}: {size} bytes as {options.container}, at least"
                f" {options.min_bytes} are needed: the picture is plain; is the lens covered?",
            )

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
        low, high = quality_range(qualities)
        self._report = replace(
            self._report,
            quality_low=low,
            quality_high=high,
            file_bytes=sum(len(file.content) for file in files),
        )
        return Clip(
            files, tuple(entries), self._size_wh or (0, 0), low, dropped=self._report.dropped
        )


def _ladder(options: ClipOptions, method: int, share_bytes: int, pixels: ImageU8) -> Ladder:
    ladder = Ladder(options.quality, options.quality_min, method)
    ladder.build(pixels, share_bytes)
    return ladder
