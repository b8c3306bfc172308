"""The fields that conditions, steps and break-downs may name.

========================  =======================================================================
``event``, ``place``, …   coded columns of events (`CODED_COLUMNS` of the journey log)
``prop.NAME``             a property that the workspace names in ``coded_properties``
``value``, ``score``      numbers of events; `value` in units of its currency (12.50, not 1250)
``person.NAME``           fields of the event's person
``person.trait.NAME``     last value of a trait of the person
========================  =======================================================================
"""

from __future__ import annotations

from percorso.errors import SpecError, nearest_hint
from percorso.store.journey_log import CODED_COLUMNS

__all__ = ["NUMBER_FIELDS", "PERSON_CODED", "PERSON_NUMBERS", "all_fields", "check_breakdown", "is_coded", "is_known"]

NUMBER_FIELDS = ("value", "score")
PERSON_CODED = ("kind", "first_channel", "first_place", "country", "device")
PERSON_NUMBERS = ("n_events", "n_sessions", "n_orders")
_PERSON = "person."
_OPEN_PREFIXES = ("prop.", "person.trait.")


def all_fields() -> tuple[str, ...]:
    """Every field with a fixed name."""
    persons = tuple(_PERSON + name for name in PERSON_CODED + PERSON_NUMBERS)
    return CODED_COLUMNS + NUMBER_FIELDS + persons


def is_known(field: str) -> bool:
    """Can there be such a field? Whether a property is coded only the log can tell."""
    return field in all_fields() or any(field.startswith(p) and len(field) > len(p) for p in _OPEN_PREFIXES)


def is_coded(field: str) -> bool:
    """Are its values texts, kept as codes?"""
    if field.startswith(_PERSON):
        return field.removeprefix(_PERSON) in PERSON_CODED
    return field in CODED_COLUMNS or field.startswith("prop.")


def check_breakdown(field: str) -> None:
    """SpecError unless `field` is "" or has coded values."""
    if field and not is_coded(field):
        coded = CODED_COLUMNS + tuple(_PERSON + name for name in PERSON_CODED)
        raise SpecError(f"One cannot break down by '{field}'.", hint=nearest_hint(field, coded, show=30))
