"""A PNG from an SVG picture, by resvg (a Rust library in a wheel of its own: no system library is needed)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .svg import FONTS

_SCRIPTS = (("Hangul", "가힣", ("\uac00", "\ud7a3")), ("Latin", "Ag", ("A", "z")))


class PictureError(RuntimeError):
    """A picture that cannot be made; the message says what to do."""


def png(svg: str, *, scale: float = 2.0, fonts: Sequence[Path] = (), strict: bool = True) -> bytes:
    """The picture as PNG bytes, `scale` pixels for each of the SVG's.

    Words are set in fonts of the system, or in `fonts` (files or folders). Raises PictureError when no font holds the letters
    (with `strict` off they become boxes), when resvg is not installed, or when the text is no SVG.
    """
    if strict:
        for script, letters, bounds in _SCRIPTS:
            if any(bounds[0] <= sign <= bounds[1] for sign in svg) and not can_draw(letters, fonts):
                raise PictureError(
                    f"no font here has {script} letters: install one (for Korean: Noto Sans KR, NanumGothic), or pass its file in `fonts`"
                )
    return _rendered(svg, scale, fonts)


def can_draw(letters: str, fonts: Sequence[Path] = ()) -> bool:
    """Whether the fonts at hand hold the letters: a missing letter leaves the same box, or nothing, for all."""
    blank = _letter("", fonts)
    drawn = [_letter(letter, fonts) for letter in letters]
    missing = _letter("\U000fffff", fonts)  # a private letter no font has
    return all(picture not in (blank, missing) for picture in drawn)


def _letter(letter: str, fonts: Sequence[Path]) -> bytes:
    text = f'<text x="4" y="30" font-size="28" font-family="{FONTS}">{letter}</text>'
    return _rendered(f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">{text}</svg>', 1.0, fonts)


def _rendered(svg: str, scale: float, fonts: Sequence[Path]) -> bytes:
    try:
        import resvg_py
    except ImportError:
        raise PictureError("PNG pictures need the library resvg-py: pip install resvg-py") from None
    try:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=svg,
                zoom=scale,
                font_files=[str(path) for path in fonts if not path.is_dir()] or None,
                font_dirs=[str(path) for path in fonts if path.is_dir()] or None,
                sans_serif_family="DejaVu Sans",
            )
        )
    except ValueError as error:
        raise PictureError(f"the picture cannot be drawn: {error}") from error
