"""How a value may be written inside another text: in an address of a page, in JSON, with blanks in between.

All patterns are for letters of any case, and read alike by Python and by RE2, which Arrow has.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection

import phonenumbers
from phonenumbers import PhoneMetadata

__all__ = ["any_of", "phone_pattern", "spelled"]

_PLUS = r"(?:\+|%(?:25)?2B|\\{1,2}u002b|&#43;|00|011)"
# Up to three signs between digits: blanks, dashes, dots, slashes, brackets, also as %-codes.
_GAP = (
    r"(?:%(?:25)?2[089BDEF]|%C2%A0|\\{1,2}u00a0|&nbsp;"
    "|[\\s\u00a0\u2009\u202f\u2010-\u2015.()/_+-]){0,3}"
)
_BLANK = r"(?:%(?:25)?20|[\s+])?"
_SHORTEST_PHONE = 7


def spelled(text: str, *, blanks: bool = False) -> str:
    """A pattern for a text as it is, %-coded (once or twice), as JSON and as HTML write it.

    Parameters
    ----------
    text : str
    blanks : bool
        Blanks may stand between any two signs, as on cards.
    """
    return (_BLANK if blanks else "").join(_sign(sign) for sign in text)


def any_of(patterns: Collection[str]) -> str:
    """One of the patterns; longer ones first, since the first that fits is taken."""
    return f"(?:{'|'.join(sorted(patterns, key=lambda one: (-len(one), one)))})"


def phone_pattern(value: str, country: str) -> str:
    """A pattern for a telephone number with whatever stands between its digits.

    Parameters
    ----------
    value : str
        E.164.
    country : str
        ISO 3166 code: numbers of this country are written without their country code, too.
    """
    number = phonenumbers.parse(value)
    national = phonenumbers.national_significant_number(number)
    code = number.country_code or 0
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, phonenumbers.region_code_for_country_code(code))
    trunk = metadata.national_prefix if metadata is not None and metadata.national_prefix else ""
    prefix = f"(?:{_digits(trunk)}{_GAP})?" if trunk else ""
    abroad = rf"(?:{_PLUS}{_GAP})?\(?{_digits(str(code))}{_GAP}"
    at_home = code == phonenumbers.country_code_for_region(country) and len(national) >= _SHORTEST_PHONE
    return rf"(?:{abroad}){'?' if at_home else ''}\(?{prefix}{_digits(national)}"


def _digits(digits: str) -> str:
    return _GAP.join(digits)


def _sign(sign: str) -> str:
    """A sign in all its spellings."""
    if sign.isascii() and sign.isalnum():
        return sign
    forms = {form for each in (sign, sign.lower(), sign.upper()) for form in (each, unicodedata.normalize("NFD", each))}
    ways = {re.escape(form) for form in forms}
    for form in forms:
        coded = [f"{byte:02X}" for byte in form.encode()]
        ways |= {"".join(f"%(?:25)?{one}" for one in coded), re.escape(json.dumps(form)[1:-1])}
        units = form.encode("utf-16-be").hex(" ", 2).split()
        ways.add("".join(rf"\\{{1,2}}u{unit}" for unit in units))
        ways.add("".join(f"&#(?:{ord(one)}|x{ord(one):x});" for one in form))
    if sign == " ":
        ways.add(r"\+")
    if sign == "/":
        ways.add(r"\\/")
    return any_of(ways)
