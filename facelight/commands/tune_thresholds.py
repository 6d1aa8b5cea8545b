"""``facelight tune``: labels or delivered sessions in, thresholds and a report out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from calibration.report.thumbnails import thumbnails
from calibration.report.tune_page import TuneReport, tune_report
from calibration.tuning.material.cache import MeasureCache
from calibration.tuning.material.delivered_sessions import (
    DeliveredSession,
    read_owners,
    read_results,
)
from calibration.tuning.material.gathering import Gathered, GatherOptions, Progress, gather
from calibration.tuning.material.labels import LabelledItem, read_labels
from calibration.tuning.material.material import Material, join
from calibration.tuning.material.measuring import method_of
from calibration.tuning.options import TuneOptions
from calibration.tuning.thresholds_file import TuningOrigin, thresholds_toml
from calibration.tuning.tuner import Tuning, tune
from facelight.batch.one_input import SOFTWARE
from facelight.batch.outputs import whole_directory, write_file
from facelight.config.settings import Settings
from facelight.errors import OutputError, SettingsError
from preprocess.gate.thresholds import Thresholds
from uploader.http.bad_requests import recognise


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What the command line asked for.

    Attributes
    ----------
    labels : ``labels.csv``, or None.
    results : directories of processed sessions.
    subjects : whose those are.
    out, report : what is written; the figures of the report go into a folder beside it.
    force : replace what is there.
    """

    labels: Path | None
    out: Path
    results: tuple[Path, ...] = ()
    subjects: Path | None = None
    report: Path | None = None
    cache: Path | None = None
    force: bool = False
    thumbnails: bool = True
    workers: int | None = None
    options: TuneOptions = field(default_factory=TuneOptions)

    @property
    def figures(self) -> Path | None:
        """The folder of the report's figures as CSV."""
        return self.report and self.report.with_name(f"{self.report.stem}-figures")


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """What was done; ``written`` in the order in which it was."""

    tuning: Tuning
    notes: tuple[str, ...]
    written: tuple[Path, ...]
    fresh: int


def tune_all(request: TuneRequest, settings: Settings, progress: Progress) -> Tuned:
    """Measure, tune, write the report, and the thresholds unless they are refused.

    Raises
    ------
    SettingsError
        nothing to tune on is named.
    OutputError
        something is there already, or cannot be written.
    calibration.errors.CalibrationError
        labels, material, cache or options are not what they should be.
    """
    _check(request)
    material, notes, fresh = _material(request, settings, progress)
    base = replace(Thresholds(), pitch_zero_deg=settings.thresholds.pitch_zero_deg)
    tuning = tune(material, request.options, base)
    origin = TuningOrigin(
        SOFTWARE,
        datetime.now(UTC).isoformat(timespec="seconds"),
        ", ".join(str(path) for path in (request.labels, *request.results) if path),
        method_of(settings.tracker),
    )
    written: list[Path] = []
    if request.report is not None and request.figures is not None:
        pictures = thumbnails(tuning) if request.thumbnails else {}
        report = tune_report(tuning, origin, notes, pictures, request.figures.name)
        written += _write_report(request.report, request.figures, report, request.force)
    if not tuning.refused:
        _free(request.out, request.force)
        write_file(request.out, thresholds_toml(tuning, origin))
        written.append(request.out)
    return Tuned(tuning, notes, tuple(written), fresh)


def _check(request: TuneRequest) -> None:
    if request.labels is None and not request.results:
        raise SettingsError("nothing to tune on: name a labels.csv, or --results DIR")
    if request.subjects is not None and not request.results:
        raise SettingsError("--subjects: belongs to --results; labels.csv names its own subjects")
    for path in (request.out, request.report, request.figures):
        if path is not None:
            _free(path, request.force)


def _free(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise OutputError(f"{path}: is there already; --force replaces it")


def _material(
    request: TuneRequest, settings: Settings, progress: Progress
) -> tuple[Material, tuple[str, ...], int]:
    items: tuple[LabelledItem, ...] = read_labels(request.labels) if request.labels else ()
    delivered = _delivered(request)
    gathered = _gathered(items, request, settings, progress) if items else Gathered((), (), 0)
    material, notes = join(
        (*items, *delivered.items),
        (*gathered.hashes, *delivered.hashes),
        (*gathered.tables, *delivered.tables),
    )
    skipped = (f"{n} sessions left out: {why}" for why, n in sorted(delivered.skipped.items()))
    if delivered.items and request.subjects is None:
        notes += ("each session counts as a person of its own (no --subjects)",)
    return material, (*notes, *skipped), gathered.fresh


def _delivered(request: TuneRequest) -> DeliveredSession:
    if not request.results:
        return DeliveredSession((), (), (), {})
    owners = read_owners(request.subjects) if request.subjects else None
    return read_results(request.results, number_of, owners)


def _gathered(
    items: Sequence[LabelledItem], request: TuneRequest, settings: Settings, progress: Progress
) -> Gathered:
    options = GatherOptions(settings.tracker)
    if request.workers is not None:
        options = replace(options, workers=request.workers)
    folder = request.cache or Path(platformdirs.user_cache_dir("facelight")) / "tune"
    with MeasureCache(folder) as cache:
        return gather(items, cache, options, progress)


def number_of(message: str) -> int | None:
    """Return the number of a 400 message in the contract."""
    found = recognise(message)
    return found.number if found else None


def _write_report(page: Path, figures: Path, report: TuneReport, force: bool) -> list[Path]:
    for path in (page, figures):
        _free(path, force)
    with whole_directory(figures) as folder:
        _write_all(folder, report.figures)
    write_file(page, report.page.encode())
    return [page, figures]


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
