"""How wide a text is, and how it fits: measured with the advance widths of Arial, so without opening a font.

All fonts of the theme's stack but the last have these widths, or nearly; letters that are not listed count as wide
ones. A little slack covers the rest.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["fit", "text_width", "wrap"]

#: Advance width in thousandths of the size -> letters that have it.
_WIDTHS = {
    191: "'",
    222: "ijl‘’",
    260: "|¦",
    278: " !,./:;I[\\]ft\xa0·",
    333: "()-`r„“”‹›",
    350: "•",
    355: '"',
    389: "*",
    400: "°",
    469: "^",
    500: "Jcksvxyz",
    556: "#$0123456789?L_abdeghnopqu–€£",
    584: "+<=>~¬×−",
    611: "FTZß",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1000: "—…→←",
    1015: "@",
}
_OF = {letter: width / 1000 for width, letters in _WIDTHS.items() for letter in letters}
_WIDE = 1.0  # letters of other scripts, symbols, emoji
_OTHER = 0.667
_BOLD = 1.08  # bold letters are wider by that, on average
_SLACK = 1.03
_ELLIPSIS = "…"


@lru_cache(maxsize=4096)
def _letter(letter: str) -> float:
    if letter in _OF:
        return _OF[letter]
    plain = unicodedata.normalize("NFD", letter)[0]  # é is as wide as e
    if plain in _OF:
        return _OF[plain]
    if unicodedata.combining(letter):
        return 0.0
    return _WIDE if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x2FFF else _OTHER


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text in a size, in the unit of the size.

    Examples
    --------
    >>> round(text_width("Ordini", 10), 1)
    27.5
    """
    return sum(map(_letter, text)) * size * (_BOLD if bold else 1.0) * _SLACK


def fit(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, shortened with an ellipsis where it is wider than `width`.

    Examples
    --------
    >>> fit("Product Viewed", 60, 12)
    'Product…'
    """
    if text_width(text, size, bold=bold) <= width:
        return text
    room = width - text_width(_ELLIPSIS, size, bold=bold)
    end, so_far = 0, 0.0
    for letter in text:
        so_far += text_width(letter, size, bold=bold)
        if so_far > room:
            break
        end += 1
    return text[:end].rstrip() + _ELLIPSIS


def wrap(text: str, width: float, size: float, lines: int = 2, *, bold: bool = False) -> tuple[str, ...]:
    """The text in at most so many lines of that width, broken between words; the last one shortened if need be.

    Examples
    --------
    >>> wrap("Cerca online, compra in negozio", 90, 12)
    ('Cerca online,', 'compra in ne…')
    """
    done: list[str] = []
    words = text.split(" ")
    line = words[0]
    for at, word in enumerate(words[1:], 1):
        if text_width(f"{line} {word}", size, bold=bold) <= width:
            line = f"{line} {word}"
            continue
        if len(done) == lines - 1:
            line = " ".join([line, *words[at:]])
            break
        done.append(line)
        line = word
    return tuple(fit(each, width, size, bold=bold) for each in (*done, line))
