"""Columns from lists of decoded JSON values: text, numbers, leftovers.

Senders write ids as numbers, prices as texts and blanks as empty strings. The fast way takes the types
that nearly all of them use, a whole list at a time; a list with anything else goes value by value.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "Faults",
    "as_number",
    "as_text",
    "json_fault",
    "json_text",
    "number_column",
    "object_column",
    "text_column",
    "uncollected",
]

_encode = msgspec.json.Encoder(order="sorted").encode


class Faults(dict[int, tuple[str, str]]):
    """What makes rows unusable: row -> (reason, sentence). The first fault of a row is the one that is told."""

    def add(self, row: int, reason: str, detail: str) -> None:
        self.setdefault(row, (reason, detail))


def as_text(value: object) -> str | None:
    """One JSON scalar as text: "" is none, 12.0 is "12", true is "true".

    Objects and lists are no text: none.
    """
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def text_column(values: Sequence[object]) -> pa.Array:
    """A text column, null where the value is missing, empty or no scalar.

    Parameters
    ----------
    values : sequence of JSON values, shape (rows,)

    Returns
    -------
    pyarrow.StringArray, shape (rows,)
    """
    try:
        column = pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        column = pa.array([as_text(value) for value in values], pa.string())
    if column.null_count == len(column):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def as_number(value: object) -> float | None:
    """One JSON scalar as a number: 4, 4.5, "4.5", and true as 1, as Arrow has it; anything else is none."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return None
        return number if number - number == 0 else None  # neither NaN nor infinite
    return None


def number_column(values: Sequence[object]) -> pa.Array:
    """A float64 column, null where the value is missing or no number."""
    try:
        return pa.array(values, pa.float64())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([as_number(value) for value in values], pa.float64())


def json_fault(error: Exception) -> tuple[str, str]:
    """Reason and sentence for a line that cannot be decoded. msgspec names keys and types, never values."""
    if isinstance(error, msgspec.ValidationError):
        return "type_wrong", str(error)
    return "json_invalid", "the line is no JSON object"


def json_text(value: object) -> str:
    """JSON with sorted keys, so that equal values have equal texts whatever order they came in."""
    return _encode(value).decode()


def object_column(objects: Sequence[Mapping[str, object] | None]) -> pa.Array:
    """A column of JSON objects with sorted keys; null for none and for empty ones."""
    try:
        texts = [_encode(value) if value else None for value in objects]
    except RecursionError:  # lists in lists in lists, hundreds deep: attacks, not properties
        texts = [_encoded_if_flat(value) if value else None for value in objects]
    return pa.array(texts, pa.binary()).cast(pa.string())


def _encoded_if_flat(value: Mapping[str, object]) -> bytes | None:
    try:
        return _encode(value)
    except RecursionError:
        return None


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the cyclic garbage collector.

    Decoded JSON has no cycles, but its hundreds of thousands of dicts would have the collector look at all of
    them again and again: a third of the time of an import.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
