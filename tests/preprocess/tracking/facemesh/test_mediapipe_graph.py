"""mediapipe starts without what it never uses, and takes nothing from those who do use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOAD = (
    "from preprocess.tracking.facemesh.mediapipe_graph import load_mediapipe\n"
    "mediapipe = load_mediapipe()\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            "import sys\n" + LOAD + "assert not [n for n in sys.modules if 'matplotlib' in n]",
            id="not imported",
        ),
        pytest.param(
            LOAD + "import matplotlib.pyplot as plt, matplotlib\n"
            "assert callable(plt.figure) and matplotlib.__version__",
            id="imported afterwards",
        ),
        pytest.param(
            "import matplotlib\n" + LOAD + "import sys\n"
            "assert sys.modules['matplotlib'] is matplotlib\n"
            "assert 'matplotlib.pyplot' not in sys.modules",
            id="imported before",
        ),
        pytest.param(
            LOAD + "import sys\nfrom mediapipe.python.solutions import drawing_utils\n"
            "assert callable(drawing_utils.plt.figure)\n"
            "assert drawing_utils.plt.figure is sys.modules['matplotlib.pyplot'].figure",
            id="used by mediapipe itself",
        ),
        pytest.param(
            "import mediapipe\n" + LOAD + "import sys; assert 'matplotlib.pyplot' in sys.modules",
            id="mediapipe was there",
        ),
    ],
)
def test_matplotlib_comes_when_it_is_asked_for(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
