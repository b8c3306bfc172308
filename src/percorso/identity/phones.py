"""Phone numbers to E.164, the world's one way to write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, ValidationResult

__all__ = ["PhoneReader", "library_phone"]

# Digits with single blanks or dashes between them, as nearly all numbers are written.
_PLAIN = re.compile(r"(\+?)([0-9](?:[ -]?[0-9]){5,14})", re.ASCII)
_SEPARATORS = str.maketrans("", "", " -")
_LONGEST_TEXT = 60


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of a country's numbering plan decides whether digits are a national number as they stand."""

    lengths: frozenset[int]
    prefix: re.Pattern[str] | None  # written before national numbers inside the country

    def takes(self, national: str) -> bool:
        return len(national) in self.lengths and not (self.prefix and self.prefix.match(national))


class PhoneReader:
    """Reads phone numbers as they are written in one country.

    Parameters
    ----------
    country : str
        ISO 3166 code.

    Notes
    -----
    The fast path takes a number only if the library would change nothing but its punctuation: the country
    code is there, or neither it nor an international prefix can be meant; no national prefix can be taken
    off; the length is a possible one. All other numbers are the library's.
    """

    def __init__(self, country: str) -> None:
        self._country = country
        self._code = phonenumbers.country_code_for_region(country)
        home = PhoneMetadata.metadata_for_region(country, None)
        self._abroad = re.compile(home.international_prefix) if home is not None and home.international_prefix else None
        # A country that uses another's code (Vatican City Italy's) is left to the library.
        self._is_main = phonenumbers.region_code_for_country_code(self._code) == country

    def read(self, text: str) -> str | None:
        """E.164, or None where it is no possible phone number."""
        found = _PLAIN.fullmatch(text)
        if found:
            digits = found[2].translate(_SEPARATORS)
            plain = self._international(digits) if found[1] else self._national(digits)
            if plain:
                return plain
        return library_phone(text, self._country)

    def _international(self, digits: str) -> str | None:
        """+39 347 1234567. No country code is the beginning of another, and none begins with 0."""
        if digits[0] == "0":
            return None
        for length in (1, 2, 3):
            code = int(digits[:length])
            if code in COUNTRY_CODE_TO_REGION_CODE:
                plan = _plan_of(code)
                return f"+{digits}" if plan and plan.takes(digits[length:]) else None
        return None

    def _national(self, digits: str) -> str | None:
        """347 1234567."""
        if not self._is_main or digits.startswith(str(self._code)) or (self._abroad and self._abroad.match(digits)):
            return None
        plan = _plan_of(self._code)
        return f"+{self._code}{digits}" if plan and plan.takes(digits) else None


@lru_cache(maxsize=512)
def _plan_of(code: int) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, phonenumbers.region_code_for_country_code(code))
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Plan(frozenset(metadata.general_desc.possible_length), re.compile(prefix) if prefix else None)


def library_phone(text: str, country: str) -> str | None:
    """What phonenumbers says: E.164 of a possible number, without its extension."""
    if len(text) > _LONGEST_TEXT:
        return None
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
