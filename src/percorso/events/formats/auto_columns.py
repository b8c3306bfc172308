"""Which column of a table is which field of an event: guessed from its name, checked against its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from percorso.errors import AmountError
from percorso.events.columns import as_texts
from percorso.events.formats.auto_synonyms import SYNONYMS, plain_name
from percorso.events.formats.auto_words import is_understood
from percorso.events.formats.guess import TimeGuess, are_thousands, guess_decimal, guess_time_format, has_decimal_point
from percorso.money import minor_of
from percorso.settings import CURRENCY_EXPONENTS

__all__ = ["Column", "Found", "find_columns", "look_over"]

#: So many rows are looked at.
SAMPLE_ROWS = 2000

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{5,18}[0-9]")
_CLOCK = re.compile(r"[0-2]?[0-9][:.][0-5][0-9]([:.][0-5][0-9])?")
#: Of a column whose name says what it holds, so many values may be something else; in short files one may.
_TOLERATED_RATIO = 0.2
_SHORTEST = 3
_MONEY = frozenset(name for field in ("value", "tax", "shipping", "discount", "item.price") for name in SYNONYMS[field])

_NUMBER = re.compile(r"[^\W\d_]?[-+]?[0-9][0-9.,' ]*")


class Column:
    """One column of the sample, and what its values look like."""

    #: Points before three digits are taken for thousands; `look_over` decides.
    thousands = False

    def __init__(self, name: str, values: pa.Array) -> None:
        self.name = name
        self.plain = plain_name(name)
        self.temporal = pa.types.is_timestamp(values.type) or pa.types.is_date(values.type)
        self.cells: list[str | None] = as_texts(values).to_pylist()
        self.texts = [text for text in self.cells if text is not None]
        self.rows = len(values)
        self.is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)

    @cached_property
    def distinct(self) -> int:
        """How many different values the sample has."""
        return len(set(self.texts))

    @property
    def names_few_things(self) -> bool:
        """Whether its values may be names of events."""
        return not self.numeric and self.time is None and self.distinct <= max(50, self.rows // 5)

    @cached_property
    def time(self) -> TimeGuess | None:
        """How its times are written; None when it holds none."""
        if self.temporal:
            return TimeGuess("iso", 1.0)
        return guess_time_format(self.texts[:500])

    @cached_property
    def named_time(self) -> TimeGuess | None:
        """As `time`, of a column whose name says that it holds times: a few may be broken."""
        if self.time is not None:
            return self.time
        return guess_time_format(self.texts[:500], enough_ratio=_enough_ratio(len(self.texts[:500])))

    @property
    def has_clock(self) -> bool:
        """Whether its times say more than the day."""
        guess = self.named_time
        if self.temporal or guess is None:
            return True
        if guess.format == "iso":
            return any(len(text) > 10 for text in self.texts)
        return "%H" in guess.format or "%I" in guess.format or "unix" in guess.format

    @property
    def decimal(self) -> str:
        """What separates the decimals of its amounts."""
        return "," if self.thousands else guess_decimal(self.texts[:500])

    @cached_property
    def amounts(self) -> list[int | None]:
        """Its values in hundredths, None where unreadable."""
        decimal = self.decimal
        return [_hundredths(text, decimal) for text in self.texts]

    @property
    def unreadable(self) -> list[str]:
        """Its values that are no amounts."""
        return [text for text, amount in zip(self.texts, self.amounts, strict=True) if amount is None]

    @property
    def mostly_numeric(self) -> bool:
        """As `numeric`, of a column whose name says that it holds amounts: a few may be broken."""
        good = len(self.texts) - len(self.unreadable)
        return bool(good) and good >= len(self.texts) * _enough_ratio(len(self.texts))

    @property
    def addresses_ratio(self) -> float:
        """Of its values, how many are e-mail addresses."""
        return self.share(_EMAIL.fullmatch)

    def after_day(self, day_format: str) -> str:
        """The format of this column's times of day behind a day in `day_format`."""
        colon = ":" if any(":" in text for text in self.texts) else "."
        seconds = any(len(re.findall(r"[0-9]+", text)) > 2 for text in self.texts)
        day = "%Y-%m-%d" if day_format == "iso" else day_format
        return f"{day} %H{colon}%M" + (f"{colon}%S" if seconds else "")

    def as_sql_number(self) -> str:
        """An SQL expression for its amounts, exact: sums of floating-point numbers depend on their order."""
        name = '"' + self.name.replace('"', '""') + '"'
        if not self.is_text:
            return f"cast({name} as decimal(18, 4))"
        digits = f"regexp_replace({name}, '[€$£\\s\\x{{A0}}]|EUR', '', 'g')"
        plain = (
            f"replace(replace({digits}, '.', ''), ',', '.')" if self.decimal == "," else f"replace({digits}, ',', '')"
        )
        return f"try_cast({plain} as decimal(18, 4))"

    def share(self, looks: Callable[[str], object]) -> float:
        """Of its values, how many look so."""
        sample = self.texts[:500]
        return sum(bool(looks(text)) for text in sample) / len(sample) if sample else 0.0

    @cached_property
    def numeric(self) -> bool:
        """Whether nearly all its values are numbers or amounts."""
        decimal = self.decimal
        return self.share(lambda text: _hundredths(text, decimal) is not None) >= 0.9


def _enough_ratio(values: int) -> float:
    """Of so many values, the share that must be what the column's name says."""
    return min(1 - _TOLERATED_RATIO, 1 - 1 / values) if values >= _SHORTEST else 1.0


def _hundredths(text: str, decimal: str) -> int | None:
    try:
        minor = minor_of(text, 2, decimal=decimal)
    except AmountError:
        return None
    return minor if _NUMBER.search(text) else None


@dataclass(frozen=True, slots=True)
class Found:
    """A column that was taken for a field, and why."""

    column: Column
    why: str


#: Field -> what its values must look like, else the name alone does not make it.
_CHECKS: dict[str, Callable[[Column], bool]] = {
    "event": lambda c: c.names_few_things,
    "state": lambda c: c.names_few_things and c.share(is_understood) >= 0.5,
    "time": lambda c: c.named_time is not None,
    "clock": lambda c: c.share(_CLOCK.fullmatch) >= 0.9,
    "email": lambda c: c.share(_EMAIL.fullmatch) >= 0.5,
    "phone": lambda c: c.share(_PHONE.fullmatch) >= 0.5,
    "currency": lambda c: c.share(lambda text: text.upper() in CURRENCY_EXPONENTS) >= 0.9,
    "url": lambda c: c.share(lambda text: text.startswith(("http", "/", "www."))) >= 0.9,
    "referrer": lambda c: c.share(lambda text: "." in text or "/" in text) >= 0.5,
    "text": lambda c: not c.numeric,
    **dict.fromkeys(
        ("value", "tax", "shipping", "discount", "item.quantity", "item.price", "score"), lambda c: c.mostly_numeric
    ),
    "user_id": lambda c: (c.time is None or c.numeric) and c.addresses_ratio < 0.5,
    "order_id": lambda c: c.time is None or c.numeric,
}


def look_over(table: pa.Table, *, decimal_comma: bool = False) -> list[Column]:
    """The columns of the table's first rows.

    Parameters
    ----------
    table : pyarrow.Table
    decimal_comma : bool
        Where the table comes from, decimals follow a comma: "1.234" is more than a thousand unless another
        amount of the table has a decimal point.
    """
    sample = table.slice(0, SAMPLE_ROWS)
    columns = [Column(name, sample.column(name)) for name in sample.column_names]
    money = [column for column in columns if column.is_text and column.plain in _MONEY]
    commas = any(column.decimal == "," for column in money)
    thousands = [column for column in money if are_thousands(column.texts)]
    points = any(has_decimal_point(column.texts) for column in money)
    if commas or (decimal_comma and not points):
        for column in thousands:
            column.thousands = True
    return columns


def find_columns(columns: Sequence[Column]) -> dict[str, Found]:
    """Fields and the columns taken for them, each column at most once.

    A name decides where the values agree with it; e-mail addresses and times are also known by their values.
    """
    found: dict[str, Found] = {}
    taken: set[str] = set()
    for field in SYNONYMS:
        best = _by_name(field, [c for c in columns if c.name not in taken])
        if best is not None:
            found[field] = Found(best, f'the column is called "{best.name}"')
            taken.add(best.name)
    for field, looks, why in (
        ("email", _is_email_by_value, "its values are e-mail addresses"),
        ("time", _is_time_by_value, "its values are times"),
    ):
        rest = [c for c in columns if c.name not in taken and c.texts]
        match = next((c for c in rest if looks(c)), None) if field not in found else None
        if match is not None:
            found[field] = Found(match, why)
            taken.add(match.name)
    return found


def _by_name(field: str, columns: Sequence[Column]) -> Column | None:
    check = _CHECKS.get(field)
    names = SYNONYMS[field]
    candidates = [c for c in columns if c.plain in names and c.texts and (check is None or check(c))]
    return min(candidates, key=lambda c: names.index(c.plain)) if candidates else None


def _is_email_by_value(column: Column) -> bool:
    """Addresses by their looks; half of them are enough where the column is called "customer"."""
    return column.addresses_ratio >= (0.5 if column.plain in SYNONYMS["user_id"] else 0.8)


def _is_time_by_value(column: Column) -> bool:
    """Times by their looks; bare numbers are not enough, they may count anything."""
    return column.time is not None and not column.time.format.startswith("unix") and column.time.format != "%Y%m%d"
