"""Conditions on one bucket: the tree of `conditions` becomes a boolean a row.

A test of a coded field looks at the bucket's dictionary only; rows are then one look-up each.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from percorso.analyses.conditions import Among, Both, Compare, Condition, Either, Leaf, Matches, Missing, Negated
from percorso.analyses.fields import is_coded
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.money import exponent
from percorso.store.journey_log import Bucket, Table

__all__ = ["Mask", "event_mask", "number_mask", "person_mask", "value_mask"]

BoolArray: TypeAlias = npt.NDArray[np.bool_]

#: One boolean a row, or one for all rows.
Mask: TypeAlias = BoolArray | bool

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PERSON = "person."
_TRAIT = "person.trait."


def event_mask(condition: Condition, bucket: Bucket) -> Mask:
    """Which events of the bucket meet the condition.

    Parameters
    ----------
    condition : Condition
    bucket : Bucket

    Returns
    -------
    bool, or bool array of shape (n_events,)

    Raises
    ------
    NotFound
        A property that the log does not keep coded.
    """
    return _fold(condition, lambda leaf: _leaf_mask(leaf, bucket))


def value_mask(condition: Condition, values: Sequence[str]) -> BoolArray:
    """For a condition that names one coded field only: which of its values meet it, bool of shape (n_values,)."""
    mask = _fold(condition, lambda leaf: _test_values(leaf, values))
    return np.full(len(values), mask) if isinstance(mask, bool) else mask


def _fold(condition: Condition, test: Callable[[Leaf], Mask]) -> Mask:
    match condition:
        case Negated(part):
            inside = _fold(part, test)
            return not inside if isinstance(inside, bool) else ~inside
        case Both(parts):
            return _all_of([_fold(part, test) for part in parts])
        case Either(parts):
            negated = [_fold(Negated(part), test) for part in parts]
            every = _all_of(negated)
            return not every if isinstance(every, bool) else ~every
        case _:
            return test(condition)


def _all_of(masks: Sequence[Mask]) -> Mask:
    if any(mask is False for mask in masks):
        return False
    arrays = [mask for mask in masks if not isinstance(mask, bool)]
    if not arrays:
        return True
    return arrays[0] if len(arrays) == 1 else np.logical_and.reduce(arrays)


def _leaf_mask(leaf: Leaf, bucket: Bucket) -> Mask:
    if leaf.field.startswith(_PERSON):
        persons = person_mask(leaf, bucket)
        return persons if isinstance(persons, bool) else np.repeat(persons, np.diff(bucket.offsets()))
    if leaf.field == "value":
        return _amount_mask(leaf, bucket.events)
    if leaf.field == "score":
        return number_mask(leaf, bucket.events.values("score"))
    return _coded_mask(leaf, bucket.events, leaf.field)


def person_mask(leaf: Leaf, bucket: Bucket) -> Mask:
    """Which persons of the bucket meet a test of a field ``person.…``: bool, or bool array of shape (n_persons,)."""
    if leaf.field.startswith(_TRAIT):
        return _test_values(leaf, _traits(bucket.persons, leaf.field.removeprefix(_TRAIT)))
    name = leaf.field.removeprefix(_PERSON)
    if is_coded(leaf.field):
        return _coded_mask(leaf, bucket.persons, name)
    return number_mask(leaf, bucket.persons.values(name))


def _traits(persons: Table, name: str) -> list[str]:
    traits = (msgspec.json.decode(text) if text else {} for text in persons.arrow("traits").to_pylist())
    return [_text_of(found.get(name)) for found in traits]


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _coded_mask(leaf: Leaf, table: Table, column: str) -> Mask:
    if column.startswith("prop.") and column not in table.names:
        kept = [name for name in table.names if name.startswith("prop.")]
        raise NotFound(
            f"The journey log does not keep the property '{column.removeprefix('prop.')}' coded.",
            hint=nearest_hint(column, kept) or "Name it in coded_properties of percorso.toml and build again.",
        )
    of_value = _test_values(leaf, table.dictionary(column))
    if of_value.all():
        return True
    if not of_value.any():
        return False
    return of_value.take(table.values(column))


def _test_values(leaf: Leaf, values: Sequence[str]) -> BoolArray:
    return np.fromiter(map(_text_test(leaf), values), dtype=np.bool_, count=len(values))


def _text_test(leaf: Leaf) -> Callable[[str], bool]:
    match leaf:
        case Missing():
            return lambda value: value == ""
        case Among(values=values):
            return frozenset(values).__contains__
        case Matches(pattern=pattern):
            found = re.compile(pattern, re.IGNORECASE).search
            return lambda value: found(value) is not None
        case Compare(op="=", value=wanted):
            return lambda value: value == wanted
        case Compare():
            return _order_test(leaf)


def _order_test(leaf: Compare) -> Callable[[str], bool]:
    """Numbers compare as numbers; a value that is none does not compare with one. Others compare as text."""
    compare = _COMPARE[leaf.op]
    limit = _number(leaf.value)
    if limit is None:
        return lambda value: value != "" and bool(compare(value, leaf.value))

    def test(value: str) -> bool:
        number = _number(value)
        return number is not None and bool(compare(number, limit))

    return test


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def number_mask(leaf: Leaf, numbers: npt.NDArray[Any]) -> Mask:
    """Which numbers meet a test of a field that holds numbers."""
    match leaf:
        case Missing():
            return np.asarray(np.isnan(numbers), dtype=np.bool_)
        case Among(values=values):
            return np.isin(numbers, np.array([_limit(leaf.field, value) for value in values]))
        case Matches():
            raise _no_text(leaf.field)
        case Compare(op=op, value=value):
            result: BoolArray = _COMPARE[op](numbers, _limit(leaf.field, value))
            return result


def _amount_mask(leaf: Leaf, events: Table) -> Mask:
    """Amounts are minor units; what the user says is units of each event's currency, compared exactly."""
    currencies = events.dictionary("currency")
    has_value = np.array([currency != "" for currency in currencies], dtype=np.bool_)
    codes, amounts = events.values("currency"), events.values("value")
    match leaf:
        case Missing():
            return ~has_value.take(codes)
        case Matches():
            raise _no_text(leaf.field)
        case Among(values=values):
            each = [np.asarray(_amount_mask(Compare(leaf.field, "=", value), events)) for value in values]
            return np.asarray(np.logical_or.reduce(np.stack(each)))
        case Compare(op=op, value=value):
            limits = np.array([_minor(value, currency) for currency in currencies], dtype=np.float64)
            met: BoolArray = _COMPARE[op](amounts, limits.take(codes)) & has_value.take(codes)
            return met


def _minor(value: str, currency: str) -> float:
    places = exponent(currency) if currency else 0
    return float(_decimal(value).scaleb(places))


def _decimal(value: str) -> Decimal:
    try:
        return Decimal(value)
    except ArithmeticError as error:
        raise SpecError(f"'{value}' is not a number.", hint="Write 12.50") from error


def _limit(field: str, value: str) -> float:
    number = _number(value)
    if number is None:
        raise SpecError(f"'{value}' is not a number, but '{field}' is one.", hint="Write 12.50")
    return number


def _no_text(field: str) -> SpecError:
    return SpecError(f"'{field}' is a number; ~ is for texts.", hint="Use = < <= > >= or in (...).")
