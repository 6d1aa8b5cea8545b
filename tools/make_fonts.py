"""Make the fonts of ``facelight/fonts`` from the Noto sources: one weight, the glyphs we need.

Run by hand when a language needs more glyphs, with the variable fonts of the Noto project (the
packages ``manimgx-fonts`` and ``manimgx-fonts-cjk`` hold them unmodified):

    uv run --no-project --with fonttools tools/make_fonts.py \
        --latin 'NotoSans[wght].ttf' --arabic 'NotoSansArabic[wght].ttf' \
        --han NotoSansCJK-VF.otf.ttc

Noto is under the SIL Open Font License 1.1 (``facelight/fonts/OFL.txt``), which allows subsets.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont
from fontTools.varLib import instancer

FONTS = Path(__file__).parents[1] / "facelight" / "fonts"
WEIGHT = 500
"""Medium: thin strokes vanish on a bright field seen from 60 cm."""

SC_FACE = 2
_SIGNS = "‐‑‒–—―‘’‚“”„†•…‰‹›€™←↑→↓✓✕×"
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x250), *map(ord, _SIGNS)]
ARABIC = [*range(0x600, 0x700), *range(0x750, 0x780), 0x20, 0xA0, 0x200C, 0x200D, 0x200E, 0x200F]


def han() -> list[int]:
    """Return GB 2312: 6763 characters, signs and full-width forms."""
    rows = [*range(0xA1, 0xAA), *range(0xB0, 0xF8)]
    pairs = [bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF)]
    texts = (pair.decode("gb2312", errors="ignore") for pair in pairs)
    return [*range(0x20, 0x7F), *(ord(text) for text in texts if text)]


def made(font: TTFont, family: str, unicodes: list[int], *, shaping: bool) -> TTFont:
    """Return ``font`` at one weight with the glyphs of ``unicodes``, under a name of its own."""
    # Before the subset: instancing CFF2 fails on a subset. It takes minutes for 65,000 glyphs.
    static: Any = instancer.instantiateVariableFont(font, {"wght": WEIGHT}, static=True)
    options = subset.Options()
    options.hinting = False
    options.layout_features = ["*"] if shaping else []
    options.name_IDs = ["*"]
    options.notdef_outline = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(static)
    for record in list(static["name"].names):
        if record.nameID in {1, 3, 4, 6, 16}:
            text = family.replace(" ", "") if record.nameID == 6 else family
            static["name"].setName(
                text, record.nameID, record.platformID, record.platEncID, record.langID
            )
    return static


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("latin", "arabic", "han"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    args = parser.parse_args()
    face = TTCollection(args.han).fonts[SC_FACE]
    fonts = {
        "FacelightSans.ttf": made(TTFont(args.latin), "Facelight Sans", LATIN, shaping=False),
        "FacelightSansArabic.ttf": made(
            TTFont(args.arabic), "Facelight Sans Arabic", ARABIC, shaping=True
        ),
        "FacelightSansHan.otf": made(face, "Facelight Sans Han", han(), shaping=False),
    }
    for name, font in fonts.items():
        font.save(FONTS / name)
        print(f"{name}: {(FONTS / name).stat().st_size} bytes, {len(font.getGlyphOrder())} glyphs")


if __name__ == "__main__":
    main()
