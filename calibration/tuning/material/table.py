"""The measured frames of one input, as arrays that the cache can keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from preprocess.face.face import Rect
from preprocess.measures.measures import FIELDS, Measures

HEAD: Final = ("seq", "t_ms", "kind", "left", "top", "width", "height")
WIDTH: Final = len(HEAD) + len(FIELDS)


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """Frames of one input in order.

    Attributes
    ----------
    data : (n, WIDTH) float64, read-only: number of the frame, its time in ms, index in
        ``limits.KINDS`` of its light, face rectangle in full-frame pixels (NaN without a face), and
        the measures in the order of ``FIELDS``.
    """

    data: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.data)

    @property
    def seq(self) -> NDArray[np.int64]:
        """(n,) position in the source."""
        return self.data[:, 0].astype(np.int64)

    @property
    def t_ms(self) -> NDArray[np.float64]:
        """(n,) time from the source's first frame."""
        return self.data[:, 1]

    @property
    def kind(self) -> NDArray[np.uint8]:
        """(n,) index in ``limits.KINDS``."""
        return self.data[:, 2].astype(np.uint8)

    @property
    def box(self) -> NDArray[np.float64]:
        """(n, 4) left, top, width, height of the face."""
        return self.data[:, 3 : len(HEAD)]

    @property
    def values(self) -> NDArray[np.float64]:
        """(n, len(FIELDS)) measures."""
        return self.data[:, len(HEAD) :]

    def to_bytes(self) -> bytes:
        """Return the rows as little-endian float64."""
        return self.data.astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the table of ``to_bytes``.

        Raises
        ------
        ValueError
            the length is not that of whole rows.
        """
        if len(content) % (8 * WIDTH):
            raise ValueError(f"{len(content)} bytes, expected a multiple of {8 * WIDTH}")
        flat = np.frombuffer(content, dtype="<f8").astype(np.float64)
        return cls.of_rows(flat.reshape(-1, WIDTH))

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64]) -> Self:
        """Return a table that owns its rows."""
        rows.flags.writeable = False
        return cls(rows)


def frame_row(
    seq: int, t_ms: float, kind: int, box: Rect | None, measures: Measures
) -> tuple[float, ...]:
    """Return one row of ``FrameTable.data``."""
    place = (np.nan,) * 4 if box is None else tuple(float(side) for side in box)
    return (float(seq), t_ms, float(kind), *place, *(getattr(measures, name) for name in FIELDS))
