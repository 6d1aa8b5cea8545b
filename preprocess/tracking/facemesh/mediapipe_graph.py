"""A mediapipe graph in the thread that asks, and mediapipe's start without what it never uses.

``SolutionBase``, mediapipe's own way to run a graph from Python, copies the picture, hands it to
threads of its own and builds a class for every result: .3 ms a frame that say nothing of the face.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

STEP_US: Final = 33_333
"""Between two runs on the graph's own clock; the models know no time."""

_CHATTER: Final = re.compile(
    rb"^(INFO: Created TensorFlow|WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:|"
    rb"[IWE]0000 )"
)
_STDERR: Final = 2
_PLOTTING: Final = ("matplotlib", "matplotlib.pyplot")
_stderr_lock = threading.RLock()


class Graph:
    """A running graph; used by one thread at a time.

    Parameters
    ----------
    config : a ``CalculatorGraphConfig``; it is changed to run in the calling thread.
    outputs : the streams whose packets ``run`` returns.
    side_packets : packets for the graph's side inputs.
    """

    def __init__(
        self, config: Any, outputs: Sequence[str], side_packets: Mapping[str, Any] | None = None
    ) -> None:
        mediapipe = load_mediapipe()
        del config.executor[:]
        config.executor.add(name="", type="ApplicationThreadExecutor")
        self._graph: Any = mediapipe.CalculatorGraph(graph_config=config)
        self._packets: dict[str, Any] = {}
        for name in outputs:
            self._graph.observe_output_stream(name, self._packets.__setitem__, True)
        self._graph.start_run(dict(side_packets or {}))
        self._now_us = 0

    def run(self, packets: Mapping[str, Any]) -> dict[str, Any]:
        """Send one packet into each stream and return those that come out; some may be empty."""
        self._packets.clear()
        self._now_us += STEP_US
        for name, packet in packets.items():
            self._graph.add_packet_to_input_stream(name, packet.at(self._now_us))
        self._graph.wait_until_idle()
        return self._packets

    def close(self) -> None:
        """End the graph and free its models."""
        self._graph.close()


def load_mediapipe() -> Any:
    """Import mediapipe and return it, its models within reach of its graphs.

    Its drawing module imports matplotlib's pyplot, half of the whole import, for plots that nobody
    asks for. Meanwhile stand-ins take its place that import the real one when they are used.
    """
    if "mediapipe" not in sys.modules:
        later = {name: _Later(name) for name in _PLOTTING if name not in sys.modules}
        if len(later) == len(_PLOTTING):
            later["matplotlib"].__dict__["pyplot"] = later["matplotlib.pyplot"]
        sys.modules.update(later)
        try:
            importlib.import_module("mediapipe")
        finally:
            for name, stand_in in later.items():
                if sys.modules.get(name) is stand_in:
                    del sys.modules[name]
    mediapipe = importlib.import_module("mediapipe")
    root = Path(mediapipe.__file__ or "").parent
    mediapipe.resource_util.set_resource_dir(str(root.parent))
    return mediapipe


class _Later(ModuleType):
    """Stands in for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def quiet_backend() -> Iterator[None]:
    """Keep mediapipe's start-up messages off stderr; everything else written meanwhile passes.

    They come from C++ before its log is set up, where no setting of ours reaches them. Other
    threads' lines are held for as long as it takes, then written unchanged. The graphs open on
    threads of their own: only a first run inside is sure to have drawn all of it.
    """
    with _stderr_lock:
        try:
            saved = os.dup(_STDERR)
        except OSError:  # a windowed program without stderr
            saved = -1
        if saved < 0:
            yield
            return
        with tempfile.TemporaryFile() as held:
            _flush()
            os.dup2(held.fileno(), _STDERR)
            try:
                yield
            finally:
                _flush()
                os.dup2(saved, _STDERR)
                os.close(saved)
                held.seek(0)
                for line in held:
                    if not _CHATTER.match(line):
                        os.write(_STDERR, line)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
