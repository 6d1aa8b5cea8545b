"""What no metadata says: licences looked up in the sources, and what advisories mean for us."""

from __future__ import annotations

LICENCES = {
    "certifi": "MPL-2.0", "colorama": "BSD-3-Clause", "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause", "flatbuffers": "Apache-2.0", "fonttools": "MIT", "h11": "MIT",
    "httpx": "BSD-3-Clause", "jinja2": "BSD-3-Clause", "kiwisolver": "BSD-3-Clause",
    "markdown-it-py": "MIT", "matplotlib": "Matplotlib (PSF-2.0 in kind)", "mdurl": "MIT",
    "mediapipe": "Apache-2.0", "numpy": "BSD-3-Clause", "opencv-contrib-python": "Apache-2.0",
    "opencv-python": "Apache-2.0", "pebble": "LGPL-3.0-or-later", "protobuf": "BSD-3-Clause",
    "psutil": "BSD-3-Clause", "pygame-ce": "LGPL-2.1-or-later", "python-bidi": "LGPL-3.0-or-later",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause", "rich": "MIT", "shellingham": "ISC",
    "six": "MIT",
}  # fmt: skip
"""Packages whose metadata holds no SPDX expression."""

_FFMPEG = "LGPL-2.1-or-later"
_GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
_QT = "LGPL-3.0-only"
_XCB = "MIT"

BUNDLED = {
    "x264": "**GPL-2.0-or-later**", "x265": "**GPL-2.0-or-later**",
    "avcodec": f"{_FFMPEG} (av's: LGPL-3.0-or-later)", "avdevice": "LGPL-3.0-or-later",
    "avfilter": "LGPL-3.0-or-later", "avformat": f"{_FFMPEG} (av's: LGPL-3.0-or-later)",
    "avutil": f"{_FFMPEG} (av's: LGPL-3.0-or-later)",
    "swresample": f"{_FFMPEG} (av's: LGPL-3.0-or-later)",
    "swscale": f"{_FFMPEG} (av's: LGPL-3.0-or-later)",
    "crypto": "OpenSSL AND SSLeay (1.1.1w)", "ssl": "OpenSSL AND SSLeay (1.1.1w)",
    "SvtAv1Enc": "BSD-3-Clause-Clear", "dav1d": "BSD-2-Clause", "avif": "BSD-2-Clause",
    "vpx": "BSD-3-Clause", "vpl": "MIT", "webp": "BSD-3-Clause", "webpmux": "BSD-3-Clause",
    "webpdemux": "BSD-3-Clause", "sharpyuv": "BSD-3-Clause", "mp3lame": "LGPL-2.0-or-later",
    "opencore-amrnb": "Apache-2.0", "opencore-amrwb": "Apache-2.0", "opus": "BSD-3-Clause",
    "opusfile": "BSD-3-Clause", "gmp": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "gnutls": "LGPL-2.1-or-later", "hogweed": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "nettle": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "unistring": "LGPL-3.0-or-later OR GPL-2.0-or-later", "asound": "LGPL-2.1-or-later",
    "drm": "MIT", "EGL": "MIT (libglvnd)", "GLESv2": "MIT (libglvnd)",
    "GLdispatch": "MIT (libglvnd)", "gfortran": _GCC, "quadmath": "LGPL-2.1-or-later",
    "openblas": "BSD-3-Clause", "openblas64_p": "BSD-3-Clause",
    "Qt5Core": _QT, "Qt5Gui": _QT, "Qt5Test": _QT, "Qt5Widgets": _QT, "Qt5XcbQpa": _QT,
    "X11-xcb": _XCB, "Xau": _XCB, "xcb": _XCB, "xcb-icccm": _XCB, "xcb-image": _XCB,
    "xcb-keysyms": _XCB, "xcb-randr": _XCB, "xcb-render": _XCB, "xcb-render-util": _XCB,
    "xcb-shape": _XCB, "xcb-shm": _XCB, "xcb-sync": _XCB, "xcb-util": _XCB, "xcb-xfixes": _XCB,
    "xcb-xinerama": _XCB, "xcb-xkb": _XCB, "xkbcommon": _XCB, "xkbcommon-x11": _XCB,
    "png16": "libpng-2.0", "jpeg": "IJG AND BSD-3-Clause", "tiff": "libtiff",
    "openjp2": "BSD-2-Clause", "lcms2": "MIT", "lzma": "0BSD", "zstd": "BSD-3-Clause",
    "brotlicommon": "MIT", "brotlidec": "MIT", "freetype": "FTL", "harfbuzz": "MIT-Modern-Variant",
    "SDL2": "Zlib", "SDL2_image": "Zlib", "SDL2_mixer": "Zlib", "SDL2_ttf": "Zlib",
    "FLAC": "BSD-3-Clause", "fluidsynth": "LGPL-2.1-or-later", "mpg123": "LGPL-2.1-only",
    "ogg": "BSD-3-Clause", "portmidi": "MIT", "sndfile": "LGPL-2.1-or-later",
    "vorbis": "BSD-3-Clause", "vorbisenc": "BSD-3-Clause", "vorbisfile": "BSD-3-Clause",
    "wavpack": "BSD-3-Clause", "xmp": "MIT",
}  # fmt: skip
"""Shared libraries that wheels bring, by name."""

OWN_FILES = {
    "facelight/fonts/FacelightSans.ttf": ("subset of Noto Sans", "OFL-1.1"),
    "facelight/fonts/FacelightSansArabic.ttf": ("subset of Noto Sans Arabic", "OFL-1.1"),
    "facelight/fonts/FacelightSansHan.otf": ("subset of Noto Sans CJK SC", "OFL-1.1"),
    "mediapipe: face_landmark_with_attention.tflite": ("FaceMesh, in the wheel", "Apache-2.0"),
    "mediapipe: face_landmark.tflite": ("FaceMesh, in the wheel", "Apache-2.0"),
    "mediapipe: face_detection_short_range.tflite": ("BlazeFace, in the wheel", "Apache-2.0"),
    "cv2: qt/fonts/DejaVu*.ttf": ("in the wheel, never loaded", "Bitstream-Vera"),
    "pygame: freesansbold.ttf": ("in the wheel, never loaded", "GPL-2.0-or-later, font exception"),
}  # fmt: skip

_NOT_GIVEN = "no: OpenCV is given no file and no address to read video from; a test forbids it"
_CV = ("opencv-python", "4.11.0.86")

ADVISORIES = (
    (*_CV, "CVE-2025-53644: crafted JPEG 2000 writes by an uninitialised pointer (4.12 cures)",
     "no: other people's JPEG is decoded by Pillow and libav; OpenCV decodes PNG of 16 bits alone,"
     " checked by its first bytes"),
    (*_CV, "its FFmpeg 5.1.6: several, among them CVE-2023-6605 (DASH playlists), CVE-2023-49502",
     _NOT_GIVEN),
    (*_CV, "its OpenSSL 1.1.1w, without support since 2023: CVE-2023-5678, CVE-2024-0727,"
     " CVE-2024-5535 and later", "no: only that FFmpeg would use it, for addresses. " + "TLS of"
     " facelight is the interpreter's own"),
    (*_CV, "its libpng 1.6.44: CVE-2025-64505, -64506, -64720, -65018, -66293 (1.6.52 cures)",
     "no: they are in the simplified interface and in quantising, which OpenCV does not call; PNG"
     " of 16 bits is read in a worker with limits"),
    (*_CV, "its Qt 5.15.16, without open-source support", "no: no window of OpenCV is opened"),
    ("opencv-contrib-python", "4.11.0.86", "as opencv-python: the same build", "as above"),
    ("mediapipe", "0.10.21", "TensorFlow Lite inside: crafted models", "no: the wheel's own models"
     " are loaded, or a file that the operator names"),
    ("numpy", "1.26.4", "none known; without support since 2025", "FaceMesh needs numpy below 2"),
    ("protobuf", "4.25.9", "end of its line; CVE-2025-4565 is cured in it", "no: no message from"
     " outside is parsed"),
)  # fmt: skip
"""Package, version, advisory, whether it is reached and why."""
