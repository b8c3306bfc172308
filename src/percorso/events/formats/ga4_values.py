"""What Google writes where it has no value, and columns without it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.formats.json_values import as_text, text_column

__all__ = ["first", "known_column", "origin", "told"]

_NO_VALUE = frozenset({"", "(not set)", "(none)", "<Other>", "(other)", "(data deleted)", "(entrance)"})
_NO_VALUES = pa.array(sorted(_NO_VALUE))


def told(value: object) -> str | None:
    """The text, none where Google has no value or may not tell it."""
    if value is None:
        return None
    text = value if isinstance(value, str) else as_text(value)
    return None if text is None or text in _NO_VALUE else text


def origin(value: object) -> str | None:
    """A source or medium. "(direct)" and "(none)" mean something and are kept; "(not set)" is not."""
    return "(none)" if value == "(none)" else told(value)


def first(*values: object) -> object:
    """The first value that is set."""
    return next((value for value in values if value is not None), None)


def known_column(values: Sequence[object]) -> pa.Array:
    """A text column, null where Google has no value."""
    column = text_column(values)
    return pc.if_else(pc.is_in(column, _NO_VALUES), pa.scalar(None, pa.string()), column)
