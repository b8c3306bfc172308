"""Days and times as people write them, as instants."""

from __future__ import annotations

import re
from datetime import date, timedelta

from percorso.errors import SpecError
from percorso.time import parse_time

__all__ = ["is_day", "parse_instant_us"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ]\d{2}:\d{2})")  # written as a day should be


def parse_instant_us(text: str, timezone: str, *, whole_day: bool = False) -> int:
    """An ISO day or time as µs UTC.

    Parameters
    ----------
    text : str
        "2024-01-31", "2024-01-31T18:00", with or without offset.
    timezone : str
        For times without offset. In the hour that is skipped in spring the first valid instant is meant, in the
        one that comes twice in autumn the first occurrence.
    whole_day : bool
        A day without time means the midnight that ends it, not the one that begins it.

    Raises
    ------
    SpecError
        Not a day or time.
    """
    stripped = text.strip()
    try:
        if whole_day and is_day(stripped):
            stripped = (date.fromisoformat(stripped) + timedelta(days=1)).isoformat()
        return parse_time(stripped, time_format="iso", timezone=timezone).us
    except (ValueError, OverflowError) as error:
        if _DAY.match(stripped):
            raise SpecError(
                f"There is no such day or time: '{text}'.", hint="Look at its month, day and hour."
            ) from error
        raise SpecError(
            f"'{text}' is not a day or time.", hint="Write 2024-01-31 or 2024-01-31T18:00, with or without +01:00."
        ) from error


def is_day(text: str) -> bool:
    return len(text.strip()) == 10
