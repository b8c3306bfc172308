"""KPIs of activity and awareness: who is there, how often, and what brought them."""

from __future__ import annotations

import numpy as np

from percorso.analyses.kpi_facts import Facts
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.select import NO_MASK
from percorso.kernels.arrays import I32
from percorso.kernels.kpi_events import contact_values, first_contacts
from percorso.kernels.kpi_sums import active_persons

__all__ = ["KPIS", "add_activity"]

#: The sum `person_seconds` is persons times the seconds of the period.
WEEK_S = 7 * 86_400

KPIS: tuple[Kpi, ...] = (
    Kpi("persons", "all", "count", "up", "total", "persons", missing="no_persons"),
    Kpi("contacts", "all", "count", "up", "total", "contacts", missing="no_contacts"),
    Kpi("contacts_inbound", "all", "count", "up", "total", "contacts_inbound", missing="no_contacts"),
    Kpi("contacts_outbound", "all", "count", "neither", "total", "contacts_outbound", missing="no_outbound"),
    Kpi("sessions", "all", "count", "up", "total", "sessions", missing="no_sessions"),
    Kpi("events", "all", "count", "neither", "total", "events", missing="no_persons"),
    Kpi("unidentified_events", "all", "count", "down", "total", "unidentified_events", missing="none_unidentified"),
    Kpi(
        "contacts_per_week_inbound",
        "all",
        "ratio",
        "up",
        "ratio",
        "contacts_inbound",
        "person_seconds",
        n="persons",
        missing="no_persons",
        scale=1 / WEEK_S,
    ),
    Kpi(
        "contacts_per_week_outbound",
        "all",
        "ratio",
        "neither",
        "ratio",
        "contacts_outbound",
        "person_seconds",
        n="contacts_outbound",
        missing="no_outbound",
        scale=1 / WEEK_S,
    ),
    Kpi("reach", "awareness", "count", "up", "total", "reached", missing="no_contacts"),
    Kpi("new_persons", "awareness", "count", "up", "total", "new_persons", missing="no_new_persons"),
    Kpi("bounce_rate", "awareness", "share", "down", "share", "sessions_left", "sessions", missing="no_sessions"),
    Kpi("social_views", "awareness", "count", "up", "total", "social_views", missing="no_social_views"),
)


#: Sums of contacts, as `contact_values` has them.
_CONTACTS = ("contacts", "contacts_inbound", "contacts_outbound", "new_persons")


def add_activity(facts: Facts) -> None:
    """Persons, events, contacts and sessions of one bucket."""
    if facts.is_of_nobody:
        rows = np.arange(facts.bucket.n_events) if facts.keep is None else np.flatnonzero(facts.keep)
        cell = facts.cells(facts.time_of(rows), rows, np.full(len(rows), -1, np.int32))
        facts.add("unidentified_events", cell, np.empty(0, np.int32), row=rows)
        return
    _add_active(facts)
    _add_contacts(facts)
    _add_sessions(facts)
    rows = facts.rows_of(("Post Shown",))
    person = facts.person_of(rows)
    facts.add("social_views", facts.cells(facts.time_of(rows), rows, person), person)


def _add_active(facts: Facts) -> None:
    plan, bucket, by = facts.plan, facts.bucket, facts.plan.by
    code = np.empty(0, np.int32)
    if by is not None:
        local = bucket.table(by.table).values(by.column)
        of_row = by.lut(bucket).take(local)
        code = np.repeat(of_row, np.diff(bucket.offsets())) if by.table == "persons" else of_row
    active_persons(
        bucket.offsets(),
        bucket.events.values("time"),
        NO_MASK if facts.keep is None else facts.keep,
        plan.starts,
        plan.ends,
        np.ascontiguousarray(code, np.int32),
        plan.n_values,
        facts.groups,
        facts.sum_of("events"),
        facts.sum_of("persons"),
    )


def _add_contacts(facts: Facts) -> None:
    contacts = facts.contacts
    cell = facts.cells(contacts.start_us, contacts.row, contacts.person)
    values = facts.whole.once("contact values", lambda: _contact_values(facts))
    facts.add_columns(_CONTACTS, cell, contacts.person, values)
    facts.add_persons("reached", cell, contacts.person)


def _contact_values(facts: Facts) -> I32:
    """What each contact counts as; a first one is a person's first of all, whatever the condition."""
    contacts, bucket = facts.contacts, facts.bucket
    values = contact_values(contacts.person, contacts.inbound)
    if facts.plan.scope.condition is not None:
        keep = NO_MASK if facts.keep_any is None else facts.keep_any
        first = first_contacts(bucket.offsets(), bucket.events.values("contact"), keep)
        values[:, _CONTACTS.index("new_persons")] = first[contacts.person] == contacts.number
    return values


def _add_sessions(facts: Facts) -> None:
    """Sessions by their first event that is in; left at once: not engaged."""
    sessions = facts.bucket.table("sessions")
    cell, person = facts.session_cell, sessions.values("person")
    facts.add("sessions", cell, person)
    facts.add("sessions_left", cell, person, only=sessions.values("engaged") == 0)
