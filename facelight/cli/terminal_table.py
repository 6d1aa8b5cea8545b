"""Lists on a terminal: aligned columns, nothing that could drive it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from facelight.terminal import one_line


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows under their head, each column as wide as it needs; None is a dash."""
    texts = [["-" if v is None else one_line(str(v), 80) or "-" for v in row] for row in rows]
    lines = [list(head), *texts]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def fields(pairs: Iterable[tuple[str, object]]) -> str:
    """Return one ``name  value`` a line, without those that are None."""
    kept = [(name, one_line(str(value), 300)) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in kept), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in kept)
