"""Identifiers: one form for each, and which values point at nobody.

Rules work on distinct values, so a slow library may decide; still, ordinary values take a fast path that
gives what the library would (tests compare the two).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from email_validator import EmailNotValidError, validate_email

from percorso.identity.phones import PhoneReader
from percorso.settings import IdentitySettings

__all__ = ["BLOCKED_VALUES", "WORKSPACE_WIDE", "IdentifierRules", "blocked_values", "normalise"]

#: Values that point at nobody, in lower case; beside them whatever consists of 0 and - alone, and noreply@….
BLOCKED_VALUES = frozenset(
    (
        "",
        "-1",
        "null",
        "none",
        "nil",
        "nan",
        "undefined",
        "anonymous",
        "guest",
        "unknown",
        "true",
        "false",
        "id",
        "user_id",
        "email",
        "not_authenticated",
        "[object object]",
        "test@test.com",
    )
)

#: Types that have one space for the workspace; the others live in the id space of their source.
WORKSPACE_WIDE = ("email", "phone")

#: So few values take less time one by one than Arrow's calls do.
_FEW = 16

_TOKENS = ("loyalty_id", "card_token")
_NO_REPLY = "noreply@"
_ZEROS = "[0-]*"
_ZEROS_RE = re.compile(_ZEROS)

# The ordinary address. Anything else (accents, quotes, xn-- domains, long ones) is for the library.
_EMAIL = r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,24}"
_EMAIL_RE = re.compile(_EMAIL)
_ORDINARY_EMAIL_LENGTH = 64  # so that no label of its domain can exceed 63
# Names that no mail goes to (RFC 6761, 6762, 7686): the library refuses them.
_DEAD_DOMAINS = (".arpa", ".invalid", ".local", ".localhost", ".onion")

_NO_BLANK = re.compile(r"\s+")


def blocked_values(own: Iterable[str]) -> frozenset[str]:
    """The shipped blocked values and a workspace's own, as `normalise` compares them."""
    return BLOCKED_VALUES | {value.strip().casefold() for value in own}


def normalise(kind: str, value: str, *, country: str, blocked: frozenset[str] = BLOCKED_VALUES) -> str | None:
    """The one form of an identifier's value; None where it is blocked or malformed.

    Parameters
    ----------
    kind : str
        "email" (NFC, lower case; dots stay), "phone" (E.164), "loyalty_id" and "card_token" (upper case, no
        blanks); any other type is trimmed and no more.
    value : str
    country : str
        ISO 3166 code: where phone numbers without a country code belong.
    blocked : frozenset of str
        From :func:`blocked_values`.

    Notes
    -----
    An e-mail address is malformed where its syntax is (no mail server is asked), a phone number where its
    length is impossible in its country. Whether a number is assigned does not count: that changes with each
    edition of the numbering plan, and a person's identity must not.

    Examples
    --------
    >>> normalise("email", " Anna.Rossi@Example.IT ", country="IT")
    'anna.rossi@example.it'
    >>> normalise("phone", "347 123 4567", country="IT")
    '+393471234567'
    >>> normalise("user_id", "undefined", country="IT") is None
    True
    """
    return _rules(country, blocked).normalise(kind, value)


@lru_cache(maxsize=32)
def _rules(country: str, blocked: frozenset[str]) -> IdentifierRules:
    return IdentifierRules(IdentitySettings(blocked_values=tuple(blocked)), country)


class IdentifierRules:
    """The identifier rules of a workspace.

    Parameters
    ----------
    identity : IdentitySettings
    country : str
        ISO 3166 code of the workspace.
    """

    def __init__(self, identity: IdentitySettings, country: str) -> None:
        self._blocked = blocked_values(identity.blocked_values)
        self._phones = PhoneReader(country)

    def normalise(self, kind: str, value: str) -> str | None:
        """See :func:`normalise`."""
        trimmed = value.strip()
        if self._is_blocked(trimmed):
            return None
        normal = self._reader(kind)(trimmed)
        return None if normal is None or self._is_blocked(normal) else normal

    def points_at_nobody(self, value: str) -> bool:
        """Is a value that `normalise` drops blocked? Else it is malformed."""
        trimmed = value.strip()
        return self._is_blocked(trimmed) or self._is_blocked(_NO_BLANK.sub("", trimmed))

    def normalise_many(self, kind: str, values: pa.StringArray) -> pa.StringArray:
        """The one form of each value, null where it is null, blocked or malformed.

        Parameters
        ----------
        kind : str
        values : pyarrow.StringArray, shape (n_values,)
            Best distinct: equal values cost as much as different ones.

        Returns
        -------
        pyarrow.StringArray, shape (n_values,)
        """
        if len(values) <= _FEW:
            one_by_one = [None if value is None else self.normalise(kind, value) for value in values.to_pylist()]
            return pa.array(one_by_one, type=pa.string())
        candidates, ordinary = _ordinary(kind, values)
        lowered = pc.ascii_lower(candidates)
        blocked = pc.or_(
            pc.or_(pc.is_in(lowered, pa.array(sorted(self._blocked))), pc.starts_with(lowered, _NO_REPLY)),
            pc.match_substring_regex(lowered, f"^{_ZEROS}$"),
        )
        ordinary = pc.fill_null(ordinary, True)
        normal = pc.if_else(pc.fill_null(blocked, True), pa.scalar(None, pa.string()), candidates)
        rest = values.filter(pc.invert(ordinary)).to_pylist()
        if not rest:
            return normal
        decided = pa.array([self.normalise(kind, value) for value in rest], type=pa.string())
        return pc.replace_with_mask(normal, pc.invert(ordinary), decided)

    def _reader(self, kind: str) -> Callable[[str], str | None]:
        if kind == "email":
            return _email
        if kind == "phone":
            return self._phones.read
        return _token if kind in _TOKENS else _as_it_is

    def _is_blocked(self, text: str) -> bool:
        folded = text.casefold()
        return folded in self._blocked or folded.startswith(_NO_REPLY) or _ZEROS_RE.fullmatch(folded) is not None


def _ordinary(kind: str, values: pa.StringArray) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Normal forms of the values whose form is plain to see, and which ones these are.

    Printable ASCII alone: there trimming and cases mean the same to Arrow and to Python.
    """
    if kind == "phone":
        return values, pc.is_null(values)
    if kind == "email":
        lowered = pc.ascii_lower(values)
        ordinary = pc.and_(
            pc.match_substring_regex(lowered, f"^(?:{_EMAIL})$"),
            pc.less_equal(pc.binary_length(values), _ORDINARY_EMAIL_LENGTH),
        )
        for dead in _DEAD_DOMAINS:
            ordinary = pc.and_not(ordinary, pc.ends_with(lowered, dead))
        return lowered, ordinary
    if kind in _TOKENS:
        return pc.ascii_upper(values), pc.match_substring_regex(values, "^[!-~]+$")
    return values, pc.match_substring_regex(values, "^[!-~](?:[ -~]*[!-~])?$")


def _as_it_is(text: str) -> str:
    return text


def _token(text: str) -> str:
    return _NO_BLANK.sub("", text).upper()


def _email(text: str) -> str | None:
    lowered = text.lower()
    ordinary = text.isascii() and len(text) <= _ORDINARY_EMAIL_LENGTH and _EMAIL_RE.fullmatch(lowered)
    if ordinary and not lowered.endswith(_DEAD_DOMAINS):
        return lowered
    return _library_email(text)


def _library_email(text: str) -> str | None:
    """What email-validator says. `.test` is let through: it is there for test data, which must pass like any."""
    try:
        found = validate_email(
            unicodedata.normalize("NFC", text), check_deliverability=False, test_environment=True
        ).normalized
    except EmailNotValidError:
        return None
    domain = found.rpartition("@")[2]
    return unicodedata.normalize("NFC", found.lower()) if "." in domain else None
