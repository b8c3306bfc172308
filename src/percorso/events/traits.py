"""Traits of persons: the last value of each that was sent, without the personal ones."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

__all__ = ["PERSONAL_TRAITS", "merge_traits", "strip_traits"]

#: Traits that name or reach a person. They stay in the lake and never enter the journey log.
PERSONAL_TRAITS = frozenset(
    {
        "address",
        "avatar",
        "birthday",
        "description",
        "email",
        "firstname",
        "first_name",
        "id",
        "lastname",
        "last_name",
        "name",
        "phone",
        "title",
        "username",
        "website",
    }
)


def merge_traits(sent: Iterable[str]) -> str | None:
    """JSON of the last value of each trait, keys sorted; None where nothing is left.

    Parameters
    ----------
    sent : iterable of str
        JSON objects in the order in which they count.

    Examples
    --------
    >>> merge_traits(['{"plan": "a", "email": "x@example.org"}', '{"plan": "b"}'])
    '{"plan":"b"}'
    """
    merged: dict[str, object] = {}
    for text in sent:
        merged |= _without_personal(text)
    kept = {name: value for name, value in merged.items() if value is not None}
    return msgspec.json.encode(kept, order="sorted").decode() if kept else None


def strip_traits(sent: str) -> str | None:
    """JSON of the traits without the personal ones, keys sorted; None where nothing is left.

    Merging stripped traits gives what merging those that were sent gives: a null stays, since it takes back
    what was sent before.

    Examples
    --------
    >>> strip_traits('{"plan": null, "email": "x@example.org"}')
    '{"plan":null}'
    """
    kept = _without_personal(sent)
    return msgspec.json.encode(kept, order="sorted").decode() if kept else None


def _without_personal(sent: str) -> dict[str, object]:
    traits = msgspec.json.decode(sent)
    return {name: value for name, value in traits.items() if name.lower() not in PERSONAL_TRAITS}
