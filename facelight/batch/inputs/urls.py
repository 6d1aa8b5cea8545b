"""What can be told from the text of an input alone: path or URL, its name, its secrets left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+(::|://)")


def is_url(given: str) -> bool:
    r"""Return whether an input is a URL to fetch: ``C:\x.mp4`` and ``file://`` are not."""
    return _URL.match(given) is not None and local_path(given) is None


def local_path(given: str) -> Path | None:
    """Return the path that a ``file://`` URL names, None for anything else."""
    if not given.startswith("file://"):
        return None
    path = unquote(urlsplit(given).path)
    drive = re.match(r"/[A-Za-z]:", path)
    return Path(path[1:] if drive else path)


def is_process_local(given: str) -> bool:
    """Return whether only this very process sees what the URL names."""
    return given.rpartition("::")[2].startswith("memory://")


def protocol_of(url: str) -> str:
    """Return what stands before the first ``://`` or ``::``."""
    return re.split(r"::|://", url, maxsplit=1)[0]


def without_secrets(text: str) -> str:
    """Return a URL, or text with URLs in it, without passwords and signatures."""
    return re.sub(r"\?[^\s'\"]*", "", re.sub(r"(://)[^/@\s]*@", r"\1", text))


def base_name(given: str) -> str:
    """Return the last part of a path or URL, without what follows ``?`` in a URL."""
    if is_url(given):
        given = given.partition("::")[0].partition("://")[2].partition("?")[0]
    return Path(given).name
